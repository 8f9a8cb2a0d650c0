"""command_pipe.py: which command is to blame, and that none is left running."""

import os
import subprocess
import time

import click
import pytest

from command_pipe import SECONDS_TO_END, running


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def test_the_last_command_gives_what_the_first_wrote():
    with running(shell("printf 'b\\na\\n'"), ["sort"], stdout=subprocess.PIPE) as last:
        assert last.stdout.read() == b"a\nb\n"


def test_the_first_command_reads_what_the_body_writes(tmp_path):
    with running(["cat"], shell(f"cat > {tmp_path}/out"), stdin=subprocess.PIPE):
        pass
    with running(shell(f"cat > {tmp_path}/out"), stdin=subprocess.PIPE) as only:
        only.stdin.write(b"text")
    assert (tmp_path / "out").read_bytes() == b"text"


def test_commands_have_the_variables_that_they_are_given():
    with running(shell('echo "$GIVEN"'), stdout=subprocess.PIPE, env={**os.environ, "GIVEN": "here"}) as only:
        assert only.stdout.read() == b"here\n"


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        ([shell("echo lost >&2; exit 3"), ["cat"]], "sh exited 3:\nlost"),
        ([shell("kill -9 $$"), ["cat"]], "sh was killed by SIGKILL"),
        ([["yes"], shell("echo full >&2; exit 4")], "sh exited 4:\nfull"),
        ([["yes"], ["head", "-n", "1"]], "yes was killed by SIGPIPE"),
        ([["no-such-command"]], "no-such-command cannot be run: "),
    ],
)
def test_the_command_that_failed_is_named_with_its_words(commands, said):
    with pytest.raises(click.ClickException, match=said), running(*commands, stdout=subprocess.PIPE) as last:
        last.stdout.read()


@pytest.mark.parametrize(("script", "status"), [("exit 7", 1), ("kill -9 $$", 137), ("kill -15 $$", 143)])
def test_a_killed_command_gives_the_exit_code_of_a_shell(script, status):
    with pytest.raises(click.ClickException) as raised, running(shell(script), stdout=subprocess.PIPE) as last:
        last.stdout.read()
    assert raised.value.exit_code == status


@pytest.mark.parametrize(
    "words",
    [
        "[morecore] insufficient memory",
        "samtools sort: couldn't allocate memory for bam_mem",
        "[E::sam_parse1] Cannot allocate memory",
        "[fread] Cannot allocate memory",
        "[xmalloc] Failed to allocate 96 bytes",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "Out of memory",
    ],
)
def test_a_command_that_says_that_it_lacks_memory_is_as_good_as_killed(words):
    with pytest.raises(click.ClickException) as raised, running(shell(f'echo "{words}" >&2; exit 1')):
        pass
    assert raised.value.exit_code == 137
    assert f"sh exited 1 for lack of memory:\n{words}" in raised.value.message


def test_samtools_under_a_limit_of_memory_is_as_good_as_killed():
    """samtools says so and exits 1; Nextflow runs the task again with more memory only if it looks killed."""
    sort = "ulimit -v 150000; exec samtools sort -m 256M -O bam -"
    with pytest.raises(click.ClickException, match="couldn't allocate memory") as raised:  # noqa: SIM117
        with running(["bash", "-c", sort], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            process.stdin.write(b"@SQ\tSN:c\tLN:9\n")
    assert raised.value.exit_code == 137


def test_words_about_memory_of_another_failure_are_none():
    for words in ("[M::main] peak memory 3 GB", "[E::main] cannot open file", "allocated 3 blocks"):
        with pytest.raises(click.ClickException) as raised, running(shell(f'echo "{words}" >&2; exit 1')):
            pass
        assert raised.value.exit_code == 1


def test_a_full_disk_is_told_in_one_line():
    script = shell("echo working >&2; echo 'x: write: No space left on device' >&2; exit 2")
    with pytest.raises(click.ClickException) as raised, running(script, stdout=subprocess.PIPE):
        pass
    assert raised.value.message.endswith(
        "sh exited 2: the disk is full: free space in the work folder, then run again with -resume"
    )
    assert "\n" not in raised.value.message


def test_a_failed_command_explains_more_than_the_error_of_the_body():
    for error in (ValueError("no header"), click.ClickException("no header")):
        with pytest.raises(click.ClickException, match="exited 5:\nno index"):  # noqa: SIM117
            with running(shell("echo no index >&2; exit 5"), stdout=subprocess.PIPE) as last:
                last.stdout.read()
                last.wait()
                raise error


@pytest.mark.parametrize("error", [OSError("cut off"), click.ClickException("cut off"), KeyboardInterrupt()])
def test_no_command_outlives_an_error_of_the_body(error):
    begin, kind = time.monotonic(), KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else click.ClickException
    with pytest.raises(kind) as raised, running(["yes"], stdout=subprocess.PIPE) as last:
        raise error
    assert last.poll() is not None
    assert time.monotonic() - begin < SECONDS_TO_END
    if isinstance(error, OSError):
        assert raised.value.message == "yes: cut off"
    elif isinstance(error, click.ClickException):
        assert raised.value is error

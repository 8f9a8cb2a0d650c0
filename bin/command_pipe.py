#!/usr/bin/env python3
"""Runs commands, joined by pipes, beside this process, and reports which one failed and what it said."""

import errno
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

import click

from output_files import DISK_REMEDY

# Seconds that the commands get to end by themselves when this process fails to read from them or to write to them.
# A command that caused the failure has ended already, and the others find their pipes closed.
SECONDS_TO_END = 10
LAST_LINES = 10  # lines of a failed command's stderr in the error
# A shell gives this and the signal's number as the status of a killed command. Nextflow runs a task again that ends so.
KILLED_STATUS = 128
# What commands say that want more memory than they get, and then fail by themselves. Whether such a command says it,
# aborts, or is killed depends on the system, so all of these end in one status.
WITHOUT_MEMORY = re.compile(
    r"insufficient memory|out of memory|bad_alloc|memory (allocation fail|exhausted)|"
    r"(can ?not|could(n't| not)|fail(ed)? to|unable to|error) (re)?alloc(at(e|ing))?\b|malloc (error|fail)",
    re.IGNORECASE,
)
# What commands say where the disk is full; the second is samtools's.
DISK_FULL_WORDS = (os.strerror(errno.ENOSPC), "File write failed")


class CommandFailed(click.ClickException):
    """The failure of a command. This process ends like a shell does whose command a signal has killed.

    A negative status is the number of a signal, as that of subprocess.Popen.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        # SIGPIPE tells of another command's end only, so it is no reason to try again.
        self.exit_code = KILLED_STATUS - status if status < 0 and status != -signal.SIGPIPE else 1


@contextmanager
def running(
    *commands: list[str],
    stdin: int | None = None,
    stdout: int | None = None,
    pass_fds: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen]:
    """Run commands during the body of the `with` statement, each reading the output of the one before; yield the last.

    `stdin` is that of the first command, `stdout` that of the last; each is subprocess.PIPE or None. `env` has the
    variables of the commands, in place of this process's. Raise CommandFailed with the end of the stderr of the first
    command that failed. A failed command takes precedence over an error that the body raised (OSError, ValueError,
    ClickException), since it is the likely cause.
    """
    with ExitStack() as stack:
        logs = [stack.enter_context(tempfile.TemporaryFile()) for _ in commands]
        processes: list[subprocess.Popen] = []
        failure, patience = None, None
        try:
            for command, log in zip(commands, logs, strict=True):
                source = processes[-1].stdout if processes else stdin
                target = stdout if len(processes) == len(commands) - 1 else subprocess.PIPE
                processes.append(start_command(command, source, stdout=target, stderr=log, pass_fds=pass_fds, env=env))
            yield processes[-1]
        except (OSError, ValueError) as error:
            failure, patience = error, SECONDS_TO_END
        except click.ClickException as error:
            failure, patience = error, 0
        except BaseException:
            for process in processes:
                exit_status(process, 0)
            raise
        statuses = [exit_status(process, patience) for process in processes]
        complaint = failed_command(commands, statuses, logs, failure)
    if isinstance(failure, click.ClickException) and not complaint:
        raise failure
    if complaint or failure:
        text = " | ".join(" ".join(command) for command in commands)
        complaint, status = complaint or (str(failure), 1)
        raise CommandFailed(f"{text}: {complaint}", status) from failure


def start_command(command: list[str], stdin: BinaryIO | int | None, **options) -> subprocess.Popen:
    """Start a command and close this process's copy of the pipe that it reads, if any.

    Raise ClickException if the command cannot be run.
    """
    try:
        process = subprocess.Popen(command, bufsize=0, stdin=stdin, **options)
    except OSError as error:
        raise click.ClickException(f"{command[0]} cannot be run: {error}") from error
    if stdin not in (None, subprocess.PIPE):
        stdin.close()
    return process


def exit_status(process: subprocess.Popen, patience: float | None) -> int:
    """Close the pipes to a command and return its exit status. Kill it after `patience` seconds and return 0.

    With `patience` None, wait for its end.
    """
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    try:
        return process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return 0


def failed_command(
    commands: Sequence[list[str]], statuses: list[int], logs: list[BinaryIO], failure: Exception | None
) -> tuple[str, int] | None:
    """Return which command failed with the end of its stderr, and its exit status; or None if none did."""
    # SIGPIPE ends a command that writes to one that has failed, so another one is to blame.
    failed = [i for i, status in enumerate(statuses) if status not in (0, -signal.SIGPIPE)]
    if not failed and not failure:
        failed = [i for i, status in enumerate(statuses) if status]
    if not failed:
        return None
    status, log = statuses[failed[0]], logs[failed[0]]
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"exited {status}"
    log.seek(0)
    last = log.read().decode(errors="replace").strip().splitlines()[-LAST_LINES:]
    name = commands[failed[0]][0]
    if status > 0 and any(WITHOUT_MEMORY.search(line) for line in last):
        status, how = -signal.SIGKILL, f"{how} for lack of memory"
    if any(words in line for words in DISK_FULL_WORDS for line in last):
        return f"{name} {how}: the disk is full: {DISK_REMEDY}", status
    return "\n".join([f"{name} {how}:", *last]), status

"""mapper_index.py: an index that is cut off anywhere, or is of another catalogue, is refused."""

import gzip
import random
import re
import shutil
import struct
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import index
import minimap2_commands
from mapper_index import MMI_MAGIC, bwa_sizes, check_bwa, check_minimap2, read_minimap2
from random_contigs import sequence

# Lengths that are odd and even, lower counts of bases than a byte or a word holds, and ambiguous bases.
CONTIGS = {f"c{length}": sequence(length, length, "ACGTN") for length in (1, 2, 3, 7, 8, 9)}
CONTIGS |= {"long": sequence(1, 40_001), "U": "ACGU" * 400, "n" * 255: sequence(2, 3000, "ACGTRYSWKM")}
PREFIX = Path("index/catalogue")


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_catalogue(contigs: dict[str, str], path: str = "catalogue.fa.gz") -> Path:
    Path(path).write_bytes(gzip.compress("".join(f">{name}\n{text}\n" for name, text in contigs.items()).encode()))
    return Path(path)


@pytest.fixture
def catalogue() -> Path:
    return write_catalogue(CONTIGS)


def make(catalogue: Path, mode: str):
    done = CliRunner().invoke(index.main, ["--catalogue", str(catalogue), "--mode", mode])
    assert done.exit_code == 0, done.output
    return check_bwa if mode == "bwa" else check_minimap2


# test_strobealign_index.py has that of strobealign.
@pytest.mark.parametrize("mode", sorted(set(index.MODES) - {"strobealign"}))
def test_a_whole_index_has_the_contigs_of_the_catalogue(catalogue, mode):
    assert make(catalogue, mode)(PREFIX, catalogue) == len(CONTIGS)


@pytest.mark.parametrize("n_bases", [*range(1, 20), 63, 64, 65, 127, 128, 129, 4096])
def test_sizes_of_bwa(n_bases):
    make(write_catalogue({"c": sequence(n_bases, n_bases)}), "bwa")
    for kind, size in bwa_sizes(n_bases, 32).items():
        assert PREFIX.with_suffix(f".{kind}").stat().st_size == size, kind


def test_minimap2_cut_off_anywhere(catalogue):
    check = make(catalogue, "sr")
    whole = PREFIX.read_bytes()
    places = [0, 3, 4, 10, 24, 25, 30, 300, 600, len(whole) // 2, *(len(whole) - n for n in (30_000, 4096, 100, 4, 1))]
    places += random.Random(1).choices(range(len(whole)), k=20)
    for kept in places:
        PREFIX.write_bytes(whole[:kept])
        with pytest.raises(click.ClickException, match="index/catalogue: is damaged or cut off: ") as raised:
            check(PREFIX, catalogue)
        assert "free space" in raised.value.message and "\n" not in raised.value.message


def test_minimap2_with_a_lost_or_changed_part(catalogue):
    """A disk that was full for a moment: what stands behind the lost part moves up."""
    check = make(catalogue, "sr")
    whole = PREFIX.read_bytes()
    end = len(whole) - 2000
    cases = [whole + bytes(4), whole[: len(whole) // 2] + whole[len(whole) // 2 + 4096 :], bytes(4) + whole[4:]]
    cases += [whole[:end] + bytes(500) + whole[end + 500 :]]
    for contents in cases:
        PREFIX.write_bytes(contents)
        with pytest.raises(click.ClickException, match="index/catalogue: is damaged or cut off: "):
            check(PREFIX, catalogue)


def test_minimap2_in_parts(catalogue, monkeypatch):
    monkeypatch.setattr(minimap2_commands, "PART_BASES", 20)
    check = make(catalogue, "sr")
    whole = PREFIX.read_bytes()
    parts = [found.start() for found in re.finditer(re.escape(MMI_MAGIC + whole[4:8]), whole)]
    assert len(parts) > 2 and check(PREFIX, catalogue) == len(CONTIGS)
    for kept in (*parts, *(begin + 6 for begin in parts), len(whole) - 4):
        PREFIX.write_bytes(whole[:kept])
        with pytest.raises(click.ClickException, match="index/catalogue: is damaged or cut off: "):
            check(PREFIX, catalogue)


@pytest.mark.parametrize("kind", ["amb", "ann", "bwt", "pac", "sa"])
def test_bwa_with_a_file_that_is_cut_off_or_lost(catalogue, kind):
    check = make(catalogue, "bwa")
    path = PREFIX.with_suffix(f".{kind}")
    whole = path.read_bytes()
    shorter = 4 if kind in ("amb", "ann") else 1
    for kept in (len(whole) - shorter, len(whole) // 2, 20, 0):
        path.write_bytes(whole[:kept])
        with pytest.raises(click.ClickException, match=rf"catalogue\.{kind}: is damaged or cut off: "):
            check(PREFIX, catalogue)
    path.unlink()
    with pytest.raises(click.ClickException, match=rf"catalogue\.{kind}: is damaged or cut off: "):
        check(PREFIX, catalogue)


@pytest.mark.parametrize("mode", ["sr", "bwa"])
def test_an_index_of_another_catalogue(catalogue, mode):
    check = make(catalogue, mode)
    names = list(CONTIGS)
    others = {
        "has contig 'c1' of 1 bp where other.fa.gz has contig 'c2' of 2 bp": names[1:],
        "has no further contig where other.fa.gz has contig 'more' of 4 bp": [*names, "more"],
        "' of 3000 bp where other.fa.gz has no further contig": names[:-1],
    }
    for said, kept in others.items():
        other = write_catalogue({name: CONTIGS.get(name, "ACGT") for name in kept}, "other.fa.gz")
        with pytest.raises(click.ClickException, match=said):
            check(PREFIX, other)
    if mode == "sr":
        other = write_catalogue(CONTIGS | {"c9": "A" * 9}, "other.fa.gz")
        with pytest.raises(click.ClickException, match="contig 'c9' has other bases than in other"):
            check(PREFIX, other)


def test_no_index_at_all(catalogue):
    make(catalogue, "sr")
    shutil.rmtree("index")
    with pytest.raises(click.ClickException, match="No such file"):
        check_minimap2(PREFIX, catalogue)


def test_an_absurd_number_of_buckets_is_refused_at_once(tmp_path):
    """A number of 4 billion bits takes half a GB and some seconds."""
    path = tmp_path / "index"
    path.write_bytes(b"MMI\2" + struct.pack("<5I", 10, 15, 2**32 - 1, 0, 0) + bytes(100))
    with pytest.raises(click.ClickException, match=r"index: is damaged or cut off: it has 2\^4294967295 buckets"):
        list(read_minimap2(path))

"""minimap2_commands.py: reads that are mapped to an index in parts count as with one part."""

import gzip
import struct
from pathlib import Path

import pytest
from click.testing import CliRunner

import index
import minimap2_commands
from mapper_index import MMI_MAGIC
from sam_files import results, run
from small_genome import GENOME, write_genome, write_pairs

BASES = sum(map(len, GENOME.values()))
READS = ["--reads", "1.fq", "--reads", "2.fq.gz", "--index", "index/catalogue"]


@pytest.fixture(autouse=True)
def genome(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_genome()
    write_pairs()
    Path("catalogue.fa.gz").write_bytes(gzip.compress(Path("genome.fa").read_bytes()))


def count(*options: str) -> tuple:
    """Return what map_reads.py writes, with an index that index.py makes."""
    made = CliRunner().invoke(index.main, ["--catalogue", "catalogue.fa.gz", "--mode", "sr"])
    assert made.exit_code == 0, made.output
    done = run(*READS, *options)
    assert done.exit_code == 0, done.output
    return *results(), gzip.decompress(Path("S.pairs.tsv.gz").read_bytes())


def n_parts() -> int:
    """Return the number of parts of the index: each begins with the same bytes and the same two numbers."""
    raw = Path("index/catalogue").read_bytes()
    return raw.count(MMI_MAGIC + struct.pack("<2I", *struct.unpack_from("<2I", raw, len(MMI_MAGIC))))


# The repeat lies on contigs of the first part and of the last; which of them is a read's first hit is drawn. The last
# of these sizes is exceeded, but by one part.
@pytest.mark.parametrize(("part_bases", "parts"), [(3000, 3), (9000, 2), (BASES - 1, 1)])
@pytest.mark.parametrize("options", [(), ("--no_secondary",), ("--min_mapping_quality", "30")])
def test_hits_in_all_parts_are_ranked_together(monkeypatch, part_bases, parts, options):
    reads, coverage, mapping, pairs = count(*options)
    assert n_parts() == 1
    monkeypatch.setattr(minimap2_commands, "PART_BASES", part_bases)
    found_reads, found_coverage, found_mapping, found_pairs = count(*options)
    assert n_parts() == parts
    assert found_mapping.equals(mapping) and found_pairs == pairs
    assert found_reads["k2"] == reads["k2"] > 100 and found_coverage["k2"] == coverage["k2"]
    assert sum(found_reads.values()) == sum(reads.values())
    assert found_reads == reads or "--no_secondary" in options
    assert not list(Path().glob("*split*"))


@pytest.mark.parametrize("bases", [minimap2_commands.PART_BASES, minimap2_commands.PART_BASES + 1])
def test_a_catalogue_of_one_part_is_mapped_in_one_pass(bases):
    command = minimap2_commands.map_command("sr", True, bases, 2, ["-N", "3"])
    assert ("--split-prefix" in command) == (bases > minimap2_commands.PART_BASES)
    assert command[-2:] == ["-N", "3"]

#!/usr/bin/env python3
"""Compute the features of the contigs: tetranucleotide frequencies and abundances.

In:  catalogue.fa.gz, contigs.tsv, and either each sample's counts.tsv.gz, mapping.tsv and pairs.tsv.gz (of
     `map_reads`) or a table of RPKM (`contigname`, one column per sample).
Out: tnf.npy (n x 136 float32, z-scaled), abundance.npy (n x s float32, rows sum to 1), depth.npy (n float32, log of the
     RPKM summed over the samples, scaled), rows.tsv (`contig, length`: the rows of these), excluded.tsv (`contig,
     reason`: `short` or `no_tetranucleotide`), and of all contigs tetranucleotides.npy (counts, N x 136 float32),
     rpkm.tsv.gz (`contigname`, samples), coverage.tsv.gz and edits.tsv.gz (`contig`, samples: reads and edits per
     base); pair_links.tsv.gz (`contig_1, contig_2, pairs`: the pairs of reads of all samples that link two contigs);
     features.json. With --no_profiles those of all contigs are left out: only the refinement reads them, and of
     millions of genes in a thousand samples they would have billions of numbers.

Implements "Computation of abundance and tetranucleotide frequencies" of the VAMB preprint (Nissen et al. 2018,
doi:10.1101/490078) with tetranucleotides.py and abundances.py. The rows are the contigs of at least --min_contig_length
that have at least one 4-mer without ambiguous bases.

A sample whose reads all count for nothing says nothing about any contig: it is in no matrix or table, and a warning
names it. If that holds for all samples, it is an error.

With --abundance no coverage is known. Then coverage.tsv.gz holds the RPKM, which are proportional to the reads per base
within each sample, edits.tsv.gz holds zeros, and `mapped_reads` of features.json is null.
"""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd

from abundances import log_depth, reads_per_kilobase_million, sample_shares, warn_of_equal_samples
from catalogue_fasta import catalogue_sequences
from message_text import shown
from pair_links import sum_links
from sample_columns import SampleColumns, blocks_of_contigs
from stage_arrays import (
    ABUNDANCE,
    DEPTH,
    FEATURES,
    TETRANUCLEOTIDE_COUNTS,
    TNF,
    matrix_in_blocks,
    write_description,
    write_matrix,
)
from stage_tables import (
    CONTIGS,
    COUNTS,
    COVERAGE,
    EDITS,
    EXCLUDED,
    MAPPING,
    PAIR_LINKS,
    ROWS,
    RPKM,
    Table,
    contigs_hash,
    read_table,
)
from stage_warnings import warn
from table_output import table_in_blocks, write_table
from tetranucleotides import TETRANUCLEOTIDES, FrequencyScale, count_blocks

# The table of a user has the columns of rpkm.tsv.gz.
ABUNDANCE_TABLE = replace(RPKM, advice="give a table of contigname and the RPKM in each sample, separated by tabs")
READS_REMEDY = "check that its reads are whole and of the community that was assembled"
TABLE_REMEDY = "give the RPKM of its reads, or leave the column out"
# Numbers per base of all contigs: the columns of counts.tsv.gz that become tables of their own
PROFILES = {"coverage": COVERAGE, "edits": EDITS}
MAX_NAMED = 5  # samples in an error
RESERVED_NAME = "contig"  # a column of coverage.tsv.gz beside those of the samples
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def tables_by_sample(table: Table, paths: Sequence[Path]) -> Iterator[tuple[str, Path, pd.DataFrame]]:
    """Yield (sample, path, table) of each file.

    Raise ClickException if a file is not about one sample, and if two are about the same.
    """
    seen: dict[str, Path] = {}
    for path in paths:
        frame = read_table(table, path)
        samples = frame["sample"].unique()
        if len(samples) != 1:
            raise click.ClickException(f"{path}: is about {len(samples)} samples, not about one; {table.remedy}")
        sample = samples[0]
        if sample in seen:
            raise click.ClickException(
                f"{path}: is about sample {sample!r}, as {seen[sample]} is; give each sample once"
            )
        seen[sample] = path
        yield sample, path, frame


class Counts(NamedTuple):
    """What is known of N contigs in s samples, sorted by name."""

    samples: list[str]
    reads: SampleColumns  # reads, or RPKM if these are given; in the order of `numbers`
    profiles: dict[str, SampleColumns]  # the same of what PROFILES names, or nothing if it is not wanted
    numbers: list[int]  # of each sample, its place in all of these
    counted_reads: np.ndarray | None  # s; None: RPKM are given
    mapped_reads: list[int] | None  # s; None: unknown

    def chosen(self, kept: np.ndarray) -> "Counts":
        """Return the same of some samples (numbers)."""
        samples, numbers = ([column[i] for i in kept] for column in (self.samples, self.numbers))
        counted = None if self.counted_reads is None else self.counted_reads[kept]
        mapped = self.mapped_reads and [self.mapped_reads[i] for i in kept]
        return self._replace(samples=samples, numbers=numbers, counted_reads=counted, mapped_reads=mapped)

    def rpkm(self, start: int, stop: int, lengths: np.ndarray) -> np.ndarray:
        """Return the RPKM of some contigs, whose lengths (bp) are given (stop - start x s)."""
        values = self.reads.block(start, stop, self.numbers)
        return values if self.counted_reads is None else reads_per_kilobase_million(values, lengths, self.counted_reads)


def read_counts(
    counts: Sequence[Path], mapping: Sequence[Path], contigs: pd.DataFrame, contigs_path: Path, with_profiles: bool
) -> tuple[Counts, pd.DataFrame]:
    """Merge the samples' tables by the name of the sample, one after the other.

    Return them and the mapping statistics, one row per sample in the order of their names. Raise ClickException if a
    table of counts has other contigs than contigs.tsv or another order, and if counts and statistics are not of the
    same samples.
    """
    number, reads = {}, SampleColumns(len(contigs), np.int64)
    profiles = {column: SampleColumns(len(contigs), np.float64) for column in PROFILES if with_profiles}
    for sample, path, table in tables_by_sample(COUNTS, counts):
        check_order(path, table["contig"], contigs["contig"], contigs_path)
        number[sample] = len(number)
        reads.append(table["reads"].to_numpy())
        for column, profile in profiles.items():
            profile.append(table[column].to_numpy())
    statistics = {sample: table for sample, _, table in tables_by_sample(MAPPING, mapping)}
    for sample in sorted(number.keys() ^ statistics.keys()):
        lacks, has = ("--mapping", "--counts") if sample in number else ("--counts", "--mapping")
        raise click.ClickException(
            f"sample {sample!r} is in the files of {has}, not of {lacks}; give both of each sample"
        )
    samples = sorted(number)
    table = pd.concat([statistics[name] for name in samples])
    counted, mapped = table["counted_reads"].to_numpy(), table["mapped_reads"].to_list()
    return Counts(samples, reads, profiles, [number[name] for name in samples], counted, mapped), table


def check_order(path: Path, names: pd.Series, known: pd.Series, known_path: Path) -> None:
    """Raise ClickException for the first name of a table that contigs.tsv does not have in this place."""
    if names.equals(known):
        return
    pairs = enumerate(itertools.zip_longest(names, known), 1)
    row, (found, wanted) = next(pair for pair in pairs if pair[1][0] != pair[1][1])
    has = "ends" if found is None else f"row {row}: contig {shown(found)} stands"
    where = "ends" if wanted is None else f"has contig {shown(wanted)}"
    raise click.ClickException(f"{path}: {has} where {known_path} {where}; give both from the same run")


def abundance_rows(names: pd.Series, contigs: pd.DataFrame, path: Path) -> np.ndarray:
    """Return the row in contigs.tsv of each name of an abundance table; raise ClickException for an unknown name.

    The names are the catalogue's or, where those are unique in the group, the assembler's.
    """
    schemes = [contigs["contig"]]
    if contigs["name"].is_unique:
        schemes.append(contigs["name"])
    known = max(schemes, key=lambda scheme: names.isin(scheme).sum())
    rows = pd.Index(known).get_indexer(names)
    if (rows < 0).any():
        row = int((rows < 0).argmax())
        raise click.ClickException(
            f"{path}: row {row + 1}: contig {shown(names.iloc[row])} is not in the catalogue; name the contigs as the "
            "assembly does (with several assemblies in a group, as contigs.tsv does)"
        )
    return rows


def read_abundance(path: Path, contigs: pd.DataFrame, min_length: int, with_profiles: bool) -> Counts:
    """Read a table of RPKM, which stand for the coverage beside edits of 0, if these profiles are wanted.

    Contigs shorter than `min_length` may be absent: they get 0. Raise ClickException for an absent longer one, an
    unknown or repeated contig, a repeated sample, and for a value that is not a number of at least 0.
    """
    table = read_table(ABUNDANCE_TABLE, path)
    samples = sorted(table.columns[1:])
    if RESERVED_NAME in samples:
        raise click.ClickException(f"{path}: a sample is named {RESERVED_NAME!r}, as other columns are; rename it")
    rows = abundance_rows(table["contigname"], contigs, path)
    is_absent = contigs["length"].to_numpy() >= min_length
    is_absent[rows] = False
    if is_absent.any():
        raise click.ClickException(
            f"{path}: contig {shown(contigs['contig'][is_absent.argmax()])} of the catalogue is not in it; "
            f"give every contig of at least {min_length} bp"
        )
    rpkm = SampleColumns(len(contigs), np.float64)
    profiles = {"coverage": rpkm, "edits": SampleColumns(len(contigs), np.float64)} if with_profiles else {}
    for sample in samples:
        values = np.zeros(len(contigs))
        values[rows] = table[sample].to_numpy()
        rpkm.append(values)
        if with_profiles:
            profiles["edits"].append(np.zeros(len(contigs)))
    return Counts(samples, rpkm, profiles, list(range(len(samples))), None, None)


def why_empty(statistics: pd.Series) -> str:
    """Return why a sample has no count, from its row of mapping.tsv."""
    if not statistics["reads"]:
        return "no reads"
    if not statistics["mapped_reads"]:
        return f"none of its {statistics['reads']} reads maps to the contigs"
    return f"none of its {statistics['mapped_reads']} mapped reads has an alignment that counts"


def samples_with_counts(counts: Counts, reasons: list[str], remedy: str) -> Counts:
    """Return the samples that have a count, and warn of each of the others.

    `reasons` says of each sample why it would have none, `remedy` what a user can do. Raise ClickException if no sample
    has one.
    """
    has_counts = np.array([counts.reads.n_counted[number] > 0 for number in counts.numbers], bool)
    if counts.counted_reads is not None:
        has_counts &= counts.counted_reads > 0
    empty = [f"sample {counts.samples[i]!r} ({reasons[i]})" for i in np.flatnonzero(~has_counts)]
    if not has_counts.any():
        more = f" and {len(empty) - MAX_NAMED} more" if len(empty) > MAX_NAMED else ""
        raise click.ClickException(
            f"no sample of the group has a count on any contig: {', '.join(empty[:MAX_NAMED])}{more}; {remedy}"
        )
    for sample in empty:
        warn(f"{sample} is left out of the model: no contig has a count in it; {remedy}")
    return counts.chosen(np.flatnonzero(has_counts))


def write_tetranucleotides(sequences: Iterator[bytes], n_contigs: int) -> np.ndarray:
    """Write the tetranucleotide counts of all sequences; return which have any (N, bool)."""
    has_any = []
    with matrix_in_blocks(TETRANUCLEOTIDE_COUNTS, (n_contigs, len(TETRANUCLEOTIDES))) as write:
        for block in count_blocks(sequences, n_contigs):
            write(block)
            has_any.append(block.any(axis=1))
    return np.concatenate(has_any)


def write_composition(is_kept: np.ndarray) -> FrequencyScale:
    """Write tnf.npy of the kept contigs (N, bool) from the counts in tetranucleotides.npy; return its scale."""

    def kept_counts() -> Iterator[np.ndarray]:
        for start, stop in blocks_of_contigs(len(is_kept), len(TETRANUCLEOTIDES)):
            # Opened anew each time, so that no more than a block stays in memory
            counts = np.load(TETRANUCLEOTIDE_COUNTS.name, mmap_mode="r")[start:stop]
            yield counts[is_kept[start:stop]]

    scale = FrequencyScale(kept_counts)
    with matrix_in_blocks(TNF, (int(is_kept.sum()), len(TETRANUCLEOTIDES))) as write:
        for counts in kept_counts():
            write(scale.scaled(counts))
    return scale


def write_abundances(contigs: pd.DataFrame, counts: Counts, is_kept: np.ndarray) -> np.ndarray:
    """Write abundance.npy of the kept contigs (N, bool); of all, with profiles, also rpkm.tsv.gz and the profiles.

    Return the RPKM of the kept contigs summed over the samples.
    """
    reads = counts.reads
    warn_of_equal_samples(counts.samples, [(reads.n_counted[i], reads.digests[i]) for i in counts.numbers])
    depth, names, lengths = [np.empty(0)], contigs["contig"], contigs["length"].to_numpy()
    shape = int(is_kept.sum()), len(counts.samples)
    with ExitStack() as opened:
        write_shares = opened.enter_context(matrix_in_blocks(ABUNDANCE, shape))
        tables = [RPKM, *(PROFILES[column] for column in counts.profiles)] if counts.profiles else []
        writers = [opened.enter_context(table_in_blocks(table)) for table in tables]
        for start, stop in blocks_of_contigs(len(contigs), len(counts.samples)):
            rpkm = counts.rpkm(start, stop, lengths[start:stop])
            kept = rpkm[is_kept[start:stop]]
            write_shares(sample_shares(kept))
            depth.append(kept.sum(axis=1))
            # Each is read in its turn, so that they are not in memory all at once
            profiles = (columns.block(start, stop, counts.numbers) for columns in counts.profiles.values())
            matrices = itertools.chain([rpkm], profiles) if tables else ()
            for write, table, values in zip(writers, tables, matrices, strict=True):
                frame = pd.DataFrame(values, columns=counts.samples)
                frame.insert(0, table.key[0], names.iloc[start:stop].to_numpy())
                write(frame)
    return np.concatenate(depth)


def write_features(contigs: pd.DataFrame, counts: Counts, has_tetranucleotide: np.ndarray, min_length: int) -> int:
    """Write all files but those of tetranucleotide counts and pairs; return the number of rows.

    has_tetranucleotide (N, bool) tells which contigs have one.
    """
    is_kept = (contigs["length"].to_numpy() >= min_length) & has_tetranucleotide
    kept, excluded = contigs[is_kept], contigs[~is_kept]
    scale = write_composition(is_kept)
    depth, depth_mean, depth_divisor = log_depth(write_abundances(contigs, counts, is_kept))
    write_matrix(DEPTH, depth)
    write_table(ROWS, kept[["contig", "length"]])
    reason = np.where(excluded["length"] < min_length, "short", "no_tetranucleotide")
    write_table(EXCLUDED, excluded[["contig"]].assign(reason=reason))
    description = {
        "samples": counts.samples,
        "n_contigs": len(kept),
        "rows_sha256": contigs_hash(kept["contig"]),
        "contigs_sha256": contigs_hash(contigs["contig"]),
        "min_contig_length": min_length,
        "mapped_reads": counts.mapped_reads and dict(zip(counts.samples, counts.mapped_reads, strict=True)),
        "tetranucleotides": TETRANUCLEOTIDES,
        "tnf_mean": scale.means.tolist(),
        "depth_mean": depth_mean,
        "depth_divisor": depth_divisor,
        "tnf_sd": scale.deviations.tolist(),
    }
    write_description(FEATURES, description)
    return len(kept)


@click.command()
@click.option("--catalogue", type=FILE, required=True, help="catalogue.fa.gz.")
@click.option("--contigs", "contigs_path", type=FILE, required=True, help="contigs.tsv.")
@click.option(
    "--min_contig_length",
    type=click.IntRange(1, 1_000_000_000),
    default=2000,
    show_default=True,
    help="Shorter contigs get no row.",
)
@click.option("--counts", type=FILE, multiple=True, help="A sample's counts.tsv.gz; once each.")
@click.option("--mapping", type=FILE, multiple=True, help="A sample's mapping.tsv; once each.")
@click.option("--pairs", type=FILE, multiple=True, help="A sample's pairs.tsv.gz; once each.")
@click.option("--abundance", type=FILE, help="RPKM of all samples, in place of --counts.")
@click.option("--profiles/--no_profiles", default=True, help="Write the tables and counts of all contigs, too.")
def main(
    catalogue: Path,
    contigs_path: Path,
    min_contig_length: int,
    counts: tuple[Path, ...],
    mapping: tuple[Path, ...],
    pairs: tuple[Path, ...],
    abundance: Path | None,
    profiles: bool,
) -> None:
    """Compute the tetranucleotide frequencies and the abundances of a group's contigs."""
    if bool(counts) == bool(abundance) or bool(counts) != bool(mapping):
        raise click.UsageError("give --counts and --mapping of every sample, or --abundance")
    if len(pairs) not in (0, len(counts)):
        raise click.UsageError("give --pairs of every sample, as --counts, or of none")
    contigs = read_table(CONTIGS, contigs_path)
    if abundance:
        numbers = read_abundance(abundance, contigs, min_contig_length, profiles)
        reasons, remedy = [f"zeros alone in {abundance.name}"] * len(numbers.samples), TABLE_REMEDY
    else:
        numbers, statistics = read_counts(counts, mapping, contigs, contigs_path, profiles)
        reasons, remedy = [why_empty(row) for _, row in statistics.iterrows()], READS_REMEDY
    numbers = samples_with_counts(numbers, reasons, remedy)
    has_tetranucleotide = write_tetranucleotides(catalogue_sequences(catalogue, contigs, contigs_path), len(contigs))
    n_rows = write_features(contigs, numbers, has_tetranucleotide, min_contig_length)
    if profiles:
        write_table(PAIR_LINKS, sum_links(pairs, contigs["contig"]))
    else:
        Path(TETRANUCLEOTIDE_COUNTS.name).unlink()
    click.echo(f"{n_rows} of {len(contigs)} contigs, {len(numbers.samples)} samples", err=True)
    if not n_rows:
        warn(
            f"no contig of at least {min_contig_length} bp has a 4-mer without ambiguous bases: nothing can be binned; "
            "lower --min_contig_length"
        )


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Compute the features of the contigs: tetranucleotide frequencies and abundances.

In:  catalogue.fa.gz, contigs.tsv, and either each sample's counts.tsv.gz, mapping.tsv and pairs.tsv.gz (of
     `map_reads`) or a table of RPKM (`contigname`, one column per sample).
Out: tnf.npy (n x 136 float32, z-scaled), abundance.npy (n x s float32, rows sum to 1), depth.npy (n float32, log of the
     RPKM summed over the samples, scaled), rows.tsv (`contig, length`: the rows of these), excluded.tsv (`contig,
     reason`: `short` or `no_tetranucleotide`), and of all contigs tetranucleotides.npy (counts, N x 136 float32),
     rpkm.tsv.gz (`contigname`, samples) and coverage.tsv.gz (`contig`, samples); pair_links.tsv.gz (`contig_1,
     contig_2, pairs`: the pairs of reads of all samples that link two contigs); features.json.

Implements "Computation of abundance and tetranucleotide frequencies" of the VAMB preprint (Nissen et al. 2018,
doi:10.1101/490078) with tetranucleotides.py and abundances.py. The rows are the contigs of at least --min_contig_length
that have at least one 4-mer without ambiguous bases.

A sample whose reads all count for nothing says nothing about any contig: it is in no matrix or table, and a warning
names it. If that holds for all samples, it is an error.

With --abundance no coverage is known. Then coverage.tsv.gz holds the RPKM, which are proportional to the reads per base
within each sample, and `mapped_reads` of features.json is null.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pandas as pd

from abundances import log_depth, reads_per_kilobase_million, sample_shares, warn_of_equal_samples
from catalogue_fasta import catalogue_sequences
from message_text import shown
from pair_links import sum_links
from stage_arrays import ABUNDANCE, DEPTH, FEATURES, TETRANUCLEOTIDE_COUNTS, TNF, write_description, write_matrix
from stage_tables import (
    CONTIGS,
    COUNTS,
    COVERAGE,
    EXCLUDED,
    MAPPING,
    PAIR_LINKS,
    ROWS,
    RPKM,
    Table,
    contigs_hash,
    read_table,
    write_table,
)
from stage_warnings import warn
from tetranucleotides import TETRANUCLEOTIDES, count_sequences, scaled_frequencies

# The table of a user has the columns of rpkm.tsv.gz.
ABUNDANCE_TABLE = replace(RPKM, advice="give a table of contigname and the RPKM in each sample, separated by tabs")
READS_REMEDY = "check that its reads are whole and of the community that was assembled"
TABLE_REMEDY = "give the RPKM of its reads, or leave the column out"
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


def read_counts(
    counts: Sequence[Path], mapping: Sequence[Path], contigs: pd.DataFrame, contigs_path: Path
) -> tuple[list[str], np.ndarray, np.ndarray, pd.DataFrame]:
    """Merge the samples' tables by the name of the sample.

    Return (s samples, sorted; reads, contigs x s; coverage, contigs x s; mapping statistics, one row per sample in that
    order). Raise ClickException if a table of counts has other contigs than contigs.tsv or another order, and if counts
    and statistics are not of the same samples.
    """
    columns = {}
    for sample, path, table in tables_by_sample(COUNTS, counts):
        check_order(path, table["contig"], contigs["contig"], contigs_path)
        columns[sample] = table["reads"].to_numpy(), table["coverage"].to_numpy()
    statistics = {sample: table for sample, _, table in tables_by_sample(MAPPING, mapping)}
    for sample in sorted(columns.keys() ^ statistics.keys()):
        lacks, has = ("--mapping", "--counts") if sample in columns else ("--counts", "--mapping")
        raise click.ClickException(
            f"sample {sample!r} is in the files of {has}, not of {lacks}; give both of each sample"
        )
    samples = sorted(columns)
    reads, coverage = (np.column_stack([columns[name][i] for name in samples]) for i in (0, 1))
    return samples, reads, coverage, pd.concat([statistics[name] for name in samples])


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


def read_abundance(path: Path, contigs: pd.DataFrame, min_length: int) -> tuple[list[str], np.ndarray]:
    """Read a table of RPKM; return (s samples, sorted; RPKM, contigs x s).

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
    rpkm = np.zeros((len(contigs), len(samples)))
    rpkm[rows] = table[samples].to_numpy()
    return samples, rpkm


def why_empty(statistics: pd.Series) -> str:
    """Return why a sample has no count, from its row of mapping.tsv."""
    if not statistics["reads"]:
        return "no reads"
    if not statistics["mapped_reads"]:
        return f"none of its {statistics['reads']} reads maps to the contigs"
    return f"none of its {statistics['mapped_reads']} mapped reads has an alignment that counts"


def samples_with_counts(samples: list[str], rpkm: np.ndarray, reasons: list[str], remedy: str) -> np.ndarray:
    """Return the columns of the samples that have a count (numbers), and warn of each of the others.

    `rpkm` is contigs x s; `reasons` says of each sample why it would have none, `remedy` what a user can do. Raise
    ClickException if no sample has one.
    """
    has_counts = rpkm.any(axis=0)
    empty = [f"sample {samples[i]!r} ({reasons[i]})" for i in np.flatnonzero(~has_counts)]
    if not has_counts.any():
        more = f" and {len(empty) - MAX_NAMED} more" if len(empty) > MAX_NAMED else ""
        raise click.ClickException(
            f"no sample of the group has a count on any contig: {', '.join(empty[:MAX_NAMED])}{more}; {remedy}"
        )
    for sample in empty:
        warn(f"{sample} is left out of the model: no contig has a count in it; {remedy}")
    return np.flatnonzero(has_counts)


def write_features(
    contigs: pd.DataFrame,
    counts: np.ndarray,
    samples: list[str],
    rpkm: np.ndarray,
    min_length: int,
    mapped_reads: list[int] | None,
) -> int:
    """Write all files but the tables of RPKM and coverage; return the number of rows.

    counts are the tetranucleotides of all contigs (N x 136), rpkm is N x s, mapped_reads has a number per sample.
    """
    warn_of_equal_samples(samples, rpkm)
    rows = np.flatnonzero((contigs["length"].to_numpy() >= min_length) & counts.any(axis=1))
    kept, excluded = contigs.iloc[rows], contigs.drop(contigs.index[rows])
    tnf, tnf_mean, tnf_sd = scaled_frequencies(counts[rows])
    depth, depth_mean, depth_divisor = log_depth(rpkm[rows])
    write_matrix(TETRANUCLEOTIDE_COUNTS, counts)
    write_matrix(TNF, tnf)
    write_matrix(ABUNDANCE, sample_shares(rpkm[rows]))
    write_matrix(DEPTH, depth)
    write_table(ROWS, kept[["contig", "length"]])
    reason = np.where(excluded["length"] < min_length, "short", "no_tetranucleotide")
    write_table(EXCLUDED, excluded[["contig"]].assign(reason=reason))
    description = {
        "samples": samples,
        "n_contigs": len(rows),
        "rows_sha256": contigs_hash(kept["contig"]),
        "contigs_sha256": contigs_hash(contigs["contig"]),
        "min_contig_length": min_length,
        "mapped_reads": mapped_reads and dict(zip(samples, mapped_reads, strict=True)),
        "tetranucleotides": TETRANUCLEOTIDES,
        "tnf_mean": tnf_mean.tolist(),
        "depth_mean": depth_mean,
        "depth_divisor": depth_divisor,
        "tnf_sd": tnf_sd.tolist(),
    }
    write_description(FEATURES, description)
    return len(rows)


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
def main(
    catalogue: Path,
    contigs_path: Path,
    min_contig_length: int,
    counts: tuple[Path, ...],
    mapping: tuple[Path, ...],
    pairs: tuple[Path, ...],
    abundance: Path | None,
) -> None:
    """Compute the tetranucleotide frequencies and the abundances of a group's contigs."""
    if bool(counts) == bool(abundance) or bool(counts) != bool(mapping):
        raise click.UsageError("give --counts and --mapping of every sample, or --abundance")
    if len(pairs) not in (0, len(counts)):
        raise click.UsageError("give --pairs of every sample, as --counts, or of none")
    contigs = read_table(CONTIGS, contigs_path)
    if abundance:
        samples, rpkm = read_abundance(abundance, contigs, min_contig_length)
        coverage, mapped_reads = rpkm, None
        reasons, remedy = [f"zeros alone in {abundance.name}"] * len(samples), TABLE_REMEDY
    else:
        samples, reads, coverage, statistics = read_counts(counts, mapping, contigs, contigs_path)
        mapped_reads = statistics["mapped_reads"].to_list()
        reasons, remedy = [why_empty(row) for _, row in statistics.iterrows()], READS_REMEDY
        rpkm = reads_per_kilobase_million(reads, contigs["length"].to_numpy(), statistics["counted_reads"].to_numpy())
    kept = samples_with_counts(samples, rpkm, reasons, remedy)
    samples, rpkm, coverage = [samples[i] for i in kept], rpkm[:, kept], coverage[:, kept]
    mapped_reads = mapped_reads and [mapped_reads[i] for i in kept]
    tetranucleotide_counts = count_sequences(catalogue_sequences(catalogue, contigs, contigs_path), len(contigs))
    write_table(PAIR_LINKS, sum_links(pairs, contigs["contig"]))
    n_rows = write_features(contigs, tetranucleotide_counts, samples, rpkm, min_contig_length, mapped_reads)
    for table, values in ((RPKM, rpkm), (COVERAGE, coverage)):
        frame = pd.DataFrame(values, columns=samples)
        frame.insert(0, table.key[0], contigs["contig"])
        write_table(table, frame)
    click.echo(f"{n_rows} of {len(contigs)} contigs, {len(samples)} samples", err=True)
    if not n_rows:
        warn(
            f"no contig of at least {min_contig_length} bp has a 4-mer without ambiguous bases: nothing can be binned; "
            "lower --min_contig_length"
        )


if __name__ == "__main__":
    main()

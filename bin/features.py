#!/usr/bin/env python3
"""Compute the features of the contigs: tetranucleotide frequencies and abundances.

In:  catalogue.fa.gz, contigs.tsv, and either each sample's counts.tsv.gz and mapping.tsv (of `map_reads`) or a table of
     RPKM (`contigname`, one column per sample).
Out: tnf.npy (n x 136 float32, z-scaled), abundance.npy (n x s float32, rows sum to 1), depth.npy (n float32, log of the
     RPKM summed over the samples, scaled), rows.tsv (`contig, length`: the rows of these), excluded.tsv (`contig,
     reason`: `short` or `no_tetranucleotide`), and of all contigs tetranucleotides.npy (counts, N x 136 float32),
     rpkm.tsv.gz (`contigname`, samples) and coverage.tsv.gz (`contig`, samples); features.json.

Implements "Computation of abundance and tetranucleotide frequencies" of the VAMB preprint (Nissen et al. 2018,
doi:10.1101/490078) with tetranucleotides.py and abundances.py. The rows are the contigs of at least --min_contig_length
that have at least one 4-mer without ambiguous bases.

With --abundance no coverage is known. Then coverage.tsv.gz holds the RPKM, which are proportional to the reads per base
within each sample, and `mapped_reads` of features.json is null.
"""

import csv
import hashlib
import itertools
import json
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np
import pandas as pd

from abundances import log_depth, reads_per_kilobase_million, sample_shares
from tetranucleotides import TETRANUCLEOTIDES, count_sequences, scaled_frequencies

READ_BYTES = 1 << 20  # of the gzipped catalogue, inflated at once
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def catalogue_sequences(path: Path, contigs: pd.DataFrame, contigs_path: Path) -> Iterator[bytes]:
    """Yield the sequence of each contig of contigs.tsv, in its order.

    Raise ClickException for the first contig in which catalogue and contigs.tsv differ.
    """
    expected = zip(contigs["contig"], contigs["length"], strict=True)
    for name, sequence in read_catalogue(path):
        wanted, length = next(expected, (None, 0))
        if name != wanted:
            raise differs(path, name, contigs_path, wanted)
        if len(sequence) != length:
            found, wanted = f"{name} of {len(sequence)} bp", f"{name} of {length} bp"
            raise differs(path, found, contigs_path, wanted)
        yield sequence
    wanted, _ = next(expected, (None, 0))
    if wanted is not None:
        raise differs(path, None, contigs_path, wanted)


def differs(path: Path, found: str | None, contigs_path: Path, wanted: str | None) -> click.ClickException:
    """Return the error for the first contig in which a file and contigs.tsv differ."""
    has = "ends" if found is None else f"has contig {found!r}"
    where = "ends" if wanted is None else f"has {wanted!r}"
    return click.ClickException(f"{path} {has} where {contigs_path} {where}: make both from the same assemblies")


def read_catalogue(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (name, sequence) of each contig of the catalogue; raise ClickException if it is damaged.

    A thread of its own inflates the file, one block ahead.
    """
    blocks = itertools.chain(inflate(path), [b"\n"])
    name, parts, rest = None, [], b""
    try:
        with ThreadPoolExecutor(1) as reader:
            following = reader.submit(next, blocks, None)
            while (block := following.result()) is not None:
                following = reader.submit(next, blocks, None)
                *lines, rest = (rest + block).split(b"\n")
                # A name is needed is_whole; of a sequence, which may be long, any part will do.
                if not rest.startswith(b">"):
                    lines.append(rest)
                    rest = b""
                for line in lines:
                    if not line.startswith(b">"):
                        parts.append(line)
                        continue
                    if name is not None:
                        yield name, b"".join(parts)
                    name, parts = line[1:].decode("ascii"), []
    except (OSError, ValueError, zlib.error) as error:
        raise click.ClickException(f"{path}: is damaged ({error}): make it again") from error
    if name is not None:
        yield name, b"".join(parts)


def inflate(path: Path) -> Iterator[bytes]:
    """Yield what a gzipped file holds, some MB at a time; raise OSError or zlib.error if it is damaged.

    gzip.open lets other threads run for 30 kB at a time only, which gains nothing.
    """
    with open(path, "rb") as file:
        stream, is_whole = zlib.decompressobj(zlib.MAX_WBITS | 16), True
        for block in iter(lambda: file.read(READ_BYTES), b""):
            while block:
                yield stream.decompress(block)
                block, is_whole = stream.unused_data, stream.eof
                if is_whole:
                    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    if not is_whole:
        raise OSError("it ends early")


def read_table(path: Path, columns: dict[str, type] | None = None) -> pd.DataFrame:
    """Return the columns of a TSV in their types; without `columns` the cells as str, no header."""
    options = {"usecols": list(columns), "dtype": columns} if columns else {"header": None}
    try:
        return pd.read_csv(
            path,
            sep="\t",
            keep_default_na=False,
            na_filter=False,
            quoting=csv.QUOTE_NONE,
            **{"dtype": str} | options,
        )
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise click.ClickException(f"{path}: is not the table it should be ({error})") from error


def tables_by_sample(paths: Sequence[Path], columns: dict[str, type]) -> Iterator[tuple[str, Path, pd.DataFrame]]:
    """Yield (sample, path, table) of each file, with `columns`.

    Raise ClickException if a file is not about one sample, if two are about the same, and if a number is negative or
    not finite.
    """
    seen: dict[str, Path] = {}
    for path in paths:
        table = read_table(path, {"sample": str} | columns)
        samples = table["sample"].unique()
        if len(samples) != 1:
            raise click.ClickException(f"{path}: is about {len(samples)} samples, not about one")
        sample = samples[0]
        if sample in seen:
            raise click.ClickException(
                f"{seen[sample]} and {path} are both about sample {sample!r}: give each sample once"
            )
        for name, column in table.select_dtypes("number").items():
            wrong = ~(np.isfinite(column) & (column >= 0)).to_numpy()
            if wrong.any():
                raise click.ClickException(
                    f"{path}: row {wrong.argmax() + 1} has {column[wrong.argmax()]} in column "
                    f"{name!r}, which must be a number of at least 0: map the sample again"
                )
        seen[sample] = path
        yield sample, path, table


def read_counts(
    counts: Sequence[Path], mapping: Sequence[Path], contigs: pd.DataFrame, contigs_path: Path
) -> tuple[list[str], np.ndarray, np.ndarray, pd.DataFrame]:
    """Merge the samples' tables by the name of the sample.

    Return (s samples, sorted; reads, contigs x s; coverage, contigs x s; mapping statistics, one row per sample in that
    order). Raise ClickException if a table of counts has other contigs than contigs.tsv or another order, and if counts
    and statistics are not of the same samples.
    """
    names = contigs["contig"]
    columns = {}
    for sample, path, table in tables_by_sample(counts, {"contig": str, "reads": np.int64, "coverage": np.float64}):
        if not table["contig"].equals(names):
            pairs = itertools.zip_longest(table["contig"], names)
            found, wanted = next(pair for pair in pairs if pair[0] != pair[1])
            raise differs(path, found, contigs_path, wanted)
        columns[sample] = table["reads"].to_numpy(), table["coverage"].to_numpy()
    statistics = {
        sample: table
        for sample, _, table in tables_by_sample(mapping, {"mapped_reads": np.int64, "counted_reads": np.int64})
    }
    for sample in sorted(columns.keys() ^ statistics.keys()):
        lacks, has = ("--mapping", "--counts") if sample in columns else ("--counts", "--mapping")
        raise click.ClickException(f"sample {sample!r} is in the files of {has}, not of {lacks}")
    samples = sorted(columns)
    reads, coverage = (np.column_stack([columns[name][i] for name in samples]) for i in (0, 1))
    return samples, reads, coverage, pd.concat([statistics[name] for name in samples])


def abundance_rows(names: pd.Series, contigs: pd.DataFrame, path: Path) -> np.ndarray:
    """Return the row in contigs.tsv of each name of an abundance table.

    The names are the catalogue's or, where those are unique in the group, the assembler's. Raise ClickException for an
    unknown name and for one that is there twice.
    """
    schemes = [contigs["contig"]]
    if contigs["name"].is_unique:
        schemes.append(contigs["name"])
    known = max(schemes, key=lambda scheme: names.isin(scheme).sum())
    rows = pd.Index(known).get_indexer(names)
    if (rows < 0).any():
        name = names.iloc[(rows < 0).argmax()]
        raise click.ClickException(
            f"{path}: contig {name!r} is not in the catalogue: name the contigs as the assembly "
            "does (with several assemblies in a group, as contigs.tsv does)"
        )
    if names.duplicated().any():
        name = names[names.duplicated()].iloc[0]
        raise click.ClickException(f"{path}: contig {name!r} is there twice: keep one row")
    return rows


def read_abundance(path: Path, contigs: pd.DataFrame, min_length: int) -> tuple[list[str], np.ndarray]:
    """Read a table of RPKM; return (s samples, sorted; RPKM, contigs x s).

    Contigs shorter than `min_length` may be absent: they get 0. Raise ClickException for an absent longer one, an
    unknown or repeated contig, a repeated sample, and for a value that is not a number of at least 0.
    """
    table = read_table(path)
    header = table.iloc[0].to_list()
    samples, cells = header[1:], table.iloc[1:, 1:]
    if header[0] != "contigname" or not samples:
        raise click.ClickException(f"{path}: its header must be 'contigname' and the samples, separated by tabs")
    repeated = [name for name in samples if samples.count(name) > 1 or not name]
    if repeated:
        raise click.ClickException(f"{path}: two columns are named {repeated[0]!r}: rename one")
    names = table.iloc[1:, 0]
    rows = abundance_rows(names, contigs, path)
    values = np.column_stack([pd.to_numeric(cells[c], errors="coerce") for c in cells.columns])
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise click.ClickException(
            f"{path}: contig {names.iloc[row]!r} has {cells.iat[row, column]!r} in sample "
            f"{samples[column]!r}, which must be a number of at least 0"
        )
    absent = contigs["length"].to_numpy() >= min_length
    absent[rows] = False
    if absent.any():
        raise click.ClickException(
            f"{path}: contig {contigs['contig'][absent.argmax()]!r} of the catalogue is not in it: "
            f"give every contig of at least {min_length} bp"
        )
    order = sorted(range(len(samples)), key=samples.__getitem__)
    rpkm = np.zeros((len(contigs), len(samples)))
    rpkm[rows] = values[:, order]
    return [samples[i] for i in order], rpkm


def write_table(path: str, table: pd.DataFrame) -> None:
    """Write a TSV, gzipped if so named, the same bytes for the same table."""
    gzipped = {"method": "gzip", "compresslevel": 6, "mtime": 0}
    table.to_csv(
        path,
        sep="\t",
        index=False,
        float_format="%.6g",
        quoting=csv.QUOTE_NONE,
        lineterminator="\n",
        compression=gzipped if path.endswith(".gz") else None,
    )


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
    rows = np.flatnonzero((contigs["length"].to_numpy() >= min_length) & counts.any(axis=1))
    kept, excluded = contigs.iloc[rows], contigs.drop(contigs.index[rows])
    tnf, tnf_mean, tnf_sd = scaled_frequencies(counts[rows])
    depth, depth_mean, depth_divisor = log_depth(rpkm[rows])
    np.save("tetranucleotides.npy", counts)
    np.save("tnf.npy", tnf)
    np.save("abundance.npy", sample_shares(rpkm[rows]))
    np.save("depth.npy", depth)
    write_table("rows.tsv", kept[["contig", "length"]])
    reason = np.where(excluded["length"] < min_length, "short", "no_tetranucleotide")
    write_table("excluded.tsv", excluded[["contig"]].assign(reason=reason))
    description = {
        "samples": samples,
        "n_contigs": len(rows),
        "rows_sha256": hashlib.sha256("\n".join(kept["contig"]).encode()).hexdigest(),
        "contigs_sha256": hashlib.sha256("\n".join(contigs["contig"]).encode()).hexdigest(),
        "min_contig_length": min_length,
        "mapped_reads": mapped_reads and dict(zip(samples, mapped_reads, strict=True)),
        "tetranucleotides": TETRANUCLEOTIDES,
        "tnf_mean": tnf_mean.tolist(),
        "depth_mean": depth_mean,
        "depth_divisor": depth_divisor,
        "tnf_sd": tnf_sd.tolist(),
    }
    Path("features.json").write_text(json.dumps(description, indent=1) + "\n")
    return len(rows)


@click.command()
@click.option("--catalogue", type=FILE, required=True, help="catalogue.fa.gz.")
@click.option("--contigs", "contigs_path", type=FILE, required=True, help="contigs.tsv.")
@click.option(
    "--min_contig_length",
    type=click.IntRange(min=1),
    default=2000,
    show_default=True,
    help="Shorter contigs get no row.",
)
@click.option("--counts", type=FILE, multiple=True, help="A sample's counts.tsv.gz; once each.")
@click.option("--mapping", type=FILE, multiple=True, help="A sample's mapping.tsv; once each.")
@click.option("--abundance", type=FILE, help="RPKM of all samples, in place of --counts.")
def main(
    catalogue: Path,
    contigs_path: Path,
    min_contig_length: int,
    counts: tuple[Path, ...],
    mapping: tuple[Path, ...],
    abundance: Path | None,
) -> None:
    """Compute the tetranucleotide frequencies and the abundances of a group's contigs."""
    if bool(counts) == bool(abundance) or bool(counts) != bool(mapping):
        raise click.UsageError("give --counts and --mapping of every sample, or --abundance")
    columns = {"contig": str, "assembly": str, "name": str, "length": np.int64}
    contigs = read_table(contigs_path, columns)
    if abundance:
        samples, rpkm = read_abundance(abundance, contigs, min_contig_length)
        coverage, mapped_reads = rpkm, None
    else:
        samples, reads, coverage, statistics = read_counts(counts, mapping, contigs, contigs_path)
        mapped_reads = statistics["mapped_reads"].to_list()
        rpkm = reads_per_kilobase_million(reads, contigs["length"].to_numpy(), statistics["counted_reads"].to_numpy())
    tetranucleotide_counts = count_sequences(catalogue_sequences(catalogue, contigs, contigs_path), len(contigs))
    n_rows = write_features(contigs, tetranucleotide_counts, samples, rpkm, min_contig_length, mapped_reads)
    for path, key, values in (
        ("rpkm.tsv.gz", "contigname", rpkm),
        ("coverage.tsv.gz", "contig", coverage),
    ):
        table = pd.DataFrame(values, columns=samples)
        table.insert(0, key, contigs["contig"], allow_duplicates=True)
        write_table(path, table)
    click.echo(f"{n_rows} of {len(contigs)} contigs, {len(samples)} samples", err=True)
    if not n_rows:
        click.echo(
            f"Warning: no contig of at least {min_contig_length} bp has a 4-mer without ambiguous "
            "bases: nothing can be binned; lower --min_contig_length",
            err=True,
        )


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Computes the features of the contigs: tetranucleotide frequencies and abundances.

In:  catalogue.fa.gz, contigs.tsv, and either every sample's counts.tsv.gz and mapping.tsv
     (`map_reads`) or a table of RPKM (`contigname`, one column per sample).
Out: tnf.npy (n x 136 float32, z-scaled), abundance.npy (n x s float32, rows sum to 1), depth.npy
     (n float32, log of the RPKM summed over the samples, scaled), rows.tsv
     (`contig, length`: the rows of these), excluded.tsv (`contig, reason`: `short` or
     `no_tetranucleotide`), and of all contigs tetranucleotides.npy (counts, N x 136 float32),
     rpkm.tsv.gz (`contigname`, samples) and coverage.tsv.gz (`contig`, samples); features.json.

Implements the section "Computation of abundance and tetranucleotide frequencies" of the preprint
(Nissen et al. 2018, bioRxiv 490078). The rows are the contigs of at least --min_contig_length
that have at least one 4-mer without ambiguous bases.

With --abundance no coverage is known: coverage.tsv.gz then holds the RPKM, which are proportional
to the reads per base within each sample, and `mapped_reads` of features.json is null.
"""

import csv
import hashlib
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np
import pandas as pd

COMPLEMENT = str.maketrans("ACGT", "TGCA")
# Bases as digits 0 to 3 in the order ACGT, in either case; 4 is anything else.
DIGITS = bytes(b"ACGT".find(bytes([code]).upper()) % 5 for code in range(256))
# Windows counted together: their arrays stay in the processor's cache, and are small enough for the
# allocator to use the same memory again (larger ones come fresh from the system, page by page).
BLOCK = 1 << 16
READ = 1 << 20  # bytes of the gzipped catalogue that are inflated at once


def canonical_tetranucleotides() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the 136 canonical 4-mers, sorted, and where they and their complements are in all 256.

    A canonical 4-mer is the lesser of a 4-mer and its reverse complement. The 256 are in
    alphabetical order, AAAA = 0 to TTTT = 255.
    """
    kmers = ["".join(bases) for bases in itertools.product("ACGT", repeat=4)]
    other = {kmer: kmer.translate(COMPLEMENT)[::-1] for kmer in kmers}
    names = [kmer for kmer in kmers if kmer <= other[kmer]]
    return names, *(np.array([kmers.index(kmer) for kmer in each]) for each in (names, map(other.get, names)))


TETRANUCLEOTIDES, FIRST, SECOND = canonical_tetranucleotides()
PALINDROME = FIRST == SECOND
PLACES = np.array([64, 16, 4, 1])


def count_tetranucleotides(pieces: Sequence[bytes], rows: np.ndarray) -> np.ndarray:
    """Return how often each of the 136 canonical 4-mers occurs (int64, one row per contig).

    `rows` holds the row of each piece: ascending integers, the first 0. Every window of four bases
    within a piece counts, unless it holds anything but A, C, G and T (either case).

    Windows are counted eight bases at a time: the 7-mers that begin at every fourth base hold two
    5-mers of two windows each, so that half as many numbers are counted as there are windows.
    """
    # A letter that is no base parts the pieces.
    text = b"N".join([*pieces, b"N" * 8]).translate(DIGITS)
    fours = np.frombuffer(text, "<u4", len(text) // 4)
    # Times 4^15 + 4^10 + 4^5 + 1, the upper byte is the 4-mer of the four digits.
    codes = fours * np.uint32(0x40100401) >> np.uint32(24)
    sevens = codes[:-1] << np.uint32(6) | codes[1:] >> np.uint32(2)
    unknown = (fours & np.uint32(0x04040404)) != 0
    odd = np.flatnonzero(unknown[:-1] | unknown[1:])
    ends = np.cumsum([len(piece) + 1 for piece in pieces])
    begun = np.minimum(-(-ends // 4), len(sevens))
    begun[-1] = len(sevens)
    offsets = np.repeat(rows << 10, np.diff(begun, prepend=0))
    n_rows = int(rows[-1]) + 1
    offsets[odd] = n_rows << 10
    fives = np.bincount(offsets + (sevens >> np.uint32(4)), minlength=(n_rows + 1) << 10)
    fives += np.bincount(offsets + (sevens & np.uint32(1023)), minlength=(n_rows + 1) << 10)
    fives = fives[:-1024].reshape(n_rows, 1024)
    counts = fives.reshape(n_rows, 4, 256).sum(axis=1)
    for last in range(4):
        counts += fives[:, last::4]
    counts += count_windows(text, odd, ends, rows)
    return counts[:, FIRST] + np.where(PALINDROME, 0, counts[:, SECOND])


def count_windows(text: bytes, blocks: np.ndarray, ends: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return how often each of the 256 4-mers begins in some blocks of four digits (rows x 256).

    Piece i, of row rows[i], ends before the digit ends[i] - 1. Windows with a digit of no base
    do not count.
    """
    starts = np.add.outer(blocks * 4, np.arange(4)).ravel()
    digits = np.frombuffer(text, np.uint8)
    windows = np.stack([digits[starts + i] for i in range(4)])
    known = windows.max(axis=0) < 4
    row = rows[np.searchsorted(ends, starts[known], side="right")]
    codes = PLACES @ windows[:, known]
    n_rows = int(rows[-1]) + 1
    return np.bincount(row << 8 | codes, minlength=n_rows << 8).reshape(n_rows, 256)


def standardised(frequencies: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z-scale each column of an (n x m) float64 array.

    Returns (scaled n x m float32, means m, standard deviations m). A constant column becomes 0,
    as do its deviations; with n = 0 means and deviations are 0.
    """
    if not len(frequencies):
        zeros = np.zeros(frequencies.shape[1])
        return frequencies.astype(np.float32), zeros, zeros
    means = frequencies.mean(axis=0)
    # Rounding may give equal values a deviation that is not quite 0.
    constant = frequencies.min(axis=0) == frequencies.max(axis=0)
    deviations = np.where(constant, 0, frequencies.std(axis=0))
    scaled = np.where(constant, 0, frequencies - means) / np.where(constant, 1, deviations)
    return scaled.astype(np.float32), means, deviations


def rpkm_of(reads: np.ndarray, lengths: np.ndarray, counted_reads: np.ndarray) -> np.ndarray:
    """Return reads per kilobase of contig per million counted reads (contigs x samples).

    `reads` is contigs x samples, `lengths` bp per contig, `counted_reads` per sample. A sample
    without counted reads gives 0.
    """
    per_million = np.zeros(len(counted_reads))
    np.divide(1e6, counted_reads, out=per_million, where=counted_reads > 0)
    return reads / (lengths[:, None] / 1e3) * per_million


def shares(rpkm: np.ndarray) -> np.ndarray:
    """Return an (n x s) array with rows scaled to sum to 1 (float32).

    A row of zeros says nothing about the contig: it becomes 1 / s everywhere.
    """
    # Divided by the greatest first, so that no sum overflows or is lost among the smallest floats.
    greatest = rpkm.max(axis=1, keepdims=True)
    scaled = np.where(greatest > 0, rpkm / np.where(greatest > 0, greatest, 1), 1)
    return (scaled / scaled.sum(axis=1, keepdims=True)).astype(np.float32)


def log_depth(rpkm: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return the natural logarithm of the RPKM summed over the samples, scaled (n, float32).

    The sum is at least a thousandth of the mean sum. Returns (scaled, mean, divisor): the standard
    deviation, but 1 at least, so that counting noise is not stretched where all depths are alike.
    """
    depth = rpkm.sum(axis=1)
    if not depth.any():
        return depth.astype(np.float32), 0.0, 1.0
    logarithm = np.log(np.maximum(depth, depth.mean() / 1000))
    mean, divisor = float(logarithm.mean()), max(1.0, float(logarithm.std()))
    return ((logarithm - mean) / divisor).astype(np.float32), mean, divisor


def count_catalogue(catalogue: Path, contigs: pd.DataFrame, contigs_path: Path) -> np.ndarray:
    """Return the tetranucleotide counts of all contigs (N x 136 float32, in their order).

    The catalogue must hold the contigs of contigs.tsv, in order and length, or ClickException
    names the first that differs.
    """
    counts = np.zeros((len(contigs), len(TETRANUCLEOTIDES)), dtype=np.float32)
    for batch in batches(pieces_of(catalogue, contigs, contigs_path)):
        rows = np.array([row for row, _ in batch])
        first, last = rows[0], rows[-1]
        counts[first : last + 1] += count_tetranucleotides([piece for _, piece in batch], rows - first)
    return counts


def pieces_of(catalogue: Path, contigs: pd.DataFrame, contigs_path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (row in contigs.tsv, sequence) of each contig of the catalogue, in pieces.

    Pieces are of BLOCK windows at most, and overlap by three bases. Raises ClickException for the
    first contig in which catalogue and contigs.tsv differ.
    """
    expected = zip(contigs["contig"], contigs["length"], strict=True)
    for row, (name, sequence) in enumerate(read_catalogue(catalogue)):
        wanted, length = next(expected, (None, 0))
        if name != wanted:
            raise differs(catalogue, name, contigs_path, wanted)
        if len(sequence) != length:
            found, wanted = f"{name} of {len(sequence)} bp", f"{name} of {length} bp"
            raise differs(catalogue, found, contigs_path, wanted)
        for start in range(0, length - 3, BLOCK):
            yield row, sequence[start : start + BLOCK + 3]
    wanted, _ = next(expected, (None, 0))
    if wanted is not None:
        raise differs(catalogue, None, contigs_path, wanted)


def batches(pieces: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """Yield lists of pieces, which together have about BLOCK windows."""
    batch, windows = [], 0
    for row, piece in pieces:
        batch.append((row, piece))
        # Each contig has a table of its own to fill, which takes as long as some hundred windows.
        windows += len(piece) + 500
        if windows > BLOCK:
            yield batch
            batch, windows = [], 0
    if batch:
        yield batch


def differs(path: Path, found: str | None, contigs_path: Path, wanted: str | None) -> click.ClickException:
    """Return the error for the first contig in which a file and contigs.tsv differ."""
    has = "ends" if found is None else f"has contig {found!r}"
    where = "ends" if wanted is None else f"has {wanted!r}"
    return click.ClickException(f"{path} {has} where {contigs_path} {where}: make both from the same assemblies")


def read_catalogue(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (name, sequence) of each contig of the catalogue; ClickException if it is damaged.

    The file is inflated in a thread of its own, one block ahead.
    """
    blocks = itertools.chain(inflated(path), [b"\n"])
    name, parts, rest = None, [], b""
    try:
        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(next, blocks, None)
            while (block := ahead.result()) is not None:
                ahead = reader.submit(next, blocks, None)
                *lines, rest = (rest + block).split(b"\n")
                # Of a name the rest must come first; of a sequence, which may be long, any part will do.
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


def inflated(path: Path) -> Iterator[bytes]:
    """Yield what a gzipped file holds, some MB at a time; OSError or zlib.error if it is damaged.

    gzip.open gives way to other threads for 30 kB at a time only, which gains nothing.
    """
    with open(path, "rb") as file:
        stream, whole = zlib.decompressobj(zlib.MAX_WBITS | 16), True
        for block in iter(lambda: file.read(READ), b""):
            while block:
                yield stream.decompress(block)
                block, whole = stream.unused_data, stream.eof
                if whole:
                    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    if not whole:
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

    Raises ClickException when a file is not about one sample, when two are about the same, and
    when a number is negative or not finite.
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

    Returns (s samples, sorted; reads, contigs x s; coverage, contigs x s; mapping statistics, one
    row per sample in that order). Raises ClickException when a table of counts has other contigs
    than contigs.tsv or another order, and when counts and statistics are not of the same samples.
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

    The names are the catalogue's or, where those are unique in the group, the assembler's. Raises
    ClickException for an unknown name and for one that is there twice.
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

    Contigs shorter than `min_length` may be absent: they get 0. Raises ClickException for an
    absent longer one, an unknown or repeated contig, a repeated sample, and for a value that is
    not a number of at least 0.
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

    `counts`: tetranucleotides of all contigs (N x 136).
    """
    np.save("tetranucleotides.npy", counts)
    rows = np.flatnonzero((contigs["length"].to_numpy() >= min_length) & counts.any(axis=1))
    frequencies = counts[rows].astype(np.float64)
    frequencies /= frequencies.sum(axis=1, keepdims=True)
    scaled, means, deviations = standardised(frequencies)
    np.save("tnf.npy", scaled)
    np.save("abundance.npy", shares(rpkm[rows]))
    depth, depth_mean, depth_divisor = log_depth(rpkm[rows])
    np.save("depth.npy", depth)
    kept = contigs.iloc[rows]
    write_table("rows.tsv", kept[["contig", "length"]])
    excluded = contigs.drop(contigs.index[rows])
    reason = np.where(excluded["length"] < min_length, "short", "no_tetranucleotide")
    write_table("excluded.tsv", excluded[["contig"]].assign(reason=reason))
    about = {
        "samples": samples,
        "n_contigs": len(rows),
        "rows_sha256": hashlib.sha256("\n".join(kept["contig"]).encode()).hexdigest(),
        "contigs_sha256": hashlib.sha256("\n".join(contigs["contig"]).encode()).hexdigest(),
        "min_contig_length": min_length,
        "mapped_reads": mapped_reads and dict(zip(samples, mapped_reads, strict=True)),
        "tetranucleotides": TETRANUCLEOTIDES,
        "tnf_mean": means.tolist(),
        "depth_mean": depth_mean,
        "depth_divisor": depth_divisor,
        "tnf_sd": deviations.tolist(),
    }
    Path("features.json").write_text(json.dumps(about, indent=1) + "\n")
    return len(rows)


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
        rpkm = rpkm_of(reads, contigs["length"].to_numpy(), statistics["counted_reads"].to_numpy())
    tetranucleotides = count_catalogue(catalogue, contigs, contigs_path)
    n_rows = write_features(contigs, tetranucleotides, samples, rpkm, min_contig_length, mapped_reads)
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

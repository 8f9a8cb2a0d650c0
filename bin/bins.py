#!/usr/bin/env python3
"""Cuts the clusters of a group by assembly and writes the bins.

In: the catalogue and contigs.tsv, clusters.tsv, excluded.tsv and coverage.tsv.gz of the group, and for
each refined assembly the contig2bin.tsv and refinement.tsv of refine.py or graphbin2.py, which replace its clusters.
Out: bins/<assembly>.<number>.fa.gz, contig2bin.tsv, bins.tsv, unbinned.tsv. Published names are the
assembler's own. A bin is what a cluster holds of one assembly (VAMB preprint, multi-split); with
GraphBin2 a contig may stand in several bins, and it is written to each of them.

Bins of at least --min_bin_size bp are numbered within their assembly from the largest down, ties by their
first contig in the catalogue. Every contig of the catalogue is in contig2bin.tsv or in unbinned.tsv.

Words of unbinned.tsv `reason`, the first that applies:
  small_bin           its bin is below --min_bin_size
  removed             taken out of its bin by the refinement; refinement.tsv tells why
  short               below --min_contig_length, and the refinement gave it no bin
  no_tetranucleotide  no 4-mer without ambiguous bases, and the refinement gave it no bin
  unclustered         left over when --max_clusters clusters had been found
"""

import csv
import gzip
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pysam

BUFFERED_BP = 200_000_000  # sequence held back, so that few bins' files are opened often
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    """A TSV whose cells all stay text; error if a column is missing."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_filter=False, quoting=csv.QUOTE_NONE)
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise click.ClickException(f"{path}: no column {missing[0]}; it has {', '.join(table.columns)}")
    return table


def read_contigs(path: Path) -> pd.DataFrame:
    """contigs.tsv in catalogue order, `length` in bp, indexed by the catalogue name."""
    contigs = read_table(path, ["contig", "assembly", "name", "length"])
    return contigs.astype({"length": np.int64}).set_index("contig", drop=False).rename_axis(None)


def read_coverage(path: Path, contigs: pd.DataFrame) -> pd.DataFrame:
    """Mean reads per base of every contig in every sample, as n x s columns coverage_<sample>."""
    dtype = defaultdict(lambda: np.float64, contig=str)
    try:
        table = pd.read_csv(path, sep="\t", dtype=dtype, keep_default_na=False, quoting=csv.QUOTE_NONE)
        return table.set_index("contig").loc[contigs.index].add_prefix("coverage_")
    except (ValueError, KeyError) as error:
        raise click.ClickException(f"{path}: {error}; it must come from the same run as contigs.tsv") from None


def read_refined(refined: tuple[tuple[str, Path, Path], ...], contigs: pd.DataFrame) -> tuple[pd.DataFrame, set[str]]:
    """Labels (contig, cluster) of the refined assemblies, and the contigs that lost theirs."""
    labels, removed = [pd.DataFrame({"contig": [], "cluster": []}, dtype=str)], set()
    for assembly, contig2bin, refinement in refined:
        steps = read_table(refinement, ["contig", "assembly", "initial", "final"])
        if not (steps["assembly"] == assembly).all() or not steps["contig"].isin(contigs["contig"]).all():
            raise click.ClickException(f"{refinement}: not of assembly {assembly!r} of this group; check --refined")
        removed |= set(steps.query("initial != '' and final == ''")["contig"])
        placed = read_table(contig2bin, ["contig", "bin"]).rename(columns={"bin": "cluster"})
        if not placed["contig"].isin(steps["contig"]).all():
            raise click.ClickException(f"{contig2bin}: holds contigs that {refinement} does not; use one run's files")
        labels.append(placed)
    return pd.concat(labels, ignore_index=True)[["contig", "cluster"]], removed


def number_bins(labels: pd.DataFrame, contigs: pd.DataFrame, min_bin_size: int) -> pd.DataFrame:
    """The bins of at least min_bin_size bp: bin, assembly, cluster, size (bp), contigs, by assembly and number.

    `labels`: contig, cluster; one row for every bin of a contig.
    """
    rows = labels.assign(
        assembly=contigs["assembly"].loc[labels["contig"]].to_numpy(),
        length=contigs["length"].loc[labels["contig"]].to_numpy(),
        position=contigs.index.get_indexer(labels["contig"]),
    )
    bins = rows.groupby(["assembly", "cluster"], as_index=False).agg(
        size=("length", "sum"), contigs=("length", "size"), first=("position", "min")
    )
    bins = bins[bins["size"] >= min_bin_size]
    bins = bins.sort_values(["assembly", "size", "first"], ascending=[True, False, True], ignore_index=True)
    number = bins.groupby("assembly").cumcount() + 1
    width = bins.groupby("assembly")["cluster"].transform("size").astype(str).str.len().clip(lower=3)
    names = [f"{assembly}.{n:0{w}d}" for assembly, n, w in zip(bins["assembly"], number, width)]
    return bins.assign(bin=pd.Series(names, dtype=str))[["bin", "assembly", "cluster", "size", "contigs"]]


def n50(lengths: np.ndarray) -> int:
    """The length of the contig at which contigs from the longest down reach half of all base pairs."""
    ordered = np.sort(lengths)[::-1]
    return int(ordered[np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)])


def catalogue_records(path: Path, contigs: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Catalogue name and sequence of every contig; error where the FASTA is not what contigs.tsv lists."""
    expected = zip(contigs["contig"], contigs["length"])
    with pysam.FastxFile(str(path), persist=False) as records:
        for record in records:
            contig, length = next(expected, ("", 0))
            if record.name != contig or len(record.sequence) != length:
                found = f"{record.name!r} of {len(record.sequence)} bp, where contigs.tsv has {contig!r} of {length} bp"
                raise click.ClickException(f"{path}: {found}; both must come from the same run")
            yield contig, record.sequence
    missing = next(expected, None)
    if missing:
        raise click.ClickException(f"{path}: {missing[0]!r} of contigs.tsv is missing; copy the file again")


def flush(folder: Path, pending: dict[str, list[str]]) -> None:
    """Appends the pending FASTA records of each bin to its plain file."""
    for name, records in pending.items():
        with open(folder / f"{name}.fa", "a") as handle:
            handle.writelines(records)
    pending.clear()


def compress(plain: Path) -> None:
    """Replaces a file by its gzip: without a time stamp, and one member, as htslib reads no further."""
    with open(plain, "rb") as source, open(f"{plain}.gz", "wb") as raw:
        with gzip.GzipFile("", "wb", 6, raw, mtime=0) as target:
            shutil.copyfileobj(source, target)
    plain.unlink()


def write_fasta(
    records: Iterator[tuple[str, str]], folder: Path, names: dict[str, str], bins: dict[str, list[str]]
) -> pd.DataFrame:
    """Writes every contig to each of its bins in one pass over the catalogue; one file is open at a time.

    `names`: assembler's name, `bins`: bins of a contig, by catalogue name. Returns per binned contig `gc`
    and `acgt`, its numbers of G and C and of unambiguous bases.
    """
    folder.mkdir(exist_ok=True)
    if any(folder.iterdir()):
        raise click.ClickException(f"{folder}/ is not empty; move away what an earlier run left there")
    pending: dict[str, list[str]] = defaultdict(list)
    bases: dict[str, tuple[int, int]] = {}
    held = 0
    for contig, sequence in records:
        for name in bins.get(contig, ()):
            pending[name].append(f">{names[contig]}\n{sequence}\n")
            held += len(sequence)
        if contig in bins:
            gc = sequence.count("G") + sequence.count("C")
            bases[contig] = gc, gc + sequence.count("A") + sequence.count("T")
        if held > BUFFERED_BP:
            flush(folder, pending)
            held = 0
    flush(folder, pending)
    for plain in sorted(folder.iterdir()):
        compress(plain)
    return pd.DataFrame.from_dict(bases, orient="index", columns=["gc", "acgt"])


def describe_bins(
    bins: pd.DataFrame, placed: pd.DataFrame, bases: pd.DataFrame, coverage: pd.DataFrame, refined: set[str]
) -> pd.DataFrame:
    """bins.tsv. `placed`: contig, bin, length; one row for every bin of a contig."""
    contig, length = placed["contig"], placed["length"].to_numpy()
    per_bin = placed.assign(
        shared=contig.duplicated(keep=False),
        gc=bases["gc"].reindex(contig).to_numpy(),
        acgt=bases["acgt"].reindex(contig).to_numpy(),
    ).groupby("bin")
    sums = per_bin[["shared", "gc", "acgt"]].sum().loc[bins["bin"]]
    weighted = coverage.loc[contig].mul(length, axis=0).groupby(placed["bin"].to_numpy()).sum().loc[bins["bin"]]
    described = bins.assign(
        n50=[n50(per_bin.get_group(name)["length"].to_numpy()) for name in bins["bin"]],
        gc=(sums["gc"] / sums["acgt"].clip(lower=1)).to_numpy(),
        multi_labelled=sums["shared"].to_numpy(dtype=np.int64),
        refined=bins["assembly"].isin(refined).map({True: "true", False: "false"}),
    )
    means = weighted.div(bins["size"].to_numpy(), axis=0).reset_index(drop=True)
    return pd.concat([described, means], axis=1)


def list_unbinned(
    contigs: pd.DataFrame,
    binned: set[str],
    small: pd.Series,
    removed: set[str],
    cluster: pd.Series,
    excluded: pd.Series,
) -> pd.DataFrame:
    """unbinned.tsv. By contig: `small` the ids of its bins below the floor, `cluster` its cluster,
    `excluded` why the features have no row for it."""
    left = contigs[~contigs["contig"].isin(binned)]
    small, cluster, excluded = (column.reindex(left.index).fillna("") for column in (small, cluster, excluded))
    is_removed = left["contig"].isin(removed)
    reason = excluded.mask(excluded == "", "unclustered").mask(cluster != "", "small_bin")
    return pd.DataFrame(
        {
            "assembly": left["assembly"],
            "contig": left["name"],
            "length": left["length"],
            "cluster": small.mask(small == "", cluster),
            "reason": reason.mask(is_removed, "removed").mask(small != "", "small_bin"),
        }
    )


def write_table(table: pd.DataFrame, path: str) -> None:
    table.to_csv(path, sep="\t", index=False, lineterminator="\n", quoting=csv.QUOTE_NONE, float_format="%.6g")


@click.command(context_settings={"show_default": True})
@click.option("--catalogue", required=True, type=FILE)
@click.option("--contigs", required=True, type=FILE)
@click.option("--clusters", required=True, type=FILE)
@click.option("--excluded", required=True, type=FILE)
@click.option("--coverage", required=True, type=FILE)
@click.option("--min_bin_size", default=200_000, type=click.IntRange(min=0), help="Bins below it (bp) are not written.")
@click.option(
    "--refined",
    multiple=True,
    type=(str, FILE, FILE),
    metavar="ASSEMBLY CONTIG2BIN REFINEMENT",
    help="A refined assembly and its contig2bin.tsv and refinement.tsv; repeatable.",
)
def main(
    catalogue: Path,
    contigs: Path,
    clusters: Path,
    excluded: Path,
    coverage: Path,
    min_bin_size: int,
    refined: tuple[tuple[str, Path, Path], ...],
) -> None:
    """Cut clusters by assembly and write the bins."""
    table = read_contigs(contigs)
    clustered = read_table(clusters, ["cluster", "contig"])
    left_out = read_table(excluded, ["contig", "reason"]).set_index("contig")["reason"]
    labels, removed = read_refined(refined, table)
    unknown = clustered.loc[~clustered["contig"].isin(table["contig"]), "contig"]
    if len(unknown):
        raise click.ClickException(f"{clusters}: contig {unknown.iloc[0]!r} is not in {contigs}; use one run's files")

    refined_assemblies = {assembly for assembly, _, _ in refined}
    is_cut = ~table["assembly"].loc[clustered["contig"]].isin(refined_assemblies).to_numpy()
    labels = pd.concat([clustered.loc[is_cut, ["contig", "cluster"]], labels], ignore_index=True)
    bins = number_bins(labels, table, min_bin_size)
    labels["assembly"] = table["assembly"].loc[labels["contig"]].to_numpy()
    labels = labels.merge(bins[["assembly", "cluster", "bin"]], how="left", on=["assembly", "cluster"])
    small = labels[labels["bin"].isna()].groupby("contig")["cluster"].agg(",".join)
    placed = labels[labels["bin"].notna()].merge(table[["name", "length"]], left_on="contig", right_index=True)
    order = bins.reset_index().set_index("bin")["index"]
    position = pd.Series(table.index.get_indexer(placed["contig"]), index=placed.index)
    placed = placed.assign(order=placed["bin"].map(order), position=position).sort_values(["order", "position"])

    bins_of = placed.groupby("contig")["bin"].agg(list).to_dict()
    records = catalogue_records(catalogue, table)
    bases = write_fasta(records, Path("bins"), table["name"].to_dict(), bins_of)
    described = describe_bins(bins, placed, bases, read_coverage(coverage, table), refined_assemblies)
    cluster = clustered.set_index("contig")["cluster"]
    unbinned = list_unbinned(table, set(bins_of), small, removed, cluster, left_out)
    write_table(placed[["assembly", "name", "bin"]].rename(columns={"name": "contig"}), "contig2bin.tsv")
    write_table(described, "bins.tsv")
    write_table(unbinned, "unbinned.tsv")
    click.echo(f"{len(bins)} bins hold {len(bins_of)} of {len(table)} contigs", err=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Cut the clusters of a group by assembly and write the bins.

In:  catalogue.fa.gz, contigs.tsv, clusters.tsv, excluded.tsv and coverage.tsv.gz of the group, and for each refined
     assembly its contig2bin.tsv and refinement.tsv (refine.py, graphbin2.py or transfer.py), which replace its
     clusters; with several assemblies also same_genomes.tsv (transfer.py); for each assembly whose marker genes were
     searched for its markers.tsv.gz and marker_families.tsv.
Out: bins/<assembly>.<number>.fa.gz, contig2bin.tsv, bins.tsv, unbinned.tsv, with the assembler's names; with
     same_genomes.tsv also genomes.tsv; formats/, which contig is in which bin in the formats of other tools.

A bin is what a cluster holds of one assembly (multi-split of the VAMB preprint). In a refined assembly a contig may
belong to several bins, and is written to each of them. Bins of at least --min_bin_size bp are numbered within their
assembly from the largest down; of equal bins the one whose first contig comes first in the catalogue has the lower
number. Every contig of the catalogue is in contig2bin.tsv or in unbinned.tsv. A genome is called after its best bin,
which represents it.

The column `reason` of unbinned.tsv has the first of these words that applies:
  small_bin           its bin is below --min_bin_size
  removed             the refinement took it out of its bin; refinement.tsv tells why
  short               below --min_contig_length, and the refinement gave it no bin
  no_tetranucleotide  no 4-mer without ambiguous bases, and the refinement gave it no bin
  unclustered         left over when --max_clusters clusters had been found
"""

import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd

from assembly_tables import read_clusters, read_contigs_by_name, read_coverage
from bin_formats import write_formats
from bin_quality import Marked, rate_bins
from catalogue_fasta import catalogue_sequences
from message_text import shown
from output_files import gzip_output, writing
from refined_bins import Refined, read_refined
from stage_tables import (
    BINS,
    CONTIG2BIN,
    EXCLUDED,
    FAMILIES,
    GENOMES,
    MARKERS,
    RATED_BINS,
    SAME_GENOMES,
    UNBINNED,
    check_contigs,
    read_table,
)
from stage_warnings import warn
from table_output import write_table

# Sequences are kept in memory up to this number of bases, so that the files of the bins are opened less often.
MAX_BUFFERED_BP = 200_000_000
GZIP_LEVEL = 6
CONTAMINATION_WEIGHT = 5  # against completeness, where the best bin of a genome is chosen (as dRep has it)
MAX_ADVISED_SIZES = 3  # in the warning that no bin is large enough
MIN_NUMBER_WIDTH = 3  # digits of a bin's number in its name
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Placement(NamedTuple):
    """Where the contigs go."""

    bins: pd.DataFrame  # as number_bins has them
    placed: pd.DataFrame  # contig, assembly, name, length, bin: by bin, then in catalogue order
    labels: pd.DataFrame  # contig, cluster: one row for every bin of a contig, however small
    small: pd.Series  # the bins below the floor that a contig belongs to, by contig, joined by commas


@click.command(context_settings={"show_default": True})
@click.option("--catalogue", required=True, type=FILE)
@click.option("--contigs", required=True, type=FILE)
@click.option("--clusters", required=True, type=FILE)
@click.option("--excluded", required=True, type=FILE)
@click.option("--coverage", required=True, type=FILE)
@click.option(
    "--min_bin_size", default=200_000, type=click.IntRange(0, 1_000_000_000), help="Smaller bins (bp) are not written."
)
@click.option(
    "--refined",
    multiple=True,
    type=(FILE, FILE),
    metavar="CONTIG2BIN REFINEMENT",
    help="The contig2bin.tsv and refinement.tsv of a refined assembly; repeatable.",
)
@click.option("--same_genomes", type=FILE, help="Which bins of several assemblies are one genome (transfer stage).")
@click.option(
    "--markers",
    multiple=True,
    type=(FILE, FILE),
    metavar="MARKERS FAMILIES",
    help="The markers.tsv.gz and marker_families.tsv of an assembly; repeatable.",
)
def main(
    catalogue: Path,
    contigs: Path,
    clusters: Path,
    excluded: Path,
    coverage: Path,
    min_bin_size: int,
    refined: tuple[tuple[Path, Path], ...],
    same_genomes: Path | None,
    markers: tuple[tuple[Path, Path], ...],
) -> None:
    """Cut clusters by assembly and write the bins."""
    table = read_contigs_by_name(contigs)
    clustered = read_clusters(clusters, table)
    left_out = read_excluded(excluded, table)
    depth = read_coverage(coverage, table)
    labels = read_refined(refined, table)
    marked = read_markers(markers, table)
    placement = place_contigs(clustered, labels, table, min_bin_size)
    genomes = None if same_genomes is None else read_same_genomes(same_genomes, placement.bins)

    bins_of = placement.placed.groupby("contig")["bin"].agg(list).to_dict()
    sequences = zip(table["contig"], catalogue_sequences(catalogue, table, contigs), strict=True)
    bases = write_fasta(sequences, Path("bins"), table["name"].to_dict(), bins_of)
    described = describe_bins(placement, bases, depth.add_prefix("coverage_"), labels.assemblies, genomes)
    cluster = clustered.set_index("contig")["cluster"]
    unbinned = list_unbinned(table, placement, labels.removed, cluster, left_out)
    write_table(CONTIG2BIN, placement.placed[["assembly", "name", "bin"]].rename(columns={"name": "contig"}))
    write_formats(placement.placed[["assembly", "name", "bin"]])
    rated = write_bins(described, placement.placed, marked)
    if genomes is not None:
        write_table(GENOMES, list_genomes(rated, genomes["genome"]))
    write_table(UNBINNED, unbinned)
    if placement.bins.empty:
        warn_of_no_bin(number_bins(placement.labels, table, 0)["size"].tolist(), min_bin_size)
    click.echo(f"{len(placement.bins)} bins hold {len(bins_of)} of {len(table)} contigs", err=True)


def read_excluded(path: Path, contigs: pd.DataFrame) -> pd.Series:
    """Return why contigs have no row in the features, by contig."""
    excluded = read_table(EXCLUDED, path)
    check_contigs(path, excluded, contigs.index, "in contigs.tsv")
    return excluded.set_index("contig")["reason"]


def read_same_genomes(path: Path, bins: pd.DataFrame) -> pd.DataFrame:
    """Return `genome` and `transferred` of each bin (bins, as number_bins has them), by the name of the bin.

    Raise ClickException if a bin has no row.
    """
    table = bins[["bin", "assembly", "cluster"]].merge(read_table(SAME_GENOMES, path), how="left")
    lacking = table[table["genome"].isna()]
    if len(lacking):
        assembly, cluster = lacking[["assembly", "cluster"]].iloc[0]
        problem = f"has no row for assembly {shown(assembly)}, cluster {shown(cluster)}"
        raise click.ClickException(f"{path}: {problem}; give it with the --refined tables of the same run")
    return table.set_index("bin")[["genome", "transferred"]].astype({"transferred": bool})


def read_markers(given: Iterable[tuple[Path, Path]], contigs: pd.DataFrame) -> Marked | None:
    """Read the markers.tsv.gz and marker_families.tsv of each assembly; None if there are none.

    Raise ClickException if two assemblies were not searched for the same families.
    """
    markers, families, first = [], None, None
    for path, families_path in given:
        markers.append(read_table(MARKERS, path))
        check_contigs(path, markers[-1], contigs.index, "in contigs.tsv")
        searched = read_table(FAMILIES, families_path)
        if families is not None and not searched.equals(families):
            raise click.ClickException(f"{families_path}: differs from {first}; give both from the same run")
        is_known = markers[-1]["family"].isin(searched["family"])
        if not is_known.all():
            family = shown(markers[-1]["family"][~is_known].iloc[0])
            raise click.ClickException(
                f"{path}: family {family} is not in {families_path}; give both from the same run"
            )
        families, first = searched, families_path
    return None if families is None else Marked(pd.concat(markers, ignore_index=True), families)


def write_bins(described: pd.DataFrame, placed: pd.DataFrame, marked: Marked | None) -> pd.DataFrame:
    """Write bins.tsv and return it, with what marker genes tell of the bins if they were searched for."""
    if marked is None:
        write_table(BINS, described)
        return described
    rated = described.join(rate_bins(placed[["contig", "bin", "length"]], marked), on="bin")
    names = [column.name for column in RATED_BINS.columns]
    rated = rated[[*names, *[name for name in rated.columns if name not in names]]]
    write_table(RATED_BINS, rated)
    return rated


def place_contigs(clustered: pd.DataFrame, refined: Refined, contigs: pd.DataFrame, min_bin_size: int) -> Placement:
    """Cut the clusters by assembly, replace those of the refined assemblies, and number the bins."""
    is_cut = ~contigs["assembly"].loc[clustered["contig"]].isin(refined.assemblies).to_numpy()
    labels = pd.concat([clustered.loc[is_cut, ["contig", "cluster"]], refined.labels], ignore_index=True)
    bins = number_bins(labels, contigs, min_bin_size)
    labels["assembly"] = contigs["assembly"].loc[labels["contig"]].to_numpy()
    labels = labels.merge(bins[["assembly", "cluster", "bin"]], how="left", on=["assembly", "cluster"])
    small = labels[labels["bin"].isna()].groupby("contig")["cluster"].agg(",".join)
    placed = labels[labels["bin"].notna()].merge(contigs[["name", "length"]], left_on="contig", right_index=True)
    order = bins.reset_index().set_index("bin")["index"]
    position = pd.Series(contigs.index.get_indexer(placed["contig"]), index=placed.index)
    placed = placed.assign(order=placed["bin"].map(order), position=position).sort_values(["order", "position"])
    return Placement(bins, placed, labels[["contig", "cluster"]], small)


def number_bins(labels: pd.DataFrame, contigs: pd.DataFrame, min_bin_size: int) -> pd.DataFrame:
    """Return the bins of at least min_bin_size bp: bin, assembly, cluster, size (bp), contigs, in their order.

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
    width = bins.groupby("assembly")["cluster"].transform("size").astype(str).str.len().clip(lower=MIN_NUMBER_WIDTH)
    names = [f"{assembly}.{n:0{w}d}" for assembly, n, w in zip(bins["assembly"], number, width)]
    return bins.assign(bin=pd.Series(names, dtype=str))[["bin", "assembly", "cluster", "size", "contigs"]]


def warn_of_no_bin(sizes: list[int], min_bin_size: int) -> None:
    """Warn that no bin was written, and say which --min_bin_size would leave how many of these sizes (bp)."""
    if not sizes:
        warn("no contig is in a cluster, so there is no bin: give longer contigs, or lower --min_contig_length")
        return
    rounded = [digit * 10**power for power in range(len(str(min_bin_size)), -1, -1) for digit in (5, 2, 1)]
    lower = [size for size in rounded if size <= max(sizes)][:MAX_ADVISED_SIZES]
    advice = ", ".join(f"{size} would leave {sum(other >= size for other in sizes)}" for size in lower)
    warn(
        f"no bin has --min_bin_size {min_bin_size} bp, so none is written; the largest has {max(sizes)} bp: "
        f"--min_bin_size {advice}"
    )


def write_fasta(
    sequences: Iterable[tuple[str, bytes]], folder: Path, names: dict[str, str], bins: dict[str, list[str]]
) -> pd.DataFrame:
    """Write every contig to each of its bins in one pass over the catalogue; one file is open at a time.

    `sequences`, `names` (the assembler's) and `bins` (of a contig) are by catalogue name. Return, per binned contig,
    the numbers of G and C (`gc`) and of unambiguous bases (`acgt`). Raise ClickException if the folder is not empty.
    """
    folder.mkdir(exist_ok=True)
    if any(folder.iterdir()):
        raise click.ClickException(f"{folder}/: is not empty; move away what an earlier run left there")
    buffered: dict[str, list[bytes]] = defaultdict(list)
    buffered_bp = 0
    bases: dict[str, tuple[int, int]] = {}
    for contig, sequence in sequences:
        for name in bins.get(contig, ()):
            buffered[name].append(f">{names[contig]}\n".encode() + sequence + b"\n")
            buffered_bp += len(sequence)
        if contig in bins:
            gc = sequence.count(b"G") + sequence.count(b"C")
            bases[contig] = gc, gc + sequence.count(b"A") + sequence.count(b"T")
        if buffered_bp > MAX_BUFFERED_BP:
            append_records(folder, buffered)
            buffered_bp = 0
    append_records(folder, buffered)
    for plain in sorted(folder.iterdir()):
        compress(plain)
    return pd.DataFrame.from_dict(bases, orient="index", columns=["gc", "acgt"])


def append_records(folder: Path, buffered: dict[str, list[bytes]]) -> None:
    """Append the buffered FASTA records of each bin to its plain file, and empty the buffer."""
    for name, records in buffered.items():
        path = folder / f"{name}.fa"
        with writing(path), open(path, "ab") as file:
            file.writelines(records)
    buffered.clear()


def compress(plain: Path) -> None:
    """Replace a file by its gzip, which is of one member, as htslib reads no further."""
    with open(plain, "rb") as source, gzip_output(f"{plain}.gz", GZIP_LEVEL) as target:
        shutil.copyfileobj(source, target)
    plain.unlink()


def describe_bins(
    placement: Placement, bases: pd.DataFrame, coverage: pd.DataFrame, refined: set[str], genomes: pd.DataFrame | None
) -> pd.DataFrame:
    """Return bins.tsv.

    `coverage` (N x s) is indexed by contig, `refined` has the refined assemblies, `genomes` is what read_same_genomes
    returns, if there are several assemblies.
    """
    bins, placed = placement.bins, placement.placed
    contig, of_bin, shared = placed["contig"], placed["bin"].to_numpy(), placed["contig"].duplicated(keep=False)
    per_bin = placed.assign(
        shared=shared, gc=bases["gc"].reindex(contig).to_numpy(), acgt=bases["acgt"].reindex(contig).to_numpy()
    ).groupby("bin")
    sums = per_bin[["shared", "gc", "acgt"]].sum().loc[bins["bin"]]
    # The coverage of a contig of several bins is the sum of theirs
    weight = placed["length"].mask(shared & ~shared.groupby(of_bin).transform("all"), 0).to_numpy()
    weighted = coverage.loc[contig].mul(weight, axis=0).groupby(of_bin).sum().loc[bins["bin"]]
    described = bins.assign(
        n50=[n50(per_bin.get_group(name)["length"].to_numpy()) for name in bins["bin"]],
        gc=(sums["gc"] / sums["acgt"].clip(lower=1)).to_numpy(),
        multi_labelled=sums["shared"].to_numpy(dtype=np.int64),
        refined=bins["assembly"].isin(refined),
        transferred=False if genomes is None else genomes["transferred"].loc[bins["bin"]].to_numpy(),
    )
    total = pd.Series(weight).groupby(of_bin).sum().loc[bins["bin"]]
    means = weighted.div(total.to_numpy(), axis=0).reset_index(drop=True)
    return pd.concat([described, means], axis=1)


def list_genomes(bins: pd.DataFrame, genome: pd.Series) -> pd.DataFrame:
    """Return genomes.tsv from bins.tsv and the number of each bin's genome, by the name of the bin.

    The best bin comes first: that of the greatest completeness less CONTAMINATION_WEIGHT times contamination if these
    are known, then the largest.
    """
    merit = 0.0
    if "completeness" in bins:
        merit = (bins["completeness"] - CONTAMINATION_WEIGHT * bins["contamination"]).fillna(-np.inf)
    ranked = bins.assign(number=genome.loc[bins["bin"]].to_numpy(), merit=merit)
    ranked = ranked.sort_values(["merit", "size", "n50"], ascending=False, kind="stable")
    ranked["genome"] = ranked.groupby("number")["bin"].transform("first")
    ranked["representative"] = ranked["genome"] == ranked["bin"]
    order = ranked["genome"].map({name: i for i, name in enumerate(ranked["genome"].unique())})
    ranked = ranked.iloc[np.argsort(order, kind="stable")]
    return ranked[[column.name for column in GENOMES.columns]]


def n50(lengths: np.ndarray) -> int:
    """Return the length of the contig with which the contigs, from the longest down, reach half of all base pairs."""
    ordered = np.sort(lengths)[::-1]
    return int(ordered[np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)])


def list_unbinned(
    contigs: pd.DataFrame, placement: Placement, removed: set[str], cluster: pd.Series, excluded: pd.Series
) -> pd.DataFrame:
    """Return unbinned.tsv; by contig, `cluster` is its cluster and `excluded` why the features have no row for it."""
    left = contigs[~contigs["contig"].isin(placement.placed["contig"])]
    by_contig = (placement.small, cluster, excluded)
    small, cluster, excluded = (column.reindex(left.index).fillna("") for column in by_contig)
    reason = excluded.mask(excluded == "", "unclustered").mask(cluster != "", "small_bin")
    return pd.DataFrame(
        {
            "assembly": left["assembly"],
            "contig": left["name"],
            "length": left["length"],
            "cluster": small.mask(small == "", cluster),
            "reason": reason.mask(left["contig"].isin(removed), "removed").mask(small != "", "small_bin"),
        }
    )


if __name__ == "__main__":
    main()

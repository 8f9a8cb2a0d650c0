#!/usr/bin/env python3
"""Hold the bins of a group against those of other binners where no genome is known (preprint, figures 3C, D and F).

In:  contigs.tsv, contig2bin.tsv and coverage.tsv.gz of the group, contigs.tsv of the other groups, tables of other
     binners (compared_bins.py) and, of any binning, a table of quality (quality_tables.py).
Out: compared_bins.tsv, common_bins.tsv, differences.tsv and tiers.tsv (evaluation_tables.py).

The recall of a bin is its completeness, its precision 1 - c / (c + 1) with its contamination c. Where the table knows
how much of c is of other strains of the species, there is a second precision without these. Bins of two binnings are
common if they share at least half of the larger, in bases; a bin that no other binning has is unique. The prevalence of
a bin is the number of samples in which a contig of it has a read.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

import click
import pandas as pd

from assembly_tables import read_contigs_by_name, read_coverage
from bin_scores import PRECISIONS, RECALLS
from common_bins import bin_sizes, common_bins, corresponding
from compared_bins import SEPARATOR, read_binnings
from contig_names import ContigNames
from evaluation_tables import COMMON_BINS, COMPARED_BINS, DIFFERENCES, QUALITY_COLUMNS, TIERS
from message_text import shown
from quality_tables import precision, read_quality, without_strains
from stage_tables import CONTIGS, read_table
from stage_warnings import warn
from table_output import write_rows

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
QUALITIES = list(QUALITY_COLUMNS)


@click.command(context_settings={"show_default": True})
@click.option("--contigs", required=True, type=FILE, help="contigs.tsv")
@click.option("--other_contigs", multiple=True, type=FILE, help="contigs.tsv of another group; repeatable.")
@click.option("--contig2bin", required=True, type=FILE, help="contig2bin.tsv")
@click.option("--coverage", required=True, type=FILE, help="coverage.tsv.gz")
@click.option("--compare", "compared", multiple=True, type=(str, FILE), metavar="NAME TABLE", help="Repeatable.")
@click.option("--quality", "qualities", multiple=True, type=(str, FILE), metavar="NAME TABLE", help="Repeatable.")
@click.option(
    "--min_bin_size", default=200_000, type=click.IntRange(0, 1_000_000_000), help="Smaller bins (bp) are not listed."
)
def main(
    contigs: Path, other_contigs: tuple[Path, ...], contig2bin: Path, coverage: Path,
    compared: tuple[tuple[str, Path], ...], qualities: tuple[tuple[str, Path], ...], min_bin_size: int,
) -> None:  # fmt: skip
    """Compare the bins of a group with those of other binners."""
    table = read_contigs_by_name(contigs)
    names = ContigNames(table, [read_table(CONTIGS, other) for other in other_contigs])
    labels = read_binnings(contig2bin, compared, names, table["assembly"])
    depth = read_coverage(coverage, table)
    bins = {name: describe(binning, table["length"], depth) for name, binning in labels.items()}
    for name, path in qualities:
        if name not in bins:
            raise click.ClickException(f"{path}: there is no binning {shown(name)}; name it by --compare, too")
        bins[name] = rate(name, bins[name], path, min_bin_size)
    common = {
        (one, other): common_bins(labels[one], labels[other], table["length"]) for one, other in combinations(labels, 2)
    }
    mark_common(bins, common)
    large = {name: found[found["size"] >= min_bin_size] for name, found in bins.items()}
    write_rows(COMPARED_BINS, (row for name, found in large.items() for row in bin_rows(name, found)))
    paired = {pair: with_quality(found, bins, pair, min_bin_size) for pair, found in common.items()}
    write_rows(COMMON_BINS, (row for pair, found in paired.items() for row in common_rows(pair, found)))
    write_rows(DIFFERENCES, (difference_row(pair, found) for pair, found in paired.items()))
    write_rows(TIERS, (row for name, found in large.items() for row in tier_rows(name, found)))
    click.echo(f"{len(bins)} binnings, {sum(map(len, large.values()))} bins", err=True)


def describe(labels: pd.DataFrame, length: pd.Series, coverage: pd.DataFrame) -> pd.DataFrame:
    """Return size (bp), number of contigs and prevalence of each bin, and no quality yet, by the name of the bin."""
    is_present = (coverage.loc[labels["contig"]] > 0).groupby(labels["bin"].to_numpy(), sort=False).any()
    described = pd.DataFrame({"size": bin_sizes(labels, length)})
    described["contigs"] = labels.groupby("bin", sort=False).size()
    described["prevalence"] = is_present.sum(axis=1).reindex(described.index)
    return described.assign(**dict.fromkeys(QUALITIES, float("nan")))


def rate(binning: str, bins: pd.DataFrame, path: Path, min_bin_size: int) -> pd.DataFrame:
    """Return the bins with their recall and precision by a table of quality; warn of large bins without a row."""
    table = read_quality(path)
    own = [name.partition(SEPARATOR)[2] for name in bins.index]
    # A name that bins of two assemblies have says nothing about either.
    is_known = pd.Series(own).isin(table.index) & ~pd.Series(own).duplicated(keep=False)
    found = table.reindex([name if known else None for name, known in zip(own, is_known)]).set_axis(bins.index)
    rated = bins.assign(
        recall=found["completeness"],
        precision=precision(found["contamination"]),
        precision_strains=precision(without_strains(found)),
    )
    unrated = rated[rated["recall"].isna() & (rated["size"] >= min_bin_size)]
    if len(unrated):
        first = shown(unrated.index[0].partition(SEPARATOR)[2])
        warn(
            f"{path.name}: tells nothing, or of several assemblies, about {len(unrated)} of "
            f"{(rated['size'] >= min_bin_size).sum()} bins of binning {shown(binning)}, bin {first} for example: "
            "they count in no tier"
        )
    return rated


def mark_common(bins: dict[str, pd.DataFrame], common: Mapping[tuple[str, str], pd.DataFrame]) -> None:
    """Add the column `common_with`: the other binnings that have a bin, joined by commas."""
    partners: dict[str, dict[str, list[str]]] = {name: {bin_name: [] for bin_name in bins[name].index} for name in bins}
    for (one, other), pairs in common.items():
        for name in pairs["bin_1"].unique():
            partners[one][name].append(other)
        for name in pairs["bin_2"].unique():
            partners[other][name].append(one)
    for name, found in partners.items():
        bins[name] = bins[name].assign(common_with=pd.Series({key: ",".join(w) for key, w in found.items()}, dtype=str))


def with_quality(
    common: pd.DataFrame, bins: Mapping[str, pd.DataFrame], pair: tuple[str, str], min_bin_size: int
) -> pd.DataFrame:
    """Return each bin of the first binning with the one that corresponds to it and both qualities, if one is large."""
    best = corresponding(common)
    best = best[best[["size_1", "size_2"]].max(axis=1) >= min_bin_size]
    for number, name in enumerate(pair, 1):
        found = bins[name].loc[best[f"bin_{number}"], QUALITIES].add_suffix(f"_{number}").set_axis(best.index)
        best = best.join(found)
    return best


def bin_rows(binning: str, bins: pd.DataFrame) -> Iterator[list]:
    """Yield the rows of compared_bins.tsv."""
    for row in bins.itertuples():
        assembly, _, name = row.Index.partition(SEPARATOR)
        quality = [getattr(row, column) for column in QUALITIES]
        yield [binning, assembly, name, row.size, row.contigs, row.prevalence, row.common_with, *quality]


def common_rows(pair: tuple[str, str], common: pd.DataFrame) -> Iterator[list]:
    """Yield the rows of common_bins.tsv."""
    for row in common.to_dict("records"):
        (assembly, _, one), (_, _, other) = (row[name].partition(SEPARATOR) for name in ("bin_1", "bin_2"))
        quality = [row[f"{column}_{number}"] for column in QUALITIES for number in (1, 2)]
        yield [*pair, assembly, one, other, row["size_1"], row["size_2"], row["shared"], *quality]


def difference_row(pair: tuple[str, str], common: pd.DataFrame) -> list:
    """Return how many bins two binnings have in common, and the means of what the first has more (figure 3D)."""
    means = [(common[f"{column}_1"] - common[f"{column}_2"]).mean() for column in ("size", *QUALITIES)]
    return [*pair, len(common), *means]


def tier_rows(binning: str, bins: pd.DataFrame) -> Iterator[list]:
    """Yield how many bins reach each recall and precision, all and those that are unique; none without quality."""
    for counted, found in (("bin", bins), ("unique_bin", bins[bins["common_with"] == ""])):
        for column in QUALITIES[1:]:
            if bins[column].notna().any():
                for least in PRECISIONS:
                    pure = found.loc[found[column] >= least, "recall"]
                    numbers = [int((pure >= recall).sum()) for recall in RECALLS]
                    yield [binning, counted, column == "precision_strains", least, *numbers]


if __name__ == "__main__":
    main()

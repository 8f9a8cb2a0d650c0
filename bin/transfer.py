#!/usr/bin/env python3
"""Complete the bins of each assembly of a group by what the other assemblies show of the same genomes.

In: catalogue.fa.gz, contigs.tsv, coverage.tsv.gz, tetranucleotides.npy, features.json and pair_links.tsv.gz of the
group; contig2bin.tsv and refinement.tsv of each assembly (refine stage) and, where it has a graph, its vertices.tsv.gz
and edges.tsv.gz. Out: refine/<assembly>/ with contig2bin.tsv, refinement.tsv and refinement.json, which replace those
of the refine stage, and same_genomes.tsv. Binloom's own method: docs/method.md, section 6.2.

A genome that is deep in one sample is well assembled and binned there, and lies in short contigs in the assemblies of
samples in which it is shallow. Bins of different assemblies that hold the same k-mers are one genome (same_genomes.py).
What a contig has in common with genomes of the other assemblies is evidence beside its coverage, its composition and
its neighbours in the graph (assign_contigs.py). So a genome may get a bin in an assembly in which it had none: a
transferred bin. The column `reason` of refinement.tsv has the word `transferred` for its contigs.
"""

from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd

from assign_contigs import NONE_PRIOR, assign_to_bins, label_odds, needed_posterior, profile_clusters, with_reads
from bin_model import NO_BIN, Contigs, bin_sizes
from catalogue_fasta import catalogue_sequences
from coverage_evidence import log_sum
from kmer_samples import Samples, sample_contigs
from model_inputs import read_contigs, read_group
from output_files import writing
from refined_bins import read_refined
from refinement_tables import count_table, why_in_none
from same_genomes import Shares, contig_odds, count_levels, countable_contigs, level_odds, link_bins, share_levels
from shared_kmers import Members, compare_bins, kmers_in_genomes
from stage_arrays import REFINEMENT_COUNTS, write_description
from stage_tables import REFINED_CONTIG2BIN, REFINEMENT, SAME_GENOMES
from table_output import write_table

FOLDER = Path("refine")  # of what is written of each
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

# benchmark/transfer_parts.py measures what halving and doubling each of these values does.

# A contig counts as one of a genome from the start if its k-mers and its bin give the genome at least this posterior.
MIN_START_POSTERIOR = 0.9
# A genome without a bin in an assembly may get one if such contigs have at least this fraction of --min_bin_size.
MIN_START_FRACTION = 0.5
# At most so many times, bins are compared and completed: new bins show their genomes to the other assemblies. Each
# round begins with the bins before the transfer, so that what it brought does not confirm itself.
MAX_ROUNDS = 3


class Placed(NamedTuple):
    """Where the contigs of an assembly go."""

    table: pd.DataFrame  # by contig: what `transfer` finds of each
    bins: pd.DataFrame  # genome, cluster and, at the end, transferred
    n_edges: int  # of its graph


class Genomes(NamedTuple):
    """What is known of the G genomes of a group."""

    bins: pd.DataFrame  # assembly, cluster, genome: a row for each bin before the transfer, genomes from 0
    of_contig: np.ndarray  # keys contig * G + genome of all contigs in bins, sorted
    shares: Shares
    given: np.ndarray  # N, the genome of the bin that each contig came with, NO_BIN for none
    counted: np.ndarray  # N, the contigs with such a bin that show how often each share is found
    everywhere: tuple[np.ndarray, np.ndarray]  # of count_levels, over the whole group

    @property
    def n_genomes(self) -> int:
        """The number of genomes, G."""
        return int(self.bins["genome"].max()) + 1 if len(self.bins) else 0


@click.command(context_settings={"show_default": True})
@click.option("--catalogue", required=True, type=FILE)
@click.option("--contigs", required=True, type=FILE)
@click.option("--coverage", required=True, type=FILE)
@click.option("--tetranucleotides", required=True, type=FILE, help="Counts of all contigs (features stage).")
@click.option("--features", required=True, type=FILE, help="features.json.")
@click.option("--pair_links", type=FILE, help="Contigs that pairs of reads link (features stage).")
@click.option(
    "--refined",
    multiple=True,
    required=True,
    type=(FILE, FILE),
    metavar="CONTIG2BIN REFINEMENT",
    help="The contig2bin.tsv and refinement.tsv of an assembly; repeatable.",
)
@click.option(
    "--graph",
    multiple=True,
    type=(str, FILE, FILE),
    metavar="ASSEMBLY VERTICES EDGES",
    help="The vertices.tsv.gz and edges.tsv.gz of an assembly (graph stage), if it has a graph; repeatable.",
)
@click.option(
    "--min_posterior",
    default=0.8,
    type=click.FloatRange(0.5, 1),
    help="A contig goes to a bin from this probability; with one sample, long ones with a quarter of that doubt.",
)
@click.option(
    "--min_bin_size", default=200_000, type=click.IntRange(0, 1_000_000_000), help="Smaller bins (bp) are dropped."
)
@click.option("--threads", default=1, type=click.IntRange(min=1))
def main(
    catalogue: Path,
    contigs: Path,
    refined: tuple[tuple[Path, Path], ...],
    graph: tuple[tuple[str, Path, Path], ...],
    min_posterior: float,
    min_bin_size: int,
    threads: int,
    **profiles: Path | None,
) -> None:
    """Complete the bins of each assembly by the genomes of the others."""
    group = read_group(contigs, **profiles)
    given = read_refined(refined, group.table, [column.name for column in REFINEMENT.columns])
    graphs = {assembly: files for assembly, *files in graph}
    samples = sample_contigs(catalogue_sequences(catalogue, group.table, contigs))
    was_binned = group.table["contig"].isin(given.labels["contig"]).to_numpy()
    bins, placed = given.labels, {}
    for _ in range(MAX_ROUNDS):
        genomes = find_genomes(bins, group.table, samples, was_binned)
        for assembly in sorted(given.assemblies):
            table, known, _ = read_contigs(group, assembly, *graphs.get(assembly, (None, None)))
            found = transfer(assembly, known, table.index.to_numpy(), genomes, min_posterior, min_bin_size, threads)
            placed[assembly] = Placed(found[0].set_index(table["contig"]), found[1], known.links.shape[1] // 2)
        before, bins = bins, labels_of(placed)
        if set(before.itertuples(index=False)) == set(bins.itertuples(index=False)):
            break
    had = given.labels.merge(group.table[["contig", "assembly"]]).groupby("assembly")["cluster"].agg(set).to_dict()
    for assembly, one in placed.items():
        one.bins["transferred"] = ~one.bins["cluster"].isin(had.get(assembly, set()))
        steps = given.steps[given.steps["assembly"] == assembly]
        after = describe_steps(steps, one)
        write_assembly(FOLDER / assembly, after, one.n_edges)
        n_before, n_after = (int((table["final"] != "").sum()) for table in (steps, after))
        n_new = int(one.bins["transferred"].sum())
        click.echo(f"{assembly}: {n_after} contigs binned, {n_before} before; {n_new} new bins", err=True)
    write_table(SAME_GENOMES, list_genomes(placed))


def labels_of(placed: dict[str, Placed]) -> pd.DataFrame:
    """Return contig and cluster of all assemblies: a row for each bin of a contig."""
    labels = pd.concat([one.table["bins"] for one in placed.values()]).explode().dropna()
    return labels.rename("cluster").rename_axis("contig").reset_index()


def find_genomes(labels: pd.DataFrame, contigs: pd.DataFrame, samples: Samples, was_binned: np.ndarray) -> Genomes:
    """Return the genomes of the bins of a group, and the share that each contig has in common with each of them.

    labels: contig, cluster; a row for each bin of a contig. contigs: contigs.tsv (N). samples: of its contigs.
    was_binned (N): whether a contig had a bin before the transfer.
    """
    row = contigs.index.get_indexer(labels["contig"])
    assembly = pd.Categorical(contigs["assembly"]).codes.astype(np.int64)
    rows = pd.DataFrame({"contig": row, "assembly": contigs["assembly"].to_numpy()[row], "cluster": labels["cluster"]})
    rows["bin"] = rows.groupby(["assembly", "cluster"]).ngroup()
    rows = rows.sort_values(["contig", "bin"])
    bins = rows.drop_duplicates("bin").sort_values("bin")
    members = Members(rows["contig"].to_numpy(), rows["bin"].to_numpy(), assembly[bins["contig"]])
    genome = link_bins(*compare_bins(samples, members), members.assembly)
    shares = share_levels(*kmers_in_genomes(samples, members, genome, assembly), samples.n_kmers)
    n_genomes = int(genome.max(initial=0)) + 1
    of_contig = np.unique(members.contig * n_genomes + genome[members.bin])
    is_elsewhere = np.bincount(genome, minlength=n_genomes)[of_contig % n_genomes] > 1
    counted = countable_contigs(shares, of_contig, is_elsewhere, n_genomes) & was_binned
    everywhere = count_levels(shares, counted, of_contig, n_genomes)
    bins = bins[["assembly", "cluster"]].assign(genome=genome)
    return Genomes(bins, of_contig, shares, given_labels(of_contig, n_genomes, was_binned), counted, everywhere)


def transfer(
    assembly: str,
    known: Contigs,
    rows: np.ndarray,
    genomes: Genomes,
    min_posterior: float,
    min_bin_size: int,
    threads: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Assign the contigs of an assembly (n; their rows of contigs.tsv) to the genomes of the group.

    Return what assign_to_bins finds of each contig, with ids of bins and `bins`, the column `final` as lists; and the
    bins of the assembly: `genome`, `cluster`.
    """
    n_genomes = genomes.n_genomes
    own = genomes.bins[genomes.bins["assembly"] == assembly].set_index("genome")["cluster"]
    odds = sequence_odds(genomes, assembly, rows)
    given = genomes.given[rows]
    label = starting_labels(odds, given)
    every = np.arange(n_genomes)[None]
    odds = odds + label_odds(every, given) - label_odds(every, label)  # assign_to_bins adds those of label
    size = bin_sizes(known.length, label, n_genomes)
    is_bin = size >= np.where(np.isin(np.arange(n_genomes), own.index), 1, MIN_START_FRACTION * min_bin_size)
    known = with_reads(known)
    needed = needed_posterior(known, min_posterior)
    profiled = profile_clusters(known, label, is_bin, odds, threads)
    while True:
        assigned, shared = assign_to_bins(known, profiled, is_bin, needed, threads=threads)
        is_small = is_bin & (bin_sizes(known.length, assigned["final"].to_numpy(), n_genomes) < min_bin_size)
        if not is_small.any():
            break
        is_bin &= ~is_small
    names = np.array([*bin_ids(own, is_bin, genomes.bins), ""], dtype=object)  # NO_BIN is -1: the last
    lists = [[names[b]] if b != NO_BIN else [] for b in assigned["final"]]
    for contig, several in shared.items():
        lists[contig] += [names[b] for b in several if b != assigned["final"][contig]]
    steps = {step: names[assigned[step]] for step in ("unlinked", "final")}
    bins = pd.DataFrame({"genome": np.flatnonzero(is_bin), "cluster": names[:-1][is_bin]})
    return assigned.assign(**steps, bins=lists), bins


def sequence_odds(genomes: Genomes, assembly: str, rows: np.ndarray) -> np.ndarray:
    """Return the log odds (n x G) that the contigs of an assembly (n rows of contigs.tsv) are of each genome."""
    n_genomes = genomes.n_genomes
    is_here = np.zeros(len(genomes.shares.tells), dtype=bool)
    is_here[rows] = True
    here = count_levels(genomes.shares, genomes.counted & is_here, genomes.of_contig, n_genomes)
    odds = level_odds(*here, *(counts.sum(axis=0) for counts in genomes.everywhere))
    # A genome that no other assembly has cannot be looked for there
    elsewhere = genomes.bins["genome"][genomes.bins["assembly"] != assembly]
    odds[~np.isin(np.arange(n_genomes), elsewhere)] = 0
    return contig_odds(genomes.shares, rows, odds, np.arange(n_genomes))


def given_labels(of_contig: np.ndarray, n_genomes: int, was_binned: np.ndarray) -> np.ndarray:
    """Return the genome of the bin that each contig came with (N), the first of several, NO_BIN for none.

    of_contig: keys contig * G + genome, sorted. was_binned (N): whether the contig had a bin before the transfer.
    """
    contig, genome = np.divmod(of_contig, n_genomes)
    label = np.full(len(was_binned), NO_BIN)
    label[contig[::-1]] = genome[::-1]
    return np.where(was_binned, label, NO_BIN)


def starting_labels(odds: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return the genome of each contig (n) to begin with, NO_BIN for none, by its bin and its sequence (equation 30).

    odds (n x G): from sequence_odds. given (n): the genome of the bin that the contig came with.
    """
    n_genomes = odds.shape[1]
    if not n_genomes:
        return given
    score = odds + label_odds(np.arange(n_genomes)[None], given) + np.log((1 - NONE_PRIOR) / n_genomes)
    total = np.logaddexp(log_sum(score), np.log(NONE_PRIOR))
    return np.where(score.max(axis=1) - total >= np.log(MIN_START_POSTERIOR), score.argmax(axis=1), given)


def bin_ids(own: pd.Series, is_bin: np.ndarray, bins: pd.DataFrame) -> list[str]:
    """Return the id of each genome's bin in an assembly (G): its own there, or that of its first bin elsewhere.

    own: ids of the bins that the assembly had, by genome. An id that another bin has gets `_t` behind it.
    """
    ids = bins.drop_duplicates("genome").sort_values("genome")["cluster"].tolist()
    taken = set(own)
    for genome in range(len(ids)):
        if genome in own.index:
            ids[genome] = own[genome]
        elif is_bin[genome]:
            while ids[genome] in taken:
                ids[genome] += "_t"
            taken.add(ids[genome])
    return ids


def describe_steps(steps: pd.DataFrame, placed: Placed) -> pd.DataFrame:
    """Return the rows of refinement.tsv (steps, n) with what the transfer found, and `bins`, a list of each contig.

    A contig that stays where it was keeps its reason. `merged` and `initial` stay.
    """
    found = placed.table.loc[steps["contig"]].set_index(steps.index)
    is_first = steps["final"].str.partition(",")[0] == found["final"]
    had, has = steps["initial"] != "", found["final"] != ""
    nowhere = np.where(had, "removed,", "left,") + why_in_none(found["none"])
    anew = np.where(has, np.where(had, "moved", "added"), nowhere)
    reason = steps["reason"].str.removesuffix(",multi_labelled").where(is_first & has, anew)
    new_bins = placed.bins["cluster"][placed.bins["transferred"]]
    reason += np.where(found["final"].isin(new_bins), ",transferred", "")
    reason += np.where(found["bins"].str.len() > 1, ",multi_labelled", "")
    columns = {name: found[name] for name in ("unlinked", "posterior", "none", "bins")}
    return steps.assign(**columns, final=found["bins"].str.join(","), reason=reason)


def list_genomes(placed: dict[str, Placed]) -> pd.DataFrame:
    """Return same_genomes.tsv; genomes are numbered anew, without those that no bin is left of."""
    rows = pd.concat([one.bins.assign(assembly=assembly) for assembly, one in placed.items()])
    return rows.assign(genome=rows.groupby("genome").ngroup())[["genome", "assembly", "cluster", "transferred"]]


def write_assembly(folder: Path, steps: pd.DataFrame, n_edges: int) -> None:
    """Write the tables of one assembly into its folder."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_table(REFINEMENT, steps.drop(columns="bins"), folder / REFINEMENT.name)
    labels = steps[["contig", "bins"]].explode("bins").dropna().rename(columns={"bins": "bin"})
    write_table(REFINED_CONTIG2BIN, labels, folder / REFINED_CONTIG2BIN.name)
    write_description(REFINEMENT_COUNTS, {"assembly": folder.name, **count_table(steps, n_edges)}, folder)


if __name__ == "__main__":
    main()

"""Generated inputs of bin/report_data.py: a group of one assembly, of any size.

Contigs are drawn from genomes, the first of which are the largest and are published as bins. Most contigs are too short
to be clustered, and in no bin. Same arguments and same numpy: same files.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from project import BIN
from stage_scale import draw_lengths

sys.path.insert(0, str(BIN))
from bin_quality import quality
from stage_arrays import FEATURES, N_TETRANUCLEOTIDES, THRESHOLD, write_description
from stage_tables import (
    CONTIG2BIN,
    CONTIGS,
    MAPPING,
    RATED_BINS,
    READ_NUMBERS,
    REFINEMENT,
    ROWS,
    TRAINING,
    UNBINNED,
    contigs_hash,
)
from table_output import write_table

MEAN_BP, MIN_CLUSTERED_BP = 1500, 2000  # of contigs; those that are clustered have at least so many
BINNED_GENOMES, SKEW = 0.4, 2  # share of the genomes that became bins; genome numbers grow with so high a power
ADDED, REMOVED = 0.1, 0.05  # shares of a bin's short contigs that it has, and of its long ones that it lost
LATENT_SIZE, EPOCHS, READ_BP = 32, 300, 150
DISTANCE_BINS = 400  # of threshold.json
NOISE = 0.3  # of a contig's features and latent, beside those of its genome


def draw_contigs(n: int, n_bins: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the columns of contigs.tsv of n contigs, with `genome`, `is_long`, `before` and `after`.

    The last two are numbers of the bins before and after the refinement; -1 stands for none.
    """
    names, length = [f"c{number}" for number in range(n)], draw_lengths(n, MEAN_BP, rng)
    genome = (n_bins / BINNED_GENOMES * rng.random(n) ** SKEW).astype(int)
    is_long, chance, is_published = length >= MIN_CLUSTERED_BP, rng.random(n), genome < n_bins
    stays = np.where(is_long, chance >= REMOVED, chance < ADDED)
    return pd.DataFrame({"contig": names, "assembly": "a", "name": names, "length": length}).assign(
        genome=genome, is_long=is_long, before=np.where(is_long & is_published, genome, -1),
        after=np.where(stays & is_published, genome, -1),
    )  # fmt: skip


def bin_names(numbers: pd.Series) -> pd.Series:
    """Return the name of each bin by its number."""
    return "a." + (numbers + 1).astype(str).str.zfill(4)


def write_bins(folder: Path, contigs: pd.DataFrame, samples: list[str], rng: np.random.Generator) -> None:
    """Write contig2bin.tsv, unbinned.tsv and bins.tsv."""
    is_binned = contigs["after"] >= 0
    binned, rest = contigs[is_binned], contigs[~is_binned]
    found = pd.DataFrame({"assembly": binned["assembly"], "contig": binned["name"], "bin": bin_names(binned["after"])})
    write_table(CONTIG2BIN, found, folder / "contig2bin.tsv")
    reason = np.select([~rest["is_long"], rest["before"] >= 0], ["short", "removed"], "unclustered")
    left = rest[["assembly", "name", "length"]].rename(columns={"name": "contig"})
    write_table(UNBINNED, left.assign(cluster="", reason=reason), folder / "unbinned.tsv")
    sums = binned.groupby("after")["length"].agg(["sum", "size", "median"]).reset_index()
    n = len(sums)
    completeness, contamination = pd.Series(rng.random(n).round(4)), pd.Series(rng.exponential(0.05, n).round(4))
    table = pd.DataFrame({"bin": bin_names(sums["after"]), "assembly": "a", "cluster": sums["after"] + 1}).assign(
        size=sums["sum"], contigs=sums["size"], n50=sums["median"].astype(int), gc=rng.uniform(0.3, 0.7, n),
        multi_labelled=0, refined=True, transferred=False, markers_found=30, completeness=completeness,
        contamination=contamination, quality=quality(completeness, contamination),
    )  # fmt: skip
    coverage = pd.DataFrame(rng.lognormal(0, 2, (n, len(samples))), columns=[f"coverage_{name}" for name in samples])
    write_table(RATED_BINS, pd.concat([table, coverage], axis=1), folder / "bins.tsv")


def write_refinement(folder: Path, contigs: pd.DataFrame) -> None:
    """Write refinement.tsv."""
    before, after = ((contigs[side] + 1).astype(str).where(contigs[side] >= 0, "") for side in ("before", "after"))
    reason = np.select(
        [(before != "") & (after != ""), before != "", after != ""], ["kept", "removed,unlike", "added"], "left,unlike"
    )
    steps = contigs[["contig", "assembly", "name", "length"]].assign(
        initial=before, in_graph=True, unlinked=after, final=after, posterior=0.9, none=0.1, merged=after, reason=reason
    )
    write_table(REFINEMENT, steps, folder / "refinement.tsv")


def write_features(folder: Path, rows: pd.DataFrame, samples: list[str], rng: np.random.Generator) -> None:
    """Write features.json, rows.tsv, tnf.npy, abundance.npy and latent.npy: contigs of a genome are alike."""
    write_table(ROWS, rows[["contig", "length"]], folder / "rows.tsv")
    content = {
        "samples": samples,
        "mapped_reads": dict.fromkeys(samples, 1),
        "rows_sha256": contigs_hash(rows["contig"]),
    }
    write_description(FEATURES, content, folder)
    for name, width in {"tnf": N_TETRANUCLEOTIDES, "abundance": len(samples), "latent": LATENT_SIZE}.items():
        centre = rng.standard_normal((rows["genome"].max() + 1, width), np.float32)
        values = np.float32(NOISE) * rng.standard_normal((len(rows), width), np.float32)
        values += centre[rows["genome"]]
        np.save(folder / f"{name}.npy", values)


def write_training(folder: Path) -> None:
    """Write training.tsv and threshold.json."""
    epoch = np.arange(1, EPOCHS + 1)
    terms = dict.fromkeys(("loss", "ce", "sse", "kld", "depth_se"), 1 / epoch)
    table = pd.DataFrame({"epoch": epoch, **terms, "batch_size": 256, "learning_rate": 0.001, "seconds": 1})
    write_table(TRAINING, table, folder / "training.tsv")
    edges = np.linspace(0, 1, DISTANCE_BINS + 1)
    content = {"threshold": 0.1, "density_mean": (edges[:-1] ** 2).tolist(), "bin_edges": edges.tolist()}
    write_description(THRESHOLD, content, folder)


def write_mapping(folder: Path, samples: list[str], bp: int) -> None:
    """Write <sample>.mapping.tsv of each sample, in which all contigs have bp base pairs together."""
    for number, sample in enumerate(samples, 1):
        reads = number * bp // READ_BP
        row = {"sample": sample, **dict.fromkeys(READ_NUMBERS, reads), "mean_coverage": reads * READ_BP / bp}
        write_table(MAPPING, pd.DataFrame([row]), folder / f"{sample}.mapping.tsv")


def write_group(folder: Path, n: int, n_bins: int, n_samples: int) -> None:
    """Write all inputs of a group of n contigs into a folder."""
    rng, samples = np.random.default_rng(1), [f"S{number}" for number in range(1, n_samples + 1)]
    contigs = draw_contigs(n, n_bins, rng)
    write_table(CONTIGS, contigs[["contig", "assembly", "name", "length"]], folder / "contigs.tsv")
    write_bins(folder, contigs, samples, rng)
    write_refinement(folder, contigs)
    write_features(folder, contigs[contigs["is_long"]], samples, rng)
    write_training(folder)
    write_mapping(folder, samples, int(contigs["length"].sum()))

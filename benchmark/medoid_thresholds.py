#!/usr/bin/env python3
"""Compare one distance threshold for all medoids with one for each medoid, as vamb 5 has it, on the same latent.

In: for each --set a group's results of the pipeline, and a Python that has vamb 5.0.4. Each seed trains anew; Binloom
and vamb's ClusterGenerator cluster what was trained, and Binloom refines both. Out: a row for each set, seed and
program, on stdout as Markdown and, with --tsv, in a file: `clusters` as they are, and the `bins` that they become.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import click
import numpy as np

from evidence_ablation import own_clusters
from project import BIN, ResultSet, set_option
from refine_runs import refined_bins
from result_tables import FILE, ResultTable, tsv_option
from score import read_bins, read_truth, score_row

sys.path.insert(0, str(BIN))
from further_pieces import cluster_table
from stage_arrays import LATENT, read_matrix
from stage_tables import CLUSTERS, CONTIGS, ROWS, read_table
from table_output import write_table

# Reads points.npy and lengths.npy; the number of the cluster of each point goes to labels.npy. argv: the seed.
VAMB = """
import sys
import numpy as np
from vamb.cluster import ClusterGenerator
points = np.load("points.npy")
labels = np.empty(len(points), dtype=np.int64)
found = ClusterGenerator(points, np.load("lengths.npy"), rng_seed=int(sys.argv[1]))
for number, cluster in enumerate(found, 1):
    labels[cluster.members] = number
np.save("labels.npy", labels)
"""


def vamb_clusters(one: ResultSet, trained: Path, seed: int, python: str) -> Path:
    """Cluster the latent in this folder by vamb; return the path of clusters.tsv."""
    contigs, rows = one.results / "catalogue/contigs.tsv", one.results / "features/rows.tsv"
    table, known = read_table(CONTIGS, contigs), read_table(ROWS, rows)
    np.save(trained / "points.npy", read_matrix(LATENT, trained / "latent.npy", known["contig"], rows))
    np.save(trained / "lengths.npy", known["length"].to_numpy())
    subprocess.run([python, "-c", VAMB, str(seed)], cwd=trained, check=True, capture_output=True)
    label = dict(zip(known["contig"], np.load(trained / "labels.npy").astype(str), strict=True))
    names = table["contig"].map(label).fillna("").to_numpy(dtype=object)
    write_table(CLUSTERS, cluster_table(table, names), trained / "vamb.tsv")
    return trained / "vamb.tsv"


@click.command(context_settings={"show_default": True})
@set_option
@click.option("--vamb_python", required=True, type=FILE, help="A Python that has vamb 5.0.4.")
@click.option("--seeds", default="1,2,3", help="Comma-separated.")
@tsv_option
def main(sets: list[ResultSet], vamb_python: Path, seeds: str, tsv: Path | None) -> None:
    """Cluster and refine what each seed trains, by either program."""
    table = ResultTable(tsv and tsv.resolve(), ("set", "bins", "seed"))
    for one in sets:
        truth = read_truth(one.truth)
        for seed in seeds.split(","):
            with tempfile.TemporaryDirectory() as folder:
                own = own_clusters(one, int(seed), Path(folder) / "own")
                programs = {"Binloom": own, "vamb": vamb_clusters(one, own.parent, int(seed), str(vamb_python))}
                for name, path in programs.items():
                    both = {"clusters": read_bins(path, truth), "bins": refined_bins(one, truth, {}, clusters=path)}
                    for kind, bins in both.items():
                        table.add(score_row({"set": one.name, "bins": f"{name}, {kind}", "seed": seed}, bins, truth))


if __name__ == "__main__":
    main()

"""Train and cluster the features of a group by the commands of the pipeline, in folders of any name."""

import json
from collections.abc import Sequence
from pathlib import Path

from project import PROJECT, run_stage

DEFAULT_SCALE = json.loads((PROJECT / "assets/presets.json").read_text())["default"]["threshold_scale"]


def train(features: Path, options: Sequence[str], seed: int, folder: Path) -> None:
    """Train on the files in `features` with these options of vae.py; what it writes goes to the folder."""
    inputs = {"tnf": features / "tnf.npy", "abundance": features / "abundance.npy", "rows": features / "rows.tsv"}
    inputs |= {"depth_file": features / "depth.npy", "features": features / "features.json", "seed": seed}
    run_stage("vae.py", folder, options, **inputs)


def cluster(results: Path, trained: Path, seed: int, folder: Path, scale: float | str = DEFAULT_SCALE) -> None:
    """Cluster what was trained on the features of a group's results, by this share of the estimated threshold."""
    latent = {"latent": trained / "latent.npy", "latent_json": trained / "latent.json"}
    tables = {"rows": results / "features/rows.tsv", "contigs": results / "catalogue/contigs.tsv"}
    run_stage("cluster.py", folder, threshold_scale=scale, seed=seed, **latent, **tables)

"""Where the project has its scripts, how to call them, and where the results of a run have the inputs of refine.py."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import click

PROJECT = Path(__file__).resolve().parents[1]
BIN = PROJECT / "bin"


class ResultSet(NamedTuple):
    """The results of one group (RESULTS/GROUP) and the truth of one of its assemblies."""

    name: str
    results: Path
    assembly: str
    truth: Path


def set_option(command: Callable) -> Callable:
    """Give a command the option --set, of which it gets a list of ResultSet as `sets`."""

    def result_sets(_: click.Context, __: click.Parameter, given: Sequence[Sequence[str]]) -> list[ResultSet]:
        for _, *paths in given:
            for path in (paths[0], paths[2]):
                if not Path(path).exists():
                    raise click.BadParameter(f"{path}: no such file or folder")
        return [
            ResultSet(name, Path(folder).resolve(), one, Path(truth).resolve()) for name, folder, one, truth in given
        ]

    text = "Name of the set, RESULTS/GROUP of a run, id of the assembly, truth (contig, genome, length). Repeatable."
    return click.option(
        "--set", "sets", required=True, multiple=True, nargs=4, callback=result_sets, metavar="NAME RESULTS ID TRUTH",
        help=text,
    )(command)  # fmt: skip


def refine_files(results: Path, assembly: str) -> dict[str, Path]:
    """Return the files of an assembly of a group by the options of refine.py; graph and markers if there are any."""
    graph = results / "refine" / assembly
    files = {
        "contigs": results / "catalogue/contigs.tsv",
        "clusters": results / "clusters.tsv",
        "coverage": results / "features/coverage.tsv.gz",
        "tetranucleotides": results / "features/tetranucleotides.npy",
        "features": results / "features/features.json",
        "homologs": results / "homologs/homologs.tsv.gz",
    }
    if (graph / "edges.tsv.gz").exists():
        files |= {"vertices": graph / "vertices.tsv.gz", "edges": graph / "edges.tsv.gz"}
    pairs, edits = (results / "features" / name for name in ("pair_links.tsv.gz", "edits.tsv.gz"))
    files |= {name: file for name, file in (("pair_links", pairs), ("edits", edits)) if file.exists()}
    markers = results / "markers" / assembly / "markers.tsv.gz"
    return files | ({"markers": markers} if markers.exists() else {})


def command_words(**files: Path | str | float) -> list[str]:
    """Return options by name and their values as the words of a command."""
    return [str(word) for name, value in files.items() for word in (f"--{name}", value)]


# Parameters of the presets that are no options of vae.py
OF_OTHER_STAGES = (
    "min_alignment_score",
    "min_read_identity",
    "min_mapping_quality",
    "min_contig_length",
    "max_close_contigs",
    "max_clusters",
    "threshold_scale",
    "refine_mode",
)


def preset_options(preset: str) -> list[str]:
    """Return a preset of assets/presets.json as options of vae.py."""
    options = []
    for name, value in json.loads((PROJECT / "assets/presets.json").read_text())[preset].items():
        if name in OF_OTHER_STAGES or value is None:
            continue
        options += [f"--{'' if value else 'no_'}{name}"] if isinstance(value, bool) else [f"--{name}", str(value)]
    return options


def run_stage(script: str, folder: Path, options: Sequence[str] = (), **files: Path | str | float) -> None:
    """Run a script of bin/ in a folder with options word by word and others by name.

    Raise ClickException with its messages if it fails.
    """
    command = [sys.executable, str(BIN / script), *command_words(**files), *options]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(f"{script} failed in {folder}: {done.stderr.strip()}")

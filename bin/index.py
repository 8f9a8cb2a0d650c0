#!/usr/bin/env python3
"""Make the mapper's index of the catalogue, and read it back whole.

In:  catalogue.fa.gz.
Out: index/catalogue (minimap2), or index/catalogue.{amb,ann,bwt,pac,sa} (bwa).

minimap2 reports success on a full disk, and maps fewer reads with an index that lacks its end. `mapper_index` has the
checks.
"""

import subprocess
from pathlib import Path

import click

from command_pipe import running
from mapper_index import check_bwa, check_minimap2

FOLDER = Path("index")
MODES = ("sr", "map-ont", "map-hifi", "bwa")


def index_command(mode: str, catalogue: Path, prefix: Path, threads: int) -> list[str]:
    """Return the command line that makes the index."""
    if mode == "bwa":
        return ["bwa", "index", "-p", str(prefix), str(catalogue)]
    # -I: one part however large the catalogue, since hits of different parts are never ranked together.
    return ["minimap2", "-x", mode, "-I", "1000G", "-t", str(threads), "-d", str(prefix), str(catalogue)]


@click.command()
@click.option(
    "--catalogue",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="catalogue.fa.gz.",
)
@click.option("--mode", type=click.Choice(MODES), required=True, help="bwa, or a preset of minimap2.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
def main(catalogue: Path, mode: str, threads: int) -> None:
    """Make the index of a catalogue in ./index."""
    FOLDER.mkdir(exist_ok=True)
    prefix = FOLDER / "catalogue"
    with running(index_command(mode, catalogue, prefix, threads), stdout=subprocess.DEVNULL):
        pass
    check = check_bwa if mode == "bwa" else check_minimap2
    click.echo(f"{prefix}: holds the {check(prefix, catalogue)} contigs of {catalogue.name}", err=True)


if __name__ == "__main__":
    main()

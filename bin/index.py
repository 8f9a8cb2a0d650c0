#!/usr/bin/env python3
"""Make the mapper's index of the catalogue, and read it back whole.

In:  catalogue.fa.gz; for strobealign also reads, whose length decides on its seeds.
Out: index/catalogue (minimap2), index/catalogue.{amb,ann,bwt,pac,sa} (bwa), or index/catalogue.fa.gz,
     index/catalogue.fa.gz.r*.sti and index/catalogue.read_length (strobealign; `strobealign_index`).

minimap2 reports success on a full disk, and maps fewer reads with an index that lacks its end. `mapper_index` has the
checks.
"""

import os
import subprocess
from pathlib import Path

import click

from command_pipe import running
from mapper_index import check_bwa, check_minimap2
from minimap2_commands import index_command
from stage_warnings import warn
from strobealign_index import make_index

FOLDER = Path("index")
MODES = ("sr", "map-ont", "map-hifi", "bwa", "strobealign")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

# The C library gives each thread an arena of memory. Of what a part of minimap2's index took, the next part can use
# little then: nine parts take 421 MB, and 270 with one arena (docs/scale.md).
ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}

ESTIMATES = (
    "strobealign estimates abundances: its reads are no counts, --min_alignment_score, --min_read_identity and "
    "--min_mapping_quality do not hold, and no pairs of reads link contigs; for all of these leave out --mapper"
)


@click.command()
@click.option("--catalogue", type=FILE, required=True, help="catalogue.fa.gz.")
@click.option("--mode", type=click.Choice(MODES), required=True, help="bwa, strobealign, or a preset of minimap2.")
@click.option("--reads", type=FILE, help="FASTQ, of which strobealign's index has the length.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
def main(catalogue: Path, mode: str, reads: Path | None, threads: int) -> None:
    """Make the index of a catalogue in ./index."""
    if bool(reads) != (mode == "strobealign"):
        raise click.UsageError("give --reads with --mode strobealign, and only then")
    FOLDER.mkdir(exist_ok=True)
    prefix = FOLDER / "catalogue"
    if reads:
        n_contigs = make_index(catalogue, prefix, reads, threads)
        warn(ESTIMATES)
    else:
        if mode == "bwa":
            command = ["bwa", "index", "-p", str(prefix), str(catalogue)]
        else:
            command = index_command(mode, catalogue, prefix, threads)
        with running(command, stdout=subprocess.DEVNULL, env={**os.environ, **ONE_ARENA}):
            pass
        n_contigs = (check_bwa if mode == "bwa" else check_minimap2)(prefix, catalogue)
    click.echo(f"{prefix}: holds the {n_contigs} contigs of {catalogue.name}", err=True)


if __name__ == "__main__":
    main()

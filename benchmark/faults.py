#!/usr/bin/env python3
"""Break runs of the pipeline in every way that a lab sees, and tell what became of the bins.

Each command tries one kind of fault on the bundled data, with real processes, real signals and real full disks, and
compares all results byte for byte with those of an undisturbed run. A row tells what was tried, how often, what
happened, and how often all was as it has to be. `disk`, `results-disk` and `memory` need root.
"""

import click

from fault_disks import disk, results_disk
from fault_folders import same_folder
from fault_kills import kill_run, kill_tasks
from fault_memory import memory
from fault_samples import samples
from fault_sheets import sheet


@click.group(commands=[kill_run, kill_tasks, disk, results_disk, memory, same_folder, sheet, samples])
def main() -> None:
    """Break runs of the pipeline; each command is a kind of fault.

    FOLDER is for the runs. An undisturbed run is made there once; give an empty folder when the code has changed.
    """


if __name__ == "__main__":
    main()

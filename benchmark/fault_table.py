"""What every kind of fault has: the command that tries it and the table of what became of the bins."""

from collections.abc import Callable
from pathlib import Path

import click

from fault_runs import counted
from result_tables import FOLDER, ResultTable, tsv_option


class Faults(ResultTable):
    """The table of all faults: what was tried, how often, what happened, how often all was right."""

    def __init__(self, path: Path | None) -> None:
        super().__init__(path, ("fault", "where"))

    def tell(self, fault: str, where: str, happened: list[str], right: list[bool]) -> None:
        """Add the row of a fault that was tried once for each of `right`."""
        self.add({
            "fault": fault, "where": where, "times": len(right), "happened": counted(happened), "right": sum(right),
        })  # fmt: skip


def fault_command(function: Callable) -> click.Command:
    """Return the command of a kind of fault, with a folder for its runs and a table."""
    return click.command()(click.argument("folder", type=FOLDER)(tsv_option(function)))

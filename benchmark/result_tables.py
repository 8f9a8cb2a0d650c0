"""The tables that the benchmarks print and keep in results/: Markdown on stdout, TSV in a file."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
TSV = {"delimiter": "\t", "lineterminator": "\n", "quoting": csv.QUOTE_NONE, "quotechar": None}


def tsv_option(command: Callable) -> Callable:
    """Give a command the option --tsv."""
    text = "Also write the rows to this TSV; rows of the same key are replaced, others stay."
    return click.option("--tsv", type=click.Path(dir_okay=False, path_type=Path), help=text)(command)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a TSV with a header; none if there is no file."""
    if not path.exists():
        return []
    with open(path, newline="") as lines:
        return list(csv.DictReader(lines, **TSV))


def write_rows(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write rows, all of the same columns, as a TSV with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]), **TSV)
        writer.writeheader()
        writer.writerows(rows)


class ResultTable:
    """A table that grows row by row: each row is printed at once and put into the TSV, if there is one."""

    def __init__(self, path: Path | None, key: Sequence[str]) -> None:
        self.path, self.key, self.columns = path, key, None

    def add(self, row: Mapping[str, object]) -> None:
        """Print a row, its header first if the columns are new, and put it into the file.

        Raise ClickException if the file has other columns.
        """
        cells = {name: str(value) for name, value in row.items()}
        if self.columns != list(cells):
            self.columns = list(cells)
            click.echo(f"\n| {' | '.join(self.columns)} |\n|{'---|' * len(self.columns)}")
        click.echo(f"| {' | '.join(cells.values())} |")
        if self.path:
            self.update(cells)

    def update(self, cells: dict[str, str]) -> None:
        """Put a row into the file, in the place of the one with the same key."""
        rows = read_rows(self.path)
        if rows and list(rows[0]) != list(cells):
            raise click.ClickException(f"{self.path}: has columns {', '.join(rows[0])}; give the file another name")
        same = [i for i, old in enumerate(rows) if all(old[name] == cells[name] for name in self.key)]
        if same:
            rows[same[0]] = cells
        else:
            rows.append(cells)
        write_rows(self.path, rows)

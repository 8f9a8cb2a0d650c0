#!/usr/bin/env python3
"""Sum up the table of scan_constants.py.

Out, on stdout as Markdown and, with --tsv and --constants_tsv, in files: for each set, genomes and purity with all
constants as they are, and the least and most over all runs; for each constant, the most that a run changed in any set.
"""

from pathlib import Path

import click

from result_tables import FILE, ResultTable, read_rows, tsv_option

USUAL = "as it is"


def set_row(name: str, rows: list[dict[str, str]]) -> dict[str, str]:
    """Return the summary of the runs of a set."""
    usual = next(row for row in rows if row["constant"] == USUAL)
    others = [row for row in rows if row["constant"] != USUAL]
    cells = {"set": name, "runs": str(len(others))}
    for column in ("recall_0.9", "purity"):
        values = sorted((row[column] for row in others), key=float)
        cells |= {column: usual[column], f"{column}_least": values[0], f"{column}_most": values[-1]}
    return cells


def constant_row(constant: str, rows: list[dict[str, str]], usual: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the most that the runs of a constant changed: genomes at a recall of 0.9, purity, bases of contigs."""
    genomes = [int(row["recall_0.9"]) - int(usual[row["set"]]["recall_0.9"]) for row in rows]
    purity = [float(row["purity"]) - float(usual[row["set"]]["purity"]) for row in rows]
    return {
        "constant": constant,
        "genomes_lost": str(max(0, *(-change for change in genomes))),
        "genomes_gained": str(max(0, *genomes)),
        "purity_lost": f"{max(0.0, *(-change for change in purity)):.4f}",
        "purity_gained": f"{max(0.0, *purity):.4f}",
        "changed_mbp_most": f"{max(float(row['changed_mbp']) for row in rows):.3f}",
    }


@click.command()
@click.argument("scan", type=FILE)
@tsv_option
@click.option("--constants_tsv", type=click.Path(dir_okay=False, path_type=Path), help="The same for the constants.")
def main(scan: Path, tsv: Path | None, constants_tsv: Path | None) -> None:
    """Sum up SCAN by set and by constant."""
    rows = read_rows(scan)
    table = ResultTable(tsv, ("set",))
    for name in dict.fromkeys(row["set"] for row in rows):
        table.add(set_row(name, [row for row in rows if row["set"] == name]))
    usual = {row["set"]: row for row in rows if row["constant"] == USUAL}
    table = ResultTable(constants_tsv, ("constant",))
    for constant in dict.fromkeys(row["constant"] for row in rows if row["constant"] != USUAL):
        table.add(constant_row(constant, [row for row in rows if row["constant"] == constant], usual))


if __name__ == "__main__":
    main()

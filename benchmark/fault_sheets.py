"""Edit a sheet between a run and -resume."""

from pathlib import Path

import click

from fault_runs import DATA, QUICK, Ended, differing, fresh, one_line, run, undisturbed
from fault_table import Faults, fault_command

UNCHANGED = ("whole", "sample added")  # the bundled sheets

Rows = list[list[str]]


def sheet_rows(name: str) -> Rows:
    """Return the rows of a bundled sheet, with the whole paths of its files."""
    rows = [line.split(",") for line in (DATA / name).read_text().splitlines()]
    return [[str(DATA / cell) if cell and (DATA / cell).is_file() else cell for cell in row] for row in rows]


def edited_sheets() -> dict[str, tuple[Rows, Rows]]:
    """Return the rows of samples and assemblies after each edit; each is resumed from what the one before has left."""
    samples, assemblies = sheet_rows("co.samples.csv"), sheet_rows("co.assemblies.csv")
    swapped = [samples[0], *[[row[0], *other[1:]] for row, other in zip(samples[1:], [*samples[2:], samples[1]])]]
    as_bam = [*samples[:3], [*samples[3][:2], "", "", str(DATA / "co.S3.bam"), ""]]
    return {
        "whole": (samples, assemblies),
        "sample removed": (samples[:3], assemblies),
        "sample added": (samples, assemblies),
        "paths of samples exchanged": (swapped, assemblies),
        "rows in another order": ([samples[0], *samples[:0:-1]], assemblies),
        "reads replaced by a BAM": (as_bam, assemblies),
        "graph removed": (samples, [assemblies[0], [*assemblies[1][:4], "", ""]]),
        "sample renamed": ([*samples[:3], ["S4", *samples[3][1:]]], assemblies),
    }


@fault_command
def sheet(folder: Path, tsv: Path | None) -> None:
    """Edit a sheet between a run and -resume; a fresh run with the edited sheet tells what must come out.

    The resumed runs publish into one folder, over what the sheet before has left there.
    """
    table, launch = Faults(tsv), fresh(folder / "edited")
    for name, sheets in edited_sheets().items():
        paths = [folder / "samples.csv", folder / "assemblies.csv"]
        for path, rows in zip(paths, sheets):
            path.write_text("".join(f"{','.join(row)}\n" for row in rows))
        arguments = [*QUICK, "--input", paths[0], "--assembly_input", paths[1]]
        expected = undisturbed(folder) if name in UNCHANGED else run(fresh(folder / "fresh"), *arguments)
        again = run(launch, *arguments, "-resume")
        text, same = compare_edited(again, expected)
        click.echo(f"{name}: {text}; {again.last_line}", err=True)
        if name != "whole":
            table.tell("sheet edited before -resume", name, [text], [same])


def compare_edited(again: Ended, expected: Ended) -> tuple[str, bool]:
    """Return how a resumed run compares with a fresh one; files that the fresh one does not have may be left over."""
    if again.status or expected.status:
        return f"exit {again.status} and {expected.status}: {one_line(again.last_line)}", False
    wrong = differing(again.results, expected.results)
    left = [name for name in wrong if not (expected.results / name).exists() and "/bins/" not in name]
    cached = (again.trace()["status"] == "CACHED").sum()
    same = (
        "results of a fresh run"
        if wrong == left
        else f"OTHER RESULTS ({', '.join(sorted(set(wrong) - set(left))[:3])})"
    )
    return f"{same}, {cached} of {len(again.trace())} tasks kept", wrong == left

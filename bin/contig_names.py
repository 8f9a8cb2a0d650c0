#!/usr/bin/env python3
"""Find the contigs that a user's table names, which tells of one assembly, of several or of several groups.

A contig goes by the assembler's name together with its assembly, or by either of these alone where no other contig of
the run has it: the assembler's name, or the catalogue name of this group.
"""

from collections.abc import Sequence

import click
import pandas as pd

from message_text import shown

ELSEWHERE = None  # a contig of another group
REMEDY = "add a column assembly to the table, with the ids of the assembly sheet"


class ContigNames:
    """The contigs of a run by the names that a table may have for them."""

    def __init__(self, own: pd.DataFrame, others: Sequence[pd.DataFrame] = ()) -> None:
        """Take contigs.tsv of a group and those of the other groups of the run."""
        self.of_assembly = dict(zip(zip(own["assembly"], own["name"]), own["contig"]))
        self.own_assemblies = set(own["assembly"])
        self.assemblies = self.own_assemblies.union(*(table["assembly"] for table in others))
        self.contig: dict[str, str | None] = {}
        self.assembly: dict[str, str] = {}  # of a name that one assembly has
        self.clash: dict[str, tuple[str, str]] = {}  # two assemblies that have a name
        for table in (own, *others):
            contigs = table["contig"] if table is own else [ELSEWHERE] * len(table)
            for name, assembly, contig in zip(table["name"], table["assembly"], contigs):
                if name in self.assembly:
                    self.clash[name] = self.assembly[name], assembly
                self.contig[name], self.assembly[name] = contig, assembly
        for name in own["contig"]:
            if name not in self.contig:
                self.contig[name] = name

    @property
    def known(self) -> set[str]:
        """Return the names of all contigs."""
        return set(self.contig)

    def find(self, where: str, name: str, assembly: str = "") -> str | None:
        """Return the catalogue name of a contig of this group, or ELSEWHERE.

        where: file and row, for errors; assembly: its id, "" if the table does not say. Raise KeyError for a contig
        that the run does not have, and ClickException if its assembly is not in the run or must be said.
        """
        if assembly:
            if assembly not in self.assemblies:
                raise click.ClickException(
                    f"{where}: assembly {shown(assembly)} is not in the assembly sheet; give the ids that are there"
                )
            return self.of_assembly[assembly, name] if assembly in self.own_assemblies else ELSEWHERE
        if name in self.clash:
            one, other = self.clash[name]
            raise click.ClickException(
                f"{where}: contig {shown(name)} is in assembly {shown(one)} and in {shown(other)}; {REMEDY}"
            )
        return self.contig[name]

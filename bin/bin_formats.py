#!/usr/bin/env python3
"""Write which contig is in which bin in the formats that other tools read as they are."""

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from output_files import write_text

FOLDER = Path("formats")
BIOBOX_VERSION = "0.9.0"
# What anvi'o takes for a name: letters, digits and underscores, the first of them a letter
UNSAFE_CHARACTER = re.compile(r"[^A-Za-z0-9_]")
SAFE_START = re.compile(r"[A-Za-z]")


def write_formats(placed: pd.DataFrame, folder: Path = FOLDER) -> None:
    """Write three files for each assembly with bins, of the columns assembly, name and bin, the largest bin first.

    DAS_Tool, Binette and anvi'o take a contig for one bin alone: there, a contig of several bins is in the largest.
    """
    folder.mkdir(exist_ok=True)
    for assembly, rows in placed.groupby("assembly", sort=False):
        pairs = list(zip(rows["name"], rows["bin"]))
        once = list(zip(*rows.drop_duplicates("name")[["name", "bin"]].T.to_numpy()))
        safe = safe_names(rows["bin"].unique())
        write_text(folder / f"{assembly}.contig2bin.tsv", tsv(once))
        write_text(folder / f"{assembly}.anvio.txt", tsv((contig, safe[name]) for contig, name in once))
        head = f"@Version:{BIOBOX_VERSION}\n@SampleID:{assembly}\n\n@@SEQUENCEID\tBINID\n"
        write_text(folder / f"{assembly}.biobox.tsv", head + tsv(pairs))


def tsv(pairs: Iterable[tuple[str, str]]) -> str:
    """Return pairs as the lines of a table without a header."""
    return "".join(f"{contig}\t{name}\n" for contig, name in pairs)


def safe_names(names: Iterable[str]) -> dict[str, str]:
    """Return a name that anvi'o takes for each name, no two the same."""
    safe: dict[str, str] = {}
    for name in names:
        plain = UNSAFE_CHARACTER.sub("_", name)
        plain = plain if SAFE_START.match(plain) else f"bin_{plain}"
        number, taken = 1, set(safe.values())
        candidate = plain
        while candidate in taken:
            number += 1
            candidate = f"{plain}_{number}"
        safe[name] = candidate
    return safe

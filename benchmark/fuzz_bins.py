"""Generated bins of other binners, as tables and FASTA files, whole and damaged.

Of damaged bins, what is read may lack rows, as a table of bins need not have them all. But it must have contigs of the
assembly alone.
"""

import random
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from fuzzing import FINAL_NEWLINE, ODD_NAMES, Case, compare, damaged_file
from project import BIN

sys.path.insert(0, str(BIN))
from binner_files import read_binning

ASSEMBLY = "A"
Bins = dict[str, str]  # bin by contig


def random_bins(rng: random.Random) -> tuple[list[str], Bins]:
    """Return the names of an assembly's contigs, and the bins of some of them, at least one."""
    odd = [name for name in ODD_NAMES if " " not in name]
    names = [f"{rng.choice(odd)}{number}" for number in range(rng.choice((1, 3, 20)))]
    binned = rng.sample(names, rng.randint(1, len(names)))
    fit = [name for name in ODD_NAMES if name.isprintable()]  # for the name of a file
    return names, {contig: f"{rng.choice(fit)}.{rng.randint(1, 3)}x" for contig in binned}


def table_text(rng: random.Random, bins: Bins) -> str:
    """Return bins as a table in one of the forms that binners write."""
    rows = list(bins.items())
    end = rng.choice(("\n", "\r\n"))
    form = rng.choice(("plain", "turned", "header", "biobox", "assembly"))
    lines = {
        "plain": [f"{contig}\t{name}" for contig, name in rows],
        "turned": [f"{name}\t{contig} of {name}" for contig, name in rows],
        "header": ["clustername\tcontigname", *(f"{name}\t{contig}" for contig, name in rows)],
        "biobox": ["@Version:0.9.0", "@@SEQUENCEID\tBINID", *(f"{contig}\t{name}" for contig, name in rows)],
        "assembly": [
            "assembly\tcontig\tbin",
            "B\tother\tx",
            *(f"{ASSEMBLY}\t{contig}\t{name}" for contig, name in rows),
        ],
    }[form]
    return end.join(lines) + (end if rng.random() < FINAL_NEWLINE else "")


def fasta_texts(bins: Bins) -> dict[str, str]:
    """Return bins as FASTA, by the name of the file."""
    texts: dict[str, str] = {}
    for contig, name in bins.items():
        texts[f"{name}.fa"] = texts.get(f"{name}.fa", "") + f">{contig} of {name}\nACGT\nAC\n"
    return texts


def read(names: list[str], files: list[str], folder: Path) -> dict[str, list[str]]:
    """Read the bins of these files of a folder."""
    return read_binning([folder / name for name in files], ASSEMBLY, pd.Series(names))


def check_damaged(names: list[str], found: Mapping[str, list[str]]) -> None:
    """Raise AssertionError unless all contigs are known and each has a bin."""
    assert set(found) <= set(names)
    assert all(bins and all(bins) for bins in found.values())


def generate_bins(rng: random.Random) -> Case:
    """Return bins as a table or as FASTA files, of which one may be damaged."""
    names, bins = random_bins(rng)
    texts = fasta_texts(bins) if rng.random() < 1 / 2 else {"bins.tsv": table_text(rng, bins)}
    files = {name: text.encode() for name, text in texts.items()}
    first = rng.choice(sorted(files))
    damage, files[first] = damaged_file(rng, files[first])
    wanted = {contig: [name] for contig, name in bins.items()}
    check = partial(check_damaged, names) if damage != "none" else compare(lambda: wanted)
    return Case(damage, files, partial(read, names, sorted(files)), check, damage != "none")


GENERATORS = {"bins": generate_bins}

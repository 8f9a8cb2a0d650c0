#!/usr/bin/env python3
"""How often the posteriors of bin/refine.py are right, by the length of the contig.

usage: calibration.py --set RESULTS/GROUP ASSEMBLY TRUTH [--set ...]
In: groups' results of the pipeline (refine_mode evidence), truth (contig, genome, length). Out: a Markdown table on
stdout: of the contigs whose likeliest bin has such a posterior, the share of the bases that are of the bin's genome, and
the bases. A bin's genome is the one that most bases are of which it has with a posterior of 0.99 or more. Contigs of
several bins and those without truth do not count.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pandas as pd
from account import read_truth
from results import refine_files

REFINE = Path(__file__).resolve().parents[2] / "bin" / "refine.py"
LENGTHS = (0, 500, 1000, 2000, 5000, 10**9)  # bp
POSTERIORS = (0.8, 0.9, 0.95, 0.99, 1.0001)
CERTAIN = 0.99


def placed(results: Path, assembly: str, truth: Path) -> pd.DataFrame:
    """Contigs of one bin each: length (bp), posterior, and whether they are of the bin's genome."""
    files = {name: path.resolve() for name, path in refine_files(results, assembly).items()}
    options = [str(word) for name, path in files.items() for word in (f"--{name}", path)]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, REFINE, "--assembly", assembly, "--min_posterior", "0.5", *options]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        table = pd.read_csv(Path(folder) / "refinement.tsv", sep="\t", keep_default_na=False, dtype={"final": str})
    _, genomes = read_truth(truth)
    table = table[(table["final"] != "") & ~table["final"].str.contains(",") & table["contig"].isin(genomes)]
    table = table.assign(genome=table["contig"].map(genomes))
    certain = table[table["posterior"] >= CERTAIN].explode("genome")
    bases = certain.groupby(["final", "genome"])["length"].sum()
    genome_of = {name: of_bin.idxmax()[1] for name, of_bin in bases.groupby("final")}
    right = [genome_of.get(name) in of for name, of in zip(table["final"], table["genome"])]
    return table[["length", "posterior"]].assign(right=right)


@click.command()
@click.option("--set", "sets", required=True, multiple=True, nargs=3, help="RESULTS/GROUP, assembly, truth.")
def main(sets: tuple[tuple[str, str, str], ...]) -> None:
    """Print how often posteriors are right, over all sets."""
    table = pd.concat([placed(Path(results), assembly, Path(truth)) for results, assembly, truth in sets])
    classes = list(zip(POSTERIORS, POSTERIORS[1:]))
    print("| contigs of | " + " | ".join(f"{least:g} to {min(below, 1):g}" for least, below in classes) + " |")
    print("|---|" + "---|" * len(classes))
    for shortest, longest in zip(LENGTHS, LENGTHS[1:]):
        of_length = table[(table["length"] >= shortest) & (table["length"] < longest)]
        cells = []
        for least, below in classes:
            chosen = of_length[(of_length["posterior"] >= least) & (of_length["posterior"] < below)]
            bases = chosen["length"].sum()
            share = f"{chosen['length'][chosen['right']].sum() / bases:.2f}" if bases else "-"
            cells.append(f"{share} ({bases / 1e6:.2f} Mbp)")
        name = f"{shortest:,} bp or more" if longest == LENGTHS[-1] else f"{shortest:,} to {longest:,} bp"
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()

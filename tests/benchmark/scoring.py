"""What BENCH/score.py says of a table of bins, for the scripts beside this one."""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Score(NamedTuple):
    """Genomes at precision >= 0.9 by recall (`0.50` to `0.99`), and weighted purity."""

    genomes: dict[str, int]
    purity: float


def score_bins(score: Path, truth: Path, bins: Path) -> Score:
    """Run score.py on a table of bin and contig; genomes count in bins of 200 kbp or more, purity is of all bins."""
    said = subprocess.run([sys.executable, score, truth, bins], check=True, capture_output=True, text=True).stdout
    genomes = {recall: int(n) for recall, n in re.findall(r"R(0\.\d+)=(\d+)", said)}
    return Score(genomes, float(re.search(r"weighted purity ([0-9.]+)", said)[1]))

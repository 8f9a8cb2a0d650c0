"""Makes the scripts of bin/ importable, so that tests call their functions directly."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bin"))

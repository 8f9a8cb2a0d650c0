"""Runs a script where the disk is too small: on a small tmpfs if this user may mount one, else with a limit of size."""

import subprocess
import sys
from pathlib import Path

BIN = Path(__file__).resolve().parents[2] / "bin"


def run_on_small_disk(script: str, arguments: list, folder: Path, kilobytes: int) -> subprocess.CompletedProcess:
    """Run a script of bin/ in an empty folder that holds so many kB. Both outputs come in `stdout`."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, check=False, capture_output=True).returncode == 0
    command = [sys.executable, str(BIN / f"{script}.py"), *map(str, arguments)]
    if not mounted:
        # bash's unit for -f is 1 kB.
        command = ["bash", "-c", f'ulimit -f {kilobytes}; exec "$@"', "bash", *command]
    try:
        return subprocess.run(
            command, cwd=folder, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120
        )
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)

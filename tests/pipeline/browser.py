"""Opens a page in headless Chromium, without network."""

import re
import subprocess
from pathlib import Path

from chromium import CHROMIUM, page_command

RENDER_MS = 20_000  # of the page's own clock, which does not wait for the time of day
LIMIT_SECONDS = 120


def why_not() -> str:
    """Return why no page can be opened; nothing if it can."""
    return (
        "" if CHROMIUM else "chromium is not on PATH: no report is looked at in a browser (`make testbed` installs it)"
    )


def open_page(path: Path, width: int, profile: Path) -> tuple[str, list[str]]:
    """Return the page's HTML after its scripts ran, and all that these wrote to the console."""
    command = page_command(path, width, 4000, profile, f"--virtual-time-budget={RENDER_MS}", "--dump-dom")
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True)
    return done.stdout, re.findall(r"CONSOLE.*", done.stderr)


def empty_plots(page: str) -> list[str]:
    """Return the ids of the plots of a report in which nothing is drawn, but for those that stand behind a table."""
    plots = re.findall(r'<div id="([^"]+)" class="hc-plot ([^"]*)"', page)
    behind = ("hc-violin", "hc-scatter-plot")
    return [name for name, classes in plots if "js-plotly-plot" not in classes and not set(behind) & {*classes.split()}]

"""Where Chromium is, and how it is started without a screen and without network."""

import shutil
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def page_command(page: Path, width: int, height: int, profile: Path, *flags: str) -> list[str]:
    """Return the words that open a page in a window of this size (pixels), with a profile folder and further flags.

    What the page writes to the console is on stderr.
    """
    return [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
        "--proxy-server=127.0.0.1:9", f"--user-data-dir={profile}", f"--window-size={width},{height}", *flags,
        page.resolve().as_uri(),
    ]  # fmt: skip

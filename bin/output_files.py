#!/usr/bin/env python3
"""Write files: what the disk refuses is an error of one line, with the file and the remedy."""

import errno
import gzip
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

DISK_REMEDY = "free space in the work folder, then run again with -resume"


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Raise ClickException if the body of the `with` statement cannot write the file.

    NumPy and PyTorch have words of their own for a write that falls short, so the disk is asked whether it is full.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None)
        if not reason and not shutil.disk_usage(Path(path).parent).free:
            reason = os.strerror(errno.ENOSPC)
        if not reason:
            raise
        raise click.ClickException(f"{path}: cannot be written ({reason}): {DISK_REMEDY}") from error


@contextmanager
def gzip_output(path: str | Path, level: int) -> Iterator[gzip.GzipFile]:
    """Open a gzipped file for writing, with neither name nor time in its header: the same bytes for the same content.

    Raise ClickException if it cannot be written.
    """
    with writing(path), open(path, "wb") as raw, gzip.GzipFile("", "wb", level, raw, mtime=0) as file:
        yield file


def write_text(path: str | Path, text: str) -> None:
    """Write a text file. Raise ClickException if it cannot be written."""
    with writing(path):
        Path(path).write_text(text, encoding="utf-8")

#!/usr/bin/env python3
"""Warn about what is doubtful and goes on.

A warning is one line on standard error. Under Nextflow the line also goes into a file of the task, which the process
hands to the summary, so that the user sees it at the end of the run (nextflow.config names the file).
"""

import os

import click

from output_files import writing

FILE_VARIABLE = "BINLOOM_WARNINGS"


def warn(text: str) -> None:
    """Print a warning as one line; also append it to the file that the environment names, if any."""
    line = " ".join(text.split())
    click.echo(f"WARNING: {line}", err=True)
    if name := os.environ.get(FILE_VARIABLE):
        with writing(name), open(name, "a", encoding="utf-8") as file:
            file.write(f"{line}\n")

"""The rows of written tables, for the tests of the stages that tell how good bins are."""

from pathlib import Path

from stage_tables import read_table


def rows_by_key(schema, *key: str) -> dict:
    """The rows of a table by some of their columns, as lists of the others."""
    frame = read_table(schema, Path(schema.name)).set_index(list(key))
    return dict(zip(frame.index, frame.astype(object).to_numpy().tolist()))

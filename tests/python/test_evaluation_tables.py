"""evaluation_tables.py: the columns of thresholds; test_stage_tables.py holds all schemas against docs/output.md."""

import evaluation_tables as tables
from table_columns import Table


def test_each_recall_of_the_preprint_has_a_column():
    names = ["recall_0.5", "recall_0.6", "recall_0.7", "recall_0.8", "recall_0.9", "recall_0.95", "recall_0.99"]
    for table in (tables.GENOMES_FOUND, tables.RATIOS):
        assert [column.name for column in table.columns][3:] == names


def test_a_table_lies_in_the_folder_of_its_stage():
    schemas = [value for value in vars(tables).values() if isinstance(value, Table)]
    assert schemas and all(table.file.split("/")[0] == table.stage for table in schemas)

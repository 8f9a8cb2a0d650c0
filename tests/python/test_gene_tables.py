"""gene_tables.py: what its tables refuse is in test_stage_tables.py; here, what they have in common."""

import gene_tables


def test_the_numbers_of_the_summary_are_those_of_the_schema():
    names = [column.name for column in gene_tables.GENE_SUMMARY.columns]
    assert names == ["group", *gene_tables.GENE_GROUP_NUMBERS]
    assert gene_tables.GENE_CLUSTERS.stage == gene_tables.CLUSTER_SIZES.stage == "gene_clusters"

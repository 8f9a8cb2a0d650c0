#!/usr/bin/env python3
"""The schemas of the tables of a gene catalogue, of which the clusters are the result and no bins are made."""

from stage_tables import Column, Table, text, whole

# Genes of a cluster that is large. The VAMB preprint (Nissen et al. 2018, bioRxiv 490078) counts bins of so many genes
# ("Application on large datasets using gene catalogues", figure 3 C to F, table S4).
MIN_LARGE_GENES = 500

GENE_CLUSTERS = Table(
    "gene_clusters.tsv",
    "gene_clusters",
    (*text("cluster"), *whole("genes", "bp", least=1), Column("large", bool)),
    key=("cluster",),
)
CLUSTER_SIZES = Table(
    "cluster_sizes.tsv",
    "gene_clusters",
    whole("least_genes", "clusters", "genes", "bp", least=1),
    key=("least_genes",),
)
GENE_GROUP_NUMBERS = (
    "assemblies",
    "samples",
    "genes",
    "genes_clustered",
    "bp",
    "bp_clustered",
    "clusters",
    "large_clusters",
    "genes_in_large",
    "warnings",
)
# What summary.tsv has where genes are clustered.
GENE_SUMMARY = Table("summary.tsv", "summary", (*text("group"), *whole(*GENE_GROUP_NUMBERS)), key=("group",))

#!/usr/bin/env python3
"""What the report says: the title of each section and the text below it; what it calls the words of the tables."""

# By the id of the section
TITLES = {
    "groups": "Groups",
    "cluster_sizes": "Clusters by size",
    "found_clusters": "Large clusters, as they were found",
    "bin_table": "Published bins",
    "quality": "Quality of bins",
    "sizes": "Sizes of bins",
    "gc_coverage": "GC and coverage",
    "coverages": "Coverage of bins",
    "binned": "How much is binned",
    "lengths": "Contig lengths",
    "input": "Contigs before training",
    "latent": "Contigs after training",
    "umap_input": "Before training, by UMAP",
    "umap_latent": "After training, by UMAP",
    "distances": "Distances",
    "training": "Training",
    "genomes": "Known genomes",
    "refinement": "What refinement changed",
    "flows": "From clusters to bins",
    "warnings": "Warnings",
    "run": "Run",
}
TEXTS = {
    "groups": "A group is what is binned together: its samples are mapped to all of its assemblies. The same "
    "numbers are in <code>summary.tsv</code> and <code>summary.json</code>.",
    "cluster_sizes": "How many clusters of genes have at least so many genes. <code>gene_clusters.tsv</code> has the "
    "genes and base pairs of each cluster.",
    "found_clusters": "How many clusters of at least 500 genes there are among the genes that were clustered first. "
    "Where the curve is flat at its end, more clusters (<code>--max_clusters</code>) would bring few large ones.",
    "bin_table": "The published bins, the largest first. <code>bins.tsv</code> of each group has them all, with "
    "more columns.",
    "quality": "Completeness is the share of its genome that a bin holds, contamination what it holds of others, "
    "both estimated by marker genes. The dashed lines are MIMAG's bounds: above 90 % and below 5 % is "
    "high quality, from 50 % on and below 10 % medium.",
    "sizes": "The bins of all groups by size, coloured by tier of quality. Most genomes of bacteria have 1 to 10 Mbp.",
    "gc_coverage": "Each dot is a bin, its area the size, its colour the tier of quality, its coverage the mean over "
    "the samples.",
    "coverages": "Coverage of bins in samples, as powers of ten: 0 is one read per base, 1 is ten, 2 a hundred. "
    "Bins of one genome have the same pattern.",
    "binned": "What became of the contigs of each assembly: in a published bin; in a bin below "
    "<code>--min_bin_size</code>; removed from its bin by the refinement; in no cluster; or short, "
    "below <code>--min_contig_length</code>, and placed by nothing. <code>unbinned.tsv</code> has the "
    "reason of each.",
    "lengths": "The contigs of all groups by their length. Long contigs say more about their genome, so they are "
    "easier to bin.",
    "input": "A sample of contigs by what the autoencoder gets, their tetranucleotide frequencies and their "
    "abundances over the samples, in the two directions in which they differ most (principal "
    "components). The share of all differences that a direction explains stands at its axis.",
    "latent": "The same contigs in the latent, by which they are clustered. If the autoencoder learned "
    "something, contigs of a bin lie closer together here. Bins that overlap may lie apart in the "
    "dimensions that are not shown.",
    "umap_input": "The same contigs as above, placed by UMAP: those that are most alike in what the autoencoder gets "
    "are close together. Which contigs are together says something; how far apart groups are, and how wide, says "
    "little. Of 15 contigs or fewer all are neighbours, and the picture says nothing.",
    "umap_latent": "The same contigs in the latent, placed by UMAP. If the autoencoder learned something, contigs of a "
    "bin are neighbours here that were none before.",
    "distances": "How far contigs are from one another in the latent (Pearson distance), as the mean over many "
    "contigs. The first hump is contigs of the same genome, what follows are other genomes. Clusters "
    "are cut at the dashed line. Without a valley behind the first hump, the threshold means little.",
    "genomes": "How many of the known genomes (<code>--truth</code>) stand in one bin at a precision of 0.9, by the "
    "recall that is asked for: of whole clusters, of clusters cut by assembly before the refinement, of published "
    "bins, and of bins of other binners (<code>--compare</code>). <code>benchmark/</code> has all numbers.",
    "training": "The loss of the autoencoder, which falls and levels off if training went well, and three of its "
    "terms: how wrong the abundances over the samples (CE, cross entropy) and the tetranucleotide "
    "frequencies (SSE, sum of squared errors) come back, and how much the latent says about contigs "
    "(KLD, Kullback-Leibler divergence, which rises while it learns).",
    "refinement": "What the refinement did with the contigs of each assembly, from the clusters that it began with "
    "to the bins: kept (also in bins that were joined or split), moved to another bin, added to a bin, "
    "shared by several bins, or removed. <code>refinement.tsv</code> has the reason of each contig.",
    "flows": "Where the base pairs of an assembly went: from the clusters that the refinement began with, at the left, "
    "to the published bins, at the right; the wider a ribbon, the more. What several bins share counts in equal parts, "
    "and a cluster of which no bin came counts as none.",
    "warnings": "What the stages found doubtful and went on with, and what can be done; also in "
    "<code>warnings.tsv</code>.",
    "run": "How this run was started. The versions of all programs are below.",
}
# Words of unbinned.tsv, and the one for contigs in bins
FATES = {
    "binned": ("in a bin", "#0072B2"),
    "small_bin": ("bin too small", "#56B4E9"),
    "removed": ("removed", "#D55E00"),
    "unclustered": ("in no cluster", "#CC79A7"),
    "short": ("short", "#B8B8B8"),
    "no_tetranucleotide": ("no 4-mer", "#000000"),
}
# What the refinement changed; of contigs that neither had nor have a bin, the first word of their reason
REFINEMENTS = {
    "kept": ("kept", "#0072B2"),
    "merged": ("kept, joined", "#56B4E9"),
    "split": ("kept, split", "#332288"),
    "moved": ("moved", "#E69F00"),
    "added": ("added", "#009E73"),
    "multi_labelled": ("shared", "#CC79A7"),
    "removed": ("removed", "#D55E00"),
    "left": ("in no bin", "#B8B8B8"),
    "unreached": ("not reached", "#B8B8B8"),
    "not_in_graph": ("not in graph", "#707070"),
}
# Lower bounds of the classes of lengths, as texts, and what a class is called
LENGTH_NAMES = {
    "0": "below 500 bp",
    "500": "500 bp to 1 kbp",
    "1000": "1 to 2 kbp",
    "2000": "2 to 5 kbp",
    "5000": "5 to 10 kbp",
    "10000": "10 to 20 kbp",
    "20000": "20 to 50 kbp",
    "50000": "50 to 100 kbp",
    "100000": "100 kbp and more",
}

#!/usr/bin/env python3
"""Name the taxa of bins by the hits of their genes in a database (preprint, Taxonomic annotation of bins).

A gene has, at each rank, the taxa of all subjects that it is alike enough to over 80 % of its length. A bin has a taxon
if enough of its genes have it and at most a tenth of the others have another taxon of that rank. Of several such taxa
it has the one that most genes have; if as many have two, nothing tells them apart, and it has none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

# Rank, the identity (per cent) that a gene needs, and the share of a bin's genes that need the taxon
RANKS = {
    "strain": (95, 0.75),
    "species": (95, 0.75),
    "genus": (85, 0.60),
    "family": (75, 0.50),
    "order": (65, 0.40),
    "class": (55, 0.30),
    "phylum": (50, 0.25),
    "superkingdom": (45, 0.25),
}
MIN_COVERED = 0.8  # of the length of a gene
MAX_OTHER = 0.1  # of the genes without the taxon may have another one

Taxa = dict[str, set[str]]  # of a gene, by rank


def add_hit(taxa: Taxa, lineage: Mapping[str, str], identity: float, aligned: int, length: int) -> None:
    """Add to the taxa of a gene those of a subject that it hits.

    lineage: taxon of the subject by rank, "" if it has none; identity: per cent; aligned, length: bp of the gene.
    """
    if aligned < MIN_COVERED * length:
        return
    for rank, (least, _) in RANKS.items():
        if identity >= least and lineage[rank]:
            taxa.setdefault(rank, set()).add(lineage[rank])


def taxon_of(genes: Sequence[Taxa], rank: str) -> tuple[str, float]:
    """Return the taxon of a bin at a rank and the share of its genes that have it; "" and 0 if it has none.

    genes: the taxa of each gene of the bin, also of those that hit nothing.
    """
    found = Counter(taxon for taxa in genes for taxon in taxa.get(rank, ()))
    ranked = sorted(found.items(), key=lambda item: -item[1])
    accepted = [(taxon, n) for taxon, n in ranked if is_taxon(genes, rank, taxon, n)]
    if not accepted or (len(accepted) > 1 and accepted[0][1] == accepted[1][1]):
        return "", 0.0
    taxon, n = accepted[0]
    return taxon, n / len(genes)


def is_taxon(genes: Sequence[Taxa], rank: str, taxon: str, n: int) -> bool:
    """Return whether a bin has a taxon that `n` of its genes have."""
    others = sum(bool(taxa.get(rank)) and taxon not in taxa[rank] for taxa in genes)
    return n >= RANKS[rank][1] * len(genes) and others <= MAX_OTHER * (len(genes) - n)

#!/usr/bin/env python3
"""Find the genes of contigs by Pyrodigal, in its mode for metagenomes."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from pyrodigal import METAGENOMIC_BINS, Gene, GeneFinder, MetagenomicBins

# Contigs below this length hold hardly a whole gene, and most of a metagenome's contigs are below it.
MIN_CONTIG_LENGTH = 500
# So many bp are searched at once, which bounds the memory.
CHUNK_BP = 20_000_000
# Of Pyrodigal's fifty models of genes, in the order of their share of G and C, so many are passed over for each that is
# tried: a third of the time, and 91 of 92 marker genes in three Mbp of concoct16.
SKIPPED_MODELS = 2

Genes = list[tuple[str, Gene]]  # with the contig of each


def chunks(sequences: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Yield the contigs (name, sequence) from MIN_CONTIG_LENGTH on in lists of about CHUNK_BP."""
    chunk, size = [], 0
    for name, sequence in sequences:
        if len(sequence) < MIN_CONTIG_LENGTH:
            continue
        chunk.append((name, sequence))
        size += len(sequence)
        if size >= CHUNK_BP:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def gene_finder() -> GeneFinder:
    """Return what finds genes: Pyrodigal in its mode for metagenomes, with each third of its models."""
    models = sorted(METAGENOMIC_BINS, key=lambda model: (model.training_info.translation_table, model.training_info.gc))
    return GeneFinder(meta=True, metagenomic_bins=MetagenomicBins(models[:: SKIPPED_MODELS + 1]))


def find_genes(finder: GeneFinder, contigs: list[tuple[str, bytes]], threads: ThreadPoolExecutor) -> Genes:
    """Return the genes of the contigs, in their order."""
    found = threads.map(finder.find_genes, [sequence for _, sequence in contigs])
    return [(name, gene) for (name, _), genes in zip(contigs, found) for gene in genes]

"""gene_finding.py: contigs in chunks; what is found in them test_markers.py and test_genes.py show."""

from concurrent.futures import ThreadPoolExecutor

import gene_finding
from random_contigs import sequence


def test_chunks_hold_each_contig_that_is_long_enough(monkeypatch):
    monkeypatch.setattr(gene_finding, "CHUNK_BP", 1000)
    contigs = [("a", b"A" * 600), ("b", b"A" * 499), ("c", b"A" * 500), ("d", b"A" * 2000)]
    found = [[name for name, _ in chunk] for chunk in gene_finding.chunks(contigs)]
    assert found == [["a", "c"], ["d"]]
    assert list(gene_finding.chunks([])) == []


def test_genes_do_not_depend_on_the_number_of_threads():
    contigs = [(str(seed), sequence(seed, 3000).encode()) for seed in range(4)]
    found = []
    for threads in (1, 3):
        with ThreadPoolExecutor(threads) as pool:
            genes = gene_finding.find_genes(gene_finding.gene_finder(), contigs, pool)
        found.append([(name, gene.begin, gene.end, gene.strand) for name, gene in genes])
    assert found[0] and found[0] == found[1]

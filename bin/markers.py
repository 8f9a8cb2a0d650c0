#!/usr/bin/env python3
"""Find the genes of single-copy families on the contigs of one assembly.

In:  catalogue.fa.gz and contigs.tsv of the group; the descriptions of the families (assets/marker_families.tsv), or the
     models of a user (--marker_hmms).
Out: markers.tsv.gz, one row per gene and family: the contig, the part of the model that the gene covers, and whether
     the gene is cut off by an end of the contig; families.tsv, the families that were searched for.

Genes are found by Pyrodigal in its mode for metagenomes, and held against the models of the families by PyHMMER, in
this process. A gene is of that family of a collection which it scores highest for, from the cutoff of the family on. Of
a gene that an end of its contig cuts off, the part of the cutoff is asked for that it covers of the model. Contigs are
searched in chunks, and what is found does not depend on the number of threads.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pandas as pd
import pyhmmer
from pyhmmer.easel import Alphabet, DigitalSequenceBlock, TextSequence
from pyhmmer.plan7 import TopHits

from assembly_tables import contigs_of_assembly
from catalogue_fasta import catalogue_sequences
from gene_finding import Genes, chunks, find_genes, gene_finder
from marker_families import Family, given_families, installed_families, read_descriptions
from stage_tables import CONTIGS, FAMILIES, MARKERS, read_table
from table_output import write_table

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
# No gene scores less (bits) for a family, however little of the model it covers: chance does.
MIN_SCORE = 15.0
# HMMER's filters let through what scores by chance with these probabilities: stricter than its own, as members of a
# family score high, and a quarter faster.
FILTERS = {"F1": 1e-3, "F2": 1e-4, "F3": 1e-5}
# A cut gene covers at least this fraction of the model.
MIN_COVERED = 0.2


def marker_rows(family: Family, hits: TopHits, genes: Genes) -> Iterator[dict]:
    """Yield the rows of markers.tsv of the genes that are of a family."""
    length = family.hmm.M
    for hit in hits:
        contig, gene = genes[int(hit.name)]
        aligned = [domain.alignment for domain in hit.domains if domain.score > 0]
        if not aligned:
            continue
        first, last = min(part.hmm_from for part in aligned), max(part.hmm_to for part in aligned)
        covered = (last - first + 1) / length
        is_cut = bool(gene.partial_begin or gene.partial_end)
        if is_cut and covered < MIN_COVERED:
            continue
        if hit.score >= max(MIN_SCORE, family.cutoff * (covered if is_cut else 1)):
            yield {
                "contig": contig,
                "family": family.name,
                "start": gene.begin,
                "end": gene.end,
                "score": hit.score,
                "covered": 1.0 if not is_cut else covered,
                "cut": is_cut,
            }


def search(genes: Genes, families: list[Family], threads: int) -> list[dict]:
    """Return the rows of markers.tsv of these genes: by family, then in the order of the genes."""
    alphabet = Alphabet.amino()
    proteins = (
        TextSequence(name=str(i), sequence=gene.translate(include_stop=False)).digitize(alphabet)
        for i, (_, gene) in enumerate(genes)
    )
    block = DigitalSequenceBlock(alphabet, proteins)
    # Scores do not depend on Z, which E-values do: a fixed one, so that chunks make no difference
    models = [family.hmm for family in families]
    hits = pyhmmer.hmmsearch(models, block, cpus=threads, T=MIN_SCORE, domT=0, Z=1, **FILTERS)
    rows = []
    for family, found in zip(families, hits, strict=True):
        rows += sorted(marker_rows(family, found, genes), key=lambda row: (row["contig"], row["start"]))
    return rows


def best_families(rows: pd.DataFrame, collection: dict[str, str]) -> pd.DataFrame:
    """Return the rows of markers.tsv with each gene in one family of a collection: that which it scores highest for."""
    place = ["contig", "start", "end", "collection"]
    ordered = rows.assign(collection=rows["family"].map(collection)).sort_values(
        "score", ascending=False, kind="stable"
    )
    return rows.loc[ordered.drop_duplicates(place).index.sort_values()].reset_index(drop=True)


def find_markers(sequences: Iterable[tuple[str, bytes]], families: list[Family], threads: int) -> pd.DataFrame:
    """Return markers.tsv of the contigs (name, sequence): in their order, then by place and family."""
    finder, rows, order = gene_finder(), [], {}
    with ThreadPoolExecutor(threads) as pool:
        for chunk in chunks(sequences):
            order |= {name: len(order) + i for i, (name, _) in enumerate(chunk)}
            rows += search(find_genes(finder, chunk, pool), families, threads)
    rows.sort(key=lambda row: (order[row["contig"]], row["start"], row["family"]))
    found = pd.DataFrame(rows, columns=[column.name for column in MARKERS.columns]).astype({"cut": bool})
    return best_families(found, {family.name: family.collection for family in families})


def family_table(families: list[Family], described: pd.DataFrame | None) -> pd.DataFrame:
    """Return families.tsv; without descriptions, each family counts as much as any other, in both domains."""
    names = [family.name for family in families]
    if described is None:
        return pd.DataFrame({"family": names, "bacteria": 1.0, "archaea": 1.0})
    return described.loc[names].reset_index()


@click.command(context_settings={"show_default": True})
@click.option("--assembly", required=True, help="Id of the assembly.")
@click.option("--catalogue", required=True, type=FILE, help="catalogue.fa.gz.")
@click.option("--contigs", "contigs_path", required=True, type=FILE, help="contigs.tsv.")
@click.option("--families", "families_path", type=FILE, help="assets/marker_families.tsv: families to search for.")
@click.option("--marker_hmms", type=FILE, help="HMMER3 models of single-copy families, in place of these.")
@click.option("--threads", default=1, type=click.IntRange(1, 1024))
def main(
    assembly: str,
    catalogue: Path,
    contigs_path: Path,
    families_path: Path | None,
    marker_hmms: Path | None,
    threads: int,
) -> None:
    """Find single-copy marker genes on the contigs of an assembly."""
    if (families_path is None) == (marker_hmms is None):
        raise click.UsageError("give --families or --marker_hmms")
    described = None if families_path is None else read_descriptions(families_path)
    group = read_table(CONTIGS, contigs_path)
    of_assembly = set(contigs_of_assembly(group, assembly, contigs_path)["contig"])
    families = given_families(marker_hmms) if marker_hmms else installed_families(described.index)
    sequences = zip(group["contig"], catalogue_sequences(catalogue, group, contigs_path), strict=True)
    markers = find_markers((item for item in sequences if item[0] in of_assembly), families, threads)
    write_table(MARKERS, markers, "markers.tsv.gz")
    write_table(FAMILIES, family_table(families, described))
    found = f"{markers['family'].nunique()} of {len(families)} families"
    click.echo(f"{assembly}: {len(markers)} marker genes, of {found}", err=True)


if __name__ == "__main__":
    main()

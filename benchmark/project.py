"""Where the results of a run hold what `bin/refine.py` takes, for the scripts beside this one."""

from pathlib import Path


def refine_files(results: Path, assembly: str) -> dict[str, Path]:
    """The files of refine.py by its options, of one assembly of a group (RESULTS/GROUP), with its graph if it has one."""
    graph = results / "refine" / assembly
    files = {
        "contigs": results / "catalogue/contigs.tsv",
        "clusters": results / "clusters.tsv",
        "coverage": results / "features/coverage.tsv.gz",
        "tetranucleotides": results / "features/tetranucleotides.npy",
        "features": results / "features/features.json",
        "homologs": results / "homologs/homologs.tsv.gz",
    }
    if (graph / "edges.tsv.gz").exists():
        files |= {"vertices": graph / "vertices.tsv.gz", "edges": graph / "edges.tsv.gz"}
    return files

"""What peers.py gives to binners of a group of several assemblies: their contigs together, and each assembly alone."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from genome_files import read_fasta
from peer_runs import Task

SEPARATOR = ":"  # between assembly and contig, as in the truth of a group


def write_catalogue(assemblies: Mapping[str, Path], path: Path) -> None:
    """Write the contigs of all assemblies, each named ASSEMBLY:CONTIG, to one FASTA file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as out:
        for assembly, contigs in assemblies.items():
            out.writelines(f">{assembly}{SEPARATOR}{name}\n{sequence}\n" for name, sequence in read_fasta(contigs))


def each_alone(binner: Callable[[Task, int, Path, Path], Iterator[tuple[str, str]]]) -> Callable:
    """Return a peer that bins each assembly of a group alone and puts its id before clusters and contigs."""

    def peer(task: Task, seed: int, out: Path, log: Path) -> Iterator[tuple[str, str]]:
        if not task.alone:
            yield from binner(task, seed, out, log)
        for assembly, one in task.alone.items():
            (out / assembly).mkdir()
            for cluster, contig in binner(one, seed, out / assembly, log):
                yield f"{assembly}{SEPARATOR}{cluster}", f"{assembly}{SEPARATOR}{contig}"

    return peer

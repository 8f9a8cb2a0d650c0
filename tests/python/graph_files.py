"""Assembly graphs of every format as text, and the contig graph that comes of them."""

from pathlib import Path

import click

import assembly_graph
import graph

FLYE_HEADER = "#seq_name\tlength\tcov.\tcirc.\trepeat\tmult.\talt_group\tgraph_path\n"


def assert_fast_path_is_gfapy(file: Path) -> int:
    """What the fast path makes of the records of a file, gfapy makes of them, too; gives their number."""
    try:
        records = [line for _, line in assembly_graph.text_lines(file) if line[:1] in ("S", "L", "P")]
    except click.ClickException:  # no text: no record is read, in whatever way
        return 0
    fast = [(line, assembly_graph.regular_record(line[0], line)) for line in records]
    taken = [(line, found) for line, found in fast if found is not None]
    for line, found in taken:
        assert found == assembly_graph.gfapy_record(line[0], line, file, 0)
    return len(taken)


def edges_of(tmp_path, assembler, text, contigs, paths=None, name="graph"):
    """Edges between contig names of the graph text, the names that have a place in it, skipped links."""
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert_fast_path_is_gfapy(file)
    path_file = None
    if paths is not None:
        path_file = tmp_path / "paths"
        path_file.write_text(paths)
    names = list(contigs)
    found = graph.build_graph(assembler, file, path_file, names, list(contigs.values()))
    assert all(0 <= a < b < len(names) for a, b in found.edges)
    assert len(set(map(tuple, found.edges))) == len(found.edges)
    edges = {tuple(sorted((names[a], names[b]))) for a, b in found.edges}
    return edges, {names[i] for i in found.placed}, found.skipped_links


def gfa(segments, links, extra=()):
    lines = ["H\tVN:Z:1.0", *(f"S\t{s}\tACGT\tLN:i:4" for s in segments)]
    lines += [f"L\t{a[:-1]}\t{a[-1]}\t{b[:-1]}\t{b[-1]}\t2M" for a, b in links]
    return "\n".join([*lines, *extra]) + "\n"


def node(i: int, length: int) -> str:
    return f"NODE_{i}_length_{length}_cov_2.0000_ID_{2 * i - 1}"


def fastg(lengths, links) -> str:
    """What contig2fastg writes for contigs of these lengths; links: (from, to) with ' for the reverse."""

    def name(step):
        i = int(step.rstrip("'"))
        return node(i, lengths[i - 1]) + ("'" if step.endswith("'") else "")

    lines = []
    for i in range(1, len(lengths) + 1):
        for step in (str(i), f"{i}'"):
            following = [name(b) for a, b in links if a == step]
            lines += [">" + name(step) + (":" + ",".join(following) if following else "") + ";", "ACGT"]
    return "\n".join(lines) + "\n"

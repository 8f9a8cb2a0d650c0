"""What report_data.json holds of a group, by hand: bins, samples and sizes as a test wants them."""

# Of one cluster that a bin came of, and to which a contig was added
FLOW = {
    "before": [
        {"kind": "named", "name": "1", "members": 1, "bp": 5000},
        {"kind": "none", "name": "", "members": 1, "bp": 4400},
    ],
    "after": [
        {"kind": "named", "name": "A.001", "members": 1, "bp": 9000},
        {"kind": "none", "name": "", "members": 1, "bp": 400},
    ],
    "ways": [[0, 0, "kept", 5000], [1, 0, "added", 4000], [1, 1, "left", 400]],
}


def largest_flow(name="A"):
    """A flow as large as any: as many nodes as there can be, and from each to each in every way."""
    named = {
        "before": [("named", f"{number}", 1) for number in range(1, 13)],
        "after": [("named", f"{name}.{number:03}", 1) for number in range(1, 13)],
    }
    lumps = {
        "before": [("smaller", "", 1900), ("none", "", 1)],
        "after": [("smaller", "", 1988), ("unpublished", "", 7), ("none", "", 1)],
    }
    ends = {side: [*named[side], *lumps[side]] for side in named}
    words = ("kept", "merged", "split", "moved", "added", "multi_labelled", "removed")
    ways = [
        [source, target, word, 1_000_000 // (1 + abs(source - target)) + 1000 * number]
        for source in range(len(ends["before"]))
        for target in range(len(ends["after"]))
        for number, word in enumerate(words)
    ]
    flow = {
        side: [
            {"kind": kind, "name": own, "members": members, "bp": sum(way[3] for way in ways if way[end] == number)}
            for number, (kind, own, members) in enumerate(ends[side])
        ]
        for end, side in enumerate(ends)
    }
    return flow | {"ways": ways}


def bin_row(name, size=1_000_000, **more):
    """A bin as report_data.json has it, of unknown quality unless it is given."""
    row = {"bin": name, "size": size, "contigs": 10, "n50": size // 4, "gc": 0.5, "refined": True, "transferred": False}
    return row | {"coverage": [2.0, 4.0]} | more


def rated_bin(name, completeness, contamination, quality, **more):
    return bin_row(name, completeness=completeness, contamination=contamination, quality=quality, **more)


def sample_row(name, reads=1000, mapped_reads=900):
    numbers = {"reads": reads, "mapped_reads": mapped_reads, "counted_reads": 800, "alignments": 850}
    return {"sample": name, **numbers, "mean_coverage": 3.5}


def picture(names):
    """Dots of contigs, with these names of bins."""
    places = {"x": [float(i) for i in range(len(names))], "y": [float(-i) for i in range(len(names))]}
    return {
        "bins": list(names),
        "input": {**places, "explained": [0.5, 0.25]},
        "latent": {**places, "explained": [1, 0]},
        "umap_input": places,
        "umap_latent": places,
    }


def report_group(name="co", bins=(), samples=("S1", "S2"), trained=True):
    """A group with these bins and samples."""
    return {
        "group": name,
        "samples": [sample_row(sample) for sample in samples],
        "coverage_samples": list(samples),
        "coverage_unit": "reads per base",
        "bins": list(bins),
        "contigs": {
            "by_assembly": {"A": {"binned": [2, 9000], "short": [1, 400]}},
            "by_length": {"0": {"short": [1, 400]}, "2000": {"binned": [2, 9000]}},
        },
        "gene_clusters": None,
        "training": {"epoch": [1, 2, 10], **{term: [3.0, 2.0, 1.0] for term in ("loss", "ce", "sse", "kld")}}
        if trained
        else None,
        "distances": {"threshold": 0.1, "distance": [0.05, 0.15], "density": [2.0, 1.0]} if trained else None,
        "pictures": picture(["A.001", "in no bin", "other bins"]),
        "refinement": {"A": {"kept": [1, 5000], "multi_labelled": [1, 4000], "left": [1, 400]}},
        "flows": {"A": FLOW},
        "genomes": {"recall": [0.5, 0.9], "binnings": {"clusters": [3, 1], "bins": [4, 2]}},
    }


def gene_group(name="igc", large=1):
    """A gene catalogue, with so many large clusters."""
    nothing = {"contigs": {"by_assembly": {}, "by_length": {}}, "refinement": {}, "flows": {}, "genomes": None}
    curves = {"least_genes": [1, 2, 600], "clusters": [300, 20, large], "genes_found": [600, 700, 1000]}
    found = {"gene_clusters": {**curves, "large_found": [0, min(large, 1), large]}}
    return (
        report_group(name) | nothing | found | {"pictures": picture(["cluster 3", "in no cluster", "other clusters"])}
    )


def summary_row(group):
    """The row of summary.json for such a group."""
    if group["gene_clusters"]:
        counts = {"genes": 1200, "genes_clustered": 1000, "bp": 900_000, "bp_clustered": 800_000, "clusters": 300}
        large = {"large_clusters": 1, "genes_in_large": 600, "warnings": 0}
        return {"group": group["group"], "assemblies": 1, "samples": len(group["samples"]), **counts, **large}
    numbers = {"assemblies": 1, "samples": len(group["samples"]), "contigs": 100, "contigs_binned": 50, "bp": 4_000_000}
    counts = {"bp_binned": 1_000_000, "bins": len(group["bins"]), "refined_assemblies": 1, "warnings": 0}
    return {"group": group["group"], **numbers, **counts}


def dots(content):
    """All dots of a plot of one group or of several."""
    data = content["data"] if isinstance(content["data"], list) else [content["data"]]
    return [dot for one in data for named in one.values() for dot in named]

"""What report_data.json holds of a group, by hand: bins, samples and sizes as a test wants them."""


def bin_row(name, size=1_000_000, **more):
    """A bin as report_data.json has it, of unknown quality unless it is given."""
    row = {"bin": name, "size": size, "contigs": 10, "n50": size // 4, "gc": 0.5, "refined": True, "transferred": False}
    return row | {"coverage": [2.0, 4.0]} | more


def rated_bin(name, completeness, contamination, quality, **more):
    return bin_row(name, completeness=completeness, contamination=contamination, quality=quality, **more)


def sample_row(name, reads=1000, mapped_reads=900):
    numbers = {"reads": reads, "mapped_reads": mapped_reads, "counted_reads": 800, "alignments": 850}
    return {"sample": name, **numbers, "mean_coverage": 3.5}


def report_group(name="co", bins=(), samples=("S1", "S2")):
    """A group with these bins and samples."""
    return {
        "group": name,
        "samples": [sample_row(sample) for sample in samples],
        "coverage_samples": list(samples),
        "coverage_unit": "reads per base",
        "bins": list(bins),
    }


def summary_row(group):
    """The row of summary.json for such a group."""
    numbers = {"assemblies": 1, "samples": len(group["samples"]), "contigs": 100, "contigs_binned": 50, "bp": 4_000_000}
    counts = {"bp_binned": 1_000_000, "bins": len(group["bins"]), "refined_assemblies": 1, "warnings": 0}
    return {"group": group["group"], **numbers, **counts}

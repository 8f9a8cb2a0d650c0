"""--mapper strobealign: bins from estimated abundances, and a clear refusal where the program is missing."""

import shutil

import pandas as pd
import pytest

from conftest import DATA, PROJECT, genomes_found, nextflow, read_table, read_truth, run_pipeline

WITHOUT = "strobealign is not on PATH: cargo install strobealign --version 0.19.1"


@pytest.mark.skipif(not shutil.which("strobealign"), reason=WITHOUT)
def test_bins_from_estimated_abundances(tmp_path, coassembly):
    run = run_pipeline(tmp_path, "--mapper", "strobealign")
    assert run.status == 0, run.output
    trace = run.trace()
    assert trace.loc[trace["name"] == "INDEX", "tag"].tolist() == ["co strobealign"]
    warnings = read_table(run.results / "warnings.tsv")
    (warning,) = warnings.loc[warnings["stage"] == "index", "warning"]
    assert "no pairs of reads link contigs" in warning
    assert "strobealign: '" in (run.results / "pipeline_info" / "software_versions.yml").read_text()
    for sample in ("S1", "S2", "S3"):
        tables = [
            pd.read_csv(results / "co" / "abundance" / f"{sample}.counts.tsv.gz", sep="\t").set_index("contig")
            for results in (run.results, coassembly.results)
        ]
        assert tables[0]["coverage"].corr(tables[1]["coverage"]) > 0.9
    assert read_table(run.results / "co" / "features" / "pair_links.tsv.gz").empty
    contig2bin = read_table(run.results / "co" / "contig2bin.tsv")
    assert len(genomes_found(contig2bin, read_truth(DATA / "co.truth.tsv"), precision=0.9, recall=0.9)) >= 5


@pytest.mark.skipif(bool(shutil.which("strobealign")), reason="strobealign is on PATH")
def test_without_the_program_nothing_is_started(tmp_path):
    done = nextflow(["run", PROJECT, "-profile", "test", "--mapper", "strobealign"], tmp_path)
    assert done.returncode != 0
    assert "Nothing was started, --mapper strobealign needs strobealign, not on PATH" in done.stdout
    assert "Submitted process" not in done.stdout

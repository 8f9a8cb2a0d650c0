"""What a run publishes: bins against the planted truth, and every contig accounted for."""

import importlib.metadata
import importlib.util
import json
import re
import shutil

import numpy as np
import pandas as pd
import pysam
import pytest

from conftest import (
    CHOSEN_STAGES,
    DATA,
    PROJECT,
    QUICK,
    REPORT_STAGES,
    STAGES,
    genomes_found,
    read_fasta,
    read_table,
    read_truth,
    run_pipeline,
)


def check_group(results, group, assemblies):
    """Tables, FASTA and assemblies of a group agree with one another; gives contig2bin."""
    folder = results / group
    contig2bin = read_table(folder / "contig2bin.tsv")
    unbinned = read_table(folder / "unbinned.tsv")
    bins = read_table(folder / "bins.tsv").set_index("bin")
    for assembly, fasta in assemblies.items():
        contigs = read_fasta(fasta)
        binned = set(contig2bin.loc[contig2bin["assembly"] == assembly, "contig"])
        left = set(unbinned.loc[unbinned["assembly"] == assembly, "contig"])
        assert binned | left == set(contigs), "a contig was lost, or got another name"
        assert not binned & left, "a contig is both binned and unbinned"
        if binned:
            given = (folder / "formats" / f"{assembly}.contig2bin.tsv").read_text().splitlines()
            assert sorted(line.split("\t")[0] for line in given) == sorted(binned)
        for name, members in contig2bin[contig2bin["assembly"] == assembly].groupby("bin"):
            written = read_fasta(folder / "bins" / f"{name}.fa.gz")
            assert set(written) == set(members["contig"])
            assert all(written[contig] == contigs[contig].upper() for contig in written)
            row = bins.loc[name]
            assert row["assembly"] == assembly
            assert int(row["size"]) == sum(map(len, written.values()))
            assert int(row["contigs"]) == len(written)
    assert (unbinned["reason"] != "").all()
    assert {file.name.removesuffix(".fa.gz") for file in (folder / "bins").glob("*")} == set(contig2bin["bin"])
    assert (bins["size"].astype(int) >= 20_000).all(), "a bin below --min_bin_size was published"
    return contig2bin


def test_coassembly_succeeds(coassembly):
    assert coassembly.status == 0, coassembly.output
    assert set(coassembly.trace()["status"]) == {"COMPLETED"}


def test_coassembly_accounts_for_every_contig(coassembly):
    check_group(coassembly.results, "co", {"coasm": DATA / "co.contigs.fasta.gz"})


def test_coassembly_finds_planted_genomes(coassembly):
    contig2bin = read_table(coassembly.results / "co" / "contig2bin.tsv")
    truth = read_truth(DATA / "co.truth.tsv")
    found = genomes_found(contig2bin, truth, precision=0.9, recall=0.9)
    assert len(found) >= 5, f"only {sorted(found)} of {sorted(set(truth['genome']))}"


def test_shared_contigs_stand_in_each_of_their_bins(coassembly):
    """The planted segments that two or three genomes share (tests/data/README.md)."""
    contig2bin = read_table(coassembly.results / "co" / "contig2bin.tsv")
    truth = read_truth(DATA / "co.truth.tsv")
    planted = truth[truth["length"] >= 500].groupby("contig")["genome"].nunique()
    found = contig2bin.groupby("contig")["bin"].nunique()
    assert len(planted[planted > 1]) == 4
    for contig, genomes in planted[planted > 1].items():
        assert found[contig] == genomes, contig


def test_training_loss_is_finite_and_falls(coassembly):
    training = pd.read_csv(coassembly.results / "co" / "vae" / "training.tsv", sep="\t")
    assert len(training) == 1200  # of one step each, since all 172 contigs fit into a batch
    assert np.isfinite(training[["loss", "ce", "sse", "kld"]].to_numpy()).all()
    for term, share in {"loss": 0.9, "sse": 0.6}.items():
        assert training[term].tail(20).mean() < share * training[term].head(5).mean()


def test_matrices_agree_with_their_row_names(coassembly):
    group = coassembly.results / "co"
    rows = read_table(group / "features" / "rows.tsv")
    samples = json.loads((group / "features" / "features.json").read_text())["samples"]
    assert np.load(group / "features" / "tnf.npy").shape == (len(rows), 136)
    abundance = np.load(group / "features" / "abundance.npy")
    assert abundance.shape == (len(rows), len(samples))
    np.testing.assert_allclose(abundance.sum(axis=1), 1, rtol=1e-5)
    assert len(np.load(group / "vae" / "latent.npy")) == len(rows)
    assert (rows["length"].astype(int) >= 500).all()


def test_clusters_hold_every_row_once(coassembly):
    clusters = read_table(coassembly.results / "co" / "clusters.tsv")
    rows = read_table(coassembly.results / "co" / "features" / "rows.tsv")
    assert sorted(clusters["contig"]) == sorted(rows["contig"])


def test_refinement_uses_the_graph(coassembly):
    refinement = read_table(coassembly.results / "co" / "refine" / "coasm" / "refinement.tsv")
    assert (refinement["in_graph"].isin(["1", "true", "True", "yes"])).mean() > 0.9
    # contigs below the length floor had no label before the graph gave them one
    gained = refinement[(refinement["initial"] == "") & (refinement["final"] != "")]
    assert (gained["length"].astype(int) < 500).any()


def test_pairs_of_reads_link_contigs_of_one_genome(coassembly):
    """The group has the sum of its samples' links, and few of them lead from one planted genome to another."""
    folder = coassembly.results / "co"
    ends = ["contig_1", "contig_2"]
    samples = pd.concat(pd.read_csv(path, sep="\t") for path in sorted((folder / "abundance").glob("*.pairs.tsv.gz")))
    links = pd.read_csv(folder / "features" / "pair_links.tsv.gz", sep="\t")
    assert links.set_index(ends)["pairs"].sort_index().equals(samples.groupby(ends)["pairs"].sum())
    genomes = read_truth(DATA / "co.truth.tsv").groupby("contig")["genome"].agg(set)
    is_right = [bool(genomes[one] & genomes[other]) for one, other in links[ends].itertuples(index=False)]
    assert len(links) > 100 and np.mean(is_right) > 0.95


def test_edits_are_those_of_the_simulated_reads(coassembly):
    """The group has what its samples' tables say; of most contigs the edits are the sequencing errors alone."""
    folder = coassembly.results / "co"
    edits, coverage = (
        pd.read_csv(folder / "features" / f"{name}.tsv.gz", sep="\t").set_index("contig")
        for name in ("edits", "coverage")
    )
    for sample in edits:
        counts = pd.read_csv(folder / "abundance" / f"{sample}.counts.tsv.gz", sep="\t").set_index("contig")
        pd.testing.assert_series_equal(edits[sample], counts["edits"], check_names=False, rtol=1e-4)
    rate = (edits.sum(axis=1) / coverage.sum(axis=1)).dropna()
    assert list(edits) == list(coverage) == ["S1", "S2", "S3"]
    assert 0.001 < rate.median() < 0.003  # of tests/data/generate.py: 0.002


def test_groups_keep_pairs_of_reads_within_an_assembly(two_groups):
    contigs = read_table(two_groups.results / "ms" / "catalogue" / "contigs.tsv").set_index("contig")["assembly"]
    links = read_table(two_groups.results / "ms" / "features" / "pair_links.tsv.gz")
    assembly = contigs[links["contig_1"]].to_numpy()
    assert set(assembly) == {"A1", "A2"} and (assembly == contigs[links["contig_2"]].to_numpy()).all()


def test_run_ends_with_its_sums_and_warnings(coassembly):
    """The bundled community has too few contigs to check the threshold of the clusters, which is a warning."""
    lines = coassembly.output.rstrip().splitlines()
    # Nextflow 26 adds a block of its own behind our lines.
    (last,) = [number for number, line in enumerate(lines) if line.startswith("Results ")]
    lines = lines[last - 7 : last + 1]
    starts = [line.split()[0] for line in lines]
    assert starts == ["Groups", "Contigs", "Bins", "Largest", "Quality", "Warnings", "cluster,", "Results"], lines
    assert "172 contigs are too few to check the threshold" in lines[-2]
    warnings = read_table(coassembly.results / "warnings.tsv")
    assert warnings[["stage", "group", "id"]].to_numpy().tolist() == [["cluster", "co", ""]]
    assert str(coassembly.results) in lines[-1]


def reported_versions(path):
    """Return software_versions.yml as process -> tool -> version; fail if a process or a tool stands twice."""
    versions = {}
    for line in path.read_text().splitlines():
        if process := re.fullmatch(r"([A-Z0-9_]+):", line):
            assert process[1] not in versions, f"{process[1]} stands twice in the versions"
            tools = versions[process[1]] = {}
        else:
            tool, version = re.fullmatch(r"    (\w+): '(.*)'", line).groups()
            assert tool not in tools, f"{tool} stands twice in one process"
            tools[tool] = version
    return versions


def test_pipeline_info_is_complete(coassembly):
    info = coassembly.results / "pipeline_info"
    versions = reported_versions(info / "software_versions.yml")
    assert set(versions) == STAGES | REPORT_STAGES
    found = {process: set(tools) for process, tools in versions.items()}
    # Each process reports what its module declares; tests/python/test_versions.py compares that with what it imports.
    for process in STAGES | REPORT_STAGES:
        module = (PROJECT / "modules" / "local" / process.lower() / "main.nf").read_text()
        declared = {name for names in re.findall(r"val\('([\w ]+)'\), eval\(", module) for name in names.split()}
        # The run does without it, so it need not be there
        assert found[process] == (declared if shutil.which("strobealign") else declared - {"strobealign"}), process
    assert {"torch", "numpy"} <= found["CLUSTER"] & found["VAE"]
    assert {"minimap2", "bwa", "samtools", "pysam"} <= found["MAP_READS"]
    assert "pandas" in found["SUMMARY"] and "gfapy" in found["GRAPH"] and "jsonschema" in found["VALIDATE"]
    packages = {"torch", "numpy", "pandas", "gfapy", "jsonschema", "pysam"}
    assert packages <= set().union(*found.values())
    for process, tools in versions.items():
        for tool, version in tools.items():
            assert re.match(r"\d+\.\d+", version), f"{process}: {tool} {version!r}"
            # The tasks run in the environment of the tests.
            assert tool not in packages or version == importlib.metadata.version(tool), f"{process}: {tool} {version}"
    for page in ("report", "timeline", "dag"):
        (file,) = info.glob(f"{page}_*.html")
        assert "VAE" in file.read_text()


def test_two_groups_side_by_side(two_groups):
    assert two_groups.status == 0, two_groups.output
    check_group(two_groups.results, "co", {"coasm": DATA / "co.contigs.fasta.gz"})
    contig2bin = check_group(
        two_groups.results, "ms", {name: DATA / f"{name}.contigs.fasta.gz" for name in ("A1", "A2")}
    )
    assert set(contig2bin["assembly"]) == {"A1", "A2"}, "multi-split gives bins in each assembly"
    assert (contig2bin["bin"].str.rsplit(".", n=1).str[0] == contig2bin["assembly"]).all()


def test_genomes_of_one_assembly_are_found_in_the_other(two_groups):
    """Each assembly has genomes in contigs that are too short to be clustered, which the other one has whole.

    At 2,000 bp, refinement alone finds no genome at all of the six in either.
    """
    group = two_groups.results / "ms"
    contig2bin, genome_of = read_table(group / "contig2bin.tsv"), {}
    for assembly in ("A1", "A2"):
        truth = read_truth(DATA / f"{assembly}.truth.tsv")
        bins = contig2bin[contig2bin["assembly"] == assembly]
        assert len(genomes_found(bins, truth, precision=0.9, recall=0.9)) >= 4
        bases = bins.merge(truth, on="contig").groupby(["bin", "genome"])["length"].sum()
        genome_of |= {name: sizes.droplevel(0).idxmax() for name, sizes in bases.groupby("bin")}
    genomes = read_table(group / "genomes.tsv")
    assert sorted(genomes["bin"]) == sorted(genome_of)
    assert (genomes["bin"].map(genome_of) == genomes["genome"].map(genome_of)).all()
    assert genomes["genome"].nunique() == (genomes["representative"] == "true").sum() >= 5
    assert set(read_table(group / "transfer/same_genomes.tsv")["assembly"]) == {"A1", "A2"}
    assert not (two_groups.results / "co/genomes.tsv").exists()


def test_bins_of_both_groups_are_scored_against_the_truth(two_groups):
    """Names of contigs are the same in A1 and A2; the compared bins hold all genomes but g1."""
    for group, names in (("co", {"coasm": "co"}), ("ms", {"A1": "A1", "A2": "A2"})):
        folder = two_groups.results / group
        found = read_table(folder / "benchmark" / "genomes_found.tsv").set_index(["binning", "counted", "precision"])
        contig2bin = read_table(folder / "contig2bin.tsv")
        by_assembly = [
            genomes_found(
                contig2bin[contig2bin["assembly"] == assembly], read_truth(DATA / f"{name}.truth.tsv"), 0.9, 0.9
            )
            for assembly, name in names.items()
        ]
        number = found["recall_0.9"].astype(int)
        assert number["bins", "genome_of_assembly", "0.9"] == sum(map(len, by_assembly)) >= 4
        assert number["bins", "genome", "0.9"] == len(set.union(*by_assembly))
        assert number["planted", "genome_of_assembly", "0.95"] == 5 * len(names)
        assert number["planted", "genome", "0.95"] == 5
        ratios = read_table(folder / "benchmark" / "ratios.tsv").set_index(["binning", "counted", "precision"])
        ratio = float(ratios["recall_0.9"]["planted", "genome", "0.9"])
        assert ratio == pytest.approx(number["bins", "genome", "0.9"] / 5, rel=1e-5)
        binnings = read_table(folder / "benchmark" / "binnings.tsv").set_index("binning")["genomes"].astype(int)
        assert binnings.to_dict() == {"clusters": 6} | dict.fromkeys(
            ["cut_clusters", "bins", "planted"], 6 * len(names)
        )
        best = read_table(folder / "benchmark" / "best_bins.tsv").query("binning == 'planted'")
        # What is best for g1 holds no more than contigs that it shares.
        assert (best.loc[best["genome"] == "g1", "recall"].astype(float) < 0.1).all()
        others = best[best["genome"] != "g1"]
        assert (others["bin"] == others["assembly"] + "_" + others["genome"]).all()
    warnings = read_table(two_groups.results / "warnings.tsv")
    assert not {"benchmark", "compare"} & set(warnings["stage"])
    versions = reported_versions(two_groups.results / "pipeline_info" / "software_versions.yml")
    not_asked_for = {"GRAPHBIN2", "IMPORT_BINS", "ENSEMBLE", "TRUTH", "FORMER", "GENE_CLUSTERS"}
    assert set(versions) == STAGES | REPORT_STAGES | CHOSEN_STAGES - not_asked_for


def test_experiments_run_on_both_groups_and_the_search_on_one(two_groups):
    """Each trial is scored against the truth; the held-out group sees the final network alone."""
    folder = two_groups.results / "experiments"
    trials = read_table(folder / "trials.tsv").set_index(["group", "trial"])
    usual = ["both_autoencoder", "both_vae"]
    searched = ["search_1_01", "search_2_epochs_1", "search_2_tentative"]
    assert list(trials.index) == [
        *[("co", name) for name in [*usual, "search_final"]],
        *[("ms", name) for name in sorted([*usual, *searched, "search_final"])],
    ]
    assert set(trials["genomes"]) == {"6"} and set(trials.loc[(slice(None), usual), "epochs"]) == {"2"}
    assert trials.loc[("ms", "both_vae"), "experiments"] == "autoencoder,search"
    losses = read_table(folder / "losses.tsv").set_index(["group", "trial"])
    assert len(losses.loc[("co", "both_autoencoder")]) == 2
    assert np.isfinite(losses[["loss", "ce", "sse"]].astype(float).to_numpy()).all()
    assert set(losses.index) == set(trials.index)
    found = read_table(folder / "genomes_found.tsv")
    assert len(found) == 2 * len(trials)
    settings = trials.loc[("ms", "search_final")]
    final = read_table(folder / "hyperparameters.tsv").set_index("hyperparameter")["final"]
    assert (
        settings[final.index].to_dict() == final.to_dict() == trials.loc[("co", "search_final")][final.index].to_dict()
    )


def test_bins_of_both_groups_are_compared_with_others(two_groups):
    """All but those of g1 are common with planted bins, of which the quality is known."""
    for group, n_samples, assemblies in (("co", 3, ["coasm"]), ("ms", 2, ["A1", "A2"])):
        folder = two_groups.results / group
        bins = read_table(folder / "compare" / "compared_bins.tsv")
        own = bins[bins["binning"] == "bins"].set_index("bin")
        assert set(own.index) == set(read_table(folder / "bins.tsv")["bin"])
        assert own["prevalence"].astype(int).between(1, n_samples).all() and (own["recall"] == "").all()
        # A genome without a bin of its own may have contigs in that of another.
        best = read_table(folder / "benchmark" / "best_bins.tsv").query("binning == 'bins' and bin != ''")
        best = best.astype({"recall": float}).sort_values("recall").groupby("bin")["genome"].last()
        unique = own.index[own["common_with"] == ""]
        assert set(best[unique]) == {"g1"} and len(unique) == len(assemblies)
        common = read_table(folder / "compare" / "common_bins.tsv")
        assert (common["bin_2"] == common["assembly"] + "_" + common["bin_1"].map(best)).all()
        planted = bins[bins["binning"] == "planted"]
        assert len(planted) == 5 * len(assemblies) >= len(common) >= 4 * len(assemblies)
        assert set(planted["recall"]) == {"0.95"} and set(planted["precision"]) == {"0.952381"}
        tiers = read_table(folder / "compare" / "tiers.tsv")
        assert set(tiers["binning"]) == {"planted"}
        of_all = tiers[tiers["counted"] == "bin"]
        assert (of_all["recall_0.95"].astype(int) == len(planted)).all() and set(of_all["recall_0.99"]) == {"0"}


def test_bins_of_both_groups_have_the_taxa_of_their_genes(two_groups):
    """The genes of each genome hit it at the identity of a genus."""
    named = 0
    for group in ("co", "ms"):
        folder = two_groups.results / group
        genes = read_table(folder / "genes" / "genes.tsv.gz")
        assert list(read_fasta(folder / "genes" / "genes.fna.gz")) == genes["gene"].tolist()
        bins = read_table(folder / "taxonomy" / "taxonomy.tsv").set_index("bin")
        assert set(bins.index) == set(read_table(folder / "bins.tsv")["bin"])
        assert (bins["genes"].astype(int) > 0).all() and set(bins["superkingdom"]) == {"life"}
        assert set(bins["species"]) == {""}
        pairs = read_table(folder / "benchmark" / "pairs.tsv.gz").query("binning == 'bins'")
        largest = pairs.drop_duplicates("bin").set_index("bin")["genome"]
        with_genus = bins[bins["genus"] != ""]
        named += len(with_genus)
        assert (with_genus["genus"] == largest[with_genus.index]).all() and set(with_genus["rank"]) <= {"genus"}
    assert named > 0


def test_homologs_are_of_one_assembly(two_groups):
    """The two assemblies of a group hold the same genomes, gene by gene, which says nothing about either."""
    group = two_groups.results / "ms"
    assembly = read_table(group / "catalogue" / "contigs.tsv").set_index("contig")["assembly"]
    homologs = read_table(group / "homologs" / "homologs.tsv.gz")
    assert len(homologs) > 0 and (homologs["shared"].astype(int) > 0).all()
    assert (homologs["contig_1"].map(assembly) == homologs["contig_2"].map(assembly)).all()
    assert set(homologs["contig_1"].map(assembly)) == {"A1", "A2"}


def test_marker_genes_are_searched_for_in_each_assembly(two_groups):
    """The bundled genomes are too small to hold more than a few, so nothing is said about their bins."""
    for group, assemblies in (("co", ["coasm"]), ("ms", ["A1", "A2"])):
        for assembly in assemblies:
            folder = two_groups.results / group / "markers" / assembly
            families = set(read_table(folder / "marker_families.tsv")["family"])
            assert len(families) > 50 and set(read_table(folder / "markers.tsv.gz")["family"]) <= families
        bins = read_table(two_groups.results / group / "bins.tsv")
        assert (bins["markers_found"].astype(int) < 8).all() and (bins["quality"] == "").all()


def test_groups_do_not_mix(two_groups):
    for group in ("co", "ms"):
        sheet = pd.read_csv(DATA / "two_groups.samples.csv", dtype=str)
        expected = sorted(sheet.loc[sheet["group"] == group, "sample"])
        assert (
            json.loads((two_groups.results / group / "features" / "features.json").read_text())["samples"] == expected
        )


def test_summary_counts_both_groups(two_groups):
    summary = read_table(two_groups.results / "summary.tsv").set_index("group")
    for group in ("co", "ms"):
        contig2bin = read_table(two_groups.results / group / "contig2bin.tsv")
        assert int(summary.loc[group, "contigs_binned"]) == len(contig2bin.drop_duplicates(["assembly", "contig"]))
        assert int(summary.loc[group, "bins"]) == contig2bin["bin"].nunique()


def planted_references(folder):
    """Options for a sheet with the planted genomes, g4 in two files; none where there is no BLAST+."""
    if not shutil.which("blastn"):
        return []
    spec = importlib.util.spec_from_file_location("generate", DATA / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    rows = ["genome,fasta"]
    for name, codes in generate.make_genomes(20).items():
        for number, part in enumerate([codes[:40_000], codes[40_000:]] if name == "g4" else [codes]):
            file = f"{name}_{number}.fa"
            (folder / file).write_bytes(b">%s\n%s\n" % (name.encode(), generate.BASES[part].tobytes()))
            rows.append(f"{name},{file}")
    (folder / "genomes.csv").write_text("\n".join(rows) + "\n")
    return ["--references", folder / "genomes.csv"]


def check_truth_of_references(group, truth):
    """Contigs from 500 bp on of one planted genome are of it, and the scores count them."""
    made = read_table(group / "truth" / "truth.tsv").set_index("contig")["genome"]
    of_one = truth[truth["length"] >= 500].drop_duplicates("contig", keep=False).set_index("contig")["genome"]
    both = made.index.intersection(of_one.index)
    assert (made[both] == of_one[both]).all() and len(both) >= 0.95 * len(of_one)
    binnings = read_table(group / "benchmark" / "binnings.tsv").set_index("binning")
    assert binnings["genomes"]["bins"] == str(made.nunique()) == "2"


def write_sheets(folder, groups):
    """Write one sheet of samples and one of assemblies from bundled ones (group: names of the two); return options."""
    for option, number in (("input", 0), ("assembly_input", 1)):
        kind = "samples" if option == "input" else "assemblies"
        tables = [
            pd.read_csv(DATA / f"{names[number]}.{kind}.csv", dtype=str).assign(group=group)
            for group, names in groups.items()
            if names[number]
        ]
        table = pd.concat(tables)
        for column in table.columns.intersection(["fastq_1", "fastq_2", "bam", "fasta", "graph", "paths", "abundance"]):
            table[column] = [f"{DATA}/{name}" if isinstance(name, str) else "" for name in table[column]]
        # Names are unique over all groups.
        column = "id" if "id" in table else "sample"
        table[column] = table["group"] if column == "id" else table["group"] + "." + table["sample"]
        table.to_csv(folder / f"{option}.csv", index=False)
    return ["--input", folder / "input.csv", "--assembly_input", folder / "assembly_input.csv"]


def test_other_ways_in(tmp_path):
    """A BAM, single reads, long reads, no graph, and an abundance table each go through to bins."""
    groups = {
        "with_bam": ("bam", "co"),
        "single": ("single", "co"),
        "long": ("long", "co"),
        "nograph": ("co", "nograph"),
        "table": (None, "abundance"),
    }
    run = run_pipeline(tmp_path, *write_sheets(tmp_path, groups), *QUICK)
    assert run.status == 0, run.output
    trace = run.trace()
    trace = trace[trace["status"] == "COMPLETED"]
    skipped = {"nograph": {"GRAPH"}, "table": {"INDEX", "MAP_READS"}}
    for group in groups:
        check_group(run.results, group, {group: DATA / "co.contigs.fasta.gz"})
        done = set(trace.loc[trace["tag"].str.split(" ").str[0] == group, "name"])
        assert STAGES - done - {"VALIDATE", "SUMMARY"} == skipped.get(group, set()), group
    assert "Assembly nograph of group nograph has no graph: its bins are refined by coverage" in run.output


def test_graph_of_megahit_and_reads_by_bwa_and_truth_of_reference_genomes(tmp_path):
    known = planted_references(tmp_path)
    mapped = ["--mapper", "bwa", "--save_bam"]
    run = run_pipeline(tmp_path, "--assembly_input", DATA / "mh.assemblies.csv", *mapped, *QUICK, *known)
    assert run.status == 0, run.output
    for sample in ("S1", "S2", "S3"):
        with pysam.AlignmentFile(run.results / "co" / "abundance" / f"{sample}.bam") as bam:
            assert bam.mapped > 1000
            assert any("bwa" in line["PN"] for line in bam.header.to_dict()["PG"] if "PN" in line)
    check_group(run.results, "co", {"mh": DATA / "mh.contigs.fasta.gz"})
    assert run.tasks("COMPLETED") == STAGES | ({"TRUTH", "BENCHMARK"} if known else set())
    if known:
        check_truth_of_references(run.results / "co", read_truth(DATA / "mh.truth.tsv"))


def test_article_mode_follows_graphbin2(tmp_path, coassembly):
    """The four steps where there is a graph, after clusters of the same latent cut as wide as the threshold; without a
    graph the clusters are the bins."""
    run = run_pipeline(
        tmp_path,
        "--refine_mode",
        "article",
        *write_sheets(tmp_path, {"co": ("co", "co"), "nograph": ("co", "nograph")}),
    )
    assert run.status == 0, run.output
    trace = run.trace()
    done = {group: set(trace.loc[trace["tag"].str.split(" ").str[0] == group, "name"]) for group in ("co", "nograph")}
    of_group = STAGES - {"VALIDATE", "SUMMARY"}
    assert done["co"] == of_group - {"HOMOLOGS", "REFINE"} | {"GRAPHBIN2"}
    assert done["nograph"] == of_group - {"GRAPH", "HOMOLOGS", "REFINE"}
    assert "Assembly nograph of group nograph has no graph: its bins go without refinement" in run.output
    latents = [(r / "co" / "vae" / "latent.npy").read_bytes() for r in (run.results, coassembly.results)]
    assert latents[0] == latents[1]
    wide, tight = [
        json.loads((r / "co" / "cluster" / "threshold.json").read_text()) for r in (run.results, coassembly.results)
    ]
    assert wide["threshold"] == wide["estimate"] == tight["estimate"] == 2 * tight["threshold"]
    contig2bin = check_group(run.results, "co", {"co": DATA / "co.contigs.fasta.gz"})
    assert len(genomes_found(contig2bin, read_truth(DATA / "co.truth.tsv"), precision=0.9, recall=0.9)) >= 5
    check_group(run.results, "nograph", {"nograph": DATA / "co.contigs.fasta.gz"})
    refinement = read_table(run.results / "co" / "refine" / "co" / "refinement.tsv")
    assert set(refinement.loc[refinement["step3"] != refinement["step2"], "step2"]) == {""}
    assert refinement["reason"].str.contains("propagated").sum() > 50


def test_preset_preprint_is_the_published_method(tmp_path):
    """Every number as published, except those given; GraphBin2's steps after clusters of the whole threshold."""
    run = run_pipeline(tmp_path, "--preset", "preprint", "--epochs", "90", "--batch_double_at", "25,75")
    assert run.status == 0, run.output
    assert run.tasks("COMPLETED") - STAGES == {"GRAPHBIN2"}
    assert STAGES - run.tasks("COMPLETED") == {"HOMOLOGS", "REFINE"}
    found = json.loads((run.results / "co" / "vae" / "latent.json").read_text())
    published = {
        "latent_size": 40, "dropout": 0.2, "alpha": 0.05, "beta": 200, "learning_rate": 0.001, "schedule": "constant",
        "batch_size": 64, "depth": False, "length_weights": False, "unit_variance": False,
    }  # fmt: skip
    assert {name: found[name] for name in published} == published
    assert (found["epochs"], found["batch_double_at"], found["hidden_sizes"]) == (90, [25, 75], [64, 64])
    training = pd.read_csv(run.results / "co" / "vae" / "training.tsv", sep="\t")
    assert training["batch_size"].tolist() == [64] * 25 + [128] * 50 + [172] * 15
    assert set(training["learning_rate"]) == {0.001}
    assert json.loads((run.results / "co" / "cluster" / "threshold.json").read_text())["scale"] == 1
    contig2bin = check_group(run.results, "co", {"coasm": DATA / "co.contigs.fasta.gz"})
    assert len(genomes_found(contig2bin, read_truth(DATA / "co.truth.tsv"), precision=0.9, recall=0.9)) >= 5

"""Profiles of institutions (`--custom_config_base`, `--custom_config_version`), in the shape of nf-core/configs."""

import pytest

from conftest import PROJECT, nextflow, run_pipeline

CUSTOM = """
profiles {
    lab   { includeConfig "${params.custom_config_base}/conf/lab.config" }
    other { includeConfig "${params.custom_config_base}/conf/absent.config" }
}
"""
# The parameters are those that most of the institutions' files set.
LAB = """
params {
    config_profile_description = 'The cluster of a laboratory'
    config_profile_contact     = 'Somebody'
    max_memory                 = 128.GB
    max_cpus                   = 2
}
process {
    withName: VALIDATE {
        cpus = params.max_cpus
    }
}
"""
NO_NETWORK = "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=9"


@pytest.fixture
def configs(tmp_path):
    """A folder like a clone of nf-core/configs, with one institution."""
    base = tmp_path / "configs of ours"
    (base / "conf").mkdir(parents=True)
    (base / "nfcore_custom.config").write_text(CUSTOM)
    (base / "conf" / "lab.config").write_text(LAB)
    return base


def test_institution_from_a_folder(tmp_path, configs):
    run = run_pipeline(
        tmp_path, "-stub", "--custom_config_base", configs,
        profile="test,lab", environment={"NXF_SYNTAX_PARSER": "v2"},
    )  # fmt: skip
    assert run.status == 0, run.output
    assert "no effect: config_profile_contact, config_profile_description, max_cpus, max_memory\n" in run.output
    allocated = run.trace().set_index("name")["cpus"]
    assert allocated["VALIDATE"] == 2


def test_misspelt_parameter_beside_an_institution_is_refused(tmp_path, configs):
    run = run_pipeline(tmp_path, "-stub", "--custom_config_base", configs, "--epohcs", "3", profile="test,lab")
    assert run.status != 0
    assert "there is no parameter --epohcs" in run.output
    assert "max_cpus:" not in run.output


def test_institution_needs_to_be_asked_for(tmp_path):
    run = run_pipeline(tmp_path, "-stub", profile="test,lab")
    assert run.status != 0
    assert "Unknown configuration profile: 'lab'" in run.output


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_version_alone_means_the_configs_of_nf_core(tmp_path, parser):
    arguments = ["run", PROJECT, "-profile", "test,lab", "--custom_config_version", "1a2b3c"]
    done = nextflow(arguments, tmp_path, {"NXF_OPTS": NO_NETWORK, "NXF_SYNTAX_PARSER": parser})
    assert done.returncode != 0
    # The strict parser of Nextflow 25.04 names the file in its log alone.
    log = done.stdout + (tmp_path / ".nextflow.log").read_text()
    assert "https://raw.githubusercontent.com/nf-core/configs/1a2b3c/nfcore_custom.config" in log


def test_without_them_no_network_is_asked(tmp_path):
    done = nextflow(["run", PROJECT, "-profile", "test", "--version"], tmp_path, {"NXF_OPTS": NO_NETWORK})
    assert done.returncode == 0, done.stdout

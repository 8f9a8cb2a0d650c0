"""What the profiles awsbatch and gpu give to tasks on AWS Batch, as far as that is seen without an account."""

import json
import re

import pytest

from conftest import PROJECT, nextflow
from stage_modules import stage_names

REGISTRY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
GIVEN = ["--queue", "cpus", "--gpu_queue", "gpus", "--aws_region", "eu-west-1", "--container_registry", REGISTRY]


def task_settings(launch, profile, executor, parser, *arguments):
    """The settings of tasks by selector, with closures resolved, and the settings of AWS."""
    script = PROJECT / "tests" / "lib" / "task_settings.nf"
    configuration = ["-c", PROJECT / "nextflow.config", "-profile", profile, "--executor", executor]
    done = nextflow(["run", script, *configuration, *arguments], launch, {"NXF_SYNTAX_PARSER": parser})
    assert done.returncode == 0, done.stdout
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("SETTINGS "))
    found = json.loads(line.removeprefix("SETTINGS "))
    # The strict parser of Nextflow 25.04 lets a default overwrite the command line, but for closures.
    found["sees command line"] = parser == "v1" or "version 25.04" not in done.stdout
    return found


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_batch_gets_what_it_needs(tmp_path, parser):
    found = task_settings(tmp_path, "awsbatch,gpu", "awsbatch", parser, *GIVEN)
    process = found["process"]
    training = process["withLabel:process_gpu"]
    assert (process["executor"], process["queue"], training["queue"]) == ("awsbatch", "cpus", "gpus")
    # A GPU for the training task, and for no other
    assert training["accelerator"] == "1"
    others = [name for name, settings in process.items() if settings != training and "accelerator" in settings]
    assert others == [] and "accelerator" not in process
    labelled = [s for s in stage_names() if "process_gpu" in (PROJECT / f"modules/local/{s}/main.nf").read_text()]
    assert labelled == ["run_trial", "vae"]
    # Batch knows few container options, neither mounts nor GPUs
    assert process["containerOptions"] == training["containerOptions"] == ""
    # Two images, under the version's tag
    images = {name.removeprefix("withLabel:image_"): settings["container"] for name, settings in process.items()
              if name.startswith("withLabel:image_")}  # fmt: skip
    registry = REGISTRY if found["sees command line"] else "localhost"
    (version,) = re.findall(r"^ +version += '(.+)'", (PROJECT / "nextflow.config").read_text(), re.MULTILINE)
    assert images == {name: f"{registry}/binloom/{name}:{version}" for name in ("core", "report", "torch")}
    assert found["aws"]["batch"]["maxSpotAttempts"] == 5
    assert found["aws"]["region"] == ("eu-west-1" if found["sees command line"] else "us-east-1")
    # A lost machine has no exit status, or that of a signal
    retried = [status for status, strategy in found["strategy"].items() if strategy == "retry"]
    assert retried == ["104", "130", "137", "143", "2147483647"]
    assert (process["maxRetries"], process["withName:VAE"]["maxRetries"]) == ("2", "5")
    assert "maxRetries" not in training  # which would win or lose against that of VAE, by the parser


def test_other_engines_get_mounts_and_gpus_by_options(tmp_path):
    """The same closures, so that the empty options of Batch are no accident."""
    found = task_settings(tmp_path, "docker,gpu", "local", "v1")
    options = found["process"]["withLabel:process_gpu"]["containerOptions"]
    assert options == "--gpus all -v /checkpoints:/checkpoints"


def test_batch_without_a_registry_is_refused_before_any_work(tmp_path):
    done = nextflow(["run", PROJECT, "-profile", "test,awsbatch", "--queue", "cpus", "-w", "work"], tmp_path)
    assert done.returncode != 0
    last = done.stdout.rstrip().splitlines()[-1]
    assert last.startswith("AWS Batch cannot reach images of this machine (localhost/binloom/")
    assert "make images push REGISTRY" in last and "--container_registry" in last
    assert "Submitted process" not in done.stdout

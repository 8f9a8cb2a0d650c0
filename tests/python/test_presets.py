"""assets/presets.json: its default is that of the code, and each of its values is one that the scripts take."""

import dataclasses

import pytest

import cluster
import network
import vae
from vae_inputs import preset_hyperparameters, read_presets


def test_default_preset_is_what_the_code_does_by_default():
    assert preset_hyperparameters("default") == network.Hyperparameters()


@pytest.mark.parametrize("name", read_presets())
def test_preset_gives_every_value_and_the_scripts_know_each(name):
    """Null stands only where the script decides from the data."""
    preset = read_presets()[name]
    assert set(preset) == set(read_presets()["default"])
    settings = {field.name for field in dataclasses.fields(network.Hyperparameters)}
    assert set(preset) - {"threshold_scale", "refine_mode"} <= settings
    options = {option.name for command in (vae.main, cluster.main) for option in command.params}
    assert set(preset) - {"refine_mode"} <= options and preset["refine_mode"] in ("evidence", "article")
    assert {key for key, value in preset.items() if value is None} <= {"alpha", "epochs"}

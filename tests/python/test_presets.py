"""assets/presets.json: its default is that of the code, and each of its values is one that the scripts take."""

import pytest

import cluster
import features
import map_reads
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
    others = (map_reads.main, features.main, cluster.main)
    options = {option.name for command in (vae.main, *others) for option in command.params}
    assert set(preset) <= options | {"refine_mode"}
    # Nothing refines clusters of genes.
    assert preset["refine_mode"] in ([None] if name == "genes" else ["evidence", "article"])
    empty = {key for key, value in preset.items() if value is None}
    assert empty <= {"alpha", "epochs", "max_clusters", "refine_mode"}


def test_default_preset_is_what_the_other_scripts_do_by_default():
    """But for the share of the threshold, which only makes sense where the refinement follows."""
    default = read_presets()["default"]
    others = default.keys() - {"threshold_scale", "max_clusters"}  # the latter has no default
    for command in (map_reads.main, features.main, cluster.main):
        given = {option.name: option.default for option in command.params if option.name in others}
        assert given == {name: default[name] for name in given}, command.name


def test_genes_are_clustered_as_the_preprint_did():
    """'Binning the Integrated Gene Catalogue', 'Application on large datasets' and the methods; else as preprint."""
    presets = read_presets()
    differing = {name: value for name, value in presets["genes"].items() if value != presets["preprint"][name]}
    assert differing == {
        "min_read_identity": 95, "min_mapping_quality": 30, "min_contig_length": 4, "latent_size": 80, "dropout": 0,
        "learning_rate": 1e-5, "batch_size": 128, "max_close_contigs": 10_000, "max_clusters": 30_000,
        "refine_mode": None,
    }  # fmt: skip
    doublings = presets["genes"]["batch_double_at"].split(",")
    assert 128 * 2 ** len(doublings) == 2048

"""model_inputs.py: what a read adds to the coverage; test_refine.py has the tables that are refused."""

import numpy as np

import model_inputs


def test_bases_of_a_read():
    bases = np.array([6000.0, 0.0])
    assert model_inputs.bases_per_read(["S0", "S1"], bases, {"S0": 40, "S1": 0}).tolist() == [150, 1]
    assert model_inputs.bases_per_read(["S0", "S1"], bases, None).tolist() == [1000, 1000]

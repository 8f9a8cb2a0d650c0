"""model_inputs.py: what a read adds to the coverage; test_refine.py has the tables that are refused."""

import numpy as np
import pandas as pd

import model_inputs


def test_bases_of_a_read():
    coverage, length = pd.DataFrame({"S0": [3.0, 1.0], "S1": [0.0, 0.0]}), np.array([1000, 3000])
    assert model_inputs.bases_per_read(coverage, length, {"S0": 40, "S1": 0}).tolist() == [150, 1]
    assert model_inputs.bases_per_read(coverage, length, None).tolist() == [1000, 1000]

#!/usr/bin/env python3
"""Points whose Pearson distances are dot products, and the blocks and threads in which these products are taken.

The distance of two contigs is 1/2 (1 - PCC) of their latent rows (VAMB preprint, "Determination of clustering
threshold"; Nissen et al. 2018, doi:10.1101/490078). Rows are centred and scaled to a squared length of 1/2, so that the
distance of two is 1/2 minus their dot product.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

# Coordinates are multiples of this. The error of a distance is about 2e-6, and sums of up to a million dot products are
# exact in double precision whatever their order, so that blocks, threads and libraries change no cluster.
COORDINATE_GRID = 2.0**-17
# Products in a block, which should stay in the processor's cache. It decides the time alone.
BLOCK_PRODUCTS = 1 << 18
# Rows that are scaled in double precision at once. It decides the memory alone.
ROWS_AT_ONCE = 1 << 16


def standardise(latent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows centred and scaled to squared length 1/2 (n x N_L float32), and which rows vary (n, bool).

    With x and y two such rows, 1/2 - x.y = 1/2 (1 - PCC). A row of equal values has no correlation and becomes zero.
    """
    points, varies = np.zeros(latent.shape, np.float32), np.zeros(len(latent), bool)
    for start in range(0, len(latent), ROWS_AT_ONCE):
        rows = latent[start : start + ROWS_AT_ONCE]
        is_varied = rows.max(axis=1, initial=-np.inf) > rows.min(axis=1, initial=np.inf)
        centred = rows - rows.mean(axis=1, keepdims=True, dtype=np.float64)
        length = np.sqrt(2 * np.square(centred).sum(axis=1, keepdims=True))
        scaled = np.divide(centred, length, out=np.zeros_like(centred), where=is_varied[:, None] & (length > 0))
        points[start : start + ROWS_AT_ONCE] = np.rint(scaled / COORDINATE_GRID) * COORDINATE_GRID
        varies[start : start + ROWS_AT_ONCE] = is_varied
    return points, varies


def worker_threads(threads: int) -> ThreadPoolExecutor:
    """Return threads that share blocks of products; within each, torch uses one thread for a product.

    Products are of full single precision from here on in this process: the search allows for that much error only.
    """
    torch.set_float32_matmul_precision("highest")
    return ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))

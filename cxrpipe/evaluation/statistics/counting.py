"""Counts of films, of many samples at once.

A sample of films is a row of weights: how often it holds each film. All films, each once, are the
row of ones, so that an estimate and its bootstrap samples follow from the same formulas.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Weights = npt.NDArray[np.unsignedinteger[Any]]
# Weights that are worked on at once fill 2.5 MB as floats, and stay in the cache of a processor
# while they are read in the order of one score after another; less than a cache line of 8 a film
# would waste it. Measured with benchmarks/bootstrap.py.
WEIGHTS_AT_ONCE = 320_000
FEWEST_SAMPLES = 8


def mark(
    rows: npt.NDArray[np.int64], films: npt.NDArray[np.int64], shape: tuple[int, int]
) -> sparse.csr_array:
    """Return a sparse matrix (n_rows, n) that is one at each of these rows and films."""
    return sparse.csr_array((np.ones(len(rows)), (rows, films)), shape=shape)


def samples(weights: Weights) -> Iterator[tuple[slice, npt.NDArray[np.float64]]]:
    """Yield places of some samples and their weights (n, n_samples), film by film in memory."""
    step = max(FEWEST_SAMPLES, WEIGHTS_AT_ONCE // max(1, weights.shape[1]))
    for start in range(0, len(weights), step):
        places = slice(start, start + step)
        yield places, np.ascontiguousarray(weights[places].T, dtype=np.float64)


def count(marks: sparse.csr_array, weights: Weights) -> npt.NDArray[np.float64]:
    """Add up the weights of the films that each row marks: (n_samples, n_rows).

    Sums of whole numbers are exact, in whatever order a processor adds them.
    """
    counts = np.empty((len(weights), marks.shape[0]))
    for places, drawn in samples(weights):
        counts[places] = (marks @ drawn).T
    return counts

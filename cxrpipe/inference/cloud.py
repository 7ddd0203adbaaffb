"""A cloud of training films, and how far from it another film may lie."""

from dataclasses import dataclass

import numpy as np

from cxrpipe.evaluation.statistics.metrics import Floats
from cxrpipe.inference.network import Matrix


@dataclass(frozen=True)
class Cloud:
    """Where training films lie, as a Gaussian.

    Attributes
    ----------
    mean
        (d,) float32.
    whitening
        (d, k) float32: makes the training films a unit sphere.
    limit
        Distance beyond which a film is none of them.
    """

    mean: Matrix
    whitening: Matrix
    limit: float

    def measure(self, points: Matrix) -> Floats:
        """Return the distance (n,) of points (n, d) (Mahalanobis), 1 as far as the limit."""
        lengths = np.linalg.norm((points - self.mean) @ self.whitening, axis=1)
        return np.asarray(lengths.astype(np.float64) / self.limit)

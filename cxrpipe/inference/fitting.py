"""Fitting the cloud of training films, and its limit on validation films."""

import math

import numpy as np
from sklearn.covariance import ledoit_wolf
from sklearn.utils.extmath import randomized_svd

from cxrpipe.inference.cloud import Cloud
from cxrpipe.inference.network import Matrix

WIDEST, KEPT = 1024, 256  # of more numbers than these, so many directions of most variance


def fit_cloud(train: Matrix, validation: Matrix, refused: float) -> Cloud:
    """Fit a Gaussian to training films, and its limit on validation films.

    Its covariance is shrunk as far as the number of films asks for (Ledoit and Wolf, J Multivar
    Anal 2004), so that it has an inverse also where there are fewer films than numbers.

    Parameters
    ----------
    train, validation
        (n, d) each.
    refused
        Share of films like those of validation that may lie beyond the limit: on average of all
        validation sets it is no more (split conformal; Vovk et al. 2005). Of fewer than
        ``1 / refused - 1`` validation films the farthest is the limit, and one in ``n + 1`` lies
        beyond it.
    """
    mean = train.mean(axis=0)
    axes = choose_axes(train - mean)
    covariance, _ = ledoit_wolf((train - mean) @ axes, assume_centered=True)
    variances, turned = np.linalg.eigh(covariance)
    scales = np.sqrt(np.maximum(variances, np.finfo(np.float32).tiny))
    whitening = (axes @ (turned / scales)).astype(np.float32)
    distances = np.sort(np.linalg.norm((validation - mean) @ whitening, axis=1))
    place = min(math.ceil((len(distances) + 1) * (1 - refused)), len(distances))
    limit = max(float(distances[place - 1]), float(np.finfo(np.float32).tiny))
    return Cloud(mean, whitening, limit)


def choose_axes(centred: Matrix) -> Matrix:
    """Choose the axes (d, k) on which films are compared: all, or those of most variance."""
    width = centred.shape[1]
    if width <= WIDEST:
        return np.eye(width, dtype=np.float32)
    _, _, axes = randomized_svd(centred, min(KEPT, len(centred)), random_state=0)
    return np.asarray(axes.T)

"""Films as numbers that radiographs of the chest have alike, and other pictures not."""

import cv2
import numpy as np

from cxrpipe.data.films.film import Grey
from cxrpipe.inference.network import Matrix

DESCRIPTION = 1  # version of what follows: guards of another one are refused
LAYOUT = 12  # cells along each side, whose mean grey tells where is what
BANDS = 4  # of fineness, each of half the resolution of the one before
LEVELS = 8  # of the histogram
SIGMA = 1.5  # pixels of the Gaussian that parts a band from the coarser ones
TINY = 1e-8  # variances below are those of rounding


def describe_pictures(films: Grey) -> Matrix:
    """Describe films (n, side, side) as pictures: (n, 164) float32.

    Of each: mean greys of 12 x 12 cells; the logarithms of variance, kurtosis, and variance across
    by variance along of four bands of fineness; the square root of its histogram's 8 shares.
    """
    return np.stack([_describe(film) for film in films])


def find_directions(features: Matrix) -> Matrix:
    """Bring penultimate features (n, d) to length 1.

    How long they are says more of how sure a network is than of what it sees: distances between
    directions tell strange films better (Müller and Hein, ICML 2025).
    """
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(lengths, np.finfo(np.float32).tiny))


def _describe(film: Grey) -> Matrix:
    pixels: Matrix = np.divide(film, 255, dtype=np.float32)
    layout = cv2.resize(pixels, (LAYOUT, LAYOUT), interpolation=cv2.INTER_AREA)
    counts = np.bincount(film.ravel() // (256 // LEVELS), minlength=LEVELS)
    texture: list[float] = []
    for _ in range(BANDS):
        coarse = cv2.GaussianBlur(pixels, (0, 0), SIGMA)
        texture += _measure_band(pixels, np.asarray(pixels - coarse))
        side = len(coarse) // 2
        pixels = np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_AREA))
    parts = [layout.ravel(), np.array(texture), np.sqrt(counts / film.size)]
    return np.concatenate(parts).astype(np.float32)


def _measure_band(pixels: Matrix, band: Matrix) -> tuple[float, float, float]:
    """Measure one band of fineness of a film of its resolution."""
    squares = np.square(band)
    variance = float(squares.mean()) + TINY
    kurtosis = float(np.square(squares).mean()) / variance**2
    across, along = (float(np.square(np.diff(pixels, axis=axis)).mean()) for axis in (1, 0))
    return np.log(variance), np.log(kurtosis + TINY), np.log((across + TINY) / (along + TINY))

"""The second look at two films: lay one on the other, then correlate their fine structure.

The films are thumbnails of the same side. One may show a little more or less at each edge, so the
other is stretched and shifted along both axes until the correlation is greatest (enhanced
correlation, solved by inverse composition: Evangelidis and Psarakis, IEEE TPAMI 30(10), 2008,
doi:10.1109/TPAMI.2008.113; Baker and Matthews, IJCV 56(3), 2004,
doi:10.1023/B:VISI.0000011205.11775.fd).
"""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

Floats = npt.NDArray[np.float32]
Structures = npt.NDArray[np.int8]

# Structures between these widths (Gaussian sigma, as shares of the side) tell films apart: finer is
# noise and compression, coarser is the chest that everybody has. See docs/duplicates.md.
FINEST, COARSEST = 0.7 / 64, 3 / 64
MARGIN = 5 / 64  # not compared: where a crop, a border or a marker may differ
LARGEST_STRETCH, LARGEST_SHIFT = 0.25, 0.125  # of the side
BLOCK = 256  # films at a time
STEADY = 1e-3  # keeps the equations solvable on films without structure


def fine_structure(films: npt.NDArray[np.uint8]) -> Structures:
    """Keep the structures of films (n, side, side) that tell patients apart.

    Returns
    -------
    (n, side, side) int8, each film scaled to 127.
    """
    side = films.shape[1]
    fine, coarse = _blur(FINEST * side, side), _blur(COARSEST * side, side)
    structures = np.empty(films.shape, np.int8)
    for start in range(0, len(films), BLOCK):
        block = films[start : start + BLOCK].astype(np.float32)
        band = fine @ block @ fine.T - coarse @ block @ coarse.T
        band *= 127 / np.maximum(np.abs(band).max((1, 2), keepdims=True), 1)  # one grey level
        structures[start : start + BLOCK] = np.round(band)
    return structures


def _blur(sigma: float, side: int) -> Floats:
    """Return the matrix (side, side) that blurs a line by a Gaussian, its ends mirrored."""
    blur: Floats = gaussian_filter1d(np.eye(side, dtype=np.float32), sigma, axis=0)
    return blur


def align(
    moving: Structures,
    fixed: Structures,
    counterpart: npt.NDArray[np.int64],
    steps: int,
    start: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Stretch and shift films until each correlates best with its counterpart.

    Parameters
    ----------
    moving, fixed
        (n, side, side) and (m, side, side) fine structure.
    counterpart
        (n,) row in ``fixed`` of each moving film's counterpart.
    steps
        Iterations at most.
    start
        (n, 2, 2) where to begin; none: as the films lie.

    Returns
    -------
    correlation
        (n,) from -1 to 1, the best that was met, without a margin.
    position
        (n, 2, 2) for the vertical and the horizontal axis: stretch, and shift as a share of half
        the side.
    """
    side = moving.shape[1]
    inner = slice(margin := round(MARGIN * side), side - margin)
    prepared = _prepare(fixed.astype(np.float32), inner)
    target, changes, solve = (part[counterpart] for part in prepared)
    films, still = moving.astype(np.float32), np.array([1, 0], dtype=np.float32)
    position = np.tile(still, (len(films), 2, 1)) if start is None else start.copy()
    best, best_position = np.full(len(films), -1, np.float32), position.copy()
    for _ in range(steps + 1):
        rows = sampling(position[:, 0], side)[:, inner]
        columns = sampling(position[:, 1], side)[:, inner].swapaxes(1, 2)
        warped = _normalised(np.asarray(rows @ films @ columns, np.float32))
        correlation = np.einsum("nij,nij->n", warped, target)
        better = correlation > best
        best[better], best_position[better] = correlation[better], position[better]
        error = warped.reshape(len(films), -1, 1) / np.maximum(correlation, 0.2)[:, None, None]
        step = solve @ (changes @ error)
        position = _compose(position, step.reshape(-1, 2, 2))
    return best, best_position


def sampling(axis: Floats, side: int) -> Floats:
    """Return the matrices (n, side, side) that resample a line linearly.

    ``axis`` (n, 2) holds stretch and shift about the centre; beyond an edge the edge is repeated.
    """
    place = (axis[:, :1] * _centred(side) + axis[:, 1:]) * (side / 2) + (side - 1) / 2
    weights: Floats = np.clip(place, 0, side - 1)[:, :, None] - np.arange(side, dtype=np.float32)
    np.abs(weights, out=weights)
    np.subtract(1, weights, out=weights)
    return np.maximum(weights, 0, out=weights)


def _centred(side: int) -> Floats:
    """Return the places of a line's pixels, from about -1 to about 1."""
    return (np.arange(side, dtype=np.float32) - (side - 1) / 2) / (side / 2)


def _normalised(films: Floats) -> Floats:
    """Bring every film to mean 0 and length 1."""
    centred = films - films.mean((1, 2), keepdims=True)
    length = np.sqrt(np.einsum("nij,nij->n", centred, centred))
    normalised: Floats = centred / np.maximum(length, 1e-6)[:, None, None]
    return normalised


def _prepare(fixed: Floats, inner: slice) -> tuple[Floats, Floats, Floats]:
    """Return the inner part of films, how it changes with each movement, and what solves for them.

    Changes of brightness and contrast are taken out. Shapes (m, height, width), (m, 4, pixels) and
    (m, 4, 4).
    """
    m, side = fixed.shape[:2]
    down, right = (np.asarray(np.gradient(fixed, axis=axis), np.float32) for axis in (1, 2))
    moves = [down * _centred(side)[:, None], down, right * _centred(side), right]
    changes = np.stack([move[:, inner, inner] for move in moves], axis=1).reshape(m, 4, -1)
    changes *= side / 2
    changes -= changes.mean(2, keepdims=True)
    target = _normalised(fixed[:, inner, inner])
    length = np.einsum("nij,nij->n", target, fixed[:, inner, inner])
    changes /= np.maximum(np.asarray(length), 1e-6)[:, None, None]
    film = target.reshape(m, 1, -1)
    changes -= (changes @ film.swapaxes(1, 2)) * film
    normal = changes @ changes.swapaxes(1, 2)
    scale = np.asarray(np.einsum("nii->n", normal))[:, None, None]
    inverse = np.linalg.inv(normal + (STEADY * scale + 1e-6) * np.eye(4, dtype=np.float32))
    return target, changes, np.asarray(inverse, np.float32)


def _compose(position: Floats, step: Floats) -> Floats:
    """Undo a small movement of the fixed film before the present one of the moving film."""
    stretch = position[..., 0] / np.clip(1 + step[..., 0], 0.9, 1.1)
    shift = position[..., 1] - stretch * np.clip(step[..., 1], -0.1, 0.1)
    return np.stack(
        [
            np.clip(stretch, 1 - LARGEST_STRETCH, 1 + LARGEST_STRETCH),
            np.clip(shift, -2 * LARGEST_SHIFT, 2 * LARGEST_SHIFT),
        ],
        axis=-1,
    )

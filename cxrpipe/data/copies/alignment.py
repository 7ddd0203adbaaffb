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
        band *= 127 / np.maximum(np.abs(band).max((1, 2), keepdims=True), 1e-6)
        structures[start : start + BLOCK] = np.round(band)
    return structures


def _blur(sigma: float, side: int) -> Floats:
    """Return the matrix (side, side) that blurs a line by a Gaussian, its ends mirrored."""
    blur: Floats = gaussian_filter1d(np.eye(side, dtype=np.float32), sigma, axis=0)
    return blur


def align(
    moving: Structures, fixed: Structures, steps: int, start: Floats | None = None
) -> tuple[Floats, Floats]:
    """Stretch and shift films until each correlates best with its counterpart.

    Parameters
    ----------
    moving, fixed
        (n, side, side) fine structure of the first and the second film of every pair.
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
    n, side = len(moving), moving.shape[1]
    inner = slice(margin := round(MARGIN * side), side - margin)
    films, template = moving.astype(np.float32), fixed.astype(np.float32)
    target = _normalised(template[:, inner, inner])
    downhill, solve = _prepare(template, target, inner)
    still = np.array([1, 0], dtype=np.float32)
    position = np.tile(still, (n, 2, 1)) if start is None else start.copy()
    best, best_position = np.full(n, -1, np.float32), position.copy()
    for _ in range(steps + 1):
        rows, columns = sampling(position[:, 0], side)[:, inner], sampling(position[:, 1], side)
        moved = rows @ films @ columns[:, inner].transpose(0, 2, 1)
        warped = _normalised(np.asarray(moved, np.float32))
        correlation = np.einsum("nij,nij->n", warped, target)
        better = correlation > best
        best[better], best_position[better] = correlation[better], position[better]
        error = warped.reshape(n, -1) / np.maximum(correlation, 0.2)[:, None]
        step = solve @ (downhill @ error[:, :, None])
        position = _compose(position, step.reshape(n, 2, 2))
    return best, best_position


def sampling(axis: Floats, side: int) -> Floats:
    """Return the matrices (n, side, side) that resample a line linearly.

    ``axis`` (n, 2) holds stretch and shift about the centre; beyond an edge the edge is repeated.
    """
    centred = (np.arange(side, dtype=np.float32) - (side - 1) / 2) / (side / 2)
    place = (axis[:, :1] * centred + axis[:, 1:]) * (side / 2) + (side - 1) / 2
    place = np.clip(place, 0, side - 1)[:, :, None]
    weights: Floats = np.maximum(0, 1 - np.abs(place - np.arange(side, dtype=np.float32)))
    return weights


def _normalised(films: Floats) -> Floats:
    """Bring every film to mean 0 and length 1."""
    centred = films - films.mean((1, 2), keepdims=True)
    length = np.sqrt(np.einsum("nij,nij->n", centred, centred))
    normalised: Floats = centred / np.maximum(length, 1e-6)[:, None, None]
    return normalised


def _prepare(fixed: Floats, target: Floats, inner: slice) -> tuple[Floats, Floats]:
    """Return how the fixed film changes with each movement, and the inverse of the normal matrix.

    Changes of brightness and contrast are taken out. Shapes (n, 4, pixels) and (n, 4, 4).
    """
    n, side = fixed.shape[:2]
    centred = (np.arange(side, dtype=np.float32) - (side - 1) / 2) / (side / 2)
    down, right = np.gradient(fixed, axis=(1, 2))
    moves = np.stack([down * centred[:, None], down, right * centred, right], axis=1)
    changes = moves[:, :, inner, inner].reshape(n, 4, -1) * (side / 2)
    changes -= changes.mean(2, keepdims=True)
    length = np.linalg.norm(fixed[:, inner, inner].reshape(n, -1), axis=1)
    changes /= np.maximum(length, 1e-6)[:, None, None]
    film = target.reshape(n, -1, 1)
    changes -= (changes @ film) * film.transpose(0, 2, 1)
    normal = changes @ changes.transpose(0, 2, 1)
    scale = np.trace(normal, axis1=1, axis2=2)[:, None, None]
    inverse = np.linalg.inv(normal + (STEADY * scale + 1e-6) * np.eye(4, dtype=np.float32))
    return changes, inverse.astype(np.float32)


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

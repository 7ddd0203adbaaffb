"""Which films might be copies of each other: neighbours by a hash that no turn or mirror changes.

A film is reduced to the lowest frequencies of its equalised thumbnail (a discrete cosine
transform, as perceptual hashes do). A mirror image only changes signs of them, a quarter turn
exchanges the axes, a negative changes all signs; so their magnitudes, with the axes taken
together, name the film in all its positions.
"""

from typing import NamedTuple, TypeVar

import faiss
import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from cxrpipe.data.copies.signature import SIDE

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Thumbnails = npt.NDArray[np.uint8]
A = TypeVar("A", bound=np.generic)

FREQUENCIES = 16  # along each axis
LOWEST = 12  # radius of those that the hash uses
NEIGHBOURS = 20
SEARCHED_WHOLE = 20_000  # films; more are searched in clusters
CLUSTERS_SEARCHED = 24
RESEMBLANCE = 0.8  # of the frequencies, small shifts and stretches allowed for
NEGATIVE = 8  # orientation of a film whose greys are inverted
BLOCK = 2048  # films at a time


class Pairs(NamedTuple):
    """Pairs of films by row, each once.

    ``orientation`` tells what makes the second film show what the first shows: the sum of 8 for
    its negative, 4 for exchanged axes, 2 for upside down, 1 for left-right mirrored, in this order.
    """

    first: Integers
    second: Integers
    orientation: Integers


def equalise(thumbnails: Thumbnails) -> Thumbnails:
    """Spread the greys of each film (n, side, side) evenly: no gamma or window changes them."""
    equalised = np.empty_like(thumbnails)
    for film, pixels in zip(equalised, thumbnails, strict=True):
        counts = np.bincount(pixels.ravel(), minlength=256)
        ranks = (np.cumsum(counts) - counts / 2) * (255 / pixels.size)
        film[:] = np.round(ranks).astype(np.uint8)[pixels]
    return equalised


def transform(films: Thumbnails) -> Floats:
    """Return the lowest frequencies (n, 16, 16) of equalised films, the mean set to 0."""
    basis = _basis()
    spectra = np.empty((len(films), FREQUENCIES, FREQUENCIES), np.float32)
    for start in range(0, len(films), BLOCK):
        spectra[start : start + BLOCK] = basis @ films[start : start + BLOCK] @ basis.T
    spectra[:, 0, 0] = 0
    return spectra


def describe(spectra: Floats) -> Floats:
    """Reduce spectra to the hash: (n, 156) numbers that no turn, mirror or negative changes."""
    weighted = spectra * _weights(0.5, LOWEST)
    length = np.linalg.norm(weighted, axis=(1, 2), keepdims=True)
    size = np.sqrt(np.abs(weighted / np.maximum(length, 1e-6)))[:, :LOWEST, :LOWEST]
    upper = np.triu_indices(LOWEST)
    one, other = size[:, upper[0], upper[1]], size[:, upper[1], upper[0]]
    hashes = np.concatenate([one + other, np.abs(one - other)], axis=1)
    hashes -= hashes.mean(axis=0)
    hashes /= np.maximum(np.linalg.norm(hashes, axis=1, keepdims=True), 1e-6)
    return np.ascontiguousarray(hashes, dtype=np.float32)


def neighbours(hashes: Floats) -> Integers:
    """Return the rows (n, 20) of the nearest hashes of each film; itself is among them."""
    n, dimensions = hashes.shape
    count = min(NEIGHBOURS + 1, n)
    flat = faiss.IndexFlatIP(dimensions)
    if n <= SEARCHED_WHOLE:
        flat.add(hashes)
        return np.asarray(flat.search(hashes, count)[1], np.int64)
    clusters = faiss.IndexIVFFlat(flat, dimensions, round(2 * n**0.5), faiss.METRIC_INNER_PRODUCT)
    clusters.cp.niter = 8
    clusters.cp.max_points_per_centroid = 64
    clusters.train(hashes)
    clusters.add(hashes)
    clusters.nprobe = CLUSTERS_SEARCHED
    return np.asarray(clusters.search(hashes, count)[1], np.int64)


def find_candidates(films: Thumbnails) -> Pairs:
    """Pair films (n, 64, 64), equalised, whose low frequencies resemble each other."""
    if not len(films):
        return Pairs(*np.empty((3, 0), np.int64))
    spectra = transform(films)
    near = neighbours(describe(spectra))
    weighted = spectra * _weights(1, FREQUENCIES)
    weighted /= np.maximum(np.linalg.norm(weighted, axis=(1, 2), keepdims=True), 1e-6)
    found = []
    for start in range(0, len(films), BLOCK):
        block = slice(start, start + BLOCK)
        others = weighted[near[block]]
        orientation = _orient(weighted[block], others)
        alike = _resemble(spectra[block], _turn(others, orientation)) >= RESEMBLANCE
        row, column = np.nonzero(alike & (near[block] >= 0))
        found.append((row + start, near[block][row, column], orientation[row, column]))
    first, second, orientation = (np.concatenate(part) for part in zip(*found, strict=True))
    lower, upper = np.minimum(first, second), np.maximum(first, second)
    _, once = np.unique(lower * len(films) + upper, return_index=True)
    once = np.sort(once[first[once] != second[once]])  # pairs of one first film together
    return Pairs(first[once], second[once], orientation[once])


def turn(films: npt.NDArray[A], orientation: int) -> npt.NDArray[A]:
    """Lay films (n, side, side) as an orientation of ``Pairs`` says; its sign is left."""
    films = films.transpose(0, 2, 1) if orientation & 4 else films
    films = films[:, ::-1] if orientation & 2 else films
    return films[:, :, ::-1] if orientation & 1 else films


def _orient(film: Floats, others: Floats) -> Integers:
    """Return the orientation in which each other film (n, k, 16, 16) is most like the film.

    A mirror image changes the sign of the odd frequencies, so four sums tell all mirror images.
    """
    even = slice(0, None, 2), slice(1, None, 2)
    likeness = []
    for candidate in (others, others.swapaxes(2, 3)):
        ee, eo, oe, oo = (
            np.einsum("nij,nkij->nk", film[:, rows, columns], candidate[:, :, rows, columns])
            for rows in even
            for columns in even
        )
        likeness += [ee + eo + oe + oo, ee - eo + oe - oo, ee + eo - oe - oo, ee - eo - oe + oo]
    best = np.abs(likeness).argmax(axis=0)
    negative = np.take_along_axis(np.asarray(likeness), best[None], axis=0)[0] < 0
    return np.asarray(best + NEGATIVE * negative)


def _turn(others: Floats, orientation: Integers) -> Floats:
    """Turn spectra (n, k, 16, 16), each as its orientation says."""
    signs = (-1.0) ** np.arange(FREQUENCIES, dtype=np.float32)
    exchanged = (orientation & 4 > 0)[..., None, None]
    turned = np.where(exchanged, others.swapaxes(2, 3), others)
    turned *= np.where((orientation & 2 > 0)[..., None], signs, 1)[..., :, None]
    turned *= np.where((orientation & 1 > 0)[..., None], signs, 1)[..., None, :]
    return turned


def _resemble(spectra: Floats, others: Floats) -> Floats:
    """Return the cosine between other films and all that small movements make of a film.

    The movements (shift and stretch along both axes) are linear in the frequencies, as tangents
    of the film: Simard, LeCun, Denker, Victorri, LNCS 1524, 1998, doi:10.1007/3-540-49430-8_13.
    """
    shift, stretch = _movements()
    moved = [spectra, spectra @ shift.T, spectra @ stretch.T, shift @ spectra, stretch @ spectra]
    span = np.stack(moved, axis=-1) * _weights(1, FREQUENCIES)[:, :, None]
    axes, _ = np.linalg.qr(span.reshape(len(spectra), -1, len(moved)))
    flat = others.reshape(*others.shape[:2], -1)
    return np.asarray(np.linalg.norm(flat @ axes.astype(np.float32), axis=2))


def _basis() -> Floats:
    """Return the lowest rows (16, 64) of the orthonormal cosine transform (DCT-II)."""
    return np.asarray(dct(np.eye(SIDE), axis=0, norm="ortho")[:FREQUENCIES], np.float32)


def _weights(power: float, radius: int) -> Floats:
    """Weigh frequencies (16, 16) by their size, since films fall off towards higher ones."""
    along = np.arange(FREQUENCIES)
    size = np.hypot(along[:, None], along)
    return np.where(size < radius, size**power, 0).astype(np.float32)


def _movements() -> tuple[Floats, Floats]:
    """Return what shifting and stretching a line does to its frequencies: two (16, 16)."""
    basis, place = _basis(), np.linspace(-1, 1, SIDE, dtype=np.float32)
    slope = np.asarray(np.gradient(np.eye(SIDE), axis=0), np.float32)
    shift, stretch = basis @ slope @ basis.T, basis @ (place[:, None] * slope) @ basis.T
    return np.asarray(shift, np.float32), np.asarray(stretch, np.float32)

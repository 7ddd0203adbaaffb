"""Films as points of a plane: t-SNE, and UMAP where it is installed."""

import importlib
import importlib.util
import warnings
from importlib.metadata import version
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.manifold import TSNE, trustworthiness

from cxrpipe.explanation.latent.space import Floats, Space

FEWEST = 5  # films, of which a plane says anything
NEIGHBOURS_OF_UMAP = 15  # its default


class Scatter(NamedTuple):
    """Films in a plane.

    Attributes
    ----------
    places
        (n, 2).
    minded
        Neighbours that a film minds: the perplexity of t-SNE, the neighbours of UMAP.
    trustworthiness
        From 0 to 1: how few of a film's neighbours in the plane are not its neighbours in the
        space of all features (Venna and Kaski 2001).
    """

    places: Floats
    minded: float
    trustworthiness: float


def lay_tsne(space: Space, perplexity: float, n_neighbours: int, seed: int) -> Scatter | None:
    """Lay films out by t-SNE (van der Maaten and Hinton, JMLR 2008), begun with two axes.

    Of few films the perplexity is a third of them at most. None if there are fewer than 5, or all
    are at one place.
    """
    if not _can_be_laid(space):
        return None
    perplexity = min(perplexity, (len(space.coordinates) - 1) / 3)
    layout = TSNE(perplexity=perplexity, init="pca", random_state=seed % 2**32)
    return _rate(space, layout.fit_transform(space.components), perplexity, n_neighbours)


def lay_umap(space: Space, n_neighbours: int, seed: int) -> Scatter | None:
    """Lay films out by UMAP (McInnes, Healy and Melville 2018), begun with two axes.

    None if there are fewer than 5, or all are at one place, or UMAP is not installed.
    """
    umap, _ = find_umap()
    if umap is None or not _can_be_laid(space):
        return None
    minded = min(NEIGHBOURS_OF_UMAP, len(space.coordinates) - 1)
    layout = umap.UMAP(minded, init="pca", random_state=seed % 2**32, n_jobs=1)
    return _rate(space, layout.fit_transform(space.components), minded, n_neighbours)


def find_umap() -> tuple[ModuleType | None, str]:
    """Return UMAP and its version, or why it cannot be used."""
    if importlib.util.find_spec("umap") is None:
        return None, "not installed; install cxrpipe[umap]"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # TensorFlow, for what is not used here
        try:
            return importlib.import_module("umap"), version("umap-learn")
        except ImportError as error:
            return None, f"cannot be loaded ({' '.join(str(error).split())[:200]})"


def _can_be_laid(space: Space) -> bool:
    return space.varies and len(space.coordinates) >= FEWEST


def _rate(
    space: Space, places: npt.NDArray[np.floating], minded: float, n_neighbours: int
) -> Scatter:
    """Return places with their trustworthiness, of so many neighbours at most."""
    fewer = min(n_neighbours, (len(places) - 1) // 2)
    trusted = trustworthiness(space.coordinates, places, n_neighbors=fewer)
    return Scatter(places.astype(np.float64), minded, float(trusted))

"""The nearest films of every film, and how many of them show the same."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from cxrpipe.evaluation.judging.scores import known
from cxrpipe.explanation.latent.sample import Bools, Sample, Texts
from cxrpipe.explanation.latent.space import Floats, Space

Integers = npt.NDArray[np.int64]


def find_neighbours(space: Space, groups: Texts, n_neighbours: int) -> tuple[Integers, Floats]:
    """Find the nearest films of every film, nearest first, but for those of its own group.

    The films of a patient resemble each other whatever a network has learnt. Distances are
    Euclidean, in the space of all features. Films that are all alike have no neighbours.

    Returns
    -------
    Places of the neighbours, -1 where there are no more, and their distances, infinite there;
    (n, n_neighbours) each.
    """
    n_films = len(groups)
    largest = int(np.unique(groups, return_counts=True)[1].max())
    n_looked_at = min(n_films - 1, n_neighbours + largest - 1)
    found = np.full((n_films, n_neighbours), -1)
    distances = np.full((n_films, n_neighbours), np.inf)
    if n_looked_at == 0 or not space.varies:
        return found, distances
    search = NearestNeighbors(n_neighbors=n_looked_at, algorithm="brute").fit(space.coordinates)
    far, near = search.kneighbors()
    for film, (its_far, its_near) in enumerate(zip(far, near, strict=True)):
        others = np.flatnonzero(groups[its_near] != groups[film])[:n_neighbours]
        found[film, : len(others)] = its_near[others]
        distances[film, : len(others)] = its_far[others]
    return found, distances


def list_neighbours(
    found: Integers, distances: Floats, radiographs: Texts, named: Mapping[str, str]
) -> pd.DataFrame:
    """List the neighbours of every film, as ``tables.NEIGHBOURS`` promises.

    Parameters
    ----------
    named
        ``features`` and ``stage`` that they are neighbours by.
    """
    films, ranks = np.nonzero(found >= 0)
    return pd.DataFrame(
        {
            "radiograph": radiographs[films],
            **named,
            "rank": ranks + 1,
            "neighbour": radiographs[found[films, ranks]],
            "distance": distances[films, ranks],
        }
    )


def share_same(found: Integers, labels: Texts) -> Floats:
    """Return (n,) the share of a film's neighbours that have its label; NaN if it has none."""
    there = found >= 0
    same = there & (labels[found] == labels[:, None])
    return _share(same, there)


def share_by_chance(labels: Texts, groups: Texts) -> Floats:
    """Return (n,) the share of the films of other groups that have a film's label; NaN if none."""
    others = groups[:, None] != groups
    return _share(others & (labels[:, None] == labels), others)


def _share(part: Bools, whole: Bools) -> Floats:
    """Return the share of each row that is marked in a whole; NaN of an empty one."""
    n_whole = whole.sum(axis=1)
    shares = np.full(len(whole), np.nan)
    np.divide(part.sum(axis=1), n_whole, out=shares, where=n_whole > 0)
    return shares


def tell_neighbours(found: Integers, sample: Sample) -> dict[str, Any]:
    """Tell how many neighbours share the finding and the source of a film, beside chance.

    Films of several findings are not counted. A share is null where all films have one label.
    """
    counted = sample.has_one & (found >= 0).any(axis=1)
    told: dict[str, Any] = {
        "n": int(counted.sum()),
        "groups": len(set(sample.groups[counted])),
        "listed": found.shape[1],
    }
    for target in ("finding", "source"):
        labels = sample.labels(target)
        inside = counted if len(set(labels[counted])) > 1 else np.zeros_like(counted)
        chance = share_by_chance(labels, sample.groups)
        told[f"same_{target}"] = sample.estimate(share_same(found, labels), inside)
        told[f"chance_{target}"] = known(_mean(chance, inside))
    return told


def _mean(values: Floats, inside: Bools) -> float:
    return float(values[inside].mean()) if inside.any() else np.nan

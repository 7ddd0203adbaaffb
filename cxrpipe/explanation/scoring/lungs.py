"""How much of a heatmap lies inside the lungs, and what stands in for unknown lungs."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd

from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.evaluation.statistics.metrics import Floats
from cxrpipe.explanation.heatmaps import Heatmaps
from cxrpipe.explanation.scoring.estimates import NONE, Scores, count_films, estimate, take
from cxrpipe.explanation.scoring.pointing import Masks


class Ellipse(NamedTuple):
    """An ellipse on a square film; all but the angle are shares of its side."""

    x: float  # of the centre, from the film's left
    y: float  # of the centre, from above
    across: float  # half its width
    along: float  # half its length
    splay: float  # degrees by which its lower end points away from the middle


# The mean lungs of the demo's 1,147 phantoms (shares of films in which a place is lung, at least
# one half), each replaced by the ellipse of equal centre and second moments, in round numbers.
RIGHT_LUNG = Ellipse(0.28, 0.45, 0.14, 0.33, 13)  # of the patient, on the film's left
LEFT_LUNG = Ellipse(0.73, 0.43, 0.11, 0.35, 19)


def stand_in(side: int) -> Masks:
    """Return the region (side, side) that stands in for lungs that no mask tells of.

    Two ellipses, of the places and sizes above, the same on every film: they assume an upright
    frontal film that shows little but the chest. They cover 27 % of the film. Their overlap (IoU)
    with the true lungs is 0.74 on average over the phantoms and 0.57 over 16 real films of two
    collections with lung masks (tests/explanation/scoring/test_lungs.py).
    """
    return _draw(RIGHT_LUNG, side, -1) | _draw(LEFT_LUNG, side, 1)


def _draw(lung: Ellipse, side: int, outwards: int) -> Masks:
    """Return the pixels (side, side) whose centre is inside; outwards is 1 to the right."""
    centres = (np.arange(side) + 0.5) / side
    right, down = centres[None, :] - lung.x, centres[:, None] - lung.y
    angle = np.deg2rad(outwards * lung.splay)
    across = np.cos(angle) * right - np.sin(angle) * down
    along = np.sin(angle) * right + np.cos(angle) * down
    return np.asarray((across / lung.across) ** 2 + (along / lung.along) ** 2 <= 1)


def mass_inside(heatmaps: Heatmaps, regions: Masks) -> Floats:
    """Return the share (n,) of each heatmap's sum inside a region; both (n, side, side).

    NaN for a heatmap that is zero everywhere.
    """
    total = heatmaps.sum(axis=(1, 2), dtype=np.float64)
    inside = np.where(regions, heatmaps, 0).sum(axis=(1, 2), dtype=np.float64)
    nowhere = np.full(len(total), np.nan)
    return np.asarray(np.divide(inside, total, out=nowhere, where=total > 0))


def tell_lungs(judged: Judged, films: pd.DataFrame, heatmaps: Heatmaps, lungs: Masks) -> Scores:
    """Tell the share of heatmap mass inside the lungs, by where the lungs are known from.

    Parameters
    ----------
    films
        (n,) rows in the order of the test films, with ``radiograph``, ``stand_in``, and whether
        the model ``denied`` the finding that is explained.

    Returns
    -------
    For ``mask`` and ``stand_in``: films, their ``share``, and its ``chance``, the share of the
    film that the lungs cover, which a heatmap of one value everywhere would have. Films whose
    heatmap is zero have no share; they are left out and counted as ``blank``. Of the others it
    ``denied`` some.
    """
    shares, areas = mass_inside(heatmaps, lungs), lungs.mean(axis=(1, 2))
    known, stood = np.isfinite(shares), films["stand_in"].to_numpy(dtype=bool)
    denied = films["denied"].to_numpy(dtype=bool)
    return {
        name: _tell(judged, films["radiograph"][known & of], shares[known & of], areas[known & of])
        | {"blank": int((~known & of).sum()), "denied": int((known & of & denied).sum())}
        for name, of in (("mask", ~stood), ("stand_in", stood))
    }


def _tell(judged: Judged, radiographs: Collection[str], shares: Floats, areas: Floats) -> Scores:
    if not len(shares):
        return dict(NONE)
    part = take(judged, radiographs)
    return count_films(part) | {"share": estimate(part, shares), "chance": estimate(part, areas)}

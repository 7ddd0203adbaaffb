"""The pointing game: how often the strongest place of a heatmap lies on the known lesion."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.evaluation.judging.scores import mean
from cxrpipe.evaluation.statistics.metrics import Floats
from cxrpipe.explanation.heatmaps import Heatmaps
from cxrpipe.explanation.scoring.estimates import NONE, Scores, count_films, estimate, take

Masks = npt.NDArray[np.bool_]
# A finding is focal if its median lesion is at most so large beside the lungs: of those of the
# phantoms tuberculosis and lobar opacity, and neither covid nor viral pneumonia.
FOCAL = 0.25


def points_at(heatmaps: Heatmaps, lesions: Masks) -> Masks:
    """Tell for each film whether its heatmap's maximum lies inside the lesion.

    Parameters
    ----------
    heatmaps, lesions
        (n, side, side). A heatmap that is zero everywhere points at nothing.

    Returns
    -------
    (n,) bool. Source: Zhang et al. 2018, doi:10.1007/s11263-017-1059-x, without tolerance.
    """
    n, height, width = heatmaps.shape
    flat = heatmaps.reshape(n, height * width)
    peak = flat.argmax(axis=1)
    inside = lesions.reshape(flat.shape)[np.arange(n), peak]
    return np.asarray(inside & (flat.max(axis=1) > 0))


def play(heatmaps: Heatmaps, lesions: Masks, lungs: Masks) -> pd.DataFrame:
    """Play the game on films, and tell what points at random would hit.

    Parameters
    ----------
    heatmaps, lesions, lungs
        (n, side, side).

    Returns
    -------
    A row for each film: ``hit``; ``chance_film``, the share of the film that the lesion covers;
    ``chance_lungs``, the share of the lungs, 0 where there are none.
    """
    in_lungs = (lesions & lungs).sum(axis=(1, 2)) / np.maximum(lungs.sum(axis=(1, 2)), 1)
    return pd.DataFrame(
        {
            "hit": points_at(heatmaps, lesions),
            "chance_film": lesions.mean(axis=(1, 2)),
            "chance_lungs": in_lungs,
        }
    )


def list_focal(findings: Sequence[str], sizes: Floats) -> list[str]:
    """Name the findings whose median lesion is at most ``FOCAL`` times as large as the lungs.

    Parameters
    ----------
    findings
        (n,) of each film.
    sizes
        (n,) of each film's lesion, in lungs. What of it is outside the lungs counts too.
    """
    medians = pd.Series(sizes, dtype=float).groupby(list(findings)).median()
    return sorted(str(finding) for finding in medians.index[medians <= FOCAL])


def tell_pointing(judged: Judged, played: pd.DataFrame, focal: Collection[str]) -> Scores:
    """Tell hits beside chance for all films, for each finding, and for the focal ones together.

    Parameters
    ----------
    played
        A row for each film, in the order of the test films: ``radiograph``, ``finding``, what
        ``play`` returns, and ``stand_in``: whether its lungs are the stand-in.
    focal
        Of the findings.

    Returns
    -------
    ``n`` and ``groups``; ``hits`` and their ``share`` with ``low`` and ``high``; the mean chance of
    a random point of the film and of the lungs; on how many films ``stand_in`` took the place of
    the lungs. The same in ``findings`` and in ``focal``, which names its findings and the limit.
    """
    return _tell(judged, played) | {
        "findings": {str(name): _tell(judged, films) for name, films in played.groupby("finding")},
        "focal": _tell(judged, played[played["finding"].isin(list(focal))])
        | {"findings": list(focal), "limit": FOCAL},
    }


def _tell(judged: Judged, played: pd.DataFrame) -> Scores:
    if played.empty:
        return dict(NONE)
    part = take(judged, played["radiograph"])
    share = estimate(part, played["hit"].to_numpy())
    return count_films(part) | {
        "hits": int(played["hit"].sum()),
        "share": share["value"],
        "low": share["low"],
        "high": share["high"],
        "chance_film": mean(played["chance_film"]),
        "chance_lungs": mean(played["chance_lungs"]),
        "stand_in": int(played["stand_in"].sum()),
    }

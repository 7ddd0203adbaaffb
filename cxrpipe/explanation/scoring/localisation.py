"""The pointing game: how often the strongest place of a heatmap lies on the known lesion."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

Masks = npt.NDArray[np.bool_]


def points_at(heatmaps: npt.NDArray[np.float32], lesions: Masks) -> Masks:
    """Tell for each film whether its heatmap's maximum lies inside the lesion.

    Parameters
    ----------
    heatmaps, lesions
        (n, side, side). A heatmap that is zero everywhere points at nothing.

    Returns
    -------
    (n,) bool. Source: Zhang et al. 2018, doi:10.1007/s11263-017-1059-x, without tolerance.
    """
    flat = heatmaps.reshape(len(heatmaps), -1)
    peak = flat.argmax(axis=1)
    inside = lesions.reshape(len(lesions), -1)[np.arange(len(flat)), peak]
    return np.asarray(inside & (flat.max(axis=1) > 0))


def summarise(
    findings: Sequence[str], hits: Masks, lesions: Masks, lungs: Masks
) -> dict[str, object]:
    """Count hits beside what points at random would hit, for all films and per finding.

    Parameters
    ----------
    findings
        (n,) finding of each film.
    hits
        (n,) bool.
    lesions, lungs
        (n, side, side).

    Returns
    -------
    ``n``, ``hits``, ``share``, ``chance_film`` (a random point of the film) and
    ``chance_lungs`` (a random point of the lungs), and the same for each of ``findings``.
    """
    lesion_area = lesions.sum(axis=(1, 2))
    in_lungs = (lesions & lungs).sum(axis=(1, 2)) / np.maximum(lungs.sum(axis=(1, 2)), 1)
    films = pd.DataFrame(
        {
            "finding": list(findings),
            "hit": hits,
            "chance_film": lesion_area / lesions[0].size,
            "chance_lungs": in_lungs,
        }
    )
    rows = {str(finding): _counted(group) for finding, group in films.groupby("finding")}
    return _counted(films) | {"findings": rows}


def _counted(films: pd.DataFrame) -> dict[str, object]:
    return {
        "n": len(films),
        "hits": int(films["hit"].sum()),
        "share": round(float(films["hit"].mean()), 4),
        "chance_film": round(float(films["chance_film"].mean()), 4),
        "chance_lungs": round(float(films["chance_lungs"].mean()), 4),
    }

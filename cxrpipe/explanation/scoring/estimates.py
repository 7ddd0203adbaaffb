"""Means over explained films, with intervals over patients: those of all other scores of a run."""

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.evaluation.judging.telling import estimate_mean

Estimate = dict[str, float | None]
Scores = dict[str, Any]
NONE: Scores = {"n": 0}


def take(judged: Judged, radiographs: Collection[str]) -> Judged:
    """Return some of the test films, in the order that the test films have."""
    return judged.part(judged.test["radiograph"].isin(set(radiographs)).to_numpy())


def count_films(part: Judged) -> Scores:
    """Count films, and the groups that an interval is drawn from."""
    return {"n": len(part.test), "groups": int(part.test["group"].nunique())}


def estimate(part: Judged, values: npt.NDArray[Any]) -> Estimate:
    """Estimate the mean of a value (n,) that every film of a part has.

    Returns
    -------
    ``value``, ``low`` and ``high``. The samples are those that metrics have their intervals from;
    of fewer than 20 groups there is no interval.
    """
    told = estimate_mean(part, values.astype(np.float64)[None])
    return {key: told[key] for key in ("value", "low", "high")}

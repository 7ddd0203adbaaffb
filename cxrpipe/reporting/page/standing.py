"""Where the scores of heatmaps stand beside chance.

A score is above chance if its whole interval is, below if its whole interval is, and otherwise not
shown to differ. Without an interval, of fewer than 20 patients, nothing is said either way.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

from cxrpipe.evaluation.judging.judged import FEWEST_GROUPS
from cxrpipe.reporting.page.wording import Estimate

Standing = Literal["above", "below", "alike", "unknown"]
Told = Mapping[str, Any]
STAND_IN = "a geometric stand-in"


def stand(score: Estimate, chance: Estimate | float) -> Standing:
    """Tell where a score stands beside chance, or beside another score.

    Parameters
    ----------
    chance
        A number, or an estimate, which the whole interval of the score must clear: its own
        interval where it has one, else its value.
    """
    beside = chance if isinstance(chance, Mapping) else {"value": chance, "low": None, "high": None}
    low, high = score["low"], score["high"]
    if low is None or high is None or beside["value"] is None:
        return "unknown"
    lowest = beside["value"] if beside["low"] is None else beside["low"]
    highest = beside["value"] if beside["high"] is None else beside["high"]
    if low > highest:
        return "above"
    return "below" if high < lowest else "alike"


def part_of(localisation: Told, *names: str) -> Told:
    """Return a part of the scores of heatmaps; one that is not there has no film."""
    part: Told = localisation
    for name in names:
        part = part.get(name, {"n": 0})
    return part if part.get("n") else {"n": 0}


def share_of(game: Told) -> Estimate:
    """Return the share of hits of a pointing game as an estimate."""
    return {"value": game["share"], "low": game["low"], "high": game["high"]}


def bounds_of(game: Told, level: float) -> Estimate:
    """Return the share of hits with bounds to judge it by, also if all films hit, or none.

    Then no two bootstrap samples differ, and there is no interval, but the truth is not far off:
    the rule of three (Hanley and Lippman-Hand 1983, doi:10.1001/jama.1983.03330370053031) bounds
    it by -ln(1 - level) / groups, which is 3 / groups at 95 %. Of fewer than 20 groups there are no
    bounds.
    """
    share = share_of(game)
    if share["low"] is not None or game["groups"] < FEWEST_GROUPS or 0 < game["hits"] < game["n"]:
        return share
    off = min(1.0, -math.log(1 - level) / game["groups"])
    bounds = (1 - off, 1.0) if game["hits"] else (0.0, off)
    return dict(share) | dict(zip(("low", "high"), bounds, strict=True))


def chance_of(game: Told) -> float:
    """Return the better of the two chances: a random point of the film, and of the lungs."""
    return float(max(game["chance_film"], game["chance_lungs"]))


def choose_lungs(localisation: Told) -> Told:
    """Choose the score inside the lungs that decides: by masks, if these give an interval.

    Otherwise that by the stand-in, if there is one; ``by`` says which, in words.
    """
    mask, stand_in = (part_of(localisation, "lungs", name) for name in ("mask", "stand_in"))
    if stand_in["n"] and (not mask["n"] or mask["share"]["low"] is None):
        return dict(stand_in) | {"by": STAND_IN}
    return dict(mask) | {"by": "masks"}


def stand_inside(localisation: Told) -> Standing:
    """Tell where the share of mass inside the lungs stands beside the lungs' share of the film."""
    lungs = choose_lungs(localisation)
    return stand(lungs["share"], lungs["chance"]) if lungs["n"] else "unknown"

"""What the scores of heatmaps allow to say, by fixed rules in which intervals decide.

A score is above chance if its whole interval is, below if its whole interval is, and otherwise not
shown to differ. Without an interval, of fewer than 20 patients, nothing is said either way.
"""

from collections.abc import Mapping
from typing import Any, Literal

from cxrpipe.evaluation.judging.judged import FEWEST_GROUPS
from cxrpipe.reporting.page.wording import Estimate

Standing = Literal["above", "below", "alike", "unknown"]
Told = Mapping[str, Any]
# Heatmaps of random weights that are at least so similar to those of the trained ones are called
# the same: half way from no likeness to equality; a rule of thumb.
SIMILAR = 0.5
RULE_OF_THREE = 3
LESIONS = "point at lesions?"
FOCAL = "point at focal lesions?"
RANDOM = "point more often than with random weights?"
LUNGS = "keep to the lungs?"
ALTERED = "mark what the score rests on?"
LEARNT = "depend on what was learnt?"
NO_LESION = "not scored, since no rightly classified test film has such a known lesion"
NO_LUNGS = "not scored, since of no film are the lungs known"
NO_PIXELS = "not scored, since no film was altered"
NO_WEIGHTS = "not scored, since no two films have heatmaps to compare"
FEW = "not judged, since there is no interval: too few patients, or all of them score alike"
POINTING: Mapping[Standing, str] = {
    "above": "point at lesions more often than chance",
    "below": "point at lesions less often than chance",
    "alike": "are not shown to point at lesions more often than chance",
}
AGAINST: Mapping[Standing, str] = {
    "above": "point at lesions more often than those of random weights",
    "below": "point at lesions less often than those of random weights",
    "alike": "are not shown to point at lesions more often than those of random weights",
}
INSIDE: Mapping[Standing, str] = {
    "above": "keep to the lungs: the share of mass inside them is above the lungs' share of the "
    "film",
    "below": "leave the lungs: the share of mass inside them is below the lungs' share of the film",
    "alike": "are not shown to keep to the lungs: the share of mass inside them is not above the "
    "lungs' share of the film",
}
# By whether pixels of a heatmap move the score more than others when put in, when taken away.
MARKED: Mapping[tuple[bool, bool], str] = {
    (True, True): "mark pixels that move the score more than pixels at random, put in or taken "
    "away",
    (True, False): "mark pixels that raise the score more than pixels at random when put in; for "
    "taking away that is not shown",
    (False, True): "mark pixels that lower the score more than pixels at random when taken away; "
    "for putting in that is not shown",
    (False, False): "are not shown to mark pixels that the score rests on",
}
CHANGED = "with random weights they are"


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


def bounds_of(game: Told) -> Estimate:
    """Return the share of hits with bounds to judge it by, also if all films hit, or none.

    Then no two bootstrap samples differ, and there is no interval, but the truth is not far off:
    the rule of three (Hanley and Lippman-Hand 1983, doi:10.1001/jama.1983.03330370053031) bounds
    it with 95 % by 3 / groups. Of fewer than 20 groups there are no bounds.
    """
    share = share_of(game)
    if share["low"] is not None or game["groups"] < FEWEST_GROUPS or 0 < game["hits"] < game["n"]:
        return share
    off = RULE_OF_THREE / game["groups"]
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
        return dict(stand_in) | {"by": "a geometric stand-in"}
    return dict(mask) | {"by": "masks"}


def judge_pointing(localisation: Told, *part: str) -> str:
    """Say whether heatmaps point at lesions, or at those of a part, more often than chance."""
    game = part_of(localisation, *part)
    if not game["n"]:
        return NO_LESION
    standing = stand(bounds_of(game), chance_of(game))
    return FEW if standing == "unknown" else POINTING[standing]


def judge_against_random(localisation: Told) -> str:
    """Say whether heatmaps point at lesions more often than those of random weights."""
    game, other = part_of(localisation), part_of(localisation, "randomised", "pointing")
    if not (game["n"] and other["n"]):
        return NO_WEIGHTS if game["n"] else NO_LESION
    beside = bounds_of(other)
    standing = stand(bounds_of(game), beside)
    return FEW if standing == "unknown" or beside["low"] is None else AGAINST[standing]


def stand_inside(localisation: Told) -> Standing:
    """Tell where the share of mass inside the lungs stands beside the lungs' share of the film."""
    lungs = choose_lungs(localisation)
    return stand(lungs["share"], lungs["chance"]) if lungs["n"] else "unknown"


def judge_lungs(localisation: Told) -> str:
    """Say whether heatmaps keep to the lungs."""
    if not choose_lungs(localisation)["n"]:
        return NO_LUNGS
    standing = stand_inside(localisation)
    return FEW if standing == "unknown" else INSIDE[standing]


def judge_altered(localisation: Told) -> str:
    """Say whether a heatmap's pixels move the score more than pixels at random do."""
    altered = part_of(localisation, "altered")
    if not altered["n"]:
        return NO_PIXELS
    inserted, deleted = (
        stand(altered[name]["area"], altered[name]["chance"]) for name in ("insertion", "deletion")
    )
    if "unknown" in (inserted, deleted):
        return FEW
    return MARKED[inserted == "above", deleted == "below"]


def judge_learnt(localisation: Told) -> str:
    """Say whether heatmaps depend on what the model learnt (Adebayo et al. 2018)."""
    randomised = part_of(localisation, "randomised")
    if not (randomised["n"] and randomised["stages"]):
        return NO_WEIGHTS
    last = randomised["stages"][-1]["similarity"]
    standing = stand(last, randomised["similarity_chance"])
    if standing == "unknown":
        return FEW
    if last["low"] > SIMILAR:
        return f"do not depend on what was learnt: {CHANGED} much the same"
    if standing == "above":
        return f"depend only in part on what was learnt: {CHANGED} more alike than of two films"
    return f"depend on what was learnt: {CHANGED} no more alike than of two films"


def judge_heatmaps(localisation: Told) -> dict[str, str]:
    """Return the verdicts on the heatmaps of one model, by what is asked."""
    return {
        LESIONS: judge_pointing(localisation),
        FOCAL: judge_pointing(localisation, "focal"),
        RANDOM: judge_against_random(localisation),
        LUNGS: judge_lungs(localisation),
        ALTERED: judge_altered(localisation),
        LEARNT: judge_learnt(localisation),
    }

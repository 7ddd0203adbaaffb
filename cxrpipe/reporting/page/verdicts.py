"""What the scores of heatmaps allow to say, by fixed rules in which intervals decide."""

from collections.abc import Mapping
from typing import NamedTuple

from cxrpipe.reporting.page.standing import (
    STAND_IN,
    Standing,
    Told,
    bounds_of,
    chance_of,
    choose_lungs,
    part_of,
    stand,
    stand_inside,
)
from cxrpipe.reporting.page.wording import say_list, say_share

# Similarity of heatmaps of random weights to those of the trained ones, from which on they are
# called the same, and below which hardly alike: half way and a quarter of the way from no likeness
# to equality; rules of thumb.
SIMILAR = 0.5
UNLIKE = 0.25
MOST = 0.5  # of the mass: with more inside, heatmaps keep to the lungs


class Verdict(NamedTuple):
    """What is said of heatmaps, in the cell of a table and in a sentence that they begin."""

    cell: str
    said: str


LESIONS = "point at lesions?"
FOCAL = "point at focal lesions?"
RANDOM = "point more often than with random weights?"
LUNGS = "favour the lungs?"
ALTERED = "mark what the score rests on?"
LEARNT = "depend on what was learnt?"
NOT_SCORED = "not scored"
NO_LESION = Verdict(NOT_SCORED, "not scored, since no film of the game has such a known lesion")
NO_LUNGS = Verdict(NOT_SCORED, "not scored, since of no film are the lungs known")
NO_PIXELS = Verdict(NOT_SCORED, "not scored, since no film was altered")
NO_WEIGHTS = Verdict(NOT_SCORED, "not scored, since no two films have heatmaps to compare")
FEW = Verdict(
    "not judged",
    "not judged, since there is no interval: too few patients, or all of them score alike",
)
POINTING: Mapping[Standing, Verdict] = {
    "above": Verdict("yes", "point at lesions more often than chance"),
    "below": Verdict("no, less often", "point at lesions less often than chance"),
    "alike": Verdict("not shown", "are not shown to point at lesions more often than chance"),
    "unknown": FEW,
}
AGAINST: Mapping[Standing, Verdict] = {
    "above": Verdict("yes", "point at lesions more often than those of random weights"),
    "below": Verdict("no, less often", "point at lesions less often than those of random weights"),
    "alike": Verdict(
        "not shown",
        "are not shown to point at lesions more often than those of random weights",
    ),
    "unknown": FEW,
}
KEPT = Verdict(
    "yes, {outside} outside", "keep to the lungs, by {by}: most mass is inside, {outside} outside"
)
INSIDE: Mapping[Standing, Verdict] = {
    "above": Verdict(
        "yes, {outside} outside",
        "favour the lungs, by {by}: more mass is inside than of a uniform map, {outside} outside",
    ),
    "below": Verdict(
        "no, {outside} outside",
        "leave the lungs, by {by}: less mass is inside than of a uniform map, {outside} outside",
    ),
    "alike": Verdict(
        "not shown",
        "are not shown to favour the lungs, by {by}: the mass inside is not shown to differ from "
        "that of a uniform map",
    ),
    "unknown": FEW,
}
WAYS = {"insertion": "put in", "deletion": "taken away"}
BETTER: Mapping[str, Standing] = {"insertion": "above", "deletion": "below"}
UNMARKED = Verdict("not shown", "are not shown to mark pixels that the score rests on")
MORE = "mark pixels that move the score more than pixels at random when {better}"
WRONG = "mark the wrong pixels: pixels at random move the score more when {worse}"
CHANGED = "with random weights they are"
SAME = Verdict("no", f"do not depend on what was learnt: {CHANGED} much the same")
IN_PART = Verdict(
    "in part", f"depend only in part on what was learnt: {CHANGED} more alike than of two films"
)
DEPEND = Verdict("yes", f"depend on what was learnt: {CHANGED} hardly alike")
UNDECIDED = Verdict(
    "not shown",
    f"are not shown to depend on what was learnt: {CHANGED} not shown to be more alike than of two "
    "films, nor to be unlike",
)


def judge_pointing(localisation: Told, level: float, *part: str) -> Verdict:
    """Judge whether heatmaps point at lesions, or at those of a part, more often than chance."""
    game = part_of(localisation, *part)
    if not game["n"]:
        return NO_LESION
    return POINTING[stand(bounds_of(game, level), chance_of(game))]


def judge_against_random(localisation: Told, level: float) -> Verdict:
    """Judge whether heatmaps point at lesions more often than those of random weights."""
    game, other = part_of(localisation), part_of(localisation, "randomised", "pointing")
    if not (game["n"] and other["n"]):
        return NO_WEIGHTS if game["n"] else NO_LESION
    beside = bounds_of(other, level)
    return FEW if beside["low"] is None else AGAINST[stand(bounds_of(game, level), beside)]


def judge_lungs(localisation: Told) -> Verdict:
    """Judge whether heatmaps favour the lungs, and whether they keep to them; by what lungs."""
    lungs, standing = choose_lungs(localisation), stand_inside(localisation)
    if not lungs["n"]:
        return NO_LUNGS
    share = lungs["share"]
    keeps = standing == "above" and share["low"] > MOST
    outside = say_share(None if share["value"] is None else 1 - share["value"])
    cell, said = KEPT if keeps else INSIDE[standing]
    if lungs["by"] == STAND_IN and standing != "unknown":
        cell += ", by a stand-in"
    return Verdict(cell.format(outside=outside), said.format(outside=outside, by=lungs["by"]))


def judge_altered(localisation: Told) -> Verdict:
    """Judge whether a heatmap's pixels move the score more than pixels at random do."""
    altered = part_of(localisation, "altered")
    if not altered["n"]:
        return NO_PIXELS
    stood = {name: stand(altered[name]["area"], altered[name]["chance"]) for name in WAYS}
    if "unknown" in stood.values():
        return FEW
    better = [WAYS[name] for name in WAYS if stood[name] == BETTER[name]]
    worse = [WAYS[name] for name in WAYS if stood[name] not in (BETTER[name], "alike")]
    if not better:
        return Verdict("no", WRONG.format(worse=say_list(worse))) if worse else UNMARKED
    said = MORE.format(better=say_list(better))
    if len(better) == len(WAYS):
        return Verdict("yes", said)
    (other,) = set(WAYS.values()) - set(better)
    rest = "they move it less" if worse else "that is not shown"
    return Verdict("in part", f"{said}; when {other} {rest}")


def judge_learnt(localisation: Told) -> Verdict:
    """Judge whether heatmaps depend on what the model learnt (Adebayo et al. 2018)."""
    randomised = part_of(localisation, "randomised")
    if not (randomised["n"] and randomised["stages"]):
        return NO_WEIGHTS
    last = randomised["stages"][-1]["similarity"]
    standing = stand(last, randomised["similarity_chance"])
    if standing == "unknown":
        return FEW
    if standing == "above":
        return SAME if last["low"] > SIMILAR else IN_PART
    return DEPEND if last["high"] < UNLIKE else UNDECIDED


def judge_heatmaps(localisation: Told, level: float) -> dict[str, Verdict]:
    """Return the verdicts on the heatmaps of one model, by what is asked.

    Parameters
    ----------
    level
        Of all intervals, from 0 to 1.
    """
    return {
        LESIONS: judge_pointing(localisation, level),
        FOCAL: judge_pointing(localisation, level, "focal"),
        RANDOM: judge_against_random(localisation, level),
        LUNGS: judge_lungs(localisation),
        ALTERED: judge_altered(localisation),
        LEARNT: judge_learnt(localisation),
    }

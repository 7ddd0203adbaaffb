"""The two checks that ask the network itself: altered films, and weights out of order."""

from dataclasses import replace

import numpy as np

from cxrpipe.config import Localise
from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.explanation.scoring.alteration import rank_pixels, tell_altered, trace
from cxrpipe.explanation.scoring.cells import count_cells, draw_cells
from cxrpipe.explanation.scoring.choosing import draw_said
from cxrpipe.explanation.scoring.estimates import NONE, Scores, count_films, estimate, take
from cxrpipe.explanation.scoring.explained import Explained, Explainer
from cxrpipe.explanation.scoring.known import Known
from cxrpipe.explanation.scoring.pointing import tell_pointing
from cxrpipe.explanation.scoring.randomisation import randomise, resemble
from cxrpipe.runtime import derive_seed

MOST_RANDOMISED = 40  # films whose heatmaps are drawn anew after every stage


def score_altered(
    explainer: Explainer, judged: Judged, scored: Explained, settings: Localise, seed: int
) -> Scores:
    """Score insertion and deletion on some of the films, beside random cells of the same size."""
    drawn = draw_said(scored.films, settings.altered, seed)
    part = scored.part(list(drawn["radiograph"]))
    if not len(part):
        return dict(NONE)
    classifier, layer = explainer.classifier, explainer.layer
    side = part.grey.shape[-1]
    cells = count_cells(classifier, layer, side)
    offset = explainer.offset
    random = draw_cells(len(part), cells, side, offset, derive_seed(seed, "cells"))
    shares = np.linspace(0, 1, settings.steps + 1)
    kind, places = explainer.task.kind, explainer.places(part.films)
    traced, by_chance = (
        trace(classifier, kind, part.grey, places, ranks, shares, explainer.device)
        for ranks in (rank_pixels(part.heatmaps, random), rank_pixels(random, random))
    )
    return {"denied": part.n_denied} | tell_altered(
        judged, list(part.films["radiograph"]), traced, by_chance, shares
    )


def score_randomised(
    explainer: Explainer,
    judged: Judged,
    scored: Explained,
    pointing: Explained,
    known: Known,
    focal: list[str],
    seed: int,
) -> Scores:
    """Score how heatmaps change while the weights go out of order, from the head down.

    Parameters
    ----------
    scored
        Films whose heatmaps are compared, ``MOST_RANDOMISED`` of them at most, and none whose
        heatmap is zero.
    pointing
        Films that the pointing game is played on once all weights are out of order.

    Returns
    -------
    Films compared, and of how many the model ``denied`` what is explained; after each of the
    ``stages`` the ``similarity`` with the heatmaps of the trained weights; ``similarity_chance``,
    that of a film's heatmap with the next film's; and the ``pointing`` game. Intervals are over
    patients: that the weights could have come into another order, with other heatmaps, is not in
    them.
    """
    shown = scored.films[scored.heatmaps.max(axis=(1, 2)) > 0]
    drawn = draw_said(shown, MOST_RANDOMISED, seed)
    part = scored.part(list(drawn["radiograph"]))
    if len(part) < 2:  # no other film to compare with
        return NONE | {"stages": [], "pointing": dict(NONE)}
    films = take(judged, part.films["radiograph"])
    stages = []
    for stage, copy in randomise(explainer.classifier, part.grey, seed, explainer.device):
        other = replace(explainer, classifier=copy)
        similarity = resemble(other.draw(part.films, part.grey), part.heatmaps)
        stages.append({"layer": stage.layer, "similarity": estimate(films, similarity)})
    played = known.play(pointing.films, other.draw(pointing.films, pointing.grey))
    others = np.roll(part.heatmaps, 1, axis=0)
    return count_films(films) | {
        "denied": part.n_denied,
        "stages": stages,
        "pointing": tell_pointing(judged, played, focal),
        "similarity_chance": estimate(films, resemble(part.heatmaps, others)),
    }

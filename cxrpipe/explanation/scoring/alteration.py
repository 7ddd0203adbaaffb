"""Insertion and deletion: what a classifier says of films that show only what a heatmap marks."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from cxrpipe.data.films.film import Grey
from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.evaluation.judging.scores import mean
from cxrpipe.evaluation.statistics.metrics import Floats, Integers, probabilities
from cxrpipe.explanation.heatmaps import Heatmaps
from cxrpipe.explanation.scoring.estimates import NONE, Scores, count_films, estimate, take
from cxrpipe.models.device import autocast, fit_batch, most_at_once
from cxrpipe.models.zoo import Classifier
from cxrpipe.runtime import progress

Films = npt.NDArray[np.float32]


def rank_pixels(heatmaps: Heatmaps, among_equals: Heatmaps) -> Integers:
    """Rank the pixels of each heatmap (n, side, side): 0 is the hottest.

    Pixels of one value, as where a heatmap is zero, follow ``among_equals`` (n, side, side), so
    that a heatmap that is zero everywhere fares as chance does.
    """
    flat, other = (-maps.reshape(len(maps), -1) for maps in (heatmaps, among_equals))
    order = np.lexsort((other, flat), axis=-1)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(order.shape[-1])[None], axis=-1)
    return np.asarray(ranks.reshape(heatmaps.shape), dtype=np.int64)


def alter(film: Grey, ranks: Integers, shares: Floats, blank: float) -> Films:
    """Show only the hottest pixels of a film (side, side), then all but the hottest.

    Parameters
    ----------
    ranks
        (side, side) of its pixels.
    shares
        (n_shares,) of the film that is shown, and then hidden.
    blank
        Grey level that stands where the film is hidden.

    Returns
    -------
    (2, n_shares, side, side): insertion and deletion.
    """
    hot = ranks < np.rint(shares * film.size)[:, None, None]
    pair = [np.where(hot, film, np.float32(blank)), np.where(hot, np.float32(blank), film)]
    return np.stack(pair).astype(np.float32)


@torch.inference_mode()
def say(
    classifier: Classifier, films: Films, finding: int, kind: str, device: torch.device
) -> Floats:
    """Return the probability (n,) of one finding on films (n, side, side).

    In bfloat16 where the device computes it natively: to about two digits, in half the time.
    """
    n_at_once = fit_batch(most_at_once(device), films.shape[-1])
    parts = torch.split(torch.from_numpy(films).unsqueeze(1), n_at_once)
    with autocast(device, "auto"):
        logits = torch.cat([classifier(part.to(device)).cpu() for part in parts])
    return np.asarray(probabilities(logits.double().numpy(), kind)[:, finding])


def trace(
    classifier: Classifier,
    kind: str,
    grey: Grey,
    findings: Sequence[int],
    ranks: Integers,
    shares: Floats,
    device: torch.device,
) -> Floats:
    """Trace the probability of each film's class while pixels are inserted, and deleted.

    Petsiuk et al. 2018, arXiv:1806.07421, section 4.2. What is hidden is the mean grey of the
    training films, which the classifier's normalisation makes zero: nothing, to the network. Black
    is not neutral on a radiograph, since it is air, or the film beyond the collimator, as white is
    metal; and blur, with which they insert, leaves a large opacity where it is.

    Parameters
    ----------
    grey, ranks
        (n, side, side).
    findings
        (n,) place of the class.
    shares
        (n_shares,) rising from 0 to 1.

    Returns
    -------
    (n, 2, n_shares): insertion and deletion.
    """
    classifier = classifier.to(device)
    blank = 255 * classifier.mean
    traced = []
    films = zip(grey, ranks, findings, strict=True)
    for film, order, finding in progress(films, len(grey), "films altered"):
        # The first film of insertion is the last of deletion, and the other way round.
        inserted, deleted = alter(film, order, shares, blank)
        said = say(classifier, np.concatenate([inserted, deleted[1:-1]]), finding, kind, device)
        first, last = said[[0]], said[[len(shares) - 1]]
        inner = said[len(shares) :]
        traced.append([said[: len(shares)], np.concatenate([last, inner, first])])
    return np.array(traced).reshape(len(grey), 2, len(shares))


def area(curves: Floats, shares: Floats) -> Floats:
    """Return the area (...) under curves (..., n_shares), by trapezia; from 0 to 1."""
    return np.asarray(np.trapezoid(curves, shares, axis=-1))


def tell_altered(
    judged: Judged, radiographs: Sequence[str], traced: Floats, by_chance: Floats, shares: Floats
) -> Scores:
    """Tell the mean curves of insertion and deletion, and their areas, beside chance.

    Parameters
    ----------
    radiographs
        (n,) in the order of the test films.
    traced, by_chance
        (n, 2, n_shares) by the heatmaps, and by random cells.
    """
    if not len(radiographs):
        return dict(NONE)
    part = take(judged, radiographs)
    told = count_films(part) | {"shares": [mean([share]) for share in shares]}
    for place, name in enumerate(("insertion", "deletion")):
        by_heatmap, random = traced[:, place], by_chance[:, place]
        told[name] = {
            "curve": [mean(column) for column in by_heatmap.T],
            "chance_curve": [mean(column) for column in random.T],
            "area": estimate(part, area(by_heatmap, shares)),
            "chance": estimate(part, area(random, shares)),
        }
    return told

"""Linear probes: what can be read from features by a straight line (Alain and Bengio 2017).

What can be told from the features of a trained network it may have used; that it has, is not said.
If the source can be told, the network could tell collections apart in place of findings. Intervals
are over the patients that are judged, the fitted probes being as they are.
"""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from cxrpipe.evaluation.judging.scores import known
from cxrpipe.explanation.latent.sample import Sample, Texts
from cxrpipe.explanation.latent.space import Floats, Space, learn_scale

FOLDS = 5
FEWEST_OF_LABEL = 2  # groups
SEVERAL = 2  # labels, at least, that something can be told of
OTHER = {"finding": "source", "source": "finding"}


def tell_probe(space: Space, sample: Sample, target: str) -> dict[str, Any]:
    """Tell how well a linear probe reads the finding or the source of films from their features.

    Parameters
    ----------
    target
        ``finding`` or ``source``.

    Returns
    -------
    ``n`` films and ``groups``; ``labels`` that are told apart: those of two groups or more, films
    of several findings left out; ``accuracy`` over films that the probe was not fitted on, nor any
    of their group; ``chance``, that of always naming the most frequent label; and
    ``from_source`` or ``from_finding``, that of naming the most frequent label among the films of
    the same source or finding: what the way the films were collected gives away. If fewer than
    two labels are left, or all features are constant, ``n`` is 0 and they are null.
    """
    labels, other = sample.labels(target), sample.labels(OTHER[target])
    inside = sample.has_one & np.isin(labels, common_labels(labels, sample))
    can_be_told = space.varies and len(set(labels[inside])) > 1
    if not can_be_told:
        inside = np.zeros_like(inside)
    wanted, groups = labels[inside], sample.groups[inside]
    right = np.zeros(len(labels))
    if can_be_told:
        predicted = cross_validate(space.features[inside], wanted, groups, space.standardised)
        right[inside] = predicted == wanted
    return {
        "n": len(wanted),
        "groups": len(set(groups)),
        "labels": sorted(set(wanted.tolist())),
        "accuracy": sample.estimate(right, inside),
        "chance": known(guess_by(np.zeros_like(wanted), wanted)),
        f"from_{OTHER[target]}": known(guess_by(other[inside], wanted)),
    }


def common_labels(labels: Texts, sample: Sample) -> list[str]:
    """List the labels that films of two groups or more have, of those with one finding or none."""
    pairs = {
        (label, group)
        for label, group, counts in zip(labels, sample.groups, sample.has_one, strict=True)
        if counts
    }
    names, n_groups = np.unique([label for label, _ in pairs], return_counts=True)
    return [str(name) for name in names[n_groups >= FEWEST_OF_LABEL]]


def associate(sample: Sample) -> float:
    """Return how far finding and source of films determine each other, from 0 to 1.

    Cramer's V with its bias taken away (Bergsma 2013, doi:10.1016/j.jkss.2012.10.002), so that few
    films of labels by chance are near 0. It is over films whose finding and source two groups or
    more have, films of several findings left out; NaN if fewer than two of either are left.
    """
    findings, sources = (sample.labels(target) for target in OTHER)
    inside = sample.has_one
    for labels in (findings, sources):
        inside = inside & np.isin(labels, common_labels(labels, sample))
    counts = pd.crosstab(findings[inside], sources[inside]).to_numpy(dtype=float)
    n, sides = counts.sum(), np.array(counts.shape)
    if min(sides) < SEVERAL or n <= max(sides):
        return np.nan
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / n
    mean_square = ((counts - expected) ** 2 / expected).sum() / n
    unbiased = max(0.0, mean_square - np.prod(sides - 1) / (n - 1))
    return float(np.sqrt(unbiased / min(sides - 1 - (sides - 1) ** 2 / (n - 1))))


def cross_validate(features: Floats, labels: Texts, groups: Texts, standardise: bool) -> Texts:
    """Predict (n,) the label of every film by a logistic regression fitted on other groups.

    Folds are of whole groups, and have the labels in equal shares as far as these allow: five, or
    as many as the rarest label has groups.

    Parameters
    ----------
    features
        (n, d). An L2 penalty of C = 1 is on all but the intercepts.
    labels
        (n,), at least two, each of two groups or more.
    standardise
        Divide features by their standard deviations, those over the films that are fitted on.
    """
    n_groups = [len(set(groups[labels == label])) for label in np.unique(labels)]
    folds = StratifiedGroupKFold(min(FOLDS, *n_groups)).split(features, labels, groups)
    predicted = np.empty_like(labels)
    for fitted, held_out in folds:
        parts = _place(features[fitted], features[held_out], standardise)
        predicted[held_out] = _fit_and_predict(parts[0], labels[fitted], parts[1])
    return predicted


def _place(features: Floats, others: Floats, standardise: bool) -> tuple[Floats, Floats]:
    """Bring films to fit on, and others, into the space that those to fit on span.

    Weights under an L2 penalty lie in it, so that a probe of more features than films is the same
    there, and is found sooner.
    """
    scale = learn_scale(features, standardise=standardise)
    placed = scale.place(features), scale.place(others)
    if placed[0].shape[1] <= len(features):
        return placed
    axes, _ = np.linalg.qr(placed[0].T)
    return placed[0] @ axes, placed[1] @ axes


def _fit_and_predict(features: Floats, labels: Texts, others: Floats) -> Texts | str:
    """Predict the labels of other films; the most frequent one, if there is nothing to fit."""
    names, times = np.unique(labels, return_counts=True)
    if len(names) == 1 or not features.size:
        return str(names[times.argmax()])
    probe = LogisticRegression(max_iter=10_000).fit(features, labels)
    predicted: Texts = probe.predict(others)
    return predicted


def guess_by(known_labels: Texts, labels: Texts) -> float:
    """Return the share of films whose label is the most frequent one among their likes.

    Parameters
    ----------
    known_labels
        (n,) what is known of every film; films of the same are alike.
    labels
        (n,) what is guessed; NaN if there are none.
    """
    if not len(labels):
        return np.nan
    together = pd.crosstab(known_labels, labels).to_numpy()
    return float(together.max(axis=1).sum() / len(labels))

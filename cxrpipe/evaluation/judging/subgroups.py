"""The scores of a model in parts of the test films: by source, view, sex and age."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.evaluation.judging.scores import Scores, average_draws, estimate, measure_folds
from cxrpipe.evaluation.statistics.metrics import Floats

UNKNOWN = "unknown"
TOLD = (("accuracy",), ("macro", "f1"), ("macro", "auc"))


def describe_films(films: pd.DataFrame, index: pd.DataFrame, ages: Sequence[int]) -> pd.DataFrame:
    """Return for every film the part that it belongs to, of each kind of parts.

    Parameters
    ----------
    films
        With ``radiograph`` and ``source``.
    index
        As ``tables.INDEX`` promises.
    ages
        Years at which a band of ages begins; a first one begins at 0.

    Returns
    -------
    ``source``, ``view``, ``sex`` and ``age`` in the order of the films; ``unknown`` where the
    index does not know.
    """
    known = index.set_index("radiograph").loc[films["radiograph"]]
    parts = known[["view", "sex"]].assign(age=name_bands(known["age"], ages))
    parts = parts.mask(parts == "", UNKNOWN).set_axis(films.index)
    return parts.assign(source=films["source"])[["source", "view", "sex", "age"]]


def name_bands(ages: "pd.Series[float]", begins: Sequence[int]) -> "pd.Series[str]":
    """Name the band of every age in years, such as ``18-39``; empty where it is not known."""
    starts = sorted({0, *begins})
    ends = [f"-{end - 1}" for end in starts[1:]]
    names = [f"{start}{end}" for start, end in zip(starts, [*ends, " and over"], strict=True)]
    bands = pd.cut(ages, [*starts, np.inf], right=False, labels=names)
    return bands.astype("str").where(ages.notna(), "")


def list_parts(values: "pd.Series[str]", *, sort: bool) -> list[str]:
    """List the parts that films belong to, ``unknown`` the last."""
    found = [value for value in pd.unique(values) if value != UNKNOWN]
    ordered = sorted(found, key=_by_number) if sort else found
    return ordered + [UNKNOWN] * bool((values == UNKNOWN).any())


def _by_number(name: str) -> tuple[float, str]:
    """Order bands of ages by their years, and other names as text."""
    start = name.split("-")[0].split(" ")[0]
    return (float(start) if start.isdigit() else np.inf, name)


def score_parts(
    judged: Judged, logits: Floats, parts: pd.DataFrame, held_out: Sequence[str]
) -> Mapping[str, Mapping[str, Scores]]:
    """Score a model in every part of the test films, with intervals.

    Parameters
    ----------
    logits
        (n_folds, n, n_findings) of the test films.
    parts
        As ``describe_films`` returns them.
    held_out
        Sources that the model did not learn from.

    Returns
    -------
    Kind of parts: part: ``n``, ``groups``, ``n_findings`` that its films show, accuracy and macro
    scores; of sources, whether they were held out. Of ``single``, a part of one finding has no
    macro score: its precision is 1, whatever a model says.
    """
    scored: dict[str, dict[str, Scores]] = {}
    for kind in map(str, parts):
        scored[kind] = {}
        for part in list_parts(parts[kind], sort=kind == "age"):
            inside = (parts[kind] == part).to_numpy()
            known = {"held_out": part in held_out} if kind == "source" else {}
            scored[kind][part] = known | _score_part(judged.part(inside), logits[:, inside])
    return scored


def _score_part(part: Judged, logits: Floats) -> Scores:
    values = measure_folds(part.true, logits, part.task)
    draws = average_draws(measure_folds(part.true, logits, part.task, part.weights))
    accuracy, f1, auc = (
        estimate([float(fold[place][0]) for fold in values], draws[place], part.level)
        for place in TOLD
    )
    n_findings = int(part.shown.any(axis=0).sum())
    if part.task.kind == "single" and n_findings < 2:
        f1 = auc = dict.fromkeys(accuracy)
    return {
        "n": len(part.test),
        "groups": len(set(part.groups)),
        "n_findings": n_findings,
        "accuracy": accuracy,
        "macro": {"f1": f1, "auc": auc},
    }

"""Which models of a task differ on the test films, in short."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from cxrpipe.reporting.page.comparisons import error_rate
from cxrpipe.reporting.page.wording import say_count, say_difference, say_p

TESTED = {"accuracy": "accuracy", "macro_auc": "macro AUC"}
COLUMNS = ["better", "worse", "score", "difference", "p, adjusted"]


def list_differences(metrics: Mapping[str, Any], name: str) -> pd.DataFrame:
    """List the pairs of models of a task that differ, and in which score.

    Returns
    -------
    ``COLUMNS`` as people read them: the difference, better minus worse, with its interval, and p
    adjusted for all pairs of the task and both scores together.
    """
    error = error_rate(metrics["bootstrap"]["level"])
    rows = []
    for pair, score, found in _tests(metrics["tasks"][name]):
        if found["p_adjusted"] is not None and found["p_adjusted"] < error:
            better, worse, found = _turn(pair, found)
            said = (TESTED[score], say_difference(found), say_p(found["p_adjusted"]))
            rows.append((better, worse, *said))
    return pd.DataFrame(rows, columns=COLUMNS, dtype="str")


def sum_up_differences(metrics: Mapping[str, Any], name: str) -> str:
    """Say how many pairs of models of a task were compared, how, and whether any differ."""
    pairs = metrics["tasks"][name]["comparisons"]
    error = error_rate(metrics["bootstrap"]["level"])
    said = (
        f"{say_count(len(pairs), 'pair')} of models compared on the same test films, in accuracy "
        "(McNemar) and macro AUC (DeLong), with films of one patient counted together; p adjusted "
        "for all pairs and both scores together (Holm)."
    )
    unknown = sum(found["p_adjusted"] is None for _, _, found in _tests(metrics["tasks"][name]))
    if unknown:
        said += f" {say_count(unknown, 'test')} of {2 * len(pairs)} not estimable."
    if len(list_differences(metrics, name)):
        return f"{said} Those that differ (p < {error:.2g}):"
    return f"{said} No pair differs (p < {error:.2g}), which does not show that they are equal."


def _tests(task: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str, Mapping[str, Any]]]:
    """Yield every pair of models, score and difference."""
    for pair in task["comparisons"]:
        for score in TESTED:
            yield pair, score, pair[score]


def _turn(
    pair: Mapping[str, Any], found: Mapping[str, Any]
) -> tuple[str, str, Mapping[str, float | None]]:
    """Put the better model first."""
    first, second = pair["first"], pair["second"]
    if found["difference"] >= 0:
        return first, second, found
    low, high = (None if found[key] is None else -found[key] for key in ("high", "low"))
    return (
        second,
        first,
        {"difference": -found["difference"], "low": low, "high": high}
        | {"p_adjusted": found["p_adjusted"]},
    )

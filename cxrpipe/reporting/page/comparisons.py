"""Which models differ, and whether models that answer together are better than the best one."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxrpipe.reporting.page.blocks import Block, Table, Words
from cxrpipe.reporting.page.wording import (
    NOT_ESTIMABLE,
    every_null,
    say_difference,
    say_interval,
    say_list,
    say_p,
)

Comparison = Mapping[str, Any]
TESTED = ("accuracy", "macro_auc")
HOW = (
    "Differences are first minus second. Accuracy is compared by McNemar's test and AUC by "
    "DeLong's, both in their forms for several films of one patient; p of accuracy and of macro "
    "AUC are adjusted together by Holm over all pairs of the task and both scores, p of findings "
    "over all pairs and findings. Two models differ if an adjusted p of accuracy or macro AUC lies "
    "below {error:.2g}. There is no p of an AUC where fewer than 10 patients have films with the "
    "finding, or without it, and none of the macro AUC then. Intervals of {level:.0%} are from the "
    "same bootstrap samples of patients for both models; macro F1 has an interval and no test, and "
    "no interval is corrected for the number of pairs. A difference that is not shown is not shown "
    "to be none."
)
TOGETHER = (
    "Vote is the answer of most models, mean that of their mean probability. Differences are to "
    "the best single model on validation, on the same test films; p of accuracy (McNemar) and of "
    "macro AUC (DeLong) are adjusted together by Holm over vote and mean of all ensembles of the "
    "task. A vote has no AUC."
)
# What decides whether an ensemble is better, by the score that chose the models of its task.
DECIDES = {"f1": "accuracy", "auc": "macro_auc"}
TESTS = {"accuracy": "accuracy, McNemar", "macro_auc": "macro AUC, DeLong"}


def error_rate(level: float) -> float:
    """Return the share of errors that goes with a level: 0.05 of 0.95, and not a bit more."""
    return round(1 - level, 9)


def differ(compared: Comparison, level: float) -> bool | None:
    """Tell whether two models differ; None if no test could be made."""
    adjusted = [compared[score]["p_adjusted"] for score in TESTED]
    if every_null(adjusted):
        return None
    return any(p is not None and p < error_rate(level) for p in adjusted)


def say_verdict(compared: Comparison, level: float) -> str:
    """Say whether two models differ."""
    said = {None: NOT_ESTIMABLE, True: "yes", False: "not shown"}
    return said[differ(compared, level)]


def sum_up(task: Mapping[str, Any], level: float) -> str:
    """Say in a sentence what the comparisons of a task show of its best model."""
    best, pairs = task["best"], task["comparisons"]
    if not pairs:
        return f"{best} is the only model of the task: there is nothing to compare it with."
    others: dict[bool | None, list[str]] = {}
    for pair in pairs:
        if best in (pair["first"], pair["second"]):
            other = pair["second"] if pair["first"] == best else pair["first"]
            others.setdefault(differ(pair, level), []).append(other)
    said = {
        True: f"{best} differs from",
        False: f"{best} is not shown to differ from",
        None: f"no test could be made between {best} and",
    }
    parts = [f"{said[key]} {say_list(others[key])}" for key in said if key in others]
    n_differ = sum(differ(pair, level) is True for pair in pairs)
    counted = f"pairs of models that differ: {n_differ} of {len(pairs)}, in accuracy or macro AUC"
    counted += ", p adjusted together by Holm"
    return f"On the test films, {'; '.join(parts)} ({counted})."


def pair_table(pairs: Sequence[Comparison], level: float) -> pd.DataFrame:
    """Return every pair of models: verdict, first minus second of each score, adjusted tests."""
    rows = [
        {
            "first": pair["first"],
            "second": pair["second"],
            "do they differ?": say_verdict(pair, level),
            "accuracy": say_difference(pair["accuracy"]),
            "p of accuracy": say_p(pair["accuracy"]["p_adjusted"]),
            "macro AUC": say_difference(pair["macro_auc"]),
            "p of AUC": say_p(pair["macro_auc"]["p_adjusted"]),
            "macro F1": say_difference(pair["macro_f1"]),
        }
        for pair in pairs
    ]
    return pd.DataFrame(rows)


def finding_pair_table(pairs: Sequence[Comparison]) -> pd.DataFrame:
    """Return the difference of AUC of every finding and pair of models, with its test."""
    rows = [
        {
            "finding": finding,
            "first": pair["first"],
            "second": pair["second"],
            "AUC, first minus second": say_difference(difference),
            "p": say_p(difference["p"]),
            "p, adjusted": say_p(difference["p_adjusted"]),
        }
        for pair in pairs
        for finding, difference in pair["findings"].items()
    ]
    return pd.DataFrame(rows)


def ensemble_table(ensembles: Mapping[str, Any], best: str) -> pd.DataFrame:
    """Return vote and mean of each ensemble: scores, and differences to the best single model."""
    rows = []
    for name, ensemble in ensembles.items():
        for how in ("vote", "mean"):
            scores = ensemble[how]
            against = scores["against_best"]
            rows.append(
                {
                    "ensemble": name,
                    "by": how,
                    "accuracy": say_interval(scores["accuracy"]),
                    "macro F1": say_interval(scores["macro"]["f1"]),
                    "macro AUC": say_interval(scores["macro"]["auc"]) if how == "mean" else "",
                    f"accuracy minus {best}": say_difference(against["accuracy"]),
                    "p of accuracy": say_p(against["accuracy"]["p_adjusted"]),
                    f"macro AUC minus {best}": _if_mean(how, say_difference(against["macro_auc"])),
                    "p of AUC": _if_mean(how, say_p(against["macro_auc"]["p_adjusted"])),
                    f"macro F1 minus {best}": say_difference(against["macro_f1"]),
                }
            )
    return pd.DataFrame(rows)


def _if_mean(how: str, said: str) -> str:
    """Leave empty what a vote does not have."""
    return said if how == "mean" else ""


def sum_up_ensembles(
    ensembles: Mapping[str, Any], best: str, level: float, score: str = "accuracy"
) -> str:
    """Say which ensembles differ from the best single model, by ``accuracy`` or ``macro_auc``."""
    better: list[str] = []
    worse: list[str] = []
    for name, ensemble in ensembles.items():
        for how in ("vote", "mean"):
            against = ensemble[how]["against_best"][score]
            p = against["p_adjusted"]
            if p is not None and p < error_rate(level):
                (better if against["difference"] > 0 else worse).append(f"{name} by {how}")
    said = [f"better than {best}: {say_list(better)}"] if better else []
    said += [f"worse than {best}: {say_list(worse)}"] if worse else []
    if not said:
        return f"No ensemble is shown to be better or worse than {best} ({TESTS[score]})."
    return f"Ensembles ({TESTS[score]}) {'; '.join(said)}."


def say_members(name: str, ensemble: Mapping[str, Any]) -> str:
    """Say which models answer together, and what a tie of their votes goes to."""
    tie = ensemble["tie"] or "the answer of the larger mean probability"
    return f"{name}: {say_list(ensemble['models'])}; a tie of votes goes to {tie}."


def tell_comparisons(metrics: Mapping[str, Any], name: str) -> list[Block]:
    """Tell which models of a task differ, and what answering together is worth."""
    task, level = metrics["tasks"][name], metrics["bootstrap"]["level"]
    best, pairs, ensembles = task["best"], task["comparisons"], task["ensembles"]
    where = f"metrics.json: tasks.{name}"
    blocks: list[Block] = [Words([sum_up(task, level)])]
    if pairs:
        rows = pair_table(pairs, level)
        blocks.append(Table("Which models differ", rows, f"{where}.comparisons"))
        blocks.append(Words([HOW.format(level=level, error=error_rate(level))]))
        rows = finding_pair_table(pairs)
        blocks.append(Table("AUC of each finding", rows, f"{where}.comparisons", folded=True))
    if ensembles:
        rows = ensemble_table(ensembles, best)
        blocks.append(Table("Ensembles against the best single model", rows, f"{where}.ensembles"))
        members = [say_members(name, ensemble) for name, ensemble in ensembles.items()]
        summed = sum_up_ensembles(ensembles, best, level, DECIDES[task["chosen_by"]])
        blocks.append(Words([summed, *members, TOGETHER]))
    return blocks

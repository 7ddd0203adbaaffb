"""The notes without which the results of a task would be misread."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from cxrpipe.reporting.page.standing import share_of
from cxrpipe.reporting.page.wording import WHY_NONE, say_interval, say_number, say_percent
from cxrpipe.reporting.results import MACRO, is_model
from cxrpipe.runtime import RESEARCH_USE

MONITORED = {
    "loss": "lowest validation loss",
    "accuracy": "highest validation accuracy",
    "macro_f1": "highest validation macro F1",
    "macro_auc": "highest validation macro AUC",
}
BASELINES = {
    "single": "always naming the commonest finding",
    "multi": "always giving the commoner answer for each finding",
    "binary": "always giving the commoner answer",
}
ANSWERS = (
    "Every finding is a yes or no of its own: accuracy is the share of right answers over all "
    "films and findings, precision, recall and F1 are those of yes at probability 1/2, and macro "
    "scores are means over the findings that can be estimated."
)


class Section(NamedTuple):
    """What is told of one task."""

    task: str
    notes: Sequence[str]


def describe_tasks(
    metrics: Mapping[str, Any],
    table: pd.DataFrame,
    localisations: Mapping[str, Mapping[str, Any]],
) -> list[Section]:
    """Tell the notes of every task."""
    sections = []
    for name, task in metrics["tasks"].items():
        rows = table[table["task"] == name]
        said = notes(metrics, name, rows, localisations[task["best"]])
        sections.append(Section(name, said))
    return sections


def notes(
    metrics: Mapping[str, Any], name: str, rows: pd.DataFrame, localisation: Mapping[str, Any]
) -> Sequence[str]:
    """Return the notes of a task; ``rows`` are its own of the table."""
    task = metrics["tasks"][name]
    best, score, baseline = task["best"], task["chosen_by"], task["majority"]["test"]
    model = metrics["models"][best]
    lines = [
        f"All scores are from n = {baseline['n']} test films that no training and no choice has "
        f"seen. The star marks the best macro {MACRO[score]} on validation; {epoch_note(rows)}.",
        interval_note(metrics),
        f"Best model {best}: macro {MACRO[score]} {say_interval(model['test']['macro'][score])}; "
        f"{BASELINES[task['kind']]} (majority): {say_number(baseline['macro'][score])}.",
        localisation_note(best, localisation),
    ]
    if task["kind"] != "single":
        lines.insert(1, ANSWERS)
    if len(model["folds"]) > 1:
        lines.insert(
            1,
            f"Scores are means over {len(model['folds'])} folds, of training and validation: the "
            "test films are the same; ± is the standard deviation over folds. Epochs, heatmaps and "
            "the pointing game are those of the first fold.",
        )
    return lines


def interval_note(metrics: Mapping[str, Any]) -> str:
    """Say what stands in brackets beside a score."""
    bootstrap = metrics["bootstrap"]
    return (
        f"In brackets the {bootstrap['level']:.0%} interval, from {bootstrap['replicates']:,} "
        f"bootstrap samples of patients, each with all films and copies; {WHY_NONE}"
    )


def epoch_note(rows: pd.DataFrame) -> str:
    """Say which epoch was kept of every model."""
    models = rows[is_model(rows)]
    reason = (
        models["monitor"]
        .map(MONITORED)
        .radd("that of ")
        .where(models["kept"] == "best", "the last")
    )
    named = [f"{why} ({', '.join(of)})" for why, of in models.groupby(reason, sort=False)["model"]]
    said = ", ".join(named) if len(named) > 1 else reason.iloc[0]
    return f"the epoch kept is {said}"


def localisation_note(best: str, localisation: Mapping[str, Any]) -> str:
    """Say how often the best model's heatmaps point at the known lesion, beside chance."""
    if not localisation["n"]:
        return (
            "No rightly classified test film has a known lesion: where the heatmaps point was not "
            "scored."
            if localisation.get("said") == "right"
            else "No test film has a known lesion: where the heatmaps point was not scored."
        )
    which = "rightly classified abnormal" if localisation.get("said") == "right" else "abnormal"
    return (
        f"Pointing game of {best}: the maximum of the heatmap lies inside the known lesion in "
        f"{localisation['hits']} of {localisation['n']} {which} test films, "
        f"{say_percent(share_of(localisation))}; a random point of the film would in "
        f"{localisation['chance_film']:.0%}, a random point of the lungs in "
        f"{localisation['chance_lungs']:.0%}."
    )


def closing_notes(synthetic: bool) -> Sequence[str]:
    """Return what is true of every task: whether films are real, and what they may be used for."""
    drawn = "SYNTHETIC: radiographs of this run were drawn by a program."
    return [*([drawn] if synthetic else []), RESEARCH_USE]

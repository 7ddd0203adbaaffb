"""The scores of the models of a task: overall, by finding, by subset; and why some are missing."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxrpipe.evaluation.judging.scores import average
from cxrpipe.reporting.page.blocks import Block, Table, Words
from cxrpipe.reporting.page.subgroups import models_of
from cxrpipe.reporting.page.wording import WHY_NONE, say_count, say_interval, say_list, say_number
from cxrpipe.reporting.results import MAJORITY

OVERALL = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "one_vs_rest_accuracy": "one-vs-rest accuracy",
    "kappa": "Cohen's kappa",
    "mcc": "MCC",
}
OF_FINDING = {
    "recall": "sensitivity",
    "specificity": "specificity",
    "precision": "precision",
    "f1": "F1",
    "auc": "AUC",
    "ap": "average precision",
}
SUBSETS = ("train", "validation", "test")
ONE_VS_REST = (
    "One-vs-rest accuracy is the mean over findings of the accuracy of each against the rest. Some "
    "studies publish it as accuracy; it is higher, since every film that is rightly not given a "
    "finding counts as a success."
)
GENERALISES = (
    "Scores on training and validation films stand here to show how much is learnt by heart; "
    "training films are told as they are, without augmentation. These are no results."
)


def overall_table(
    models: Mapping[str, Mapping[str, Any]], majority: Mapping[str, Any]
) -> pd.DataFrame:
    """Return the scores over all films of every model, with intervals, and those of majority."""
    rows = [
        {"model": name}
        | {title: say_interval(model["test"][key]) for key, title in OVERALL.items()}
        for name, model in models.items()
    ]
    plain = {title: say_number(majority[key]) for key, title in OVERALL.items()}
    return pd.DataFrame([*rows, {"model": MAJORITY} | plain])


def macro_table(
    models: Mapping[str, Mapping[str, Any]], majority: Mapping[str, Any]
) -> pd.DataFrame:
    """Return the macro scores of every model, with intervals, and those of majority."""
    rows = [
        {"model": name}
        | {title: say_interval(model["test"]["macro"][key]) for key, title in OF_FINDING.items()}
        for name, model in models.items()
    ]
    plain = {title: say_number(majority["macro"][key]) for key, title in OF_FINDING.items()}
    return pd.DataFrame([*rows, {"model": MAJORITY} | plain])


def finding_table(scores: Mapping[str, Any]) -> pd.DataFrame:
    """Return the scores of one model for every finding, with n and intervals."""
    rows = [
        {"finding": finding, "n": row["n"]}
        | {title: say_interval(row[key]) for key, title in OF_FINDING.items()}
        for finding, row in scores["findings"].items()
    ]
    return pd.DataFrame(rows)


def subset_table(models: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return accuracy, macro F1 and macro AUC of every model by subset, on average over folds."""
    rows = []
    for name, model in models.items():
        for subset in SUBSETS:
            scores = average([fold[subset] for fold in model["folds"]])
            row = {"model": name, "subset": subset, "n": scores["n"]}
            row["accuracy"] = say_number(scores["accuracy"])
            row |= {
                f"macro {OF_FINDING[key]}": say_number(scores["macro"][key])
                for key in ("f1", "auc")
            }
            rows.append(row)
    return pd.DataFrame(rows)


def explain_missing(scores: Mapping[str, Any], n_groups: int) -> Sequence[str]:
    """Say why scores or intervals of a model cannot be estimated.

    Parameters
    ----------
    scores
        Of the test films.
    n_groups
        Patients, with all copies of their films, of the test films.
    """
    n, findings = scores["n"], scores["findings"]
    absent = [finding for finding, row in findings.items() if row["n"] == 0]
    in_all = [finding for finding, row in findings.items() if row["n"] == n]
    values = [scores["accuracy"], *scores["macro"].values()]
    values += [row[key] for row in findings.values() for key in OF_FINDING]
    lines = []
    if absent:
        lines.append(
            f"No test film shows {say_list(absent)}: no score of it is estimable, and macro scores "
            "are over the other findings."
        )
    if in_all:
        lines.append(
            f"Every test film shows {say_list(in_all)}: its specificity and AUC are not estimable."
        )
    if any(value["value"] is not None and value["low"] is None for value in values):
        counted = say_count(n_groups, "group")
        lines.append(f"{WHY_NONE} The test films are in {counted} of patients and copies.")
    return lines


def tell_scores(metrics: Mapping[str, Any], name: str) -> list[Block]:
    """Tell all scores of the models of a task, and why some cannot be estimated."""
    task, models = metrics["tasks"][name], models_of(metrics, name)
    best, majority = task["best"], task["majority"]["test"]
    where = f"metrics.json: models.*.test, tasks.{name}.majority.test"
    by_finding = [
        Table(
            f"Each finding on the test films: {model}",
            finding_table(models[model]["test"]),
            f"metrics.json: models.{model}.test.findings",
            folded=model != best,
        )
        for model in sorted(models, key=lambda model: model != best)
    ]
    missing = explain_missing(models[best]["test"], task["test"]["groups"])
    learnt = subset_table(models)
    return [
        by_finding[0],
        *([Words(missing)] if missing else []),
        *by_finding[1:],
        Table("Scores over all test films", overall_table(models, majority), where),
        Words([ONE_VS_REST]),
        Table("Macro scores: means over findings", macro_table(models, majority), where),
        Table("Learnt by heart? The subsets", learnt, "metrics.json: models.*.folds", folded=True),
        Words([GENERALISES]),
    ]

"""Score every model on the test films, beside the answer that always names the commonest class."""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from cxrpipe import tables
from cxrpipe.config import Task, check
from cxrpipe.data.cohort import choose_cohort, label_films
from cxrpipe.evaluation import metrics
from cxrpipe.evaluation.scores import CHOSEN_BY, Scores, average, mean, score
from cxrpipe.runtime import UserError, command, write_json

SCORED = ("validation", "test")  # validation chooses, test is reported
log = logging.getLogger(__name__)


def majority_logits(train: metrics.Integers, n_films: int, task: Task) -> metrics.Floats:
    """Return logits (n_films, n_findings) that always give the commonest answer of training.

    That is the commonest finding for ``single``, else the commoner of yes and no for each.
    """
    n_findings = len(task.findings)
    if task.kind == "single":
        commonest = np.bincount(train, minlength=n_findings).argmax()
        logits = np.eye(n_findings)[commonest]
    else:
        logits = np.where(2 * train.sum(axis=0) > len(train), 1.0, -1.0)
    return np.tile(logits, (n_films, 1))


def score_model(predictions: pd.DataFrame, films: pd.DataFrame, task: Task) -> dict[str, Scores]:
    """Score one model's predictions of a task's films of one fold.

    Raises
    ------
    UserError
        If predictions and split do not hold the same films in the same subsets.
    """
    both = films.merge(predictions, on=["radiograph", "subset"], validate="one_to_one")
    if len(both) != len(films) or len(both) != len(predictions):
        raise UserError("predictions and split.csv hold different films; predict anew")
    scores = {}
    for subset in SCORED:
        of_subset = both[both["subset"] == subset]
        logits = of_subset[list(task.findings)].to_numpy(dtype=float)
        scores[subset] = score(label_films(of_subset, task), logits, task)
    return scores


def score_majority(films: pd.DataFrame, task: Task) -> dict[str, Scores]:
    """Score the majority baseline, fixed on the training films of a fold."""
    true = {
        subset: label_films(films[films["subset"] == subset], task) for subset in tables.SUBSETS
    }
    return {
        subset: score(true[subset], majority_logits(true["train"], len(true[subset]), task), task)
        for subset in SCORED
    }


def choose_best(models: Mapping[str, Sequence[Mapping[str, Scores]]], kind: str) -> str:
    """Name the model that is best on validation, so that test chooses nothing.

    It has the highest macro F1, for ``multi`` and ``binary`` the highest macro AUC, on average
    over folds. One whose score cannot be estimated is never the best.
    """

    def validated(name: str) -> float:
        """Return the score that chooses."""
        value = mean(fold["validation"]["macro"][CHOSEN_BY[kind]] for fold in models[name])
        return -1.0 if value is None else value

    return max(models, key=validated)


def score_task(
    models: Mapping[str, Sequence[Mapping[str, Scores]]], films: Sequence[pd.DataFrame], task: Task
) -> dict[str, object]:
    """Say what a task is, which of its models is best, and what the majority scores.

    Parameters
    ----------
    models
        Name of a model of the task: its scores of each fold.
    films
        The task's films of each fold.
    """
    baseline = [score_majority(of_fold, task) for of_fold in films]
    return {
        "kind": task.kind,
        "findings": list(task.findings),
        "best": choose_best(models, task.kind),
        "majority": {subset: average([fold[subset] for fold in baseline]) for subset in SCORED},
    }


@command
def main() -> None:
    """Score the models of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--folds", type=int, required=True)
    parser.add_argument("--tasks", required=True, help="Task of each name, as JSON")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--model-tasks", nargs="+", required=True, help="name of the task of each")
    parser.add_argument(
        "--predictions", nargs="+", type=Path, required=True, help="all folds of a model, of each"
    )
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args()
    folds = range(arguments.folds)
    split = tables.read(arguments.split, tables.SPLIT)
    task_of = dict(zip(arguments.models, arguments.model_tasks, strict=True))
    tasks = {
        name: check(Task, task, f"--tasks: {name}")
        for name, task in json.loads(arguments.tasks).items()
        if name in task_of.values()
    }
    films = {
        name: [choose_cohort(split[split["fold"] == fold], task) for fold in folds]
        for name, task in tasks.items()
    }
    scores: dict[str, list[dict[str, Scores]]] = {name: [] for name in task_of}
    each = zip(product(task_of, folds), arguments.predictions, strict=True)
    for (model, fold), path in each:
        name = task_of[model]
        predictions = tables.read(path, tables.predictions(tasks[name].findings))
        scores[model].append(score_model(predictions, films[name][fold], tasks[name]))
    told = {
        name: score_task(
            {model: scores[model] for model in task_of if task_of[model] == name}, films[name], task
        )
        for name, task in tasks.items()
    }
    models = {model: {"task": task_of[model], "folds": scores[model]} for model in task_of}
    write_json(arguments.metrics, {"tasks": told, "models": models})
    for name, task_scores in told.items():
        log.info(f"{name}: best on validation: {task_scores['best']}")


if __name__ == "__main__":
    main()

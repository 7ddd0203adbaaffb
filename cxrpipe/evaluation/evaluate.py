"""Judge every model on the test films, beside the answer that always names the commonest class."""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cxrpipe import tables
from cxrpipe.config import Evaluation, Task, check
from cxrpipe.data.cohort import label_films
from cxrpipe.evaluation.judging.answers import Answers, gather_answers
from cxrpipe.evaluation.judging.contest import compare_pairs, contend
from cxrpipe.evaluation.judging.joint import list_ensembles, tell_ensembles
from cxrpipe.evaluation.judging.judged import Judged, gather
from cxrpipe.evaluation.judging.mistakes import list_mistakes
from cxrpipe.evaluation.judging.scores import CHOSEN_BY, Draws, Scores, average, mean, tell_scores
from cxrpipe.evaluation.judging.subgroups import describe_films
from cxrpipe.evaluation.judging.telling import draw_scores, tell_model
from cxrpipe.evaluation.judging.tracing import tabulate, trace_model, trace_treating_all
from cxrpipe.evaluation.statistics import metrics
from cxrpipe.evaluation.statistics.calibration import read_calibration
from cxrpipe.evaluation.statistics.measures import measure
from cxrpipe.runtime import command, progress, write_json

BASELINE = ("validation", "test")
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


def score_majority(films: pd.DataFrame, task: Task) -> dict[str, Scores]:
    """Score the majority baseline, fixed on the training films of a fold."""
    true = {
        subset: label_films(films[films["subset"] == subset], task) for subset in tables.SUBSETS
    }
    logits = {
        subset: majority_logits(true["train"], len(true[subset]), task) for subset in BASELINE
    }
    return {
        subset: tell_scores(true[subset], measure(true[subset], logits[subset], task.kind), task)
        for subset in BASELINE
    }


def rank_models(models: Mapping[str, Sequence[Mapping[str, Scores]]], kind: str) -> list[str]:
    """Name the models from the best on validation to the worst, so that test chooses nothing.

    The best has the highest macro F1, for ``multi`` and ``binary`` the highest macro AUC, on
    average over folds; of equal ones the first. One whose score cannot be estimated is the last.
    """

    def validated(name: str) -> float:
        """Return the score that chooses."""
        value = mean(fold["validation"]["macro"][CHOSEN_BY[kind]] for fold in models[name])
        return -1.0 if value is None else value

    return sorted(models, key=validated, reverse=True)


def judge_task(
    name: str,
    judged: Judged,
    answers: Mapping[str, Answers],
    index: pd.DataFrame,
    settings: Evaluation,
) -> tuple[Scores, dict[str, Scores], pd.DataFrame]:
    """Judge all models of a task.

    Parameters
    ----------
    answers
        Of each model, in the recipe's order.

    Returns
    -------
    What is told of the task and of each model, and the curves of all.
    """
    task = judged.task
    parts = describe_films(judged.test, index, settings.ages)
    draws: dict[str, Draws] = {}
    models: dict[str, Scores] = {}
    for model, given in progress(answers.items(), len(answers), f"models of {name}"):
        draws[model] = draw_scores(judged, given.test)
        models[model] = {"task": name} | tell_model(judged, given, draws[model], parts)
    ranked = rank_models({model: told["folds"] for model, told in models.items()}, task.kind)
    contenders = {
        model: contend(judged, given.test, draws[model]) for model, given in answers.items()
    }
    of_one = {model for model, given in answers.items() if given.trained_on}
    ensembles = list_ensembles(settings, name, ranked, of_one)
    logits = {model: given.test for model, given in answers.items()}
    held_out = judged.held_out(task.sources)
    baseline = [score_majority(fold, task) for fold in judged.folds]
    told = {
        "kind": task.kind,
        "findings": list(task.findings),
        "chosen_by": CHOSEN_BY[task.kind],
        "best": ranked[0],
        "test": {
            "n": len(judged.test),
            "groups": len(set(judged.groups)),
            "held_out": held_out,
            "n_held_out": int(judged.test["source"].isin(held_out).sum()),
        },
        "majority": {subset: average([fold[subset] for fold in baseline]) for subset in BASELINE},
        "ensembles": tell_ensembles(judged, ensembles, logits, ranked[0], contenders[ranked[0]]),
        "comparisons": compare_pairs(judged, contenders),
        "mistakes": list_mistakes(judged, answers[ranked[0]]),
    }
    traced = [
        curve
        for model, given in answers.items()
        for curve in trace_model(judged, given, model, model == ranked[0])
    ]
    return told, models, tabulate(name, [*traced, *trace_treating_all(judged)])


def each_fold(models: Sequence[str], paths: Sequence[Path], n_folds: int) -> dict[str, list[Path]]:
    """Return each model's files, of paths that name all folds of a model, then of the next."""
    each = iter(paths)
    return {model: [next(each) for _ in range(n_folds)] for model in models}


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--folds", type=int, required=True)
    parser.add_argument("--tasks", required=True, help="Task of each name, as JSON")
    parser.add_argument("--models", required=True, help="task and sources of each, as JSON")
    parser.add_argument(
        "--predictions", nargs="+", type=Path, required=True, help="all folds of a model, of each"
    )
    parser.add_argument(
        "--calibrations", nargs="+", type=Path, required=True, help="all folds of a model, of each"
    )
    parser.add_argument("--settings", required=True, help="Evaluation, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to write")
    parser.add_argument("--curves", type=Path, required=True, help="table to write")
    return parser.parse_args()


@command
def main() -> None:
    """Judge the models of a run."""
    arguments = parse_arguments()
    settings = check(Evaluation, arguments.settings, "--settings")
    index = tables.read(arguments.index, tables.INDEX)
    split = tables.read(arguments.split, tables.SPLIT)
    asked = json.loads(arguments.models)
    tasks = {
        name: check(Task, task, f"--tasks: {name}")
        for name, task in json.loads(arguments.tasks).items()
    }
    predictions, calibrations = (
        each_fold(list(asked), paths, arguments.folds)
        for paths in (arguments.predictions, arguments.calibrations)
    )
    told: dict[str, Scores] = {}
    models: dict[str, Scores] = {}
    curves = []
    for name, task in tasks.items():
        named = [model for model, said in asked.items() if said["task"] == name]
        if not named:
            continue
        judged = gather(split, task, arguments.folds, settings, arguments.seed)
        contract = tables.predictions(task.findings)
        answers = {
            model: gather_answers(
                judged,
                [tables.read(path, contract) for path in predictions[model]],
                [read_calibration(path) for path in calibrations[model]],
                asked[model]["trained_on"],
                asked[model]["sources"],
            )
            for model in named
        }
        told[name], of_task, traced = judge_task(name, judged, answers, index, settings)
        models |= of_task
        curves.append(traced)
        log.info(f"{name}: best on validation: {told[name]['best']}")
    sampling = {"replicates": settings.replicates, "level": settings.level}
    in_order = {model: models[model] for model in asked}
    tables.write(pd.concat(curves), arguments.curves, tables.CURVES)
    write_json(arguments.metrics, {"bootstrap": sampling, "tasks": told, "models": in_order})


if __name__ == "__main__":
    main()

"""Score every model on the test films, beside the answer that always names the commonest class."""

import argparse
import logging
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cxrpipe import tables
from cxrpipe.evaluation import metrics
from cxrpipe.runtime import UserError, command, write_json

Scores = dict[str, object]
log = logging.getLogger(__name__)


def class_numbers(names: "pd.Series[str]", findings: Sequence[str]) -> metrics.Integers:
    """Return the place of each film's finding in the list of classes, (n,)."""
    place = {finding: number for number, finding in enumerate(findings)}
    return np.array([place[name] for name in names], dtype=np.int64)


def score(true: metrics.Integers, logits: metrics.Floats, findings: Sequence[str]) -> Scores:
    """Score logits (n, n_findings) against true classes (n,): for all films and per finding."""
    confusion = metrics.confusion_matrix(true, logits.argmax(axis=1), len(findings))
    columns = {
        "precision": metrics.precision(confusion),
        "recall": metrics.recall(confusion),
        "f1": metrics.f1(confusion),
        "auc": metrics.auc(true, logits),
    }
    return {
        "n": len(true),
        "accuracy": round(metrics.accuracy(confusion), 6),
        "macro": {name: round(float(values.mean()), 6) for name, values in columns.items()},
        "findings": {
            finding: {"n": int(confusion[place].sum())}
            | {name: round(float(values[place]), 6) for name, values in columns.items()}
            for place, finding in enumerate(findings)
        },
        "confusion": confusion.tolist(),
    }


def majority_logits(train: metrics.Integers, n_films: int, n_findings: int) -> metrics.Floats:
    """Return logits (n_films, n_findings) that always name the commonest class of training."""
    logits = np.zeros((n_films, n_findings))
    logits[:, np.bincount(train, minlength=n_findings).argmax()] = 1
    return logits


def score_model(
    predictions: pd.DataFrame, split: pd.DataFrame, findings: Sequence[str]
) -> dict[str, Scores]:
    """Score one model's predictions: ``validation`` chooses, ``test`` is reported.

    Raises
    ------
    UserError
        If predictions and split do not hold the same films in the same subsets.
    """
    both = predictions.merge(split, on=["radiograph", "subset"], validate="one_to_one")
    if len(both) != len(split) or len(both) != len(predictions):
        raise UserError("predictions and split.csv hold different films; predict anew")
    scores = {}
    for subset in ("validation", "test"):
        films = both[both["subset"] == subset]
        true = class_numbers(films["finding"], findings)
        scores[subset] = score(true, films[list(findings)].to_numpy(dtype=float), findings)
    return scores


def score_majority(split: pd.DataFrame, findings: Sequence[str]) -> dict[str, Scores]:
    """Score the majority baseline, fixed on the training films."""
    train = class_numbers(split.loc[split["subset"] == "train", "finding"], findings)
    scores = {}
    for subset in ("validation", "test"):
        true = class_numbers(split.loc[split["subset"] == subset, "finding"], findings)
        logits = majority_logits(train, len(true), len(findings))
        scores[subset] = score(true, logits, findings)
    return scores


def choose_best(models: dict[str, dict[str, Scores]]) -> str:
    """Name the model with the highest macro F1 on validation, so that test chooses nothing."""

    def validation_f1(name: str) -> float:
        """Return macro F1 on validation; one that cannot be estimated is never the best."""
        macro = models[name]["validation"]["macro"]
        assert isinstance(macro, dict)  # noqa: S101
        return -1.0 if math.isnan(macro["f1"]) else float(macro["f1"])

    return max(models, key=validation_f1)


@command
def main() -> None:
    """Score the models of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--findings", nargs="+", required=True, help="the classes, in order")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--predictions", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args()
    findings = arguments.findings
    split = tables.read(arguments.split, tables.SPLIT).query(f"fold == {arguments.fold}")
    models = {
        name: score_model(tables.read(path, tables.predictions(findings)), split, findings)
        for name, path in zip(arguments.models, arguments.predictions, strict=True)
    }
    content = {
        "findings": findings,
        "best": choose_best(models),
        "majority": score_majority(split, findings),
        "models": models,
    }
    write_json(arguments.metrics, content)
    log.info(f"best on validation: {content['best']}")


if __name__ == "__main__":
    main()

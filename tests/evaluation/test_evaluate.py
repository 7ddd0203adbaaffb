"""The scores of a run: the baseline, the choice of the best model, films that do not match."""

import json
import logging
import sys

import numpy as np
import pandas as pd
import pytest

from cxrpipe import tables
from cxrpipe.evaluation.evaluate import (
    choose_best,
    main,
    majority_logits,
    score,
    score_majority,
    score_model,
)
from cxrpipe.runtime import UserError

FINDINGS = ["covid", "normal"]
TRUE = {
    "train": "covid covid covid normal",
    "validation": "covid normal normal normal",
    "test": "normal normal normal normal covid",
}


def split():
    rows = [(subset, finding) for subset, words in TRUE.items() for finding in words.split()]
    table = pd.DataFrame(rows, columns=["subset", "finding"])
    table["radiograph"] = table["group"] = [f"film{number:02}" for number in range(len(rows))]
    return table.assign(source="s", fold=0)[list(tables.SPLIT.columns)]


def predict(validation, test):
    """Return the table of a model that names these findings (c or n), and covid in training."""
    named = "cccc" + validation + test
    table = split()[["radiograph", "subset"]]
    return table.assign(
        covid=[1.5 if letter == "c" else -0.5 for letter in named], normal=[0.0] * len(named)
    ).iloc[::-1]  # the order of the rows means nothing


def test_all_scores_of_one_subset_counted_by_hand():
    #                 film: 0    1    2    3
    true = np.array([0, 0, 1, 1])
    logits = np.array([[2, 0, 0], [0, 1, 0], [0, 3, 0], [0, 0, 1]], dtype=float)
    scores = score(true[:3], logits[:3], ["a", "b", "c"])
    assert scores["n"] == 3
    assert scores["accuracy"] == round(2 / 3, 6)
    assert scores["confusion"] == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert scores["findings"]["b"] == {
        "n": 1,
        "precision": 0.5,
        "recall": 1.0,
        "f1": round(2 / 3, 6),
        "auc": 1.0,
    }
    scores = score(true, logits[:, :2], ["a", "b"])  # the last film: a tie, the first is named
    assert scores["confusion"] == [[1, 1], [1, 1]]
    assert scores["macro"]["recall"] == scores["macro"]["f1"] == 0.5


def test_the_baseline_names_the_commonest_finding_of_training_only():
    scores = score_majority(split(), FINDINGS)
    assert scores["validation"]["accuracy"] == 1 / 4
    assert scores["test"]["accuracy"] == 1 / 5
    assert scores["test"]["confusion"] == [[1, 0], [4, 0]]
    assert scores["test"]["macro"]["f1"] == round(((2 * 1) / (1 + 5) + 0) / 2, 6)
    assert scores["test"]["macro"]["auc"] == 0.5


def test_majority_logits_choose_by_the_counts_given():
    logits = majority_logits(np.array([2, 0, 2, 1]), n_films=2, n_findings=4)
    np.testing.assert_array_equal(logits.argmax(axis=1), [2, 2])


def test_predictions_are_matched_by_film_and_not_by_row():
    scores = score_model(predict("cnnc", "nnncc"), split(), FINDINGS)
    assert scores["validation"]["confusion"] == [[1, 0], [1, 2]]
    assert scores["test"]["confusion"] == [[1, 0], [1, 3]]
    assert scores["test"]["accuracy"] == 4 / 5


def test_the_best_model_is_chosen_on_validation_and_not_on_test():
    models = {
        "test-winner": score_model(predict("ncnn", "nnnnc"), split(), FINDINGS),
        "chosen": score_model(predict("cnnn", "ccccn"), split(), FINDINGS),
    }
    assert models["test-winner"]["test"]["accuracy"] == 1
    assert models["chosen"]["test"]["accuracy"] == 0
    assert choose_best(models) == choose_best(dict(reversed(models.items()))) == "chosen"


def test_the_best_model_has_the_highest_macro_f1_and_not_the_highest_accuracy():
    def scores(accuracy, f1):
        return {"validation": {"accuracy": accuracy, "macro": {"f1": f1}}}

    assert choose_best({"a": scores(0.9, 0.4), "b": scores(0.6, 0.5)}) == "b"


def test_a_model_without_a_macro_f1_is_never_the_best():
    """A finding without validation films, and never predicted, has no F1."""

    def scores(f1):
        return {"validation": {"macro": {"f1": f1}}}

    models = {"unknown": scores(float("nan")), "known": scores(0.3)}
    assert choose_best(models) == choose_best(dict(reversed(models.items()))) == "known"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda table: table.iloc[1:],
        lambda table: table.assign(radiograph=table["radiograph"].replace("film12", "film99")),
        lambda table: table.assign(subset=table["subset"].replace("validation", "test")),
        lambda table: pd.concat([table, table.tail(1).assign(radiograph="film99")]),
    ],
    ids=["a film is missing", "another film", "another subset", "a film too many"],
)
def test_predictions_of_other_films_are_refused(spoil):
    with pytest.raises(UserError, match=r"predictions and split\.csv hold different films"):
        score_model(spoil(predict("cnnn", "nnnnc")), split(), FINDINGS)


def test_the_command_writes_every_model_and_the_baseline(tmp_path, monkeypatch):
    tables.write(split(), tmp_path / "split.csv", tables.SPLIT)
    answers = {"good": predict("cnnn", "nnnnc"), "bad": predict("nccc", "nnnnc")}
    for name, table in answers.items():
        tables.write(table, tmp_path / f"{name}.csv", tables.predictions(FINDINGS))
    files = [str(tmp_path / f"{name}.csv") for name in answers]
    flags = ["--split", str(tmp_path / "split.csv"), "--fold", "0", "--findings", *FINDINGS]
    flags += ["--models", *answers, "--predictions", *files]
    monkeypatch.setattr(sys, "argv", ["evaluate", *flags, "--metrics", str(tmp_path / "m.json")])
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    main()
    written = json.loads((tmp_path / "m.json").read_text())
    assert written["findings"] == FINDINGS
    assert written["best"] == "good"
    assert written["majority"]["test"]["accuracy"] == 1 / 5
    assert {name: model["validation"]["accuracy"] for name, model in written["models"].items()} == {
        "good": 1,
        "bad": 0,
    }

"""The scores of a run: the baseline, the choice of the best model, films that do not match."""

import json
import logging
import sys

import numpy as np
import pandas as pd
import pytest

from cxrpipe import tables
from cxrpipe.config import Task
from cxrpipe.evaluation.evaluate import (
    choose_best,
    main,
    majority_logits,
    score_majority,
    score_model,
)
from cxrpipe.runtime import UserError

FINDINGS = ["covid", "normal"]
SINGLE = Task(findings=FINDINGS, sources=["s"])
COVID = Task(kind="binary", findings=["covid"], sources=["s"])
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


def test_the_baseline_names_the_commonest_finding_of_training_only():
    scores = score_majority(split(), SINGLE)
    assert scores["validation"]["accuracy"] == 1 / 4
    assert scores["test"]["accuracy"] == 1 / 5
    assert scores["test"]["confusion"] == [[1, 0], [4, 0]]
    assert scores["test"]["macro"]["f1"] == round(((2 * 1) / (1 + 5) + 0) / 2, 6)
    assert scores["test"]["macro"]["auc"] == 0.5


def test_majority_logits_choose_by_the_counts_given():
    task = Task(findings=["a", "b", "c", "d"])
    logits = majority_logits(np.array([2, 0, 2, 1]), 2, task)
    np.testing.assert_array_equal(logits.argmax(axis=1), [2, 2])


def test_the_baseline_of_several_findings_gives_the_commoner_answer_to_each():
    """Of four training films three show a, two b and none c; half is not more than half."""
    task = Task(kind="multi", findings=["a", "b", "c"])
    train = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]])
    assert (majority_logits(train, 2, task) > 0).tolist() == [[True, False, False]] * 2


def test_the_baseline_of_one_finding_says_yes_to_all_if_most_training_films_show_it():
    scores = score_majority(split(), COVID)["test"]
    assert scores["confusion"] == [[[0, 4], [0, 1]]]
    assert scores["accuracy"] == scores["macro"]["precision"] == 1 / 5
    assert scores["macro"]["auc"] == 0.5


def test_predictions_are_matched_by_film_and_not_by_row():
    scores = score_model(predict("cnnc", "nnncc"), split(), SINGLE)
    assert scores["validation"]["confusion"] == [[1, 0], [1, 2]]
    assert scores["test"]["confusion"] == [[1, 0], [1, 3]]
    assert scores["test"]["accuracy"] == 4 / 5


def test_the_best_model_is_chosen_on_validation_and_not_on_test():
    models = {
        "test-winner": [score_model(predict("ncnn", "nnnnc"), split(), SINGLE)],
        "chosen": [score_model(predict("cnnn", "ccccn"), split(), SINGLE)],
    }
    assert models["test-winner"][0]["test"]["accuracy"] == 1
    assert models["chosen"][0]["test"]["accuracy"] == 0
    for order in (models, dict(reversed(models.items()))):
        assert choose_best(order, "single") == "chosen"


def validated(f1, auc=0.5, accuracy=0.5):
    return {"validation": {"accuracy": accuracy, "macro": {"f1": f1, "auc": auc}}}


def test_the_best_model_has_the_highest_macro_f1_and_not_the_highest_accuracy():
    models = {"a": [validated(0.4, accuracy=0.9)], "b": [validated(0.5, accuracy=0.6)]}
    assert choose_best(models, "single") == "b"


@pytest.mark.parametrize("kind", ["multi", "binary"])
def test_the_best_model_of_yes_and_no_has_the_highest_macro_auc(kind):
    models = {"a": [validated(0.9, 0.6)], "b": [validated(0.1, 0.7)]}
    assert choose_best(models, kind) == "b"


def test_the_best_model_is_best_on_average_over_folds():
    models = {"a": [validated(0.9), validated(0.1)], "b": [validated(0.6), validated(0.6)]}
    assert choose_best(models, "single") == "b"


def test_a_model_without_a_macro_f1_is_never_the_best():
    """A finding without validation films, and never predicted, has no F1."""
    models = {"unknown": [validated(None)], "known": [validated(0.3)]}
    for order in (models, dict(reversed(models.items()))):
        assert choose_best(order, "single") == "known"


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
        score_model(spoil(predict("cnnn", "nnnnc")), split(), SINGLE)


def evaluate(folder, monkeypatch, split, tasks, models, folds=1):
    """Run the command; models are tables of predictions of each fold by name and task."""
    tables.write(split, folder / "split.csv", tables.SPLIT)
    files = []
    for (name, task), predictions in models.items():
        for fold, table in enumerate(predictions):
            files.append(folder / f"{name}-{fold}.csv")
            tables.write(table, files[-1], tables.predictions(tasks[task].findings))
    settings = {name: task.model_dump() for name, task in tasks.items()}
    flags = ["--split", folder / "split.csv", "--folds", folds, "--tasks", json.dumps(settings)]
    flags += ["--models", *[name for name, _ in models], "--predictions", *files]
    flags += ["--model-tasks", *[task for _, task in models], "--metrics", folder / "m.json"]
    monkeypatch.setattr(sys, "argv", ["evaluate", *map(str, flags)])
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    main()
    text = (folder / "m.json").read_text()
    assert "NaN" not in text
    return json.loads(text)


def test_the_command_writes_every_model_and_the_baseline(tmp_path, monkeypatch):
    models = {
        ("good", "findings"): [predict("cnnn", "nnnnc")],
        ("bad", "findings"): [predict("nccc", "nnnnc")],
    }
    tasks = {"findings": SINGLE, "idle": COVID}
    written = evaluate(tmp_path, monkeypatch, split(), tasks, models)
    (task,) = written["tasks"].values()
    assert (task["kind"], task["findings"], task["best"]) == ("single", FINDINGS, "good")
    assert task["majority"]["test"]["accuracy"] == 1 / 5
    validated = {name: m["folds"][0]["validation"] for name, m in written["models"].items()}
    assert {name: scores["accuracy"] for name, scores in validated.items()} == {"good": 1, "bad": 0}


def test_tasks_of_other_films_and_findings_are_scored_side_by_side(tmp_path, monkeypatch):
    """The films of source t show tuberculosis or nothing; they are no films of the first task."""
    shown = ["tb", "tb", "", "tb", "", "", "tb"]
    films = [f"more{number}" for number in range(7)]
    more = pd.DataFrame({"radiograph": films, "group": films, "source": "t", "finding": shown})
    more = more.assign(subset=["train"] * 3 + ["validation"] * 2 + ["test"] * 2, fold=0)
    logits = more[["radiograph", "subset"]].assign(tb=[9.0, 9, 9, 2, -1, 3, 1])
    tasks = {"findings": SINGLE, "tb": Task(kind="binary", findings=["tb"], sources=["t"])}
    models = {("one", "findings"): [predict("cnnn", "nnnnc")], ("two", "tb"): [logits]}
    written = evaluate(tmp_path, monkeypatch, pd.concat([split(), more]), tasks, models)
    assert {name: task["best"] for name, task in written["tasks"].items()} == {
        "findings": "one",
        "tb": "two",
    }
    assert written["models"]["one"]["folds"][0]["test"]["n"] == 5
    test = written["models"]["two"]["folds"][0]["test"]
    assert test["confusion"] == [[[0, 1], [0, 1]]]
    assert (test["n"], test["accuracy"], test["macro"]["auc"]) == (2, 0.5, 0)
    assert written["tasks"]["tb"]["majority"]["test"]["accuracy"] == 0.5


def test_every_fold_is_scored_on_its_own_films(tmp_path, monkeypatch):
    """The second fold validates on a training film of the first and trains on all others."""
    second = split().assign(fold=1)
    second.loc[0, "subset"] = "validation"
    second.loc[4:7, "subset"] = "train"
    answers = predict("cnnn", "nnnnc").drop(columns="subset")
    later = second[["radiograph", "subset"]].merge(answers, on="radiograph")
    models = {("good", "findings"): [predict("cnnc", "nnnnc"), later]}
    both = pd.concat([split(), second])
    written = evaluate(tmp_path, monkeypatch, both, {"findings": SINGLE}, models, folds=2)
    first, later = written["models"]["good"]["folds"]
    assert (first["validation"]["n"], first["validation"]["accuracy"]) == (4, 3 / 4)
    assert (later["validation"]["n"], later["validation"]["accuracy"]) == (1, 1)
    assert later["validation"]["macro"]["f1"] is None
    majority = written["tasks"]["findings"]["majority"]
    assert majority["test"]["accuracy"] == round((1 / 5 + 4 / 5) / 2, 6)


def test_a_test_set_without_a_finding_is_scored_all_the_same(tmp_path, monkeypatch):
    films = split()[split()["radiograph"] != "film12"]  # the only covid film of the test
    named = predict("cnnn", "nnnnc")
    named = named[named["radiograph"] != "film12"]
    models = {("one", "findings"): [named]}
    written = evaluate(tmp_path, monkeypatch, films, {"findings": SINGLE}, models)
    test = written["models"]["one"]["folds"][0]["test"]
    assert (test["accuracy"], test["findings"]["normal"]["f1"]) == (1, 1)
    assert test["findings"]["covid"]["recall"] is test["macro"]["f1"] is None

"""The scores of a run: the baseline, the choice of the best model, films that do not match."""

import json
import logging
import sys

import numpy as np
import pandas as pd
import pytest

from cxrpipe import tables
from cxrpipe.config import Evaluation, Task
from cxrpipe.evaluation.calibrate import calibrate
from cxrpipe.evaluation.evaluate import main, majority_logits, rank_models, score_majority
from cxrpipe.evaluation.judging.answers import gather_answers, score_folds
from cxrpipe.evaluation.judging.judged import gather
from cxrpipe.evaluation.matching import match
from cxrpipe.runtime import UserError, write_json

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


def repeat(table, times=20):
    """Return so many films in place of each, of other patients."""
    copies = [table.assign(radiograph=table["radiograph"] + f"-{n}") for n in range(times)]
    repeated = pd.concat(copies, ignore_index=True)
    return repeated.assign(group=repeated["radiograph"]) if "group" in table else repeated


def fixed(task, n=4):
    """A calibration that changes nothing."""
    true = np.zeros(n, int) if task.kind == "single" else np.ones((n, len(task.findings)), int)
    k = len(task.findings)
    return calibrate(true, np.zeros((n, k)), task, Evaluation(), "0" * 64)


def score(predictions, films=None, task=SINGLE, trained_on=""):
    """Return the scores of a model of one fold by subset."""
    films = split() if films is None else films
    judged = gather(films, task, 1, Evaluation(replicates=100), 0)
    answers = gather_answers(judged, [predictions], [fixed(task)], trained_on, task.sources)
    return score_folds(judged, answers)[0]


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
    scores = score(predict("cnnc", "nnncc"))
    assert scores["validation"]["confusion"] == [[1, 0], [1, 2]]
    assert scores["test"]["confusion"] == [[1, 0], [1, 3]]
    assert scores["test"]["accuracy"] == 4 / 5


def test_the_best_model_is_chosen_on_validation_and_not_on_test():
    models = {
        "test-winner": [score(predict("ncnn", "nnnnc"))],
        "chosen": [score(predict("cnnn", "ccccn"))],
    }
    assert models["test-winner"][0]["test"]["accuracy"] == 1
    assert models["chosen"][0]["test"]["accuracy"] == 0
    for order in (models, dict(reversed(models.items()))):
        assert rank_models(order, "single")[0] == "chosen"


def validated(f1, auc=0.5, accuracy=0.5):
    return {"validation": {"accuracy": accuracy, "macro": {"f1": f1, "auc": auc}}}


def test_the_best_model_has_the_highest_macro_f1_and_not_the_highest_accuracy():
    models = {"a": [validated(0.4, accuracy=0.9)], "b": [validated(0.5, accuracy=0.6)]}
    assert rank_models(models, "single")[0] == "b"


@pytest.mark.parametrize("kind", ["multi", "binary"])
def test_the_best_model_of_yes_and_no_has_the_highest_macro_auc(kind):
    models = {"a": [validated(0.9, 0.6)], "b": [validated(0.1, 0.7)]}
    assert rank_models(models, kind)[0] == "b"


def test_the_best_model_is_best_on_average_over_folds():
    models = {"a": [validated(0.9), validated(0.1)], "b": [validated(0.6), validated(0.6)]}
    assert rank_models(models, "single")[0] == "b"


def test_a_model_without_a_macro_f1_is_never_the_best():
    """A finding without validation films, and never predicted, has no F1."""
    models = {"unknown": [validated(None)], "known": [validated(0.3)]}
    for order in (models, dict(reversed(models.items()))):
        assert rank_models(order, "single")[0] == "known"


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
        match(split(), spoil(predict("cnnn", "nnnnc")))


def index(split):
    """Return what is known of the films of a split: that the even ones are of women."""
    films = split.drop_duplicates("radiograph")
    known = pd.DataFrame({"radiograph": films["radiograph"], "source": films["source"]})
    known["sex"] = np.where(np.arange(len(films)) % 2, "M", "F")
    numbers = {name: 1 for name, dtype in tables.INDEX.columns.items() if dtype != "str"}
    texts = {name: "" for name, dtype in tables.INDEX.columns.items() if dtype == "str"}
    return known.assign(
        **{name: value for name, value in (numbers | texts).items() if name not in known}
    )[list(tables.INDEX.columns)]


def evaluate(folder, monkeypatch, split, tasks, models, folds=1, **settings):
    """Run the command; models are tables of predictions of each fold by name and task."""
    tables.write(split, folder / "split.csv", tables.SPLIT)
    tables.write(index(split), folder / "index.csv", tables.INDEX)
    files, calibrations = [], []
    for (name, task), predictions in models.items():
        for fold, table in enumerate(predictions):
            files.append(folder / f"{name}-{fold}.csv")
            tables.write(table, files[-1], tables.predictions(tasks[task].findings))
            calibrations.append(folder / f"{name}-{fold}.json")
            write_json(calibrations[-1], fixed(tasks[task]).as_json())
    told = {name: task.model_dump() for name, task in tasks.items()}
    asked = {
        name: {"task": task, "trained_on": "", "sources": tasks[task].sources}
        for name, task in models
    }
    flags = ["--index", folder / "index.csv", "--split", folder / "split.csv", "--folds", folds]
    flags += ["--tasks", json.dumps(told), "--models", json.dumps(asked), "--seed", 0]
    flags += ["--predictions", *files, "--calibrations", *calibrations]
    flags += ["--settings", json.dumps({"replicates": 100} | settings)]
    flags += ["--metrics", folder / "m.json", "--curves", folder / "curves.csv"]
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
    assert later["validation"]["findings"]["normal"]["f1"] is None
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
    assert test["findings"]["covid"]["recall"] is None
    assert test["macro"]["f1"] == 1


def test_scores_of_training_are_of_the_films_that_trained_the_model():
    """Two of the four training films come from t; the model says covid to all of them."""
    films = split()
    films.loc[[0, 3], "source"] = "t"
    both = Task(findings=FINDINGS, sources=["s", "t"])
    answers = predict("cnnn", "nnnnc")
    assert score(answers, films, both)["train"]["accuracy"] == 3 / 4
    of_one = score(answers, films, both, "t")
    assert (of_one["train"]["n"], of_one["train"]["accuracy"]) == (2, 1 / 2)
    assert of_one["validation"]["n"] == 4


def test_the_numbers_of_a_run_are_in_one_stable_order(tmp_path, monkeypatch):
    models = {
        ("good", "findings"): [predict("cnnn", "nnnnc")],
        ("bad", "findings"): [predict("nccc", "nncnc")],
    }
    runs = []
    for run in ("one", "two"):
        evaluate(tmp_path / run, monkeypatch, split(), {"findings": SINGLE}, models)
        runs.append([(tmp_path / run / name).read_bytes() for name in ("m.json", "curves.csv")])
    assert runs[0] == runs[1]
    told = json.loads(runs[0][0])
    assert list(told["models"]) == ["good", "bad"]
    assert [
        (pair["first"], pair["second"]) for pair in told["tasks"]["findings"]["comparisons"]
    ] == [("good", "bad")]


def test_a_perfect_model_has_no_interval_and_one_that_errs_has(tmp_path, monkeypatch):
    """Of a hundred test films the second model takes twenty for the other finding."""
    models = {
        ("perfect", "findings"): [repeat(predict("cnnn", "nnnnc"))],
        ("errs", "findings"): [repeat(predict("cnnn", "cnnnc"))],
    }
    told = evaluate(tmp_path, monkeypatch, repeat(split()), {"findings": SINGLE}, models)
    perfect, errs = (told["models"][name]["test"]["accuracy"] for name in ("perfect", "errs"))
    assert perfect == {"value": 1, "low": None, "high": None, "sd": None}
    assert errs["low"] < errs["value"] == 0.8 < errs["high"]
    (pair,) = told["tasks"]["findings"]["comparisons"]
    assert pair["accuracy"]["difference"] == pytest.approx(0.2)
    assert pair["accuracy"]["p"] == pytest.approx(2 / 2**20, rel=1e-3)
    assert set(told["models"]["errs"]["subgroups"]["sex"]) == {"F", "M"}


def test_curves_keep_their_contract_and_only_the_best_has_a_band(tmp_path, monkeypatch):
    models = {
        ("errs", "findings"): [repeat(predict("nccc", "cnnnc"))],
        ("best", "findings"): [repeat(predict("cnnn", "ncnnc"))],
    }
    told = evaluate(tmp_path, monkeypatch, repeat(split()), {"findings": SINGLE}, models)
    assert told["tasks"]["findings"]["best"] == "best"
    curves = tables.read(tmp_path / "curves.csv", tables.CURVES)
    roc = curves[(curves["curve"] == "roc") & (curves["finding"] == "covid")]
    assert roc.groupby("model")["y"].count().to_dict() == {"best": 101, "errs": 101}
    assert roc.groupby("model")["low"].count()["errs"] == 0
    assert roc.groupby("model")["low"].count()["best"] > 0
    decision = curves[curves["curve"] == "decision"]
    assert set(decision["model"]) == {"", "best", "errs"}
    all_treated = decision[(decision["model"] == "") & (decision["finding"] == "covid")]
    first = all_treated.iloc[0]
    assert first["x"] == 0.01
    assert first["y"] == pytest.approx(1 / 5 - 4 / 5 * 0.01 / 0.99)


def test_an_ensemble_is_compared_with_the_best_single_model(tmp_path, monkeypatch):
    """Three models err on one film each, never the same: their vote is always right."""
    models = {
        ("first", "findings"): [predict("cnnn", "cnnnc")],
        ("second", "findings"): [predict("cnnc", "ncnnc")],
        ("third", "findings"): [predict("cncc", "nncnc")],
    }
    told = evaluate(tmp_path, monkeypatch, split(), {"findings": SINGLE}, models)
    (together,) = told["tasks"]["findings"]["ensembles"].values()
    assert together["models"] == ["first", "second", "third"]
    assert together["best"] == "first"
    assert together["vote"]["accuracy"]["value"] == 1
    assert together["vote"]["against_best"]["accuracy"]["difference"] == pytest.approx(0.2)
    assert together["vote"]["against_best"]["macro_auc"]["p"] is None
    # Covid is said with .82 and normal with .62: two say .38 of covid, one .82, the mean is .52.
    assert together["mean"]["accuracy"]["value"] == 2 / 5


def test_only_the_ensembles_that_a_recipe_names_are_told(tmp_path, monkeypatch):
    models = {
        (name, "findings"): [predict(validation, "nnnnc")]
        for name, validation in (("worst", "nccc"), ("best", "cnnn"), ("good", "cnnc"))
    }
    of_task = {"task": "findings"}
    asked = {
        "two": of_task | {"best": 2, "tie": "covid"},
        "one": of_task | {"models": ["best"]},
        "four": of_task | {"best": 4},  # that are not here
    }
    told = evaluate(tmp_path, monkeypatch, split(), {"findings": SINGLE}, models, ensembles=asked)
    (name,) = told["tasks"]["findings"]["ensembles"]
    two = told["tasks"]["findings"]["ensembles"][name]
    assert (name, two["models"], two["tie"]) == ("two", ["best", "good"], "covid")


def test_few_patients_have_scores_and_no_interval(tmp_path, monkeypatch):
    """Five patients are too few, whatever samples of them say."""
    models = {("errs", "findings"): [predict("cnnn", "cnnnc")]}
    told = evaluate(tmp_path, monkeypatch, split(), {"findings": SINGLE}, models)
    accuracy = told["models"]["errs"]["test"]["accuracy"]
    assert accuracy == {"value": 0.8, "low": None, "high": None, "sd": None}


def test_a_task_without_a_test_film_is_refused_by_its_sources(tmp_path, monkeypatch):
    films = split().assign(subset=split()["subset"].replace("test", "train"))
    tasks = {"findings": SINGLE}
    with pytest.raises(SystemExit):
        evaluate(
            tmp_path, monkeypatch, films, tasks, {("one", "findings"): [predict("cnnn", "n" * 5)]}
        )


def test_sure_mistakes_are_listed_with_the_surest_first(tmp_path, monkeypatch):
    """Covid is said with .82, normal with .62; of equal probabilities the name decides."""
    models = {("errs", "findings"): [predict("cnnn", "ncnnn")]}
    told = evaluate(tmp_path, monkeypatch, split(), {"findings": SINGLE}, models)
    mistakes = told["tasks"]["findings"]["mistakes"]
    assert [(each["radiograph"], each["true"], each["said"]) for each in mistakes] == [
        ("film09", "normal", "covid"),
        ("film12", "covid", "normal"),
    ]
    assert mistakes[0]["probability"] == pytest.approx(1 / (1 + np.exp(-1.5)), abs=1e-6)
    assert mistakes[1]["probability"] == pytest.approx(1 / (1 + np.exp(-0.5)), abs=1e-6)


def test_mistakes_of_yes_and_no_are_answers(tmp_path, monkeypatch):
    """The model says covid to a normal film, and the last film's covid is not found."""
    logits = predict("cnnn", "ncnnn")[["radiograph", "subset", "covid"]]
    told = evaluate(tmp_path, monkeypatch, split(), {"yes": COVID}, {("m", "yes"): [logits]})
    mistakes = told["tasks"]["yes"]["mistakes"]
    assert [(each["true"], each["said"]) for each in mistakes] == [
        ("no covid", "covid"),
        ("covid", "no covid"),
    ]
    assert mistakes[1]["probability"] == pytest.approx(1 / (1 + np.exp(-0.5)), abs=1e-6)


def test_a_collection_is_held_out_of_a_model_that_never_learnt_from_it(tmp_path, monkeypatch):
    """Both collections have training films; the model learnt from s alone."""
    films = split()
    films.loc[[0, 8, 9], "source"] = "t"
    both = Task(findings=FINDINGS, sources=["s", "t"])
    judged = gather(films, both, 1, Evaluation(replicates=100), 0)
    assert judged.held_out(["s", "t"]) == []
    assert judged.held_out(["s"]) == ["t"]
    films.loc[0, "subset"] = "validation"  # it still chose
    assert gather(films, both, 1, Evaluation(replicates=100), 0).held_out(["s", "t"]) == []

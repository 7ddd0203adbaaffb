"""What DVC compares: scores in one small file, and a table for every plot."""

import json
import sys

import pandas as pd
from told import MODELS, tell_metrics

from cxrpipe.reporting import plots

CURVES = pd.DataFrame(
    [
        ("findings", "one", "covid", "roc", 0.0, 0.5),
        ("findings", "one", "covid", "roc", 1.0, 1.0),
        ("findings", "one", "", "reliability", 0.7, 0.6),
        ("findings", "one", "", "reliability_calibrated", 0.65, 0.6),
        ("findings", "one", "", "selective", 1.0, 0.6),
    ],
    columns=["task", "model", "finding", "curve", "x", "y"],
)
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2],
        "train_loss": [1.0, 0.5],
        "validation_loss": [1.1, 0.7],
        "validation_macro_f1": [0.2, None],
    }
)


def test_scores_are_those_of_the_metrics():
    metrics = tell_metrics()
    told = plots.tell_scores(metrics)
    assert list(told["accuracy"]) == list(metrics["models"])
    for name, model in metrics["models"].items():
        assert told["accuracy"][name] == model["test"]["accuracy"]["value"]
        assert told["macro_f1"][name] == model["test"]["macro"]["f1"]["value"]
        assert told["macro_auc"][name] == model["test"]["macro"]["auc"]["value"]
    assert told["best"] == {name: task["best"] for name, task in metrics["tasks"].items()}


def test_learning_curves_have_a_panel_for_each_score_and_no_empty_value():
    table = plots.build_learning({"one": HISTORY, "two": HISTORY})
    assert list(table) == ["model", "panel", "epoch", "value"]
    assert table.groupby(["model", "panel"])["epoch"].apply(list).to_dict() == {
        (name, panel): [1, 2] if "loss" in panel else [1]
        for name in ("one", "two")
        for panel in plots.LEARNING.values()
    }


def test_roc_and_reliability_are_drawn_from_their_curves_alone():
    assert plots.build_roc(CURVES).to_dict("list") == {
        "model": ["one", "one"],
        "panel": ["covid", "covid"],
        "false_positive_rate": [0.0, 1.0],
        "sensitivity": [0.5, 1.0],
    }
    reliability = plots.build_reliability(CURVES)
    assert list(reliability["panel"]) == ["as trained", "calibrated"]
    assert list(reliability["probability"]) == [0.7, 0.65]


def told_of(kind, findings, confusion):
    """Return the metrics of one model of one task."""
    tasks = {"task": {"best": "one", "kind": kind, "findings": findings}}
    return {"tasks": tasks, "models": {"one": {"folds": [{"test": {"confusion": confusion}}]}}}


def test_every_answer_is_a_row():
    table = plots.build_confusion(told_of("single", ["a", "b"], [[2, 1], [0, 3]]))
    pairs = table.groupby(["actual", "predicted"]).size().to_dict()
    assert pairs == {("a", "a"): 2, ("a", "b"): 1, ("b", "b"): 3}
    assert set(table["model"]) == {"one"}


def test_answers_of_yes_and_no_are_told_for_every_finding():
    table = plots.build_confusion(
        told_of("multi", ["a", "b"], [[[2, 1], [0, 3]], [[0, 0], [1, 0]]])
    )
    pairs = table.groupby(["actual", "predicted"]).size().to_dict()
    assert pairs == {
        ("no a", "no a"): 2,
        ("no a", "a"): 1,
        ("a", "a"): 3,
        ("b", "no b"): 1,
    }


def test_the_command_writes_every_file(tmp_path, monkeypatch):
    metrics = tell_metrics()
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    CURVES.to_csv(tmp_path / "curves.csv", index=False)
    HISTORY.to_csv(tmp_path / "history.csv", index=False)
    files = {name: tmp_path / f"{name}.csv" for name in ("curves", "history")}
    flags = ["--metrics", tmp_path / "metrics.json", "--curves", files["curves"]]
    flags += ["--models", *MODELS, "--histories", *[files["history"]] * len(MODELS)]
    flags += ["--scores", tmp_path / "scores.json", "--plots", tmp_path / "plots"]
    monkeypatch.setattr(sys, "argv", ["plots", *map(str, flags)])
    plots.main()
    assert json.loads((tmp_path / "scores.json").read_text()) == plots.tell_scores(metrics)
    written = {path.stem for path in (tmp_path / "plots").iterdir()}
    assert written == {"learning", "roc", "confusion", "reliability"}

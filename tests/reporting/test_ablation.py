"""The ablation table: pooled runs by hand, and what is never pooled."""

import json
from statistics import stdev

import pandas as pd
import pytest

from cxrpipe.grid import expand_grid
from cxrpipe.reporting.ablation import main
from cxrpipe.reporting.grid import (
    build_grid,
    for_people,
    has_something_to_compare,
    pool_models,
    read_grid,
)
from cxrpipe.runtime import RESEARCH_USE


def fold(f1, auc=0.5):
    return {
        "validation": {"macro": {"f1": f1, "auc": auc}},
        "test": {"macro": {"f1": f1 / 2, "auc": auc}},
    }


# Two sides and two heads, two seeds of one of them; and a model outside the grid.
A0, A1, C, D = (
    f"vgg_side-{point}"
    for point in ("64_head-x_seed-0", "64_head-x_seed-1", "96_head-y_seed-0", "96_head-x_seed-0")
)
POINTS = {
    A0: {"side": 64, "head": "128-32", "seed": 0},
    A1: {"side": 64, "head": "128-32", "seed": 1},
    C: {"side": 96, "head": "linear", "seed": 0},
    D: {"side": 96, "head": "128-32", "seed": 0},
    "plain": {},
}
F1 = {A0: [0.5], A1: [0.7], C: [0.2], D: [0.4], "plain": [0.8]}


def metrics(f1=F1, tasks=None):
    return {
        "models": {
            name: {"task": (tasks or {}).get(name, "t"), "folds": [fold(value) for value in values]}
            for name, values in f1.items()
        }
    }


def grid(**changes):
    return build_grid(metrics(**changes), list(F1), POINTS)


def test_models_that_differ_in_their_seed_alone_are_one_row():
    table = grid()
    names = ["vgg_side-64_head-x", "vgg_side-96_head-y", "vgg_side-96_head-x", "plain"]
    assert table["model"].tolist() == names
    assert table["n_runs"].tolist() == [2, 1, 1, 1]
    first = table.iloc[0]
    assert first["validation_f1_mean"] == 0.6
    assert first["validation_f1_sd"] == pytest.approx(0.2 / 2**0.5, abs=1e-6)
    assert first["test_f1_mean"] == 0.3
    assert first["test_auc_sd"] == 0


def test_the_spread_of_one_run_is_empty():
    assert grid()["validation_f1_sd"].isna().tolist() == [False, True, True, True]


def test_folds_are_pooled_with_seeds():
    table = grid(f1=F1 | {A0: [0.5, 0.1], A1: [0.7, 0.3]})
    assert table["n_runs"].tolist() == [4, 1, 1, 1]
    assert table["validation_f1_mean"].tolist() == [0.4, 0.2, 0.4, 0.8]
    assert table["validation_f1_sd"][0] == pytest.approx(stdev([0.5, 0.1, 0.7, 0.3]), abs=1e-6)


def test_the_settings_that_vary_are_the_columns():
    table = grid()
    assert list(table)[:2] == ["side", "head"]
    assert table["side"].tolist() == ["64", "96", "96", ""]
    assert table["head"].tolist() == ["128-32", "linear", "128-32", ""]
    same = {name: point and point | {"head": "linear"} for name, point in POINTS.items()}
    assert list(build_grid(metrics(), list(F1), same))[:2] == ["side", "task"]


def test_a_score_that_cannot_be_estimated_counts_in_no_mean():
    runs = metrics(f1={A0: [0.5], A1: [0.7]})
    first, second = (runs["models"][name]["folds"][0]["test"]["macro"] for name in (A0, A1))
    second["f1"] = first["auc"] = second["auc"] = None
    (row,) = build_grid(runs, [A0, A1], POINTS).to_dict("records")
    assert row["test_f1_mean"] == 0.25
    assert pd.isna([row["test_f1_sd"], row["test_auc_mean"], row["test_auc_sd"]]).all()


def test_people_read_that_a_score_cannot_be_estimated():
    runs = metrics(f1={A0: [0.5]})
    runs["models"][A0]["folds"][0]["test"]["macro"]["f1"] = None
    shown = for_people(build_grid(runs, [A0], {A0: POINTS[A0]}))
    assert shown.iloc[0].tolist()[1:] == [1, "0.500", "0.500", "not estimable", "0.500"]


def test_the_collection_that_trained_a_model_is_a_setting_as_any_other():
    recipe = {"models": {"v": {}}, "grid": {"vary": {"trained_on": ["north", "east"]}}}
    points = {name: model["point"] for name, model in expand_grid(recipe, "here")["models"].items()}
    names = ["v_trained_on-north", "v_trained_on-east"]
    table = build_grid(metrics(f1={names[0]: [0.5], names[1]: [0.7]}), names, points)
    shown = for_people(table)[["model", "trained_on", "macro F1, test"]]
    assert shown.to_numpy().tolist() == [
        [names[0], "north", "0.250"],
        [names[1], "east", "0.350"],
    ]


def test_models_of_other_bases_are_never_pooled():
    """The same grid over two models gives every point twice; one of the models was left out."""
    recipe = {
        "models": {"v": {}, "w": {}, "plain_seed-0": {}},
        "grid": {"models": ["v", "w"], "vary": {"seed": [0, 10], "training.batch": [8, 16]}},
    }
    expanded = expand_grid(recipe, "here")["models"]
    points = {name: model.get("point", {}) for name, model in expanded.items()}
    left = [name for name in points if name != "v_seed-10_batch-16"]
    assert pool_models(left, points) == {
        "v_batch-8": ["v_seed-0_batch-8", "v_seed-10_batch-8"],
        "v_batch-16": ["v_seed-0_batch-16"],
        "w_batch-8": ["w_seed-0_batch-8", "w_seed-10_batch-8"],
        "w_batch-16": ["w_seed-0_batch-16", "w_seed-10_batch-16"],
        "plain_seed-0": ["plain_seed-0"],
    }


def test_people_read_means_with_their_spread():
    shown = for_people(grid())
    assert shown.columns.tolist() == [
        "model",
        "side",
        "head",
        "n runs",
        "macro F1, validation",
        "macro AUC, validation",
        "macro F1, test",
        "macro AUC, test",
    ]
    assert shown.iloc[0].tolist()[:5] == ["vgg_side-64_head-x", "64", "128-32", 2, "0.600 ± 0.141"]
    assert shown.iloc[1].tolist()[4:] == ["0.200", "0.500", "0.100", "0.500"]
    assert for_people(grid(tasks={C: "nih"}))["task"].tolist() == ["t", "nih", "t", "t"]


def test_there_is_nothing_to_compare_without_a_grid_seeds_or_folds():
    single = {"a": [0.5], "b": [0.7]}
    assert not has_something_to_compare(build_grid(metrics(f1=single), list(single), {}))
    folds = {"a": [0.5, 0.6]}
    assert has_something_to_compare(build_grid(metrics(f1=folds), list(folds), {}))
    assert has_something_to_compare(grid())


def test_the_command_writes_what_is_read_again(run, tmp_path, monkeypatch):
    (tmp_path / "metrics.json").write_text(json.dumps(metrics()))
    arguments = ["--metrics", tmp_path / "metrics.json", "--models", *F1]
    arguments += ["--points", json.dumps(POINTS)]
    arguments += ["--csv", tmp_path / "ablation.csv", "--markdown", tmp_path / "ablation.md"]
    monkeypatch.setattr("sys.argv", ["ablation", *map(str, arguments)])
    main()
    read = read_grid(tmp_path / "ablation.csv")
    pd.testing.assert_frame_equal(for_people(read), for_people(grid()), check_dtype=False)
    page = (tmp_path / "ablation.md").read_text()
    assert "0.600 ± 0.141" in page
    assert "all else is equal" in page
    assert "Choices belong to the validation columns" in page
    assert page.rstrip().endswith(RESEARCH_USE)
    assert "nan" not in page.lower().split()

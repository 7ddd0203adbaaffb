"""The figures command: which figures there are, and that they fit a page."""

import json

import numpy as np
import pandas as pd
import pytest

from cxrpipe import tables
from cxrpipe.config import Task
from cxrpipe.reporting.drawing.names import KINDS, list_figures
from cxrpipe.reporting.drawing.results import results_of_task
from cxrpipe.reporting.figures import DRAWN, main

SINGLE = Task(findings=("normal", "covid"), sources=("s",))
MULTI = Task(kind="multi", findings=("covid", "mass", "hernia"), sources=("s",))
IDLE = Task(kind="binary", findings=("tuberculosis",), sources=("s",))
TASKS = {"findings": SINGLE, "nih": MULTI, "idle": IDLE}
MODELS = {"one": "findings", "two": "nih"}


@pytest.fixture
def folder(tmp_path):
    history = pd.DataFrame({column: [1.0, 2.0] for column in tables.HISTORY.columns})
    history = history.astype({"epoch": "int64", "best": "int64"})
    history["validation_macro_auc"] = np.nan
    for name in MODELS:
        tables.write(history, tmp_path / f"{name}-h.csv", tables.HISTORY)
    return tmp_path


def join(judge):
    """Return metrics and curves of the two tasks that have a model."""
    parts = [
        judge(TASKS[task].findings, {model: 1.0}, TASKS[task].kind, 40, task=task)
        for model, task in MODELS.items()
    ]
    joined = parts[0][0]
    for metrics, _ in parts[1:]:
        joined["tasks"] |= metrics["tasks"]
        joined["models"] |= metrics["models"]
    return joined, pd.concat([curves for _, curves in parts])


def test_the_command_draws_every_figure_that_the_workflow_expects(folder, judge, monkeypatch):
    metrics, curves = join(judge)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    tables.write(curves, folder / "curves.csv", tables.CURVES)
    for name in MODELS:
        (folder / f"{name}.json").write_text(json.dumps({"parameters": 1_263_885}))
    tasks = json.dumps({name: task.model_dump() for name, task in TASKS.items()})
    arguments = ["--metrics", folder / "metrics.json", "--curves", folder / "curves.csv"]
    arguments += ["--tasks", tasks, "--models", *MODELS, "--model-tasks", *MODELS.values()]
    arguments += ["--summaries", *[folder / f"{name}.json" for name in MODELS]]
    arguments += ["--histories", *[folder / f"{name}-h.csv" for name in MODELS]]
    arguments += ["--figures", folder / "figures"]
    monkeypatch.setattr("sys.argv", ["figures", *map(str, arguments)])
    main()
    names = list_figures(["findings", "nih"], TASKS)
    assert "roc-nih" in names
    made = {path.name for path in (folder / "figures").iterdir()}
    assert made == {f"{name}.{kind}" for name in names for kind in ("png", "svg")}


def test_what_is_drawn_of_a_task_are_the_kinds_that_are_named():
    assert tuple(DRAWN) == KINDS


FIVE = ("normal", "covid", "lung_opacity", "viral_pneumonia", "tuberculosis")
GRID = {f"inception_v3_side-500_head-1024-1024_dropout-0.5_seed-{n}": n / 10 for n in range(9)}
CASES = {
    "a grid": (FIVE[:3], GRID, "single", 60),
    "three models, five findings": (FIVE, {"a": 0.4, "b": 0.8, "c": 0.6}, "single", 200),
    "one model": (FIVE[:2], {"only": 0.7}, "single", 60),
    "several answers": (FIVE[:3], {"a": 0.4, "b": 0.8}, "multi", 120),
    "yes or no": (("covid",), {"a": 0.4, "b": 0.8}, "binary", 80),
    "perfect and constant": (FIVE[:3], {"perfect": np.inf, "constant": 0}, "single", 50),
    "three films": (FIVE, {"a": 0.8, "b": 0.4}, "single", 3),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
def test_figures_of_any_results_fit_a_page_without_a_warning(judge, kind, case):
    findings, skills, task, n = CASES[case]
    metrics, curves = judge(findings, skills, task, n, ensembles=True, held_out="north")
    results = results_of_task(metrics, curves, dict.fromkeys(skills, 1_000_000), "findings")
    figure = DRAWN[kind](results)
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    drawn = figure.get_tightbbox()
    assert width <= 13
    assert 0 <= drawn.x0 < drawn.x1 <= width
    assert 0 <= drawn.y0 < drawn.y1 <= height


def hollow(told):
    """Take every number away that may be missing, and leave the counts."""
    if isinstance(told, dict):
        gone = ("value", "low", "high", "sd", "ece", "f1", "auc", "ap", "accuracy")
        return {
            key: None if key in gone and not isinstance(value, dict) else hollow(value)
            for key, value in told.items()
        }
    return told


def words(figure):
    """Return all that is written into a figure."""
    axes = figure.axes
    said = [text.get_text() for place in axes for text in place.texts]
    return "\n".join(said + [place.get_title() for place in axes])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("confusion", "matrix")])
def test_where_nothing_can_be_estimated_every_figure_says_so(judge, kind):
    metrics, curves = judge(FIVE[:3], {"a": 0.5, "b": 0.8}, n=60, ensembles=True)
    results = results_of_task(hollow(metrics), curves[:0], {"a": 10, "b": 20}, "findings")
    figure = DRAWN[kind](results)
    figure.draw_without_rendering()
    assert "not estimable" in words(figure)

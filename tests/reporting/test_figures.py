"""The figures command: which figures there are, and which models and films stand in each."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from cxrpipe import tables
from cxrpipe.config import Task
from cxrpipe.evaluation.scores import score
from cxrpipe.explanation.cam import enlarge
from cxrpipe.preprocessing.store import Prepared, write_store
from cxrpipe.reporting.drawing import heatmaps
from cxrpipe.reporting.figures import (
    Explained,
    draw_confusions,
    draw_gradcam,
    main,
    name_confusions,
)

SINGLE = Task(findings=("normal", "covid"), sources=("s",))
MULTI = Task(kind="multi", findings=("covid", "mass", "hernia"), sources=("s",))
IDLE = Task(kind="binary", findings=("tuberculosis",), sources=("s",))
TASKS = {"findings": SINGLE, "nih": MULTI, "idle": IDLE}
MODELS = {"one": "findings", "two": "nih"}
NAMES = [f"{number:024x}" for number in range(4)]
# Heatmaps: model: side, and finding of each film
HEATMAPS = {
    "one": (32, {NAMES[0]: "normal", NAMES[1]: "covid", NAMES[2]: "covid"}),
    "two": (16, {NAMES[2]: "covid", NAMES[3]: "mass"}),
}


def pixels():
    return np.random.default_rng(0).integers(0, 256, (4, 32, 32), dtype=np.uint8)


def predictions(task):
    logits = np.log(np.full((4, len(task.findings)), 3.0)) * [
        place % 2 for place in range(len(task.findings))
    ]
    table = pd.DataFrame(logits, columns=list(task.findings))
    table.insert(0, "radiograph", NAMES)
    table.insert(1, "subset", "test")
    return table


def heat(side):
    return np.linspace(0, 1, side * side, dtype=np.float32).reshape(side, side)


def scores(task, n_folds=1):
    """Score four films, all of them wrong or all answers no."""
    k = len(task.findings)
    true = np.zeros(4, np.int64) if task.kind == "single" else np.eye(4, k, dtype=np.int64)
    logits = -np.eye(k)[np.zeros(4, np.int64)]
    return [{"test": score(true, logits, task)}] * n_folds


@pytest.fixture
def folder(tmp_path):
    films = [Prepared(name, film, {}) for name, film in zip(NAMES, pixels(), strict=True)]
    write_store(tmp_path / "films.h5", films, 4, 32, "{}")
    history = pd.DataFrame({column: [1.0, 2.0] for column in tables.HISTORY.columns})
    history = history.astype({"epoch": "int64", "best": "int64"})
    history["validation_macro_auc"] = np.nan
    for name, task in MODELS.items():
        tables.write(history, tmp_path / f"{name}-h.csv", tables.HISTORY)
        contract = tables.predictions(TASKS[task].findings)
        tables.write(predictions(TASKS[task]), tmp_path / f"{name}-p.csv", contract)
        side, shown = HEATMAPS[name]
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file["heatmaps"] = np.stack([heat(side)] * len(shown))
            file["radiograph"] = np.array([film.encode() for film in shown], dtype="S")
            file["finding"] = np.array([name.encode() for name in shown.values()], dtype="S")
    return tmp_path


@pytest.fixture
def models(folder):
    return {
        name: Explained(TASKS[task], predictions(TASKS[task]), folder / f"{name}.h5")
        for name, task in MODELS.items()
    }


def test_a_finding_shows_the_models_of_every_task_that_has_it(models, folder):
    """Film 1 is no film of the second model, whose heatmaps are half as large as the films."""
    figure = draw_gradcam("covid", models, folder / "films.h5")
    axes = figure.axes[:6]
    titles = [place.get_title().replace("\n", " ") for place in axes]
    assert titles == [
        "true: covid",
        "one: 75%",
        "two: not drawn",
        "true: covid",
        "one: 75%",
        "two: 50%",
    ]
    np.testing.assert_array_equal(axes[3].images[0].get_array(), pixels()[2])
    laid = enlarge(torch.from_numpy(heat(16))[None], 32, (0.0, 0.0))[0].numpy()
    expected = heatmaps.overlay(pixels()[2], laid.clip(0, 1))
    np.testing.assert_allclose(axes[5].images[0].get_array(), expected, atol=1e-6)


def test_a_finding_without_test_films_is_said_so(models, folder):
    figure = draw_gradcam("hernia", models, folder / "films.h5")
    assert [text.get_text() for text in figure.texts] == ["No test film shows hernia."]


def test_confusions_of_folds_are_added_up():
    metrics = {
        "tasks": {"findings": {"kind": "single", "findings": list(SINGLE.findings)}},
        "models": {
            "one": {"task": "findings", "folds": scores(SINGLE, 3)},
            "other": {"task": "nih", "folds": scores(MULTI)},
        },
    }
    (axes,) = draw_confusions(metrics, "findings").axes
    assert axes.get_title() == "one"
    assert [text.get_text() for text in axes.texts] == ["0", "12\n100%", "0", "0"]


def test_one_task_gives_the_confusion_and_several_one_each_that_has_a_model():
    assert name_confusions(["findings"], ["findings"]) == {"findings": "confusion"}
    assert name_confusions(["a"], ["a", "b"]) == {"a": "confusion-a"}


def test_the_command_draws_every_figure_of_every_task_that_has_a_model(folder, monkeypatch):
    metrics = {
        "tasks": {
            name: {"kind": task.kind, "findings": list(task.findings)}
            for name, task in TASKS.items()
            if name != "idle"
        },
        "models": {
            name: {"task": task, "folds": scores(TASKS[task])} for name, task in MODELS.items()
        },
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    tasks = json.dumps({name: task.model_dump() for name, task in TASKS.items()})
    arguments = ["--radiographs", folder / "films.h5", "--metrics", folder / "metrics.json"]
    arguments += ["--tasks", tasks, "--models", *MODELS, "--model-tasks", *MODELS.values()]
    arguments += ["--histories", *[folder / f"{name}-h.csv" for name in MODELS]]
    arguments += ["--predictions", *[folder / f"{name}-p.csv" for name in MODELS]]
    arguments += ["--heatmaps", *[folder / f"{name}.h5" for name in MODELS]]
    arguments += ["--figures", folder / "figures"]
    monkeypatch.setattr("sys.argv", ["figures", *map(str, arguments)])
    main()
    names = {"curves", "confusion-findings", "confusion-nih", "gradcam-normal", "gradcam-covid"}
    names |= {"gradcam-mass", "gradcam-hernia"}
    made = {path.name for path in (folder / "figures").iterdir()}
    assert made == {f"{name}.{kind}" for name in names for kind in ("png", "svg")}

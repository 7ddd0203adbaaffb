"""Draw the figures of what was trained: learning curves, confusion matrices, Grad-CAM."""

import argparse
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from matplotlib.figure import Figure

from cxrpipe import tables
from cxrpipe.config import Task, check
from cxrpipe.evaluation.metrics import probabilities
from cxrpipe.evaluation.scores import CHOSEN_BY, average
from cxrpipe.explanation.cam import enlarge
from cxrpipe.preprocessing.store import read_masks, read_radiographs
from cxrpipe.reporting.drawing import curves, heatmaps
from cxrpipe.reporting.drawing.confusions import draw_answers, draw_confusion
from cxrpipe.reporting.drawing.style import draw_nothing, readable, save, use_style
from cxrpipe.runtime import command, read_json

Heats = dict[str, tuple[float, npt.NDArray[np.float32]]]


class Explained(NamedTuple):
    """One model with what is drawn of it."""

    task: Task
    predictions: pd.DataFrame
    heatmaps: Path


def read_heats(model: Explained, finding: str) -> Heats:
    """Return by film the probability that a model gives a finding, and its heatmap."""
    with h5py.File(model.heatmaps) as file:
        rows = np.flatnonzero(file["finding"][:] == finding.encode())
        radiographs = [radiograph.decode() for radiograph in file["radiograph"][rows]]
        maps = file["heatmaps"][rows]
    films = model.predictions.set_index("radiograph").loc[radiographs]
    logits = films[list(model.task.findings)].to_numpy()
    shares = probabilities(logits, model.task.kind)[:, model.task.findings.index(finding)]
    return dict(zip(radiographs, zip(shares, maps, strict=True), strict=True))


def draw_gradcam(finding: str, models: Mapping[str, Explained], store: Path) -> Figure:
    """Draw the chosen films of one finding, all models whose task has it side by side."""
    heats = {
        name: read_heats(model, finding)
        for name, model in models.items()
        if finding in model.task.findings
    }
    radiographs = sorted({radiograph for films in heats.values() for radiograph in films})
    if not radiographs:
        return draw_nothing(f"No test film shows {readable(finding)}.")
    films = read_radiographs(store, radiographs)
    drawn = {
        name: [_laid(of_model.get(radiograph), films.shape[-1]) for radiograph in radiographs]
        for name, of_model in heats.items()
    }
    lesions = read_masks(store, "lesions")
    return heatmaps.draw_gradcam(
        [(finding, film) for film in films], drawn, [lesions.get(name) for name in radiographs]
    )


def _laid(
    heat: tuple[float, npt.NDArray[np.float32]] | None, side: int
) -> tuple[float, npt.NDArray[np.float32]] | None:
    """Give a heatmap the side of the film that it is laid over."""
    if heat is None or heat[1].shape[-1] == side:
        return heat
    laid = enlarge(torch.from_numpy(heat[1])[None], side, (0.0, 0.0))[0]
    return heat[0], laid.clamp(0, 1).numpy()


def draw_confusions(metrics: Mapping[str, Any], name: str) -> Figure:
    """Draw the confusion matrices of the models of a task on the test films of all folds."""
    task = metrics["tasks"][name]
    confusions = {
        model: np.array(average([fold["test"] for fold in scores["folds"]])["confusion"])
        for model, scores in metrics["models"].items()
        if scores["task"] == name
    }
    draw = draw_confusion if task["kind"] == "single" else draw_answers
    return draw(confusions, task["findings"])


def name_confusions(used: Sequence[str], tasks: Sequence[str]) -> dict[str, str]:
    """Return the figure of each task that has a model: ``confusion`` in a recipe of one task."""
    return {name: f"confusion-{name}" if len(tasks) > 1 else "confusion" for name in used}


@command
def main() -> None:
    """Draw the figures of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--tasks", required=True, help="Task of each name, as JSON")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--model-tasks", nargs="+", required=True, help="name of the task of each")
    parser.add_argument("--histories", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--predictions", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--heatmaps", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--figures", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args()
    use_style()
    metrics = read_json(arguments.metrics)
    tasks = {
        name: check(Task, task, f"--tasks: {name}")
        for name, task in json.loads(arguments.tasks).items()
    }
    each = [tasks[name] for name in arguments.model_tasks]
    predictions = [
        tables.read(path, tables.predictions(task.findings))
        for path, task in zip(arguments.predictions, each, strict=True)
    ]
    explained = map(Explained, each, predictions, arguments.heatmaps)
    models = dict(zip(arguments.models, explained, strict=True))
    histories = [tables.read(path, tables.HISTORY) for path in arguments.histories]
    scores = {name: f"macro_{CHOSEN_BY[model.task.kind]}" for name, model in models.items()}

    draw = partial(save, folder=arguments.figures)

    draw(curves.draw_curves(dict(zip(models, histories, strict=True)), scores), name="curves")
    for task, figure in name_confusions(list(metrics["tasks"]), list(tasks)).items():
        draw(draw_confusions(metrics, task), name=figure)
    for finding in dict.fromkeys(finding for task in each for finding in task.findings):
        draw(draw_gradcam(finding, models, arguments.radiographs), name=f"gradcam-{finding}")


if __name__ == "__main__":
    main()

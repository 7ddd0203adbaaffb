"""Draw what was trained and how well it does: curves, scores with their intervals, Grad-CAM.

``drawing.names`` tells which figures a recipe has.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from matplotlib.figure import Figure

from cxrpipe import tables
from cxrpipe.config import Task, check
from cxrpipe.evaluation.statistics.metrics import probabilities
from cxrpipe.explanation.attribution.cam import enlarge
from cxrpipe.preprocessing.store import read_masks, read_radiographs
from cxrpipe.reporting.drawing import curves, heatmaps
from cxrpipe.reporting.drawing.confusions import draw_confusions
from cxrpipe.reporting.drawing.decisions import draw_decision, draw_selective
from cxrpipe.reporting.drawing.discrimination import draw_precision_recall, draw_roc
from cxrpipe.reporting.drawing.forest import draw_forest, draw_subgroups
from cxrpipe.reporting.drawing.matrices import draw_matrix
from cxrpipe.reporting.drawing.names import name_figure
from cxrpipe.reporting.drawing.reliability import draw_reliability
from cxrpipe.reporting.drawing.results import Results, results_of_task
from cxrpipe.reporting.drawing.sizes import draw_size
from cxrpipe.reporting.drawing.style import draw_nothing, readable, save, use_style
from cxrpipe.runtime import command, read_json

Heats = dict[str, tuple[float, npt.NDArray[np.float32]]]
# What is drawn of each task, in the order of ``names.KINDS``.
DRAWN: Mapping[str, Callable[[Results], Figure]] = {
    "forest": draw_forest,
    "confusion": draw_confusions,
    "roc": draw_roc,
    "precision_recall": draw_precision_recall,
    "reliability": draw_reliability,
    "decision": draw_decision,
    "selective": draw_selective,
    "subgroups": draw_subgroups,
    "matrix": draw_matrix,
    "size": draw_size,
}


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


@command
def main() -> None:
    """Draw the figures of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--curves", type=Path, required=True, help="table to read")
    parser.add_argument("--tasks", required=True, help="Task of each name, as JSON")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--model-tasks", nargs="+", required=True, help="name of the task of each")
    parser.add_argument("--summaries", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--histories", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--predictions", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--heatmaps", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--figures", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args()
    use_style()
    metrics = read_json(arguments.metrics)
    points = tables.read(arguments.curves, tables.CURVES)
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
    sizes = [read_json(path)["parameters"] for path in arguments.summaries]
    parameters = dict(zip(models, sizes, strict=True))
    chosen_by = [f"macro_{metrics['tasks'][task]['chosen_by']}" for task in arguments.model_tasks]

    draw = partial(save, folder=arguments.figures)

    shown = dict(zip(models, histories, strict=True))
    draw(curves.draw_curves(shown, dict(zip(models, chosen_by, strict=True))), name="curves")
    for task in metrics["tasks"]:
        results = results_of_task(metrics, points, parameters, task)
        for kind, drawn in DRAWN.items():
            draw(drawn(results), name=name_figure(kind, task, list(tasks)))
    for finding in dict.fromkeys(finding for task in each for finding in task.findings):
        draw(draw_gradcam(finding, models, arguments.radiographs), name=f"gradcam-{finding}")


if __name__ == "__main__":
    main()

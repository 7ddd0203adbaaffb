"""Draw what explains the models: heatmaps and their scores, features, mistakes, filters.

``drawing.names`` tells which figures a recipe has.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from cxrpipe import tables
from cxrpipe.config import Task, check
from cxrpipe.explanation.excited import read_excited
from cxrpipe.explanation.heatmaps import read_heatmaps
from cxrpipe.explanation.stored import read_masks_of
from cxrpipe.preprocessing.store import read_radiographs
from cxrpipe.reporting.drawing.alterations import draw_altered, draw_randomised
from cxrpipe.reporting.drawing.causes import draw_causes
from cxrpipe.reporting.drawing.confidence import draw_confidence
from cxrpipe.reporting.drawing.depths import draw_depth, draw_methods
from cxrpipe.reporting.drawing.explained import Answers, Explained, Heat, Latent, Model
from cxrpipe.reporting.drawing.filters import draw_filters
from cxrpipe.reporting.drawing.galleries import draw_gallery, draw_panel, draw_several
from cxrpipe.reporting.drawing.latent import draw_latent
from cxrpipe.reporting.drawing.mistakes import draw_mistakes
from cxrpipe.reporting.drawing.names import name_figure
from cxrpipe.reporting.drawing.neighbours import draw_neighbours
from cxrpipe.reporting.drawing.photos import FILM_DPI
from cxrpipe.reporting.drawing.pointing import draw_localisation
from cxrpipe.reporting.drawing.som import draw_som
from cxrpipe.reporting.drawing.style import save, use_style
from cxrpipe.runtime import command, progress, read_json

# What is drawn of each task, in the order of ``names.EXPLAINED``.
DRAWN: Mapping[str, Callable[[Explained], Figure]] = {
    "gallery": draw_gallery,
    "depth": draw_depth,
    "methods": draw_methods,
    "several": draw_several,
    "localisation": draw_localisation,
    "altered": draw_altered,
    "randomised": draw_randomised,
    "confidence": draw_confidence,
    "mistakes": draw_mistakes,
    "causes": draw_causes,
    "latent": draw_latent,
    "som": draw_som,
    "neighbours": draw_neighbours,
    "filters": draw_filters,
}
# Sheets of films, which weigh more than charts.
SHEETS = (
    *("gallery", "depth", "methods", "several", "confidence", "mistakes", "neighbours", "filters"),
)


def read_model(task: Task, predictions: Path, heatmaps: Path, localisation: Path) -> Model:
    """Read what explains one model; its heatmaps are read once they are drawn."""
    table = tables.read(predictions, tables.predictions(task.findings))
    logits = table.set_index("radiograph")[list(task.findings)]
    return Model(task, logits, partial(read_heats, heatmaps), read_json(localisation))


def read_heats(path: Path, purpose: str) -> list[Heat]:
    """Read the heatmaps of one purpose, each with what it explains."""
    rows, maps = read_heatmaps(path, purpose)
    columns = (rows[column] for column in ("radiograph", "true", "finding", "method", "layer"))
    return [Heat(*row) for row in zip(*columns, maps, strict=True)]


def read_latent(layout: Path, neighbours: Path, latent: Path) -> Latent:
    """Read where the films of one task lie."""
    return Latent(
        tables.read(layout, tables.LAYOUT),
        tables.read(neighbours, tables.NEIGHBOURS),
        read_json(latent),
    )


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--tasks", required=True, help="Task of each name, as JSON")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--model-tasks", nargs="+", required=True, help="name of the task of each")
    parser.add_argument("--predictions", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--heatmaps", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--localisations", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--latent-tasks", nargs="+", required=True, help="names of used tasks")
    parser.add_argument("--layouts", nargs="+", type=Path, required=True, help="one a used task")
    parser.add_argument("--neighbours", nargs="+", type=Path, required=True, help="one a used task")
    parser.add_argument("--latents", nargs="+", type=Path, required=True, help="one a used task")
    parser.add_argument("--errors", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--causes", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--filters", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--level", type=float, required=True, help="of all intervals")
    parser.add_argument("--figures", type=Path, required=True, help="folder to write to")
    return parser.parse_args()


@command
def main() -> None:
    """Draw the explanations of a run."""
    arguments = parse_arguments()
    use_style()
    metrics = read_json(arguments.metrics)
    tasks = {
        name: check(Task, task, f"--tasks: {name}")
        for name, task in json.loads(arguments.tasks).items()
    }
    task_of = dict(zip(arguments.models, arguments.model_tasks, strict=True))
    of_models = zip(arguments.predictions, arguments.heatmaps, arguments.localisations, strict=True)
    models = {
        name: read_model(tasks[task_of[name]], *files)
        for name, files in zip(task_of, of_models, strict=True)
    }
    split = tables.read(arguments.split, tables.SPLIT).query("fold == 0")
    sources = dict(zip(split["radiograph"], split["source"], strict=True))
    films = partial(read_radiographs, arguments.radiographs)
    tested = split.loc[split["subset"] == "test", "radiograph"]
    lesions = read_masks_of(arguments.radiographs, "lesions", tested)
    draw = partial(save, folder=arguments.figures)

    findings = dict.fromkeys(
        finding for task in task_of.values() for finding in tasks[task].findings
    )
    for finding in progress(findings, len(findings), "findings drawn"):
        panel = draw_panel(finding, models, films, lesions)
        draw(panel, name=f"gradcam-{finding}", dpi=FILM_DPI)
    latent = zip(arguments.layouts, arguments.neighbours, arguments.latents, strict=True)
    for name, files in zip(arguments.latent_tasks, latent, strict=True):
        best = metrics["tasks"][name]["best"]
        place = arguments.models.index(best)
        errors = tables.read(arguments.errors[place], tables.ERRORS)
        of_task = {model: at for at, model in enumerate(models) if task_of[model] == name}
        explained = Explained(
            task=tasks[name],
            models={model: models[model] for model in of_task},
            numbers=of_task,
            best=best,
            level=arguments.level,
            films=films,
            lesions=lesions,
            sources=sources,
            latent=read_latent(*files),
            answers=Answers(errors, read_json(arguments.causes[place])),
            filters=read_excited(arguments.filters[place]),
            temperature=metrics["models"][best]["calibration"]["temperature"][0],
        )
        for kind, drawn in progress(DRAWN.items(), len(DRAWN), f"figures of {name} drawn"):
            dpi = FILM_DPI if kind in SHEETS else None
            draw(drawn(explained), name=name_figure(kind, name, tasks), dpi=dpi)


if __name__ == "__main__":
    main()

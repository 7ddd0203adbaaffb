"""Draw what was trained and how well it does: curves, and scores with their intervals.

``drawing.names`` tells which figures a recipe has.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from cxrpipe import tables
from cxrpipe.reporting.drawing import curves
from cxrpipe.reporting.drawing.confusions import draw_confusions
from cxrpipe.reporting.drawing.decisions import draw_decision, draw_selective
from cxrpipe.reporting.drawing.discrimination import draw_precision_recall, draw_roc
from cxrpipe.reporting.drawing.forest import draw_forest, draw_subgroups
from cxrpipe.reporting.drawing.matrices import draw_matrix
from cxrpipe.reporting.drawing.names import name_figure
from cxrpipe.reporting.drawing.reliability import draw_reliability
from cxrpipe.reporting.drawing.results import Results, results_of_task
from cxrpipe.reporting.drawing.sizes import draw_size
from cxrpipe.reporting.drawing.style import save, use_style
from cxrpipe.runtime import command, read_json

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


@command
def main() -> None:
    """Draw the figures of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--curves", type=Path, required=True, help="table to read")
    parser.add_argument("--tasks", required=True, help="Task of each name, as JSON")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--model-tasks", nargs="+", required=True, help="name of the task of each")
    parser.add_argument("--summaries", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--histories", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--figures", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args()
    use_style()
    metrics = read_json(arguments.metrics)
    points = tables.read(arguments.curves, tables.CURVES)
    tasks = list(json.loads(arguments.tasks))
    histories = [tables.read(path, tables.HISTORY) for path in arguments.histories]
    sizes = [read_json(path)["parameters"] for path in arguments.summaries]
    parameters = dict(zip(arguments.models, sizes, strict=True))
    chosen_by = [f"macro_{metrics['tasks'][task]['chosen_by']}" for task in arguments.model_tasks]

    draw = partial(save, folder=arguments.figures)

    shown = dict(zip(arguments.models, histories, strict=True))
    draw(
        curves.draw_curves(shown, dict(zip(arguments.models, chosen_by, strict=True))),
        name="curves",
    )
    for task in metrics["tasks"]:
        results = results_of_task(metrics, points, parameters, task)
        for kind, drawn in DRAWN.items():
            draw(drawn(results), name=name_figure(kind, task, tasks))


if __name__ == "__main__":
    main()

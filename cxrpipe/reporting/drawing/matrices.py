"""How models that were trained on one collection alone do on the films of each."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cxrpipe.reporting.drawing.panels import WIDTH, wrap_name
from cxrpipe.reporting.drawing.results import SCORES, Results, pick, say_estimate
from cxrpipe.reporting.drawing.style import bare, draw_nothing, ink, readable

NONE = "No model was trained on the films of one collection alone."
CELL = (1.15, 0.6)  # inches
LABELS = (1.5, 1.1)  # inches of names at the left and below
LOWEST = {"f1": 0.0, "auc": 0.5}  # of the shades; an AUC of 1/2 is chance
Models = Mapping[str, Mapping[str, Any]]


def draw_matrix(results: Results) -> Figure:
    """Draw the macro score by collection trained on (rows) and tested on (columns).

    Models that differ in their collection alone share a panel; a box marks their own films.
    """
    bases = gather_bases(results.models)
    if not bases:
        return draw_nothing(NONE)
    tested = list_tested(results.models)
    wide = CELL[0] * len(tested) + LABELS[0]
    tall = CELL[1] * max(map(len, bases.values())) + LABELS[1]
    columns = max(1, min(len(bases), int(WIDTH / wide)))
    rows = -(-len(bases) // columns)
    figure = Figure(figsize=(min(max(columns * wide, 5), WIDTH), rows * tall + 0.3))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(bases) :]:
        axes.set_axis_off()
    for axes, (base, models) in zip(grid.flat, bases.items(), strict=False):
        axes.set_title(wrap_name(base), fontsize=9)
        _draw_base(axes, models, tested, results.scores[0])
    figure.supxlabel("tested on", fontsize=9)
    figure.supylabel("trained on", fontsize=9)
    score = SCORES[results.scores[0]]
    figure.suptitle(f"{score} ({results.interval}) and n of test films", fontsize=8)
    return figure


def gather_bases(models: Models) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Gather models that were trained on one collection by their name without that collection's.

    The grid names them after their point, such as ``resnet18_trained_on-north``.
    """
    bases: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name, model in models.items():
        if source := model["trained_on"]:
            shorter = name.replace(f"_trained_on-{source}", "")
            if shorter == name:  # named by hand
                shorter = name.removesuffix(source).strip("-_.") or name
            bases.setdefault(shorter, {})[name] = model
    return bases


def list_tested(models: Models) -> list[str]:
    """List the collections that have test films, those that were trained on ahead."""
    trained = [model["trained_on"] for model in models.values() if model["trained_on"]]
    tested = [part for model in models.values() for part in model["subgroups"]["source"]]
    return [source for source in dict.fromkeys([*trained, *tested]) if source in tested]


def _draw_base(axes: Axes, models: Models, tested: Sequence[str], score: str) -> None:
    axes.set(xlim=(-0.5, len(tested) - 0.5), ylim=(len(models) - 0.5, -0.5))
    for row, model in enumerate(models.values()):
        for column, source in enumerate(tested):
            part = model["subgroups"]["source"].get(source)
            _draw_cell(axes, (row, column), part, score, own=source == model["trained_on"])
    trained = [readable(str(model["trained_on"])) for model in models.values()]
    axes.set_yticks(range(len(models)), trained)
    axes.set_xticks(range(len(tested)), map(readable, tested), rotation=30, ha="right")
    bare(axes)


def _draw_cell(
    axes: Axes, place: tuple[int, int], part: Mapping[str, Any] | None, score: str, *, own: bool
) -> None:
    """Shade a cell by its score, and write score, interval and n into it."""
    row, column = place
    estimate = pick(part, score) if part else None
    value = estimate["value"] if estimate else None
    shade = 0.0 if value is None else max(0.0, (value - LOWEST[score]) / (1 - LOWEST[score]))
    said = say_estimate(estimate).replace(" (", "\n(")
    said += f"\nn {part['n']:,}" if part else "\nno test film"
    corner = (column - 0.5, row - 0.5)
    axes.add_patch(Rectangle(corner, 1, 1, color=colormaps["Blues"](shade), lw=0))
    if own:
        inner = (column - 0.46, row - 0.46)
        axes.add_patch(Rectangle(inner, 0.92, 0.92, fill=False, ec=ink(shade), lw=1.5))
    axes.text(column, row, said, ha="center", va="center", fontsize=7, color=ink(shade))

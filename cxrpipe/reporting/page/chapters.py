"""The chapters of the page, in the order in which a reader asks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import yaml

from cxrpipe.reporting import grid, published
from cxrpipe.reporting.page.blocks import (
    Block,
    Chapter,
    Picture,
    Pictures,
    Table,
    Verbatim,
    Words,
)
from cxrpipe.reporting.page.calibrations import tell_calibration
from cxrpipe.reporting.page.comparisons import tell_comparisons
from cxrpipe.reporting.page.errors import tell_errors
from cxrpipe.reporting.page.explanations import tell_explanations
from cxrpipe.reporting.page.guards import tell_guards
from cxrpipe.reporting.page.latent import tell_latent
from cxrpipe.reporting.page.performance import tell_scores
from cxrpipe.reporting.page.run import Run
from cxrpipe.reporting.page.sections import notes
from cxrpipe.reporting.page.subgroups import tell_matrix, tell_subgroups
from cxrpipe.reporting.page.summary import sum_up_task
from cxrpipe.reporting.results import SCORES, embolden, finding_table, for_people

Task = Callable[[Mapping[str, Any], str], Sequence[Block]]
# Kinds of figures, by the chapter that shows them; a kind that is not named stands among curves.
SHOWN = {
    "results": ("forest", "size"),
    "subgroups": ("subgroups",),
    "matrix": ("matrix",),
    "confusion": ("confusion",),
    "calibration": ("reliability", "decision", "selective"),
    "explanations": (
        *("gradcam", "gallery", "depth", "methods", "confidence", "several"),
        *("localisation", "altered", "randomised", "filters"),
    ),
    "features": ("latent", "som", "neighbours"),
    "errors": ("mistakes", "causes"),
}
SHOWN_IN = {kind: place for place, kinds in SHOWN.items() for kind in kinds}
OTHER_DATA = (
    "OTHER DATA: the published rows are of other films and other patients than ours. They stand "
    "beside each other to be read, not to be ranked."
)


def choose_pictures(figures: Iterable[Picture], place: str) -> list[Picture]:
    """Choose the figures of a chapter; the kind of one is its name up to a dash."""
    return [
        figure
        for figure in figures
        if SHOWN_IN.get(figure.name.partition("-")[0], "curves") == place
    ]


def task_by_task(
    metrics: Mapping[str, Any], tell: Task, title: str, place: str, figures: Sequence[Picture]
) -> Chapter | None:
    """Tell the same of every task, under its name if there are several; None if there is nothing.

    Parameters
    ----------
    figures
        All of the run; those of the chapter follow at its end.
    """
    told = {name: blocks for name in metrics["tasks"] if (blocks := tell(metrics, name))}
    if not told:
        return None
    shown = [Pictures(chosen)] if (chosen := choose_pictures(figures, place)) else []
    if len(metrics["tasks"]) == 1:
        return Chapter(title, [*next(iter(told.values())), *shown], place=place)
    parts = [Chapter(f"Task {name}", blocks) for name, blocks in told.items()]
    if shown:
        parts.append(Chapter("Figures", shown))
    return Chapter(title, [], parts, place)


def scores_first(shown: pd.DataFrame) -> pd.DataFrame:
    """Set the scores of models beside their names, and what they are behind."""
    first = ["model", *SCORES.values()]
    return shown[[*first, *(name for name in shown if name not in first)]]


def tell_results(run: Run, table: pd.DataFrame) -> Task:
    """Return what tells the results of a task: models side by side, then every score."""

    def tell(metrics: Mapping[str, Any], name: str) -> list[Block]:
        """Tell the results of a task."""
        rows = table[table["task"] == name]
        best = metrics["tasks"][name]["best"]
        said = notes(metrics, name, rows, run.localisations[best])
        shown = scores_first(embolden(for_people(rows, run.timings), rows))
        return [
            Table("Models on the test films", shown, "table.csv, models/*/fold-0/timing.json"),
            Words(said),
            Table("Models by finding", finding_table(metrics, name), "metrics.json: models.*.test"),
            *tell_scores(metrics, name),
        ]

    return tell


def tell_figures(title: str, place: str, figures: Sequence[Picture]) -> Chapter | None:
    """Show the figures of a chapter that has nothing else; None without any."""
    chosen = choose_pictures(figures, place)
    return Chapter(title, [Pictures(chosen)], place=place) if chosen else None


def tell_ablation(table: pd.DataFrame | None) -> Chapter | None:
    """Tell what the settings of a grid change; None if nothing is compared."""
    if table is None or not grid.has_something_to_compare(table):
        return None
    shown = Table("Settings, seeds and folds", grid.for_people(table), "ablation.csv")
    return Chapter("Ablation", [shown, Words(grid.NOTES)], place="ablation")


def tell_literature(table: pd.DataFrame | None) -> Chapter | None:
    """Set published scores beside the run's; None without any."""
    if table is None or table.empty:
        return None
    blocks: list[Block] = [
        Words([OTHER_DATA]),
        Table("Published scores beside ours", published.for_people(table), "literature.csv"),
    ]
    for heading, rows in published.tables_by_finding(table).items():
        blocks.append(Table(heading, rows, "literature.csv", folded=True))
    blocks.append(Words([*published.describe_studies(table), *published.NOTES]))
    return Chapter("Literature", blocks, place="literature")


def tell_settings(recipe: Mapping[str, Any]) -> Chapter:
    """Show the recipe with every default spelled out."""
    text = yaml.safe_dump(dict(recipe), sort_keys=False, allow_unicode=True)
    shown = Verbatim(text, "The recipe, every default spelled out")
    return Chapter("Settings", [shown], place="settings")


def tell_judgement(run: Run, table: pd.DataFrame, figures: Sequence[Picture]) -> list[Chapter]:
    """Tell how good the models are: all chapters from results to errors."""
    told = (
        (tell_results(run, table), "Results", "results"),
        (tell_comparisons, "Comparisons", "comparisons"),
        (tell_subgroups, "External validation and subgroups", "subgroups"),
        (tell_matrix, "Collections of training by collections of test", "matrix"),
    )
    chapters = [
        *(task_by_task(run.metrics, tell, title, place, figures) for tell, title, place in told),
        tell_figures("Curves", "curves", figures),
        tell_figures("Confusion", "confusion", figures),
        task_by_task(run.metrics, tell_calibration, "Calibration", "calibration", figures),
        tell_guards(run.guards),
        task_by_task(run.metrics, tell_explanations(run), "Explanations", "explanations", figures),
        task_by_task(run.metrics, tell_latent(run), "Features", "features", figures),
        task_by_task(run.metrics, tell_errors(run), "Errors", "errors", figures),
    ]
    return [chapter for chapter in chapters if chapter]


def tell_summary(run: Run) -> Chapter:
    """Sum the results up; there is always a task."""
    told = task_by_task(run.metrics, sum_up_task(run), "Summary", "summary", ())
    return told or Chapter("Summary", [], place="summary")

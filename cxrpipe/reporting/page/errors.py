"""Where the best model of a task is wrong: its surest mistakes, what it takes for what, and why."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from cxrpipe.reporting.drawing.style import readable
from cxrpipe.reporting.page.blocks import Block, Table, Words
from cxrpipe.reporting.page.causes import find_alpha, tell_causes
from cxrpipe.reporting.page.run import Run
from cxrpipe.reporting.page.subgroups import models_of
from cxrpipe.reporting.page.wording import say_number

SHOWN = 12  # digits of a film's name; 48 bits, enough to find it in index.csv
N_CONFUSIONS = 2
LOOK_FIRST = (
    "A model that is sure and wrong is where to look first. Labels can be wrong, too; what "
    "may have misled is measured below. The probability is the calibrated one of what was "
    "said. Of a film the first {shown} digits of its name in index.csv are shown."
)
NONE = "{best} makes no mistake on the test films of the first fold."
CONFUSED = "What {best} takes for what most often, on the test films of the first fold"


def mistake_table(mistakes: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the surest mistakes, the surest first."""
    rows = [
        {
            "radiograph": mistake["radiograph"][:SHOWN],
            "collection": mistake["source"],
            "true": readable(mistake["true"]),
            "said": readable(mistake["said"]),
            "probability": say_number(mistake["probability"]),
        }
        for mistake in mistakes
    ]
    return pd.DataFrame(rows)


def confusion_table(confusion: Sequence[Sequence[int]], findings: Sequence[str]) -> pd.DataFrame:
    """Return the most frequent confusions of one finding with another, the most frequent first.

    Parameters
    ----------
    confusion
        Films by true (rows) and by said finding.
    """
    rows = [
        {"true finding": true, "said finding": said, "films": n, "of films": sum(row)}
        for true, row in zip(findings, confusion, strict=True)
        for said, n in zip(findings, row, strict=True)
        if said != true and n
    ]
    counted = pd.DataFrame(rows).sort_values("films", ascending=False, kind="stable")
    return counted.head(N_CONFUSIONS)


def tell_mistakes(metrics: Mapping[str, Any], name: str) -> list[Block]:
    """Tell the surest mistakes of the best model of a task, and what it confuses."""
    task = metrics["tasks"][name]
    best = task["best"]
    if not task["mistakes"]:
        return [Words([NONE.format(best=best)])]
    caption, rows = f"The surest mistakes of {best}", mistake_table(task["mistakes"])
    blocks: list[Block] = [
        Words([LOOK_FIRST.format(shown=SHOWN)]),
        Table(caption, rows, f"metrics.json: tasks.{name}.mistakes"),
    ]
    if task["kind"] == "single":
        confusion = metrics["models"][best]["folds"][0]["test"]["confusion"]
        rows = confusion_table(confusion, task["findings"])
        where = f"metrics.json: models.{best}.folds"
        blocks.append(Table(CONFUSED.format(best=best), rows, where))
    return blocks


def tell_errors(run: Run) -> Callable[[Mapping[str, Any], str], list[Block]]:
    """Return what tells where the best model of a task is wrong, and what misled all models."""

    def tell(metrics: Mapping[str, Any], name: str) -> list[Block]:
        """Tell mistakes, then their measured causes."""
        causes = {model: run.causes[model] for model in models_of(metrics, name)}
        told = tell_causes(causes, metrics["tasks"][name]["best"], find_alpha(metrics))
        return [*tell_mistakes(metrics, name), *told]

    return tell

"""List the models of a run: what they are, how they scored, and what to give to --model.

All scores are from test films that no training and no choice has seen, with their intervals over
patients in brackets. "covers" is how often the conformal set held the truth, and how often it was
meant to; "refuses" how many test films the guard takes for unlike those of training. The star marks
the model that was best on validation, which is the one that --run alone takes.

Exit status: 0, or 2 for a mistake in the command line or a broken file.
"""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from textwrap import wrap
from typing import Any

from cxrpipe.cli.formats import align
from cxrpipe.inference.runs import list_runs
from cxrpipe.inference.scores import ESTIMATES, describe_models
from cxrpipe.reporting.results import say_estimate

EXAMPLES = """
  cxrpipe models
  cxrpipe models results/demo
  cxrpipe models results/demo --format csv > models.csv
"""
RESULTS = Path("results")
ASKED = {"single": "one of", "multi": "yes or no to each of", "binary": "yes or no to"}
CHOSEN_BY = {"f1": "macro F1", "auc": "macro AUC"}
HEADINGS = (
    *("model", "architecture", "side", "   MB"),
    *("accuracy", "macro F1", "macro AUC", "covers", "refuses"),
)
Row = Mapping[str, Any]


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "run", nargs="?", type=Path, help="folder of a run; without it every run under results/"
    )
    parser.add_argument(
        "--format",
        choices=tuple(FORMATS),
        default="table",
        help="table for people (else), csv, or json: an object a line",
    )


def run(arguments: argparse.Namespace) -> int:
    """List the models."""
    runs = [arguments.run] if arguments.run else list_runs(RESULTS)
    FORMATS[arguments.format]([model for run in runs for model in describe_models(run)])
    return 0


def _as_table(models: Sequence[Row]) -> None:
    by_task = sorted(models, key=_task)
    for n, (_, rows) in enumerate(groupby(by_task, _task)):
        print("\n" * (n > 0) + "\n".join(_describe_task(list(rows))))


def _task(model: Row) -> tuple[str, str]:
    return model["run"], model["task"]


def _describe_task(models: Sequence[Row]) -> list[str]:
    """Return lines about the models of one task of one run."""
    first = models[0]
    told = f"{first['run']}: {ASKED[first['kind']]} {', '.join(first['findings'])}"
    lines = wrap(told, 100, subsequent_indent="  ", break_on_hyphens=False)
    lines += [f"  {line}" for line in align([HEADINGS, *map(_cells, models)])]
    judged = [model for model in models if model["n_films"] is not None]
    for first in judged[:1]:
        lines += [
            f"  {first['n_films']:,} test films; in brackets {first['level']:.0%} intervals over "
            f"patients; * best on validation by {CHOSEN_BY[first['chosen_by']]}"
        ]
    if others := [model["model"] for model in models if model not in judged]:
        lines.append(f"  not judged yet, so without scores: {', '.join(others)}")
    return [*lines, f"  take one: --model {Path(first['path']).parent}/<model>"]


def _cells(model: Row) -> tuple[str, ...]:
    """Return the cells of a model; what is not known is empty."""
    scores = [""] * len(ESTIMATES)
    if model["n_films"] is not None:
        scores = [
            say_estimate(model[name], model[f"{name}_low"], model[f"{name}_high"], None)
            for name in ESTIMATES
        ]
    covered, refused = model["coverage"], model["guard_refused"]
    covers = "" if covered is None else f"{covered:.1%} of {model['coverage_wanted']:.0%}"
    refuses = "" if refused is None else f"{refused} of {model['guard_n']}"
    name = model["model"] + " *" * bool(model["best"])
    size = f"{model['side']:>4}", f"{model['size_bytes'] / 1e6:>5.1f}"
    return (name, model["architecture"], *size, *scores, covers, refuses)


def _as_csv(models: Sequence[Row]) -> None:
    writer = csv.DictWriter(sys.stdout, list(models[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({**model, "findings": "|".join(model["findings"])} for model in models)


def _as_json(models: Sequence[Row]) -> None:
    for model in models:
        print(json.dumps(model))


FORMATS: Mapping[str, Callable[[Sequence[Row]], None]] = {
    "table": _as_table,
    "csv": _as_csv,
    "json": _as_json,
}

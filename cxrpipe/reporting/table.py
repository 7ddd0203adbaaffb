"""Write the results table: one row a model, ensembles and the majority below, and notes.

``table.csv`` holds what whoever repeats the run gets to the byte. Measured times, which nobody
gets again, stand in ``table.md`` alone.
"""

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cxrpipe.reporting.differences import list_differences, sum_up_differences
from cxrpipe.reporting.page.comparisons import DECIDES, sum_up_ensembles
from cxrpipe.reporting.page.sections import closing_notes, describe_tasks
from cxrpipe.reporting.results import Told, build_table, embolden, finding_table, for_people
from cxrpipe.runtime import command, read_json, whole

log = logging.getLogger(__name__)


def as_narrow_markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown without a blank to spare, so that a terminal has room for it."""
    cells = [list(table), *table.astype(str).to_numpy().tolist()]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "|".join(["", *(cell.ljust(width) for cell, width in zip(row, widths, strict=True)), ""])
        for row in cells
    ]
    return "\n".join([lines[0], "|".join(["", *("-" * width for width in widths), ""]), *lines[1:]])


def compare_models(metrics: Mapping[str, Any], name: str) -> list[str]:
    """Tell which models of a task differ, and whether ensembles are better than the best."""
    task = metrics["tasks"][name]
    parts = []
    if task["comparisons"]:
        differences = list_differences(metrics, name)
        parts.append(sum_up_differences(metrics, name))
        parts += [as_narrow_markdown(differences)] if len(differences) else []
    if task["ensembles"]:
        level, score = metrics["bootstrap"]["level"], DECIDES[task["chosen_by"]]
        parts.append(sum_up_ensembles(task["ensembles"], task["best"], level, score))
    return parts


def timing_note(timings: Told) -> str:
    """Say what times were measured on."""
    devices = dict.fromkeys(timing["device"] for timing in timings.values())
    return (
        f"Seconds per epoch and films per second: training of the first fold on "
        f"{', '.join(devices)}. They differ from run to run, and so are not in table.csv."
    )


@command
def main() -> None:
    """Write the table of a run as CSV and as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--title", required=True)
    parser.add_argument("--synthetic", type=int, choices=(0, 1), required=True)
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--summaries", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--timings", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--localisations", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--csv", type=Path, required=True, help="table to write")
    parser.add_argument("--markdown", type=Path, required=True, help="table to write")
    arguments = parser.parse_args()
    metrics = read_json(arguments.metrics)
    summaries, timings, localisations = (
        dict(zip(arguments.models, map(read_json, paths), strict=True))
        for paths in (arguments.summaries, arguments.timings, arguments.localisations)
    )
    table = build_table(metrics, summaries, localisations)
    with whole(arguments.csv) as partial:
        table.to_csv(partial, index=False, float_format="%.6g", lineterminator="\n")
    parts = [f"# {arguments.title}"]
    for section in describe_tasks(metrics, table, localisations):
        if len(metrics["tasks"]) > 1:
            parts.append(f"## {section.task}")
        rows = table[table["task"] == section.task]
        parts += [as_narrow_markdown(embolden(for_people(rows, timings), rows)), *section.notes]
        parts.append(as_narrow_markdown(finding_table(metrics, section.task)))
        parts += compare_models(metrics, section.task)
        log.info(f"{section.task}: best on validation: {metrics['tasks'][section.task]['best']}")
    parts += [timing_note(timings), *closing_notes(bool(arguments.synthetic))]
    with whole(arguments.markdown) as partial:
        partial.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Write the report: one page that holds everything and needs nothing else to be read."""

import argparse
import json
import logging
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from cxrpipe import tables
from cxrpipe.reporting import grid
from cxrpipe.reporting.page import certificate
from cxrpipe.reporting.page.rendering import read_captions, render, show
from cxrpipe.reporting.page.sections import closing_notes, describe_tasks
from cxrpipe.reporting.results import read_table
from cxrpipe.runtime import RESEARCH_USE, command, read_json, whole

PACKAGES = ("cxrpipe", "snakemake", "torch", "torchvision", "timm", "numpy", "pandas", "pillow")
log = logging.getLogger(__name__)


def collection_table(sources: Mapping[str, Mapping[str, Any]], split: pd.DataFrame) -> pd.DataFrame:
    """Return how many films of each source stand in the split, with its licence and citation."""
    counts = split["source"].value_counts()
    rows = [
        {"source": name, "radiographs": counts[name]}
        | {key: described[key] for key in ("title", "licence", "citation")}
        for name, described in sources.items()
        if name in counts
    ]
    return pd.DataFrame(rows)


def excluded_table(excluded: pd.DataFrame) -> pd.DataFrame:
    """Return how many files were not indexed, by source and reason."""
    counted = excluded.groupby(["source", "reason"]).agg(
        files=("file", "size"), example=("detail", "first")
    )
    return counted.reset_index()


def timing_table(timings: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return how fast each model was trained, and on what."""
    return pd.DataFrame([{"model": name} | dict(values) for name, values in timings.items()])


def ablation_table(path: Path | None) -> pd.DataFrame | None:
    """Return the ablation table, or None if it compares nothing."""
    table = grid.read_grid(path) if path else None
    if table is None or not grid.has_something_to_compare(table):
        return None
    return grid.for_people(table)


@command
def main() -> None:
    """Write the report of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="name of the recipe")
    parser.add_argument("--recipe", required=True, help="Recipe, as JSON")
    parser.add_argument("--sources", required=True, help="title, licence, citation, as JSON")
    parser.add_argument("--excluded", type=Path, required=True, help="table to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--leakage", type=Path, required=True, help="JSON to read")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--table", type=Path, required=True, help="table.csv to read")
    parser.add_argument("--ablation", type=Path, help="ablation.csv to read")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--timings", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--localisations", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--exploration", nargs="+", type=Path, required=True, help="PNGs to read")
    parser.add_argument("--figures", nargs="+", type=Path, required=True, help="PNGs to read")
    parser.add_argument("--captions", nargs="+", type=Path, required=True, help="one a kind")
    parser.add_argument("--report", type=Path, required=True, help="page to write")
    arguments = parser.parse_args()
    recipe, sources = json.loads(arguments.recipe), json.loads(arguments.sources)
    metrics = read_json(arguments.metrics)
    split = tables.read(arguments.split, tables.SPLIT).query("fold == 0")
    excluded = tables.read(arguments.excluded, tables.EXCLUDED)
    timings = dict(zip(arguments.models, map(read_json, arguments.timings), strict=True))
    localisations = dict(
        zip(arguments.models, map(read_json, arguments.localisations), strict=True)
    )
    captions = read_captions(arguments.captions)
    synthetic = any(source["synthetic"] for source in sources.values())
    page = render(
        {
            "run": arguments.run,
            "title": recipe["title"],
            "synthetic": synthetic,
            "research_use": RESEARCH_USE,
            "tasks": describe_tasks(metrics, read_table(arguments.table), localisations),
            "notes": closing_notes(synthetic),
            "ablation": ablation_table(arguments.ablation),
            "ablation_notes": grid.NOTES,
            "split": certificate.describe(read_json(arguments.leakage)),
            "collections": collection_table(sources, split),
            "excluded": excluded_table(excluded),
            "exploration": show(arguments.exploration, captions),
            "figures": show(arguments.figures, captions),
            "timing": timing_table(timings),
            "settings": yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True),
            "versions": {name: version(name) for name in PACKAGES},
            "machine": f"{platform.system()} {platform.machine()}, Python "
            f"{platform.python_version()}",
        }
    )
    with whole(arguments.report) as partial:
        partial.write_text(page, encoding="utf-8")
    log.info(f"{len(page) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()

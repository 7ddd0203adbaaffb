"""Write the report: one page that holds everything and needs nothing else to be read."""

import argparse
import base64
import json
import logging
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import yaml

from cxrpipe import tables
from cxrpipe.reporting.results import finding_table, for_people, notes
from cxrpipe.runtime import RESEARCH_USE, command, read_json, whole

PACKAGES = ("cxrpipe", "snakemake", "torch", "torchvision", "timm", "numpy", "pandas", "pillow")
CAPTIONS = {
    "classes": "Radiographs of each finding in each subset.",
    "samples": "Training radiographs of each finding, as the models see them; below, their source.",
    "curves": "Loss and accuracy by epoch. The ring marks the epoch that was kept.",
    "confusion": "Test films: counts, and the share of each true finding.",
    "gradcam": (
        "Test films, and where each model sees {finding} (Grad-CAM of the true finding, with the "
        "probability that the model gives it). Blue outline: the known lesion, where there is "
        "one. A heatmap shows what raised the score, not why, and proves no finding."
    ),
}
log = logging.getLogger(__name__)


def embed(picture: Path) -> str:
    """Return a PNG as an address that holds the picture itself."""
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()


def caption(name: str) -> str:
    """Return what a figure shows, by the name of its file."""
    kind, _, finding = name.partition("-")
    return CAPTIONS[kind].format(finding=finding.replace("_", " "))


def collection_table(
    sources: Mapping[str, Mapping[str, Any]], index: pd.DataFrame, split: pd.DataFrame
) -> pd.DataFrame:
    """Return the films of each source by finding, as they stand in the split, with the licence."""
    films = split.merge(index[["radiograph", "source"]], on="radiograph", validate="many_to_one")
    counts = pd.crosstab(films["source"], films["finding"])
    counts = counts.reindex([name for name in sources if name in counts.index])
    counts["all"] = counts.sum(axis=1)
    described = counts.reset_index().rename_axis(columns=None)
    for key in ("title", "licence", "citation"):
        described[key] = [sources[name][key] for name in described["source"]]
    return described


def excluded_table(excluded: pd.DataFrame) -> pd.DataFrame:
    """Return how many files were left out, by source and reason."""
    counted = excluded.groupby(["source", "reason"]).agg(
        files=("file", "size"), example=("detail", "first")
    )
    return counted.reset_index()


def timing_table(timings: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return how fast each model was trained, and on what."""
    return pd.DataFrame([{"model": name} | dict(values) for name, values in timings.items()])


def as_html(table: pd.DataFrame) -> str:
    """Return a table as HTML, text escaped."""
    html: str = table.to_html(index=False, border=0, na_rep="")
    return html


def render(content: Mapping[str, Any]) -> str:
    """Fill the template; every value is escaped unless it is a table or a picture of ours."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cxrpipe.reporting", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("report.html.j2").render(content)


@command
def main() -> None:
    """Write the report of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="name of the recipe")
    parser.add_argument("--recipe", required=True, help="Recipe, as JSON")
    parser.add_argument("--sources", required=True, help="title, licence, citation, as JSON")
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--excluded", type=Path, required=True, help="table to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--leakage", type=Path, required=True, help="JSON to read")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--table", type=Path, required=True, help="table.csv to read")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--timings", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--localisations", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--figures", nargs="+", type=Path, required=True, help="PNGs to read")
    parser.add_argument("--report", type=Path, required=True, help="page to write")
    arguments = parser.parse_args()
    recipe, sources = json.loads(arguments.recipe), json.loads(arguments.sources)
    metrics = read_json(arguments.metrics)
    index = tables.read(arguments.index, tables.INDEX)
    excluded = tables.read(arguments.excluded, tables.EXCLUDED)
    split = tables.read(arguments.split, tables.SPLIT).query("fold == 0")
    timings = dict(zip(arguments.models, map(read_json, arguments.timings), strict=True))
    localisations = dict(
        zip(arguments.models, map(read_json, arguments.localisations), strict=True)
    )
    synthetic = any(source["synthetic"] for source in sources.values())
    page = render(
        {
            "run": arguments.run,
            "title": recipe["title"],
            "synthetic": synthetic,
            "research_use": RESEARCH_USE,
            "scores": as_html(for_people(pd.read_csv(arguments.table))),
            "notes": notes(metrics, localisations[metrics["best"]], synthetic),
            "findings": as_html(finding_table(metrics)),
            "certificate": read_json(arguments.leakage),
            "collections": as_html(collection_table(sources, index, split)),
            "excluded": as_html(excluded_table(excluded)),
            "figures": [(path.stem, caption(path.stem), embed(path)) for path in arguments.figures],
            "timing": as_html(timing_table(timings)),
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

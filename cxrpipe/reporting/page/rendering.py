"""Tables as cells and as Markdown, pictures as addresses, and the page that holds all of them."""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from PIL import Image

from cxrpipe.reporting.drawing.style import readable
from cxrpipe.reporting.page.blocks import Picture
from cxrpipe.reporting.page.wording import NOT_ESTIMABLE
from cxrpipe.runtime import UserError

# Bold as in Markdown; a number with what is said of it, or that there is none.
NUMBER = re.compile(rf"(\*\*)?[-+<]?[\d,]*\.?\d+%?(\*\*)?([ ,(].*)?|{NOT_ESTIMABLE}|")

# Of the kinds of figures whose file name says too little.
TITLES = {
    "altered": "Insertion and deletion",
    "causes": "Measured causes",
    "confidence": "Films beside their probabilities",
    "curves": "Learning curves",
    "decision": "Decision curves",
    "depth": "Heatmaps by depth",
    "filters": "What moves filters most",
    "forest": "Scores with intervals",
    "gallery": "The surest right film of each finding",
    "gradcam": "Grad-CAM",
    "latent": "Films in a plane",
    "localisation": "Heatmaps beside chance",
    "matrix": "Collection of training by collection of test",
    "methods": "Heatmaps by method",
    "mistakes": "Mistakes of each finding",
    "neighbours": "Nearest films",
    "precision_recall": "Precision and recall",
    "randomised": "Heatmaps of random weights",
    "roc": "ROC curves",
    "selective": "Accuracy by coverage",
    "several": "Films of several findings",
    "size": "Size against score",
    "som": "Self-organising maps",
}
HEATMAPS = "gradcam/*/fold-0.h5, predictions/*/fold-0.csv"
# The files whose numbers a kind of figure draws.
DRAWN_FROM = {
    "altered": "gradcam/*/fold-0.json",
    "causes": "errors/*/fold-0.json",
    "confidence": "errors/*/fold-0.csv, predictions/*/fold-0.csv, metrics.json",
    "confusion": "metrics.json",
    "curves": "models/*/fold-0/history.csv",
    "decision": "curves.csv",
    "depth": HEATMAPS,
    "filters": "filters/*/fold-0.h5",
    "forest": "metrics.json",
    "gallery": HEATMAPS,
    "gradcam": HEATMAPS,
    "latent": "latent/*/layout.csv, latent/*/latent.json",
    "localisation": "gradcam/*/fold-0.json",
    "matrix": "metrics.json",
    "methods": HEATMAPS,
    "mistakes": "errors/*/fold-0.csv, errors/*/fold-0.json",
    "neighbours": "latent/*/neighbours.csv, latent/*/layout.csv",
    "precision_recall": "curves.csv, metrics.json",
    "randomised": "gradcam/*/fold-0.json",
    "reliability": "curves.csv, metrics.json",
    "roc": "curves.csv, metrics.json",
    "selective": "curves.csv",
    "several": HEATMAPS,
    "size": "metrics.json, models/*/fold-0/summary.json",
    "som": "latent/*/layout.csv, latent/*/latent.json",
    "subgroups": "metrics.json",
}


def read_captions(files: Iterable[Path]) -> dict[str, str]:
    """Read captions, one file for each kind of figure, named as the figure."""
    return {file.stem: " ".join(file.read_text(encoding="utf-8").split()) for file in files}


def embed(picture: Path) -> str:
    """Return a PNG as an address that holds the picture itself."""
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()


def show(pictures: Sequence[Path], captions: Mapping[str, str]) -> list[Picture]:
    """Give every picture its title and the caption of its kind, which is its name up to a dash.

    Raises
    ------
    UserError
        If there is no caption of that kind.
    """
    shown = []
    for picture in pictures:
        kind, _, rest = picture.stem.partition("-")
        if kind not in captions:
            raise UserError(f"{picture}: no caption; write workflow/report/{kind}.rst")
        title = TITLES.get(kind, readable(kind).capitalize()) + (
            f": {readable(rest)}" if rest else ""
        )
        with Image.open(picture) as opened:
            size, source = opened.size, DRAWN_FROM.get(kind, "")
        shown.append(Picture(picture.stem, title, captions[kind], embed(picture), *size, source))
    return shown


def say_cell(value: object) -> str:
    """Write one cell of a table; what is not known is empty."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def say_rows(table: pd.DataFrame) -> list[list[str]]:
    """Write the cells of a table, row by row, and findings as people write them."""
    findings = [str(name).endswith("finding") for name in table.columns]
    return [
        [
            readable(say_cell(value)) if is_finding else say_cell(value)
            for value, is_finding in zip(row, findings, strict=True)
        ]
        for row in table.itertuples(index=False)
    ]


def find_numeric(table: pd.DataFrame) -> list[bool]:
    """Tell of each column whether all its cells begin with a number, cannot be, or are empty."""
    columns = zip(*say_rows(table), strict=True)
    return [all(map(NUMBER.fullmatch, cells)) and any(cells) for cells in columns]


def as_markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown, its cells as they are."""
    return str(table.to_markdown(index=False, disable_numparse=True))


def render(content: Mapping[str, Any]) -> str:
    """Fill the template; every value is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cxrpipe.reporting.page", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cells": say_rows, "numeric": find_numeric, "readable": readable}
    return environment.get_template("report.html.j2").render(content)

"""Tables as HTML and Markdown, and the page of the report, which needs nothing else."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pandas as pd

from cxrpipe.reporting.drawing.style import readable
from cxrpipe.runtime import UserError


class Picture(NamedTuple):
    """A figure in the page."""

    name: str  # of its file, such as gradcam-covid
    title: str
    caption: str
    address: str


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
        title = readable(f"{kind}: {rest}" if rest else kind)
        shown.append(Picture(picture.stem, title, captions[kind], embed(picture)))
    return shown


def as_html(table: pd.DataFrame) -> str:
    """Return a table as HTML, text escaped."""
    html: str = table.to_html(index=False, border=0, na_rep="")
    return html


def as_markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown, its cells as they are."""
    return str(table.to_markdown(index=False, disable_numparse=True))


def render(content: Mapping[str, Any]) -> str:
    """Fill the template; every value is escaped unless it is a table or a picture of ours."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cxrpipe.reporting.page", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["table"] = as_html
    return environment.get_template("report.html.j2").render(content)

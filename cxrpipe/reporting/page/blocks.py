"""What a page is made of: chapters, and in them words, facts, tables and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import pandas as pd


class Picture(NamedTuple):
    """A figure in the page."""

    name: str  # of its file, such as gradcam-covid
    title: str
    caption: str
    address: str
    width: int  # pixels
    height: int
    source: str = ""  # file whose numbers it draws


@dataclass(frozen=True)
class Words:
    """Paragraphs."""

    lines: Sequence[str]
    kind: ClassVar = "words"


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    lines: Sequence[str]
    kind: ClassVar = "bullets"


@dataclass(frozen=True)
class Facts:
    """What is known by name, such as ``accuracy``: ``0.931 (0.912-0.948)``."""

    pairs: Sequence[tuple[str, str]]
    source: str
    large: bool = False
    kind: ClassVar = "facts"


@dataclass(frozen=True)
class Table:
    """A table with what it shows and the file that its numbers are from.

    Attributes
    ----------
    sums
        So many of the last rows are sums, and stay last when the table is sorted.
    """

    caption: str
    rows: pd.DataFrame
    source: str
    sums: int = 0
    folded: bool = False
    kind: ClassVar = "table"


@dataclass(frozen=True)
class Pictures:
    """Figures, one below the other; with a summary they can be folded away."""

    shown: Sequence[Picture]
    summary: str = ""
    kind: ClassVar = "pictures"


@dataclass(frozen=True)
class Verbatim:
    """Text as it stands in a file, folded under its summary."""

    text: str
    summary: str
    kind: ClassVar = "verbatim"


Block = Words | Bullets | Facts | Table | Pictures | Verbatim


@dataclass(frozen=True)
class Chapter:
    """A chapter of the page, or a part of one.

    Attributes
    ----------
    place
        Where a link leads to: one word. A part needs none.
    """

    title: str
    blocks: Sequence[Block]
    parts: Sequence["Chapter"] = ()
    place: str = ""

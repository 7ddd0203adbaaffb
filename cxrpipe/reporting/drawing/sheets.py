"""The sheets of films of the exploration: samples, augmented films, and pairs of copies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure, SubFigure

from cxrpipe.reporting.counts import by_finding
from cxrpipe.reporting.drawing.style import draw_nothing, readable

Greys = npt.NDArray[np.uint8]
SAMPLES = 8  # of a finding and source
PAIRS = 12  # on a sheet
PAIRS_IN_ROW = 3
RED = "#D00000"
LETTERS = 30  # of a file's name that fit under a film


@dataclass(frozen=True)
class Pair:
    """Two films that count as one: their pixels, source, file and findings."""

    kind: str
    score: float
    films: tuple[Greys, Greys]
    files: tuple[str, str]
    findings: tuple[str, str]


def choose_samples(split: pd.DataFrame, index: pd.DataFrame, n: int = SAMPLES) -> pd.DataFrame:
    """Choose n training films of every finding and source, in the order of the index.

    Those of the smallest ids, which say nothing of a film. The column ``all`` tells how many
    training films there are of that finding and source.
    """
    films = by_finding(split[split["subset"] == "train"], "finding")
    films = index[["radiograph"]].merge(films, on="radiograph", validate="one_to_many")
    films["all"] = films.groupby(["finding", "source"])["radiograph"].transform("size")
    by_id = films.sort_values("radiograph")
    return by_id.groupby(["finding", "source"]).head(n).sort_index()


def choose_pairs(
    duplicates: pd.DataFrame, index: pd.DataFrame, seed: int
) -> dict[str, tuple[str, pd.DataFrame]]:
    """Choose the pairs of copies of every sheet: those that most want looking at come first.

    Returns
    -------
    By name of the sheet, its title and rows of ``duplicates``: the near pairs of lowest score, a
    sample of the others, a sample of the exact ones, and those under different findings.
    """
    finding = index.set_index("radiograph")["findings"]
    pairs = duplicates.sort_values(["score", "first", "second"], ignore_index=True)
    near, exact = (pairs[pairs["kind"] == kind] for kind in ("near", "exact"))
    differ = pairs["first"].map(finding) != pairs["second"].map(finding)
    random = np.random.default_rng(seed)
    sheets = {
        "duplicates-lowest": ("pairs of near copies, the lowest scores", near, False),
        "duplicates-sample": ("further pairs of near copies, a sample", near[PAIRS:], True),
        "duplicates-exact": ("pairs with the same pixels, a sample", exact, True),
        "conflicts": ("pairs of copies under two findings", pairs[differ], False),
    }
    chosen = {}
    for name, (what, some, is_sample) in sheets.items():
        n = min(PAIRS, len(some))
        shown = some.sample(n, random_state=random).sort_index() if is_sample else some.head(n)
        none = f"No {what.partition(',')[0]} are known."
        chosen[name] = (f"{n} of {len(some):,} {what}" if n else none, shown)
    return chosen


def draw_samples(finding: str, films: Mapping[str, Sequence[Greys]]) -> Figure:
    """Draw sample films of a finding, a row for each title."""
    if not films:
        return draw_nothing(f"No training film shows {readable(finding)}.")
    figure, grid = _grid(len(films), max(len(row) for row in films.values()))
    for axes, (title, row) in zip(grid, films.items(), strict=True):
        axes[0].set_title(title, loc="left", fontsize=7, pad=2)
        for place, pixels in zip(axes, row, strict=False):
            place.imshow(pixels, vmin=0, vmax=255)
    return figure


def draw_augmented(films: Mapping[str, Greys]) -> Figure:
    """Draw a row for each film: (n, side, side), the film itself and then changed versions."""
    figure, grid = _grid(len(films), max(len(row) for row in films.values()))
    for axes, (title, row) in zip(grid, films.items(), strict=True):
        for number, (place, pixels) in enumerate(zip(axes, row, strict=True)):
            said = f"version {number}" if number else title
            place.set_title(said, loc="left", fontsize=7, pad=2)
            place.imshow(pixels, vmin=0, vmax=255)
    return figure


def _grid(rows: int, columns: int) -> tuple[Figure, npt.NDArray[np.object_]]:
    """Give (rows, columns) places for square films, with room for a line above each row."""
    film, line, gap = 0.9, 0.18, 0.04  # inches
    figure = Figure(figsize=(columns * (film + gap), rows * (film + line)))
    figure.set_layout_engine("none")
    edges = {"left": 0.005, "right": 1, "bottom": 0, "top": 1 - line / figure.get_figheight()}
    spaces = {"wspace": gap / film, "hspace": line / film}
    grid = figure.subplots(rows, columns, squeeze=False, gridspec_kw=edges | spaces)
    for place in grid.flat:
        place.set_axis_off()
    return figure, grid


def draw_pairs(pairs: Sequence[Pair], title: str) -> Figure:
    """Draw pairs of copies side by side, a red frame and words where their findings differ."""
    if not pairs:
        return draw_nothing(title)
    columns = min(PAIRS_IN_ROW, len(pairs))
    rows = -(-len(pairs) // columns)
    figure = Figure(figsize=(max(2.7 * columns, 5), 2 * rows + 0.3))
    figure.suptitle(title, fontsize=9)
    for part, pair in zip(
        figure.subfigures(rows, columns, squeeze=False).flat, pairs, strict=False
    ):
        _draw_pair(part, pair)
    return figure


def _draw_pair(part: SubFigure, pair: Pair) -> None:
    conflict = pair.findings[0] != pair.findings[1]
    said = "same pixels" if pair.kind == "exact" else f"near, score {pair.score:.3f}"
    if conflict:
        part.suptitle(f"{said}: TWO FINDINGS", fontsize=7, color=RED, fontweight="bold")
    else:
        part.suptitle(said, fontsize=7)
    grid = part.subplots(1, 2)
    films = zip(pair.films, pair.files, pair.findings, strict=True)
    for axes, (pixels, file, finding) in zip(grid, films, strict=True):
        axes.imshow(pixels, vmin=0, vmax=255)
        axes.set_anchor("N")
        axes.set_xlabel(f"{shorten(file)}\n{readable(finding)}", fontsize=5.5)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set(visible=conflict, color=RED, linewidth=2)


def shorten(file: str) -> str:
    """Return the source and, in a second line, as much of the end of the file's name as fits."""
    source, _, path = file.partition("/")
    name = path.rpartition("/")[2]
    return f"{source}\n{name if len(name) <= LETTERS else '…' + name[1 - LETTERS :]}"

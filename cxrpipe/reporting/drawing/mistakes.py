"""Mistakes of a model: the films, what they were taken for, and what was measured on them."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from cxrpipe.reporting.drawing.explained import Explained, say_findings
from cxrpipe.reporting.drawing.galleries import show_film
from cxrpipe.reporting.drawing.heatmaps import Greys
from cxrpipe.reporting.drawing.photos import Row, draw_sheet
from cxrpipe.reporting.drawing.style import draw_nothing, readable

FILMS = 10  # of a finding, at most
IN_ROW = 5
SIDE = 1.3  # inches of a film
SUREST = "the surest mistakes of all findings"


def draw_mistakes(explained: Explained) -> Figure:
    """Draw mistakes of the best model on films of each finding, and its surest ones."""
    answers = explained.answers.films.set_index("radiograph")
    told = explained.answers.told
    if not told["n_wrong"]:
        return draw_nothing(f"{explained.best} answered all {told['n']:,} test films rightly.")
    shown = {
        heading: radiographs[:FILMS]
        for heading, radiographs in (
            *told["drawn"].items(),
            (SUREST, told["surest"]),
        )
    }
    films = explained.by_name(radiograph for chosen in shown.values() for radiograph in chosen)
    sheet = [
        row
        for name, chosen in shown.items()
        for row in _rows(explained, _say_count(answers, name, chosen), chosen, answers, films)
    ]
    of = "it" if explained.task.kind == "single" else "the surest wrong answer"
    said = (
        f"{explained.best}: {told['n_wrong']:,} of {told['n']:,} test films were answered wrongly. "
        f"Above a film: what it shows, and what was said with the calibrated probability of {of}; "
        "below: what is unusual of it by measurement."
    )
    return draw_sheet(sheet, SIDE, said)


def _say_count(answers: pd.DataFrame, name: str, chosen: Sequence[str]) -> str:
    """Say how many of the mistakes on films of a finding are drawn."""
    if name == SUREST:
        return f"{SUREST}: {len(chosen)} of {int((answers['right'] == 0).sum()):,}"
    of_finding = answers[[name in true.split("|") for true in answers["true"]]]
    n_wrong = int((of_finding["right"] == 0).sum())
    drawn = f"{len(chosen)} of {n_wrong:,} mistakes" if n_wrong else "no mistake"
    return f"{say_findings(name)}: {drawn} on {len(of_finding):,} test films"


def _rows(
    explained: Explained,
    heading: str,
    chosen: Sequence[str],
    answers: pd.DataFrame,
    films: Mapping[str, Greys],
) -> list[Row]:
    photos = []
    for radiograph in chosen:
        answer = {column: str(value) for column, value in answers.loc[radiograph].items()}
        said = f"said: {say_findings(answer['said'])}, {float(answer['probability']):.0%}"
        photo = show_film(explained, films[radiograph], radiograph, answer["true"])
        below = readable(answer["causes"].replace("|", ", ")) or "nothing unusual"
        photos.append(photo._replace(above=f"{photo.above}\n{said}", below=below))
    rows = [photos[first : first + IN_ROW] for first in range(0, len(photos), IN_ROW)]
    return [Row(row, heading if place == 0 else "") for place, row in enumerate(rows or [[]])]

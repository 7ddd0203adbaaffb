"""Films with heatmaps: drawn at random, the surest right ones, those of several findings."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from cxrpipe.reporting.drawing.explained import Explained, Films, Heat, Model, say_findings
from cxrpipe.reporting.drawing.heatmaps import (
    Greys,
    Heatmap,
    Mask,
    bar_of,
    draw_gradcam,
    show_heat,
)
from cxrpipe.reporting.drawing.panels import BEST
from cxrpipe.reporting.drawing.photos import Photo, Row, draw_sheet
from cxrpipe.reporting.drawing.style import draw_nothing, readable

PAIRS_IN_ROW = 4  # a film and its heatmap, of a model each
FILMS = 8  # that show several findings
MAPS_IN_ROW = 5  # of such a film
SIDE = 1.35  # inches of a film
NO_RIGHT = "No model names the finding of any test film rightly."
NO_SEVERAL = "No test film shows several findings that the best model knows."


def draw_panel(
    finding: str, models: Mapping[str, Model], films: Films, lesions: Mapping[str, Mask]
) -> Figure:
    """Draw the chosen films of one finding, all models whose task has it side by side."""
    heats = {
        name: _read_heats(model, finding)
        for name, model in models.items()
        if finding in model.task.findings
    }
    radiographs = sorted({radiograph for of_model in heats.values() for radiograph in of_model})
    if not radiographs:
        return draw_nothing(f"No test film shows {readable(finding)}.")
    return draw_gradcam(
        [(finding, film) for film in films(radiographs)],
        {name: [of_model.get(film) for film in radiographs] for name, of_model in heats.items()},
        [lesions.get(radiograph) for radiograph in radiographs],
    )


def _read_heats(model: Model, finding: str) -> dict[str, tuple[float, Heatmap]]:
    """Return by film the probability that a model gives a finding, and its heatmap."""
    return {
        heat.radiograph: (model.chance(heat.radiograph, finding), heat.heatmap)
        for heat in model.heatmaps("panel")
        if heat.finding == finding
    }


def draw_gallery(explained: Explained) -> Figure:
    """Draw of every finding the surest right film of each model, and its heatmap beside it."""
    shown = {
        name: {heat.finding: heat for heat in explained.models[name].heatmaps("gallery")}
        for name in explained.shown
    }
    if not any(shown.values()):
        return draw_nothing(NO_RIGHT)
    films = explained.by_name(heat.radiograph for of in shown.values() for heat in of.values())
    sheet = []
    for finding in explained.task.findings:
        pairs = [_pair(explained, name, heats.get(finding), films) for name, heats in shown.items()]
        for first in range(0, len(pairs), PAIRS_IN_ROW):
            photos = [photo for pair in pairs[first : first + PAIRS_IN_ROW] for photo in pair]
            sheet.append(Row(photos, "" if first else readable(finding)))
    said = (
        "Of each finding the right film that a model is surest of, and that model's heatmap of it;"
        f" {BEST} best on validation.{explained.how_many()}"
    )
    return draw_sheet(sheet, SIDE, said, [bar_of("gradcam")])


def _pair(
    explained: Explained, model: str, heat: Heat | None, films: Mapping[str, Greys]
) -> list[Photo]:
    """Return a model's film of a finding, and that film with its heatmap."""
    name = f"{BEST} " * (model == explained.best) + readable(model)
    if heat is None:
        return [Photo(None, f"{name}: no right film"), Photo(None)]
    pixels = films[heat.radiograph]
    sure = explained.models[model].chance(heat.radiograph, heat.finding)
    film = show_film(explained, pixels, heat.radiograph, heat.true)
    return [film, show_heat(pixels, heat.heatmap, f"{name}: {sure:.0%}")]


def show_film(explained: Explained, pixels: Greys, radiograph: str, true: str) -> Photo:
    """Return a film with what it shows and its source above, and its known lesion outlined."""
    above = f"true: {say_findings(true)}\n{explained.sources[radiograph]}"
    return Photo(pixels, above, outline=explained.lesions.get(radiograph))


def draw_several(explained: Explained) -> Figure:
    """Draw films that show several findings, each with the best model's heatmap of every one."""
    model = explained.models[explained.best]
    heats = model.heatmaps("several")
    if not heats:
        return draw_nothing(NO_SEVERAL)
    chosen = list(dict.fromkeys(heat.radiograph for heat in heats))
    films = explained.by_name(chosen[:FILMS])
    sheet = []
    for radiograph, pixels in films.items():
        of_film = [heat for heat in heats if heat.radiograph == radiograph]
        film = show_film(explained, pixels, radiograph, of_film[0].true)
        for first in range(0, len(of_film), MAPS_IN_ROW):
            photos = [Photo(None) if first else film]
            for heat in of_film[first : first + MAPS_IN_ROW]:
                above = f"{readable(heat.finding)}: {model.chance(radiograph, heat.finding):.0%}"
                photos.append(show_heat(pixels, heat.heatmap, above))
            sheet.append(Row(photos))
    said = f"{explained.best}: {len(films)} of {len(chosen)} test films that show several findings."
    return draw_sheet(sheet, SIDE, said, [bar_of("gradcam")])

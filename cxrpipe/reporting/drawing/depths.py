"""One film seen in several ways by the best model: layer by layer, and by every method."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from cxrpipe.reporting.drawing.explained import Explained, Heat
from cxrpipe.reporting.drawing.galleries import show_film
from cxrpipe.reporting.drawing.heatmaps import METHODS, bar_of, show_heat
from cxrpipe.reporting.drawing.photos import GAP, Bar, Photo, Row, draw_sheet
from cxrpipe.reporting.drawing.style import draw_nothing, readable

ROWS = 12  # films and explained findings, at most
MOST, LEAST = 1.15, 0.9  # inches of a film
NO_RIGHT = "{model} names the finding of no test film rightly."
WIDTH = 10.4  # inches of a sheet, as far as films can be that small


class Explanation(NamedTuple):
    """One film and the finding that is explained of it, with its heatmaps by layer or method."""

    radiograph: str
    true: str
    finding: str
    chance: float
    said: bool
    heats: Mapping[str, Heat]

    @property
    def right(self) -> bool:
        """Whether the film shows what is explained, and the model says it."""
        return self.said and self.finding in self.true.split("|")

    @property
    def verdict(self) -> str:
        """Say whether the model is right."""
        if not self.said:
            return "missed"
        return "rightly said" if self.right else "wrongly said"


def draw_depth(explained: Explained) -> Figure:
    """Draw right films and confusions in rows, the best model's layers shallow to deep beside."""
    heats = explained.models[explained.best].heatmaps("depth")
    gathered = gather(explained, heats, lambda heat: heat.layer)
    if not gathered:
        return draw_nothing(NO_RIGHT.format(model=explained.best))
    chosen = choose_rows(gathered, explained.task.findings)
    said = (
        f"{explained.best}: the surest right film of each finding and the surest of each confusion,"
        f" frequent ones first, layers shallow to deep; {len(chosen)} of {len(gathered)} are drawn."
    )
    layers = {heat.layer: heat.layer for heat in heats}
    return _draw(explained, chosen, layers, said, [bar_of("gradcam")])


def draw_methods(explained: Explained) -> Figure:
    """Draw the best model's surest right film of each finding by every method."""
    heats = explained.models[explained.best].heatmaps("methods")
    gathered = gather(explained, heats, lambda heat: heat.method)
    if not gathered:
        return draw_nothing(NO_RIGHT.format(model=explained.best))
    chosen = choose_rows(gathered, explained.task.findings)
    said = (
        f"{explained.best}: its surest right film of each finding, by several methods; "
        f"{len(chosen)} of {len(gathered)} are drawn."
    )
    methods = {heat.method: METHODS.get(heat.method, heat.method) for heat in heats}
    bars = [bar_of("gradcam")._replace(label="share of each map's maximum")]
    signed = [bar_of("cam")] if "cam" in methods else []
    return _draw(explained, chosen, methods, said, bars + signed)


def gather(
    explained: Explained, heats: Sequence[Heat], by: Callable[[Heat], str]
) -> list[Explanation]:
    """Gather the heatmaps of each film and finding by layer or method, in the order given."""
    films: dict[tuple[str, str, str], dict[str, Heat]] = {}
    for heat in heats:
        films.setdefault((heat.radiograph, heat.true, heat.finding), {})[by(heat)] = heat
    model = explained.models[explained.best]
    one_of_all = explained.task.kind == "single"  # then what is explained is what is said
    chances = [model.chance(radiograph, finding) for radiograph, _, finding in films]
    return [
        Explanation(*film, chance, one_of_all or chance > 0.5, of_film)
        for (film, of_film), chance in zip(films.items(), chances, strict=True)
    ]


def choose_rows(
    explanations: Sequence[Explanation], findings: Sequence[str], n: int = ROWS
) -> list[Explanation]:
    """Choose right films and the first confusions; put confusions below their finding.

    Half of the rows are kept for confusions, if there are so many.
    """
    right, wrong = ([row for row in explanations if row.right is of] for of in (True, False))
    kept = right[: n - min(len(wrong), n // 2)]
    chosen = [*kept, *wrong[: n - len(kept)]]

    def place(row: Explanation) -> tuple[int, bool]:
        """Order by true finding, right films first."""
        true = [findings.index(name) for name in row.true.split("|") if name in findings]
        return min(true, default=len(findings)), not row.right

    return sorted(chosen, key=place)


def _draw(
    explained: Explained,
    chosen: Sequence[Explanation],
    columns: Mapping[str, str],
    heading: str,
    bars: Sequence[Bar],
) -> Figure:
    """Draw a row for each explanation: the film, then its heatmap of each column."""
    films = explained.by_name(row.radiograph for row in chosen)
    sheet = []
    for row in chosen:
        pixels = films[row.radiograph]
        photos = [show_film(explained, pixels, row.radiograph, row.true)]
        for column, name in columns.items():
            if heat := row.heats.get(column):
                photos.append(show_heat(pixels, heat.heatmap, name, heat.method))
            else:
                photos.append(Photo(None, f"{name}: not drawn"))
        said = f"{readable(row.finding)}: {row.verdict}, probability {row.chance:.0%}"
        sheet.append(Row(photos, said))
    side = min(MOST, max(LEAST, WIDTH / (len(columns) + 1) - GAP))
    return draw_sheet(sheet, side, heading, bars)

"""Films and those that a model sees most like them."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from cxrpipe.reporting.drawing.explained import Explained, say_findings
from cxrpipe.reporting.drawing.photos import Photo, Row, draw_sheet
from cxrpipe.reporting.drawing.style import draw_nothing

IN_ROW = 6  # neighbours, at most
SIDE = 1.3  # inches of a film
NONE = "No features of the best model were laid out."
NO_FINDING = "No film that was laid out shows a finding."


def choose_shown(shown: Mapping[str, str], findings: Sequence[str]) -> list[str]:
    """Choose a film for each finding, one that shows it alone if there is any.

    Of several that of the smallest id, which is a checksum and says nothing of a film.

    Parameters
    ----------
    shown
        Findings of each film, joined by ``|``.
    """
    told = {name: shown[name].split("|") for name in sorted(shown)}
    chosen = []
    for finding in findings:
        having = [name for name, names in told.items() if finding in names]
        chosen += sorted(having, key=lambda name: len(told[name]))[:1]
    return list(dict.fromkeys(chosen))


def compare(one: str, other: str) -> str:
    """Say whether two films show the same findings, some of the same, or others."""
    if one == other:
        return "same"
    return "partly" if set(one.split("|")) & set(other.split("|")) else "OTHER"


def draw_neighbours(explained: Explained) -> Figure:
    """Draw of each finding a film and its nearest films by the best model's trained features."""
    near = explained.latent.neighbours
    near = near[(near["features"] == explained.best) & (near["stage"] == "after")]
    if near.empty:
        return draw_nothing(NONE)
    laid = explained.latent.layout.drop_duplicates("radiograph")
    findings = dict(zip(laid["radiograph"], laid["finding"], strict=True))
    asked = {name: findings[name] for name in near["radiograph"]}
    chosen = choose_shown(asked, explained.task.findings)
    if not chosen:
        return draw_nothing(NO_FINDING)
    n_listed = int(near["rank"].max())
    near = near[near["rank"] <= IN_ROW].sort_values("rank")
    of_film = {name: list(near.loc[near["radiograph"] == name, "neighbour"]) for name in chosen}
    films = explained.by_name([*chosen, *(name for names in of_film.values() for name in names)])
    sheet = []
    for film, others in of_film.items():
        photos = [Photo(films[film], _say(explained, film, findings[film]))]
        for other in others:
            alike = compare(findings[film], findings[other])
            above = f"{alike}: {_say(explained, other, findings[other])}"
            photos.append(Photo(films[other], above, framed=alike == "OTHER"))
        sheet.append(Row(photos))
    said = (
        f"{explained.best}: a film of each finding at the left, then {min(n_listed, IN_ROW)} of "
        f"its {n_listed} nearest films of other patients by the trained features, nearest first; "
        "finding and source above, a red frame where the finding differs."
    )
    return draw_sheet(sheet, SIDE, said)


def _say(explained: Explained, radiograph: str, finding: str) -> str:
    return f"{say_findings(finding)}\n{explained.sources[radiograph]}"

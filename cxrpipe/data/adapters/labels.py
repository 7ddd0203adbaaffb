"""A record of a film becomes a row of the index, or the reason why the film is not used."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from cxrpipe.catalogue import Films, IndexSettings
from cxrpipe.config import Index
from cxrpipe.data.films.grey import UnusableFilmError
from cxrpipe.runtime import UserError

Row = dict[str, str | int | float]
SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}
AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)\.?(?: old)?")
PER_YEAR = {"": 1.0, "y": 1.0, "m": 12.0, "w": 365.25 / 7, "d": 365.25}  # DICOM's units of age
OLDEST = 120  # years; NIH's first table holds ages of 148 and 414


def label_record(
    record: Mapping[str, str], films: Films, settings: IndexSettings
) -> Row | UnusableFilmError:
    """Give a film its findings, in the recipe's order, or the reason why it is not used."""
    unusable = refuse_view(record["view"], settings) if record["view"] else None
    if unusable:  # an unknown view may stand in the film's header
        return unusable
    findings = choose_findings(record["label"], films, settings)
    if isinstance(findings, UnusableFilmError):
        return findings
    return {
        "source": record["source"],
        "file": record["file"],
        "patient": record["patient"],
        "view": record["view"],
        "age": years(record["age"]),
        "sex": SEXES.get(record["sex"].lower(), ""),
        "findings": "|".join(findings),
        "published": record["published"],
        "lungs": record["lungs"],
        "lesions": record["lesions"],
        "boxes": translate_boxes(record["boxes"], films.findings, settings.findings),
    }


def refuse_view(view: str, settings: Index) -> UnusableFilmError | None:
    """Return why a film of this view is not used, or None."""
    if view in settings.views:
        return None
    accepted = ", ".join(accepted or "unknown" for accepted in settings.views)
    return UnusableFilmError("view", f"view is {view or 'unknown'}; accepted are {accepted}")


def choose_findings(
    label: str, films: Films, settings: IndexSettings
) -> tuple[str, ...] | UnusableFilmError:
    """Translate a label and keep the recipe's findings, as ``several`` and ``unlisted`` say.

    A film that is left without any finding is used only where films may have several.
    """
    if not label and not films.findings.get(""):
        return UnusableFilmError("unlabelled", "nothing tells its finding")
    try:
        findings = translate(label, films.findings)
    except KeyError as error:
        return UnusableFilmError(
            "unknown_label", f"label {error} is not in findings: of its source"
        )
    known = tuple(finding for finding in settings.findings if finding in findings)
    outside = [finding for finding in findings if finding not in known]
    if outside and (settings.unlisted == "exclude" or (not known and settings.several != "keep")):
        return UnusableFilmError("other_finding", f"{outside[0]} is not a finding of this recipe")
    if len(known) > 1 and settings.several == "exclude":
        return UnusableFilmError("several_findings", "|".join(known))
    return known


def translate(label: str, findings: Mapping[str, str]) -> tuple[str, ...]:
    """Translate a label as written, parts joined by ``|``, into names of findings.

    Raises
    ------
    KeyError
        With the part that the description does not name.
    """
    parts = [part.strip() for part in label.split("|")]
    if findings:
        return tuple(findings[part] for part in parts)
    return tuple(re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_") for part in parts)


def refuse_ambiguous_labels(labels: Iterable[str], source: str) -> None:
    """Raise a UserError if two labels, such as ``covid+`` and ``covid-``, would be one finding."""
    read: dict[str, str] = {}
    parts = {part.strip() for several in labels for part in several.split("|")}
    for label in sorted(parts - {""}):
        (finding,) = translate(label, {})
        plain = re.sub(r"(?<=\w)[\s_-]+(?=\w)", "_", label.lower())
        other = read.setdefault(finding, plain)
        if not finding or other != plain:
            raise UserError(
                f"{source}: the label '{label}' is read as '{finding}', as '{other}' is; name the "
                "labels in findings: of config/sources.yaml"
            )


def translate_boxes(boxes: str, findings: Mapping[str, str], chosen: Sequence[str]) -> str:
    """Translate the findings of boxes, and keep the boxes of the chosen findings."""
    translated = []
    for box in filter(None, boxes.split("|")):
        label, place = box.rsplit(":", 1)
        finding = findings.get(label, "") if findings else translate(label, findings)[0]
        if finding in chosen:
            translated.append(f"{finding}:{place}")
    return "|".join(translated)


def years(age: str) -> float:
    """Read an age such as ``45``, ``045Y``, ``45yrs`` or ``8 months``, in years.

    NaN if it is unknown, written in another way (``50+``) or over ``OLDEST``.
    """
    match = AGE.fullmatch(age.strip().lower())
    unit = match[2][:1] if match else "?"
    if not match or unit not in PER_YEAR:
        return math.nan
    value = float(match[1]) / PER_YEAR[unit]
    return value if value <= OLDEST else math.nan

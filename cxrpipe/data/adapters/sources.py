"""Reading what a collection says of its films: label, patient, view, age, sex, subset, masks."""

import logging
import re
from pathlib import Path, PurePosixPath

import pandas as pd

from cxrpipe.catalogue import Films
from cxrpipe.data.adapters.attached import attach_boxes, attach_masks, attach_notes, attach_subsets
from cxrpipe.data.adapters.described import Described, match_names, match_tables, read_tables
from cxrpipe.data.adapters.naming import Names, check_template
from cxrpipe.runtime import UserError

CHECKSUMS = "SHA256SUMS"
RECORD = (
    "file",
    "label",
    "patient",
    "view",
    "age",
    "sex",
    "published",
    "lungs",
    "lesions",
    "boxes",
)
log = logging.getLogger(__name__)


def read_checksums(folder: Path) -> dict[str, str]:
    """Read ``SHA256SUMS`` of a collection: relative path to SHA-256, in the file's order.

    Raises
    ------
    UserError
        If the file is missing or a line has another form, or a path leaves the folder.
    """
    path = folder / CHECKSUMS
    if not path.is_file():
        raise UserError(f"{path}: missing; it lists the collection's files as sha256sum does")
    checksums: dict[str, str] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            match = re.fullmatch(r"([0-9a-f]{64})  (.+)\n?", line)
            if not match:
                raise UserError(f"{path}: line {number} is not '<sha256>  <path>'")
            name = PurePosixPath(match[2])
            if name.is_absolute() or ".." in name.parts:
                raise UserError(f"{path}: line {number} leaves the folder: {name}")
            checksums[str(name)] = match[1]
    return checksums


def read_records(data: Path, name: str, films: Films) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the films of one collection with all that is said of them.

    Parameters
    ----------
    data
        The folder with one folder for each collection.
    name
        The collection.

    Returns
    -------
    records
        One row per film, columns ``RECORD``, all text; ``label`` is as the collection writes it,
        ``patient`` is scoped by the collection's name, masks of several files are joined by ``|``
        and so are ``boxes`` (see ``tabular.read_boxes``). Empty where unknown.
    excluded
        Columns ``source``, ``file``, ``reason``, ``detail``: films that the description drops, and
        masks that belong to no film.

    Raises
    ------
    UserError
        If the description does not fit the collection: no film fits the pattern, a table, column
        or list is missing, a template names nothing that is known.
    """
    folder = data / name
    files = list(read_checksums(folder))
    try:
        described, dropped = match_names(files, films)
    except UserError as error:
        raise UserError(f"{folder}: {error}") from error
    tables, columns = read_tables(data, name, films)
    _check_templates(films, columns, name)
    described, rejected = match_tables(described, tables)
    dropped |= rejected
    present = Names(files)
    if films.notes:
        attach_notes(described, present, folder, films.notes)
    masks: set[str] = set()
    for structure, templates in (("lungs", films.lungs), ("lesions", films.lesions)):
        attached = attach_masks(described, present, structure, templates)
        if templates and not attached:
            log.warning(f"{name}: no film has {structure}: nothing is like {templates[0]}")
        masks |= attached
    attach_subsets(described, folder, films)
    if films.boxes:
        attach_boxes(described, data / (films.boxes.source or name), films.boxes)
    records = [_record(film, name, films) for film in described if film.file not in masks]
    excluded = [(name, file, *why) for file, why in dropped.items() if file not in masks]
    return (
        pd.DataFrame(records, columns=list(RECORD), dtype=str),
        pd.DataFrame(excluded, columns=["source", "file", "reason", "detail"]),
    )


def _check_templates(films: Films, columns: set[str], name: str) -> None:
    """Refuse templates that name no group of the pattern and no column of the tables."""
    groups = {group for pattern in films.pattern for group in re.compile(pattern).groupindex}
    templates = {"lungs": films.lungs, "lesions": films.lesions}
    if films.notes:
        templates["notes"] = (films.notes.file,)
    for key, given in templates.items():
        for template in given:
            known = sorted(groups | columns)
            check_template(template, known, f"{name}: films.{key}", "group or column")


def _record(film: Described, name: str, films: Films) -> dict[str, str]:
    """Return what is told of a film under the keys ``RECORD``; patients are scoped by source."""
    view = film.told.get("view", "")
    patients = filter(None, film.told.get("patient", "").split("|"))
    return (
        dict.fromkeys(RECORD, "")
        | {key: value for key, value in film.told.items() if key in RECORD}
        | {
            "file": film.file,
            "label": film.told.get("finding", "") or films.finding,
            "view": films.views.get(view, view),
            "patient": "|".join(f"{name}/{patient}" for patient in patients),
        }
    )

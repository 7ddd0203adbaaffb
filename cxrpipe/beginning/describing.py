"""From what was seen of a folder to the settings by which the index reads its films."""

import re
from pathlib import PurePosixPath

from cxrpipe.beginning.folder import MASK_FILE, MASK_FOLDER, Folder, spread, stem_of, suffixes_of
from cxrpipe.beginning.layout import SUBSETS, Layout, folder_pattern
from cxrpipe.beginning.sheet import Sheet
from cxrpipe.catalogue import Films
from cxrpipe.data.adapters.attached import attach_masks, attach_subsets
from cxrpipe.data.adapters.described import (
    Described,
    Dropped,
    match_names,
    match_tables,
    read_tables,
)
from cxrpipe.data.adapters.naming import Names
from cxrpipe.data.films.dicom_header import view_of

LESION = re.compile(r"(?i)lesion|infect|opacit|nodule|abnormal")
N_TRIED = 50  # masks whose names are compared with those of films


def describe(folder: Folder, layout: Layout, sheet: Sheet | None, patient: str) -> Films:
    """Return how the films of a folder are read.

    Parameters
    ----------
    patient
        Regular expression of a film's name, with a group for the patient; may be empty.
    """
    subsets = {name: SUBSETS[name.lower()] for name in layout.names("subset")}
    views = {name: view_of(name) for name in layout.names("view") if view_of(name) != name}
    said = {
        "pattern": _list_patterns(folder, layout, patient),
        "table": sheet.table if sheet else (),
        "subsets": subsets,
        "views": views | (sheet.views if sheet else {}),
        **_list_masks(folder, layout),
    }
    return Films.model_validate({key: value for key, value in said.items() if value})


def _list_patterns(folder: Folder, layout: Layout, patient: str) -> list[str]:
    """List the regular expressions of films, the most telling first; none where the default does.

    The default takes the last folder for the finding.
    """
    told = {role for role in layout.roles if role}
    is_usual = told <= {"finding"} and (not told or layout.roles[-1] == "finding")
    if is_usual and not patient and not folder.masks:
        return []
    folders = folder_pattern(layout)
    if is_usual and not folder.masks:
        folders = "(?:.*/)?(?P<finding>[^/]+)/" if told else "(?:.*/)?"
    suffixes = suffixes_of(folder.films)
    ending = rf"\.(?i:{'|'.join(filter(None, suffixes))})" if any(suffixes) else ""
    stems = [patient, "[^/]+"] if patient else ["[^/]+"]
    patterns = [f"{folders}{_named(stem, folder)}{ending}" for stem in stems if ending]
    bare = [patient, r"[^/.]+|[\d.]+"] if patient else [r"[^/.]+|[\d.]+"]
    patterns += [f"{folders}{_named(stem, folder)}" for stem in bare if "" in suffixes]
    return patterns


def _named(stem: str, folder: Folder) -> str:
    """Give a name a group, from which templates of masks are filled, if there are masks."""
    return f"(?P<name>{stem})" if folder.masks else f"(?:{stem})" if "|" in stem else stem


def _list_masks(folder: Folder, layout: Layout) -> dict[str, list[str]]:
    """Return templates of the masks that have the name of a film, of lungs and of lesions."""
    stems = set(map(stem_of, folder.films))
    roles = {name: role for role in ("subset", "finding") for name in layout.names(role)}
    found: dict[str, dict[str, None]] = {"lungs": {}, "lesions": {}}
    for mask in spread(folder.masks, N_TRIED):
        path = PurePosixPath(mask)
        stem = MASK_FILE.sub("", path.stem)
        if stem in stems:
            parts = [f"{{{roles[part]}}}" if part in roles else part for part in path.parts[:-1]]
            file = f"{{name}}{path.stem.removeprefix(stem)}{path.suffix}"
            of_lesions = any(LESION.search(part) for part in path.parts if MASK_FOLDER.search(part))
            structure = "lesions" if of_lesions else "lungs"
            found[structure]["/".join([*parts, file])] = None
    return {structure: list(templates) for structure, templates in found.items()}


def read_films(folder: Folder, films: Films) -> tuple[list[Described], Dropped]:
    """Read the names and tables of a folder by the means of the index itself.

    Returns
    -------
    described
        The films, with what is told of them.
    dropped
        Films that are not read, and why.
    """
    names = sorted([*folder.films, *folder.masks])
    described, dropped = match_names(names, films)
    path = folder.path.resolve()
    tables, _ = read_tables(path.parent, path.name, films)
    described, rejected = match_tables(described, tables)
    masks: set[str] = set()
    for structure, templates in (("lungs", films.lungs), ("lesions", films.lesions)):
        masks |= attach_masks(described, Names(names), structure, templates)
    attach_subsets(described, path, films)
    kept = [film for film in described if film.file not in masks]
    dropped |= rejected
    return kept, {film: dropped[film] for film in folder.films if film in dropped}

"""What belongs to films in files of its own: masks, notes, lists of subsets, boxes."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from cxrpipe.catalogue import Boxes, Films, Notes
from cxrpipe.config import nearest
from cxrpipe.data.adapters.described import Described
from cxrpipe.data.adapters.naming import Names, fill
from cxrpipe.data.adapters.tabular import CONTROL, Rows, read_boxes
from cxrpipe.runtime import UserError


def attach_masks(
    described: Sequence[Described], files: Names, structure: str, templates: Sequence[str]
) -> set[str]:
    """Tell films the paths of their mask, joined by ``|``; return all of them.

    A film has the mask only if every one of its files is there: half a mask would be a wrong one.
    """
    attached: set[str] = set()
    for film in described:
        wanted = [fill(template, film.values) for template in templates]
        found = [files.find(path) for path in wanted]
        if found and all(found):
            film.told[structure] = "|".join(found)
            attached.update(found)
    return attached


def attach_notes(described: Sequence[Described], files: Names, folder: Path, notes: Notes) -> None:
    """Tell films what their text file says, where it has one."""
    patterns = {key: re.compile(pattern) for key, pattern in notes.patterns.items()}
    for film in described:
        file = files.find(fill(notes.file, film.values))
        text = _read_text(folder / file) if file else ""
        for key, pattern in patterns.items():
            if match := pattern.search(text):
                film.told[key] = CONTROL.sub(" ", match[1] or "").strip()


def attach_subsets(described: Sequence[Described], folder: Path, films: Films) -> None:
    """Tell films the subset that was published, by their name or by a list that names them.

    Raises
    ------
    UserError
        If a list is missing, or a subset is written as the description does not know.
    """
    for film in described:
        if written := film.told.get("subset", ""):
            film.told["published"] = _subset(written, films.subsets, f"{folder / film.file}")
    for file, subset in films.lists.items():
        if not (folder / file).is_file():
            raise UserError(f"{folder / file}: missing; it lists the films of the subset {subset}")
        listed = [line.strip() for line in _read_text(folder / file).splitlines() if line.strip()]
        rows = Rows([{}] * len(listed), listed)
        for film in described:
            if rows.of(film.file):
                film.told["published"] = subset


def attach_boxes(described: Sequence[Described], folder: Path, boxes: Boxes) -> None:
    """Tell films the boxes around their findings, joined by ``|``."""
    rows = read_boxes(folder, boxes)
    for film in described:
        film.told["boxes"] = "|".join(filter(None, (row["box"] for row in rows.of(film.file))))


def _subset(written: str, subsets: Mapping[str, str], file: str) -> str:
    if written not in subsets:
        hint = nearest(written, subsets) if subsets else "such as {train: train, val: validation}"
        raise UserError(f"{file}: subset '{written}' is not in films.subsets; {hint}")
    return subsets[written]


def _read_text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")

"""Which table of a folder names its films, and what it tells of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd

from cxrpipe.beginning.columns import find_roles, guess_finding, guess_patient, list_unread
from cxrpipe.beginning.folder import Folder, spread, suffix_of
from cxrpipe.catalogue import Table
from cxrpipe.data.adapters.naming import fill
from cxrpipe.data.adapters.tabular import Rows, read_table
from cxrpipe.data.films.dicom_header import view_of
from cxrpipe.runtime import UserError

N_TRIED = 200  # films by which the column that names them is found
SHARE_TO_LABEL, SHARE_TO_GROUP = 0.5, 0.9  # of the films, that a table has to name to be read


@dataclass(frozen=True)
class Sheet:
    """A table that names films.

    Attributes
    ----------
    named
        Share of the films that it names.
    views
        View as written to view as cxrpipe names it, where these differ.
    guessed
        Which of the columns were chosen by what stands in them, not by their names.
    unread
        What it tells that cannot be read, in sentences.
    """

    table: Table
    named: float
    views: dict[str, str]
    guessed: tuple[str, ...]
    unread: tuple[str, ...]


def find_sheet(folder: Folder) -> Sheet | None:
    """Return the table that tells most of the films of a folder, or None."""
    sheets = filter(None, (_read_sheet(folder, name) for name in folder.tables))
    return max(sheets, key=lambda sheet: (bool(sheet.table.finding), sheet.named), default=None)


def _read_sheet(folder: Folder, name: str) -> Sheet | None:
    """Read what a table tells, if it names films enough; a film that it does not is left out."""
    try:
        content = read_table(folder.path / name)
    except UserError:
        return None
    film, template = find_film(content, spread(folder.films, N_TRIED))
    if not film:
        return None
    named = share_named(content, template, folder.films)
    roles = find_roles(content, film)
    guessed = {}
    if "finding" not in roles:
        guessed["finding"] = guess_finding(content, {film, *roles.values()})
    if "patient" not in roles:
        taken = {film, *roles.values(), *guessed.values()}
        guessed["patient"] = guess_patient(content, taken, (roles | guessed)["finding"])
    table = Table(file=(name,), film=template, **(roles | guessed))
    named = share_named(content, template, folder.films)
    if named < (SHARE_TO_LABEL if table.finding else SHARE_TO_GROUP):
        return None
    written = content[table.view].unique() if table.view else ()
    views = {view: view_of(view) for view in written if view_of(view) != view}
    chosen = tuple(role for role, column in guessed.items() if column)
    return Sheet(table, named, views, chosen, tuple(list_unread(content)))


def find_film(content: pd.DataFrame, films: Sequence[str]) -> tuple[str, str]:
    """Return the column that names most films, and the template that makes paths of it.

    Both are empty if no column names any.
    """
    endings = [set(_endings(film.casefold())) for film in films]
    hits = {}
    for column in content.columns:
        values = set(content[column].str.casefold())
        hits[column] = sum(not values.isdisjoint(each) for each in endings)
    film = max(hits, key=lambda column: hits[column], default="")
    if not hits.get(film):
        return "", ""
    templates = [f"{folder}{{{film}}}" for folder in _shared_folders(films)]
    named = [share_named(content, template, films) for template in templates]
    return (film, templates[named.index(max(named))]) if max(named) else ("", "")


def _endings(film: str) -> Iterator[str]:
    """Pass all that may name a film: its path, and that without its first folders or suffix."""
    parts = film.split("/")
    for number in range(len(parts)):
        ending = "/".join(parts[number:])
        yield ending
        yield ending.removesuffix(suffix_of(film))


def _shared_folders(films: Sequence[str]) -> list[str]:
    """List what may stand before a name in a table: nothing, or folders that all films share."""
    folders = [PurePosixPath(film).parent.parts for film in films]
    shared = [""]
    for names in zip(*folders, strict=False):
        if len(set(names)) > 1:
            break
        shared.append(f"{shared[-1]}{names[0]}/")
    return shared


def share_named(content: pd.DataFrame, template: str, films: Sequence[str]) -> float:
    """Return the share of films that the rows of a table name, as the index finds them."""
    records = content.to_dict("records")
    rows = Rows(records, [fill(template, row) for row in records])  # type: ignore[arg-type]
    return sum(bool(rows.of(film)) for film in films) / len(films)

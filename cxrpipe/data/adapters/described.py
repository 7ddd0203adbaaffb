"""What a film's name and the tables of its collection tell of it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrpipe.catalogue import Films, Table
from cxrpipe.data.adapters.naming import shape
from cxrpipe.data.adapters.tabular import Row, Rows, read_rows
from cxrpipe.data.films.film import SUFFIXES
from cxrpipe.runtime import UserError

TOLD = ("finding", "patient", "view", "age", "sex")
Dropped = dict[str, tuple[str, str]]  # file: reason and detail


@dataclass
class Described:
    """A film while it is being described.

    Attributes
    ----------
    told
        What is known: finding, patient, view, age, sex and subset, as written; lungs, lesions,
        published and boxes.
    values
        The groups of its name, and the columns of its rows under names that no group has; templates
        are filled from them.
    """

    file: str
    told: Row
    values: Row


def match_names(files: Sequence[str], films: Films) -> tuple[list[Described], Dropped]:
    """Read what file names tell; a mask, or a picture that no pattern fits, is dropped.

    Raises
    ------
    UserError
        If no file fits a pattern; names three files.
    """
    patterns = [re.compile(pattern) for pattern in films.pattern]
    masks = [fits for template in (*films.lungs, *films.lesions) if (fits := shape(template))]
    described: list[Described] = []
    dropped: Dropped = {}
    for file in files:
        match = next(filter(None, (pattern.fullmatch(file) for pattern in patterns)), None)
        if any(mask.fullmatch(file) for mask in masks):
            dropped[file] = ("mask", "it is named like a mask, and belongs to no film")
        elif match:
            groups = match.groupdict(default="")
            told = {key: groups[key] for key in (*TOLD, "subset") if key in groups}
            described.append(Described(file, told, groups))
        elif file.lower().endswith(SUFFIXES):
            dropped[file] = ("not_a_film", "its path does not fit the collection's pattern")
    if not described:
        examples = ", ".join([*dropped, *files][:3]) or "no files at all"
        patterns_tried = " or ".join(films.pattern)
        raise UserError(
            f"no file fits films.pattern {patterns_tried}; there are {examples}; correct the "
            "pattern in config/sources.yaml"
        )
    return described, dropped


def read_tables(data: Path, name: str, films: Films) -> tuple[list[tuple[Table, Rows]], set[str]]:
    """Read the tables of a collection, and the names of all their columns."""
    tables, columns = [], set[str]()
    for table in films.table:
        named = [*(getattr(table, key) for key in TOLD), *table.require]
        rows, found = read_rows(data / (table.source or name), table, named)
        tables.append((table, rows))
        columns |= set(found)
    return tables, columns


def match_tables(
    described: Iterable[Described], tables: Sequence[tuple[Table, Rows]]
) -> tuple[list[Described], Dropped]:
    """Tell films what tables say; one that no table names, or that is not required, is dropped.

    What a later table tells replaces what an earlier one tells, and both what the name tells.
    """
    kept: list[Described] = []
    dropped: Dropped = {}
    for film in described:
        named = [(table, found) for table, rows in tables if (found := rows.of(film.file))]
        unmet = next(filter(None, (_unmet(found[-1], table) for table, found in named)), None)
        if tables and not named:
            files = " or ".join(table.file[0] for table, _ in tables)
            dropped[film.file] = ("not_in_table", f"no row of {files} names it")
        elif unmet:
            dropped[film.file] = unmet
        else:
            columns: Row = {}
            for table, found in named:
                columns |= found[-1]
                _tell(film, found, table)
            film.values = columns | film.values
            kept.append(film)
    return kept, dropped


def _unmet(row: Row, table: Table) -> tuple[str, str] | None:
    for column, values in table.require.items():
        if row[column] not in values:
            return column.lower(), f"{column} is '{row[column]}', kept are {', '.join(values)}"
    return None


def _tell(film: Described, rows: Sequence[Row], table: Table) -> None:
    """Tell a film what the last of its rows says; the patients of all of them are joined."""
    columns = {key: getattr(table, key) for key in TOLD if getattr(table, key)}
    film.told |= {key: rows[-1][column] for key, column in columns.items()}
    if table.patient:
        patients = filter(None, (row[table.patient] for row in rows))
        film.told["patient"] = "|".join(dict.fromkeys(patients))

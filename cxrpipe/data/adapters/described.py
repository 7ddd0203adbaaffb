"""What a film's name and the tables of its collection tell of it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrpipe.catalogue import Films, Table
from cxrpipe.data.adapters.naming import shape
from cxrpipe.data.adapters.tabular import Row, Rows, read_rows
from cxrpipe.data.films.film import SUFFIXES
from cxrpipe.runtime import UserError

TOLD = ("finding", "patient", "view", "age", "sex")
JOINED = ("finding", "patient")  # several rows may name several of them
UNKNOWN = ("", "na", "n/a", "nan", "null", "none")  # how tables write that nothing is known
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
    described: Sequence[Described], tables: Sequence[tuple[Table, Rows]]
) -> tuple[list[Described], Dropped]:
    """Tell films what tables say; one that no table names, or that is not required, is dropped.

    What a later table tells replaces what an earlier one tells, and both what the name tells.
    """
    kept: list[Described] = []
    dropped: Dropped = {}
    claims = Counter(claim for film in described for claim in _claims(film, tables))
    for film in described:
        named = [(table, found) for table, rows in tables if (found := rows.of(film.file))]
        unmet = next(filter(None, (_unmet(found[-1], table) for table, found in named)), None)
        if tables and not named:
            files = " or ".join(table.file[0] for table, _ in tables)
            dropped[film.file] = ("not_in_table", f"no row of {files} names it")
        elif any(claims[claim] > 1 for claim in _claims(film, tables)):
            detail = "several films and several rows have its name; let the table name folders too"
            dropped[film.file] = ("ambiguous", detail)
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


def _claims(film: Described, tables: Sequence[tuple[Table, Rows]]) -> list[tuple[int, str]]:
    """Return the names by which a film finds more than one row, with the number of the table."""
    return [
        (number, rows.key(film.file))
        for number, (_, rows) in enumerate(tables)
        if len(rows.of(film.file)) > 1
    ]


def _unmet(row: Row, table: Table) -> tuple[str, str] | None:
    for column, values in table.require.items():
        if row[column] not in values:
            return column.lower(), f"{column} is '{row[column]}', kept are {', '.join(values)}"
    return None


def _tell(film: Described, rows: Sequence[Row], table: Table) -> None:
    """Tell a film what its rows say.

    Findings and patients of several rows are joined, of the rest the last is taken. What a row
    does not know leaves what was known before, but a table that tells findings tells them all.
    """
    for key in TOLD:
        column = getattr(table, key)
        said = [row[column] for row in rows if column and row[column].lower() not in UNKNOWN]
        if said:
            film.told[key] = "|".join(dict.fromkeys(said)) if key in JOINED else said[-1]
        elif column and key == "finding":
            film.told[key] = ""

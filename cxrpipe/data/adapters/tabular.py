"""Reading a collection's tables: rows as text, found by the film that they name."""

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from cxrpipe.catalogue import Boxes, Sheet
from cxrpipe.config import nearest
from cxrpipe.data.adapters.naming import Names, check_template, fill
from cxrpipe.data.films.film import SUFFIXES
from cxrpipe.runtime import UserError

Row = dict[str, str]
BROKEN = (ValueError, EOFError, OSError, zlib.error, zipfile.BadZipFile, pd.errors.ParserWarning)
FOREIGN = {b"\xd0\xcf": "an old Excel file"} | dict.fromkeys(
    (b"\xff\xfe", b"\xfe\xff"), "text in UTF-16"
)
CONTROL = re.compile(r"\s*[\x00-\x1f\x7f\x85\u2028\u2029]+\s*")  # would break a row of our tables


class Rows:
    """The rows of a table, by the films that they name.

    A name is looked up exactly first, then without regard to case.

    Parameters
    ----------
    rows
        The rows.
    films
        The film of each row. If none has a folder they fit in every folder; if none has the suffix
        of a picture they fit every suffix.
    """

    def __init__(self, rows: Iterable[Row], films: Sequence[str]) -> None:
        self.any_folder = not any("/" in film for film in films)
        self.any_suffix = not any(film.lower().endswith(SUFFIXES) for film in films)
        self.by_film: dict[str, list[Row]] = {}
        for row, film in zip(rows, films, strict=True):
            self.by_film.setdefault(film, []).append(row)
        self.names = Names(self.by_film)

    def key(self, file: str) -> str:
        """Return the name by which rows know a film."""
        name = file.rpartition("/")[2] if self.any_folder else file
        return re.sub(r"\.[^./]+$", "", name) if self.any_suffix else name

    def of(self, file: str) -> list[Row]:
        """Return the rows that name a film."""
        return self.by_film.get(self.names.find(self.key(file)), [])


def read_rows(folder: Path, sheet: Sheet, columns: Iterable[str]) -> tuple[Rows, list[str]]:
    """Read the rows of a table, and the names of its columns.

    Raises
    ------
    UserError
        If the table is missing or cannot be read, or lacks one of the columns or a column of its
        template.
    """
    path = _first(folder, sheet.file)
    table = read_table(path)
    found = [str(column) for column in table.columns]
    for column in filter(None, columns):
        if column not in found:
            raise UserError(f"{path}: no column '{column}'; {nearest(column, found)}")
    check_template(sheet.film, found, f"{path}: film")
    rows: list[Row] = table.to_dict("records")  # type: ignore[assignment]
    return Rows(rows, [fill(sheet.film, row) for row in rows]), found


def read_table(path: Path) -> pd.DataFrame:
    """Read a table with every cell as text: CSV, TSV, either of them compressed, or Excel.

    Text is UTF-8 or else Latin-1. Control characters become blanks.

    Raises
    ------
    UserError
        If the file is no table.
    """
    with path.open("rb") as file:
        start = file.read(2)
    if start in FOREIGN:
        raise UserError(f"{path}: {FOREIGN[start]}; save it as .xlsx or as CSV in UTF-8")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # openpyxl's own, on styles
            warnings.simplefilter("error", pd.errors.ParserWarning)
            if path.suffix.lower() == ".xlsx":
                table = pd.read_excel(path, dtype=str, keep_default_na=False)
            else:
                table = _read_text(path)
    except BROKEN as error:
        found = " ".join(str(error).split())
        mend = "save it as CSV with as many cells in every row as in its first"
        raise UserError(f"{path}: cannot be read as a table: {found}; {mend}") from error
    for column in table.columns:
        table[column] = table[column].fillna("").str.replace(CONTROL, " ", regex=True).str.strip()
    return table


def _read_text(path: Path) -> pd.DataFrame:
    try:
        return _read_separated(path, "utf-8-sig")
    except UnicodeDecodeError:
        return _read_separated(path, "latin-1")


def _read_separated(path: Path, encoding: str) -> pd.DataFrame:
    """Read a table whose cells are separated by what its header has most of."""
    header = str(pd.read_csv(path, sep="\x01", quoting=3, nrows=0, encoding=encoding).columns[0])
    separator = max(",;\t", key=header.count)
    return pd.read_csv(
        path, sep=separator, dtype=str, keep_default_na=False, index_col=False, encoding=encoding
    )


def _first(folder: Path, files: Sequence[str]) -> Path:
    for file in files:
        if (folder / file).is_file():
            return folder / file
    others = f" (nor {', '.join(files[1:])})" if len(files) > 1 else ""
    raise UserError(f"{folder / files[0]}{others}: the table of this collection is missing")


def read_boxes(folder: Path, boxes: Boxes) -> Rows:
    """Read boxes; the column ``box`` holds ``finding:left,top,width,height`` of each.

    The finding is as written; the rest are shares of the film's width and height, with 4 digits.

    Raises
    ------
    UserError
        If a cell is no number.
    """
    sides = (boxes.left, boxes.top, boxes.width, boxes.height)
    rows, _ = read_rows(folder, boxes, (boxes.finding, *sides))
    for film, found in rows.by_film.items():
        for row in found:
            if not any(row[side] for side in sides):
                row["box"] = ""  # a row that says there is none
                continue
            try:
                shares = [float(row[side]) / boxes.side for side in sides]
            except ValueError as error:
                raise UserError(f"{boxes.file[0]}: box of {film}: {error}") from error
            row["box"] = f"{row[boxes.finding]}:" + ",".join(f"{share:.4f}" for share in shares)
    return rows

"""Reading what a collection says of its films: finding, patient, view, age, sex, masks."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from cxrpipe.catalogue import Films, Table
from cxrpipe.config import nearest
from cxrpipe.data.film import SUFFIXES
from cxrpipe.runtime import UserError

CHECKSUMS = "SHA256SUMS"
RECORD = ("file", "label", "patient", "view", "age", "sex", "lungs", "lesions")


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
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = re.fullmatch(r"([0-9a-f]{64})  (.+)", line)
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
        One row per film, columns ``RECORD``, all text; ``label`` is as the collection writes it
        and ``patient`` is scoped by the collection's name. Empty where unknown.
    excluded
        Columns ``source``, ``file``, ``reason``, ``detail``: films that the description drops.
    """
    files = list(read_checksums(data / name))
    records, dropped = _from_names(files, films)
    if films.table:
        table = _read_table(data / (films.table.source or name), films.table)
        masks = _named_masks(table, films.table)
        records, rejected = _with_table(records, table, films.table)
        dropped = [row for row in dropped if row[0] not in masks] + rejected
    records["view"] = [films.views.get(view, view) for view in records["view"]]
    records["patient"] = [
        "|".join(f"{name}/{patient}" for patient in patients.split("|")) if patients else ""
        for patients in records["patient"]
    ]
    excluded = pd.DataFrame(dropped, columns=["file", "reason", "detail"])
    excluded.insert(0, "source", name)
    return records, excluded


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


def _from_names(
    files: Sequence[str], films: Films
) -> tuple[pd.DataFrame, list[tuple[str, str, str]]]:
    """Read what file names tell; a picture that the pattern does not know is dropped."""
    patterns = [re.compile(pattern) for pattern in films.pattern]
    rows, dropped = [], []
    for file in files:
        match = next(filter(None, (pattern.fullmatch(file) for pattern in patterns)), None)
        if match:
            known = match.groupdict(default="")
            label = known.get("finding", "") or films.finding
            rows.append([file, label, known.get("patient", ""), known.get("view", "")] + [""] * 4)
        elif file.lower().endswith(SUFFIXES):
            dropped.append((file, "not_a_film", "its path does not fit the collection's pattern"))
    return pd.DataFrame(rows, columns=list(RECORD), dtype=str), dropped


def _named_masks(table: pd.DataFrame, described: Table) -> set[str]:
    columns = [column for column in (described.lungs, described.lesions) if column]
    return {file for column in columns for file in table[column]}


def _read_table(folder: Path, described: Table) -> pd.DataFrame:
    """Read a table (CSV, also compressed) with every cell as text."""
    path = folder / described.file
    if not path.is_file():
        raise UserError(f"{path}: the table of this collection is missing")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    named = [getattr(described, key) for key in ("finding", "patient", "view", "age", "sex")]
    for column in filter(None, [*named, described.lungs, described.lesions, *described.require]):
        if column not in table.columns:
            raise UserError(f"{path}: no column '{column}'; {nearest(column, table.columns)}")
    return table


def _with_table(
    records: pd.DataFrame, table: pd.DataFrame, described: Table
) -> tuple[pd.DataFrame, list[tuple[str, str, str]]]:
    """Fill records from the rows of a table; a film it does not list or require is dropped."""
    try:
        named = [described.film.format_map(row) for row in table.to_dict("records")]
    except KeyError as error:
        column = str(error.args[0])
        hint = nearest(column, table.columns)
        raise UserError(f"{described.file}: film: no column '{column}'; {hint}") from error
    except (ValueError, IndexError, AttributeError) as error:
        raise UserError(
            f"{described.file}: film: '{described.film}' is no template such as "
            f"png/{{id}}.png: {error}"
        ) from error
    by_name = not any("/" in film for film in named)
    films = [PurePosixPath(file).name if by_name else file for file in records["file"]]
    present = table.assign(_film=named)[lambda rows: rows["_film"].isin(films)]
    rows = dict(iter(present.groupby("_film", sort=False)))
    kept, dropped = [], []
    for record, film in zip(records.to_dict("records"), films, strict=True):
        file = str(record["file"])
        group = rows.get(film)
        if group is None:
            dropped.append((file, "not_in_table", f"no row of {described.file} names it"))
            continue
        unmet = _unmet(group.iloc[-1], described)
        if unmet:
            dropped.append((file, *unmet))
            continue
        kept.append(record | _row_values(group, described))
    return pd.DataFrame(kept, columns=list(RECORD), dtype=str), dropped


def _unmet(row: "pd.Series[str]", described: Table) -> tuple[str, str] | None:
    for column, values in described.require.items():
        if row[column] not in values:
            return column.lower(), f"{column} is '{row[column]}', kept are {', '.join(values)}"
    return None


def _row_values(group: pd.DataFrame, described: Table) -> dict[str, str]:
    """Read the last row that names a film; the patients of all its rows are joined."""
    row = group.iloc[-1]
    columns = {
        "label": described.finding,
        "patient": described.patient,
        "view": described.view,
        "age": described.age,
        "sex": described.sex,
        "lungs": described.lungs,
        "lesions": described.lesions,
    }
    values = {key: str(row[column]).strip() for key, column in columns.items() if column}
    if described.patient:
        values["patient"] = "|".join(
            dict.fromkeys(filter(None, group[described.patient].str.strip()))
        )
    return values

"""List every usable radiograph of the chosen collections, and everything seen and not used."""

import argparse
import logging
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from cxrpipe import tables
from cxrpipe.catalogue import IndexSettings
from cxrpipe.config import check
from cxrpipe.data.adapters.labels import (
    Row,
    label_record,
    refuse_ambiguous_labels,
    refuse_view,
)
from cxrpipe.data.adapters.sources import read_records
from cxrpipe.data.copies.signature import thumbnail, write_signatures
from cxrpipe.data.films.film import Grey as Thumbnail
from cxrpipe.data.films.film import UnusableFilmError, read_film
from cxrpipe.data.films.quality import measure_quality, refuse
from cxrpipe.data.identity import pixels_of, radiograph_id
from cxrpipe.runtime import UserError, command, parallel

UNREADABLE = ("unreadable", "too_large")  # reasons that tell of a broken collection
Excluded = tuple[str, str, str, str]  # source, file, reason, detail
log = logging.getLogger(__name__)


def measure(
    row: Row, data: Path, settings: IndexSettings
) -> tuple[Row, Thumbnail] | UnusableFilmError:
    """Decode a film and add what its pixels and its header tell; also return its thumbnail.

    What the collection says of a film goes before what its header says. The patient's number in a
    header is given under ``header_patient``, which is no column of the index: it serves to group
    films, and must not be written.
    """
    try:
        film = read_film(data / str(row["source"]) / str(row["file"]), settings.max_megapixels)
    except UnusableFilmError as error:
        return error
    quality = measure_quality(film)
    view = str(row["view"] or film.header.view)
    unusable = refuse(quality, settings) or refuse_view(view, settings)
    if unusable:
        return unusable
    known = row["age"] == row["age"]  # NaN: unknown
    described = row | {
        "radiograph": radiograph_id(film.pixels),
        "view": view,
        "age": row["age"] if known else float(film.header.age or "nan"),
        "sex": row["sex"] or film.header.sex,
        "header_patient": film.header.patient,
        "width": quality.width,
        "height": quality.height,
        "mode": film.mode,
        "tint": round(quality.tint, 4),
        "contrast": round(quality.contrast, 4),
        "blank": round(quality.blank, 4),
    }
    return described, thumbnail(film.pixels)


def number_patients(index: pd.DataFrame) -> pd.DataFrame:
    """Name patients whom only headers tell: as another film of theirs is named, or by a number.

    Numbers are given as patients come, since what the header holds is personal.
    """
    patient = index["patient"].copy()
    told = index[index["header_patient"] != ""]
    for source, films in told.groupby("source", sort=False):
        number = 0
        for _, of in films.groupby("header_patient", sort=False):
            named = "|".join(dict.fromkeys(filter(None, of["patient"])))
            number += not named
            patient[of.index] = named or f"{source}/header-{number}"
    return index.assign(patient=patient)


def number_copies(index: pd.DataFrame) -> pd.DataFrame:
    """Make ids unique: a second film with the same pixels gets ``-2`` after its id, and so on."""
    copy = index.groupby("radiograph").cumcount() + 1
    suffix = copy.astype(str).radd("-").where(copy > 1, "")
    return index.assign(radiograph=index["radiograph"] + suffix)


def list_films(data: Path, settings: IndexSettings) -> tuple[list[Row], list[Excluded]]:
    """List what the collections say of their films, and what they or the recipe leave out."""
    labelled: list[Row] = []
    excluded: list[Excluded] = []
    for source, films in settings.films.items():
        records, dropped = read_records(data, source, films)
        if not films.findings:
            refuse_ambiguous_labels(set(records["label"]), source)
        excluded += dropped.itertuples(index=False, name=None)
        for record in records.sort_values("file").to_dict("records"):
            fields = {str(key): str(value) for key, value in record.items()}
            row = label_record({"source": source} | fields, films, settings)
            if isinstance(row, UnusableFilmError):
                excluded.append((source, record["file"], row.reason, row.detail))
            else:
                labelled.append(row)
    return labelled, excluded


def index_films(
    data: Path, settings: IndexSettings, cores: int
) -> tuple[pd.DataFrame, pd.DataFrame, list[Thumbnail]]:
    """Index the collections in the recipe's order.

    Returns
    -------
    index, excluded
        As ``tables.INDEX`` and ``tables.EXCLUDED`` promise, sorted by collection and file.
    thumbnails
        One of each row of the index, as :func:`cxrpipe.data.copies.signature.thumbnail` makes them.
    """
    labelled, excluded = list_films(data, settings)
    decode = partial(measure, data=data, settings=settings)
    rows, thumbnails = [], []
    measured = parallel(decode, labelled, len(labelled), cores, "films indexed")
    for row, result in zip(labelled, measured, strict=True):
        if isinstance(result, UnusableFilmError):
            excluded.append((str(row["source"]), str(row["file"]), result.reason, result.detail))
        else:
            rows.append(result[0])
            thumbnails.append(result[1])
    columns = list(tables.INDEX.columns)
    index = number_patients(pd.DataFrame(rows, columns=[*columns, "header_patient"]))[columns]
    order = {source: place for place, source in enumerate(settings.films)}
    excluded.sort(key=lambda row: (order[row[0]], row[1]))
    out = pd.DataFrame(excluded, columns=list(tables.EXCLUDED.columns))
    return number_copies(index), out, thumbnails


def first_of_each(
    index: pd.DataFrame, thumbnails: list[Thumbnail]
) -> tuple[list[str], list[Thumbnail]]:
    """Return the ids and thumbnails of the films that are no exact copies of another."""
    radiographs = index["radiograph"]
    rows = np.flatnonzero(radiographs == pixels_of(radiographs))
    return list(radiographs.iloc[rows]), [thumbnails[row] for row in rows]


def refuse_too_many_excluded(index: pd.DataFrame, excluded: pd.DataFrame, limit: float) -> None:
    """Raise a UserError if more than a share of the films cannot be read; names one of them."""
    unreadable = excluded[excluded["reason"].isin(UNREADABLE)]
    n_films = len(index) + len(unreadable)
    if len(unreadable) > limit * n_films:
        raise UserError(
            f"index: {len(unreadable)} of {n_films} films cannot be read, such as "
            f"{_example(unreadable)}; more than index.max_excluded ({limit:.0%}) allows: fetch "
            "them anew, or raise the limit"
        )


def refuse_empty_findings(
    index: pd.DataFrame, excluded: pd.DataFrame, settings: IndexSettings
) -> None:
    """Raise a UserError for a finding of the recipe that no film shows."""
    left_out = f" (left out: {len(excluded)} files, such as {_example(excluded)})"
    shown = set(index["findings"].str.split("|").explode())
    for finding in settings.findings:
        if finding not in shown:
            raise UserError(
                f"findings: no usable film shows '{finding}' in {', '.join(settings.films)}"
                f"{left_out if len(excluded) else ''}; add a collection that has it, correct "
                "findings: in config/sources.yaml, or drop the finding from the recipe"
            )


def _example(excluded: pd.DataFrame) -> str:
    """Return a file that was left out for the commonest reason, with its detail."""
    if excluded.empty:
        return ""
    commonest = excluded["reason"].mode()[0]
    row = excluded[excluded["reason"] == commonest].iloc[0]
    return f"{row['source']}/{row['file']}: {row['detail']}"


@command
def main() -> None:
    """Index the collections of a recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the collections")
    parser.add_argument("--settings", required=True, help="IndexSettings, as JSON")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--index", type=Path, required=True, help="table to write")
    parser.add_argument("--excluded", type=Path, required=True, help="table to write")
    parser.add_argument("--signatures", type=Path, required=True, help="thumbnails to write")
    arguments = parser.parse_args()
    settings = check(IndexSettings, arguments.settings, "--settings")
    index, excluded, thumbnails = index_films(arguments.data, settings, arguments.cores)
    tables.write(excluded, arguments.excluded, tables.EXCLUDED)
    refuse_too_many_excluded(index, excluded, settings.max_excluded)
    refuse_empty_findings(index, excluded, settings)
    write_signatures(arguments.signatures, *first_of_each(index, thumbnails))
    tables.write(index, arguments.index, tables.INDEX)
    log.info(f"{len(index):,} radiographs usable, {len(excluded):,} files excluded")


if __name__ == "__main__":
    main()

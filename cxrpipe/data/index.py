"""List every usable radiograph of the chosen collections, and everything seen and not used."""

import argparse
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from cxrpipe import tables
from cxrpipe.catalogue import Films, IndexSettings
from cxrpipe.config import check
from cxrpipe.data.film import UnusableFilmError, radiograph_id, read_film
from cxrpipe.data.sources import read_records, translate
from cxrpipe.runtime import UserError, command, parallel

UNREADABLE = ("unreadable", "too_large")  # reasons that tell of a broken collection
Row = dict[str, str | int | float]
log = logging.getLogger(__name__)


def label_record(
    record: Mapping[str, str], films: Films, settings: IndexSettings
) -> Row | UnusableFilmError:
    """Give a film its finding, or the reason why it is not used."""
    if record["view"] not in settings.views:
        accepted = ", ".join(view or "unknown" for view in settings.views)
        return UnusableFilmError("view", f"view is {record['view']}; accepted are {accepted}")
    try:
        findings = translate(record["label"], films.findings)
    except KeyError as error:
        return UnusableFilmError(
            "unknown_label", f"label {error} is not in findings: of its source"
        )
    outside = [finding for finding in findings if finding not in settings.findings]
    if outside:
        return UnusableFilmError("other_finding", f"{outside[0]} is not a finding of this recipe")
    if len(findings) > 1:
        return UnusableFilmError("several_findings", "|".join(findings))
    return {
        "source": record["source"],
        "file": record["file"],
        "patient": record["patient"],
        "view": record["view"],
        "age": pd.to_numeric(record["age"] or "nan", errors="coerce"),
        "sex": record["sex"].upper() if record["sex"].upper() in ("F", "M") else "",
        "findings": "|".join(findings),
        "lungs": record["lungs"],
        "lesions": record["lesions"],
    }


def measure(row: Row, data: Path, max_megapixels: float) -> Row | UnusableFilmError:
    """Decode a film and add what its pixels tell: id, width, height, mode."""
    try:
        film = read_film(data / str(row["source"]) / str(row["file"]), max_megapixels)
    except UnusableFilmError as error:
        return error
    height, width = film.pixels.shape
    return row | {
        "radiograph": radiograph_id(film.pixels),
        "width": width,
        "height": height,
        "mode": film.mode,
    }


def number_copies(index: pd.DataFrame) -> pd.DataFrame:
    """Make ids unique: a second film with the same pixels gets ``-2`` after its id, and so on."""
    copy = index.groupby("radiograph").cumcount() + 1
    suffix = copy.astype(str).radd("-").where(copy > 1, "")
    return index.assign(radiograph=index["radiograph"] + suffix)


def index_films(
    data: Path, settings: IndexSettings, cores: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Index the collections in the recipe's order.

    Returns
    -------
    index, excluded
        As ``tables.INDEX`` and ``tables.EXCLUDED`` promise, sorted by collection and file.
    """
    labelled: list[Row] = []
    excluded: list[tuple[str, str, str, str]] = []
    for source, films in settings.films.items():
        records, dropped = read_records(data, source, films)
        excluded += dropped.itertuples(index=False, name=None)
        for record in records.sort_values("file").to_dict("records"):
            fields = {str(key): str(value) for key, value in record.items()}
            row = label_record({"source": source} | fields, films, settings)
            if isinstance(row, UnusableFilmError):
                excluded.append((source, record["file"], row.reason, row.detail))
            else:
                labelled.append(row)
    decode = partial(measure, data=data, max_megapixels=settings.max_megapixels)
    measured = list(parallel(decode, labelled, len(labelled), cores, "films indexed"))
    for row, result in zip(labelled, measured, strict=True):
        if isinstance(result, UnusableFilmError):
            excluded.append((str(row["source"]), str(row["file"]), result.reason, result.detail))
    usable = [row for row in measured if not isinstance(row, UnusableFilmError)]
    index = pd.DataFrame(usable, columns=list(tables.INDEX.columns))
    order = {source: place for place, source in enumerate(settings.films)}
    excluded.sort(key=lambda row: (order[row[0]], row[1]))
    return number_copies(index), pd.DataFrame(excluded, columns=list(tables.EXCLUDED.columns))


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
    for finding in settings.findings:
        if finding not in set(index["findings"]):
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
    arguments = parser.parse_args()
    settings = check(IndexSettings, arguments.settings, "--settings")
    index, excluded = index_films(arguments.data, settings, arguments.cores)
    tables.write(excluded, arguments.excluded, tables.EXCLUDED)
    refuse_too_many_excluded(index, excluded, settings.max_excluded)
    refuse_empty_findings(index, excluded, settings)
    tables.write(index, arguments.index, tables.INDEX)
    log.info(f"{len(index):,} radiographs usable, {len(excluded):,} files excluded")


if __name__ == "__main__":
    main()

"""Counts of the films of a run, by source, finding, and what is known of them."""

from collections.abc import Sequence

import pandas as pd

from cxrpipe import tables

NO_FINDING = "no finding"
UNKNOWN = "unknown"
SOURCES = tables.Contract(
    {
        "source": "str",
        "finding": "str",
        "radiographs": "int64",
        "patients": "int64",
        "patient_known": "float64",
        "median_width": "float64",
        "median_height": "float64",
    },
    key=("source", "finding"),
)


def by_finding(films: pd.DataFrame, column: str = "findings") -> pd.DataFrame:
    """Repeat every film for each of its findings, named in the column ``finding``.

    A film that may have several findings and shows none of them stands under ``no finding``.
    """
    shown = films.assign(finding=films[column].str.split("|")).explode("finding")
    return shown.assign(finding=shown["finding"].replace("", NO_FINDING))


def in_order(films: pd.DataFrame, findings: Sequence[str]) -> list[str]:
    """Return the recipe's findings in their order, then ``no finding`` if a film shows none."""
    return [*findings, *({NO_FINDING} & set(films["finding"]))]


def count_by_finding(
    index: pd.DataFrame, column: str, findings: Sequence[str], *, sort: bool = True
) -> pd.DataFrame:
    """Count films by finding (columns) and the values of a column (rows), ``unknown`` the last."""
    films = by_finding(index)
    values = films[column].replace("", UNKNOWN)
    counts = pd.crosstab(values, films["finding"])
    rows = [value for value in pd.unique(values) if value != UNKNOWN]
    rows = [*(sorted(rows) if sort else rows), *({UNKNOWN} & set(values))]
    return counts.reindex(index=rows, columns=in_order(films, findings), fill_value=0)


def count_subsets(split: pd.DataFrame, findings: Sequence[str]) -> pd.DataFrame:
    """Count the films of one fold by finding (rows) and subset (columns)."""
    films = by_finding(split, "finding")
    counts = pd.crosstab(films["finding"], films["subset"])
    rows, columns = in_order(films, findings), list(tables.SUBSETS)
    return counts.reindex(index=rows, columns=columns, fill_value=0)


def describe_sources(index: pd.DataFrame, findings: Sequence[str]) -> pd.DataFrame:
    """Describe the indexed films of every source and finding, as ``SOURCES`` promises.

    ``patient_known`` is the share of the films whose patient is known, ``patients`` the number of
    those patients; medians are in pixels.
    """
    films = by_finding(index)
    place = {finding: place for place, finding in enumerate(in_order(films, findings))}
    rows = []
    for (source, finding), shown in films.groupby(["source", "finding"], sort=False):
        patients = shown.loc[shown["patient"] != "", "patient"].str.split("|")
        rows.append(
            {
                "source": source,
                "finding": finding,
                "radiographs": len(shown),
                "patients": patients.explode().nunique(),
                "patient_known": len(patients) / len(shown),
                "median_width": shown["width"].median(),
                "median_height": shown["height"].median(),
            }
        )
    order = {source: number for number, source in enumerate(pd.unique(index["source"]))}
    described = pd.DataFrame(rows, columns=list(SOURCES.columns))
    keys = [described["source"].map(order), described["finding"].map(place)]
    return described.iloc[pd.concat(keys, axis=1).sort_values(["source", "finding"]).index]

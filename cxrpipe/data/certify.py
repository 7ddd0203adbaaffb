"""Certify a split: count what its subsets share, and stop the run unless every count is zero.

The counts are taken from the tables alone; nothing of the code that made the split is used.
"""

import argparse
import logging
from itertools import combinations
from pathlib import Path

import pandas as pd

from cxrpipe import tables
from cxrpipe.config import Split, check
from cxrpipe.data.film import pixels_of
from cxrpipe.runtime import UserError, command, write_json

log = logging.getLogger(__name__)


def count_shared(
    index: pd.DataFrame, duplicates: pd.DataFrame, split: pd.DataFrame
) -> pd.DataFrame:
    """Count patients and copies that two subsets of the same fold share.

    Returns
    -------
    One row per fold and pair of subsets: ``fold``, ``first``, ``second``, and the counts
    ``patients``, ``exact`` (pictures with identical pixels), ``near`` (pairs of duplicates).
    """
    unknown = set(split["radiograph"]) - set(index["radiograph"])
    if unknown:
        raise UserError(f"split.csv: radiograph {min(unknown)} is not in the index; make it anew")
    films = split.merge(index[["radiograph", "patient"]], on="radiograph", validate="many_to_one")
    rows = []
    for fold, of_fold in films.groupby("fold"):
        members = {subset: of_fold[of_fold["subset"] == subset] for subset in tables.SUBSETS}
        for first, second in combinations(tables.SUBSETS, 2):
            a, b = members[first], members[second]
            rows.append(
                {
                    "fold": fold,
                    "first": first,
                    "second": second,
                    "patients": len(_patients(a) & _patients(b)),
                    "exact": len(set(pixels_of(a["radiograph"])) & set(pixels_of(b["radiograph"]))),
                    "near": _count_pairs(duplicates, set(a["radiograph"]), set(b["radiograph"])),
                }
            )
    return pd.DataFrame(rows)


def _patients(films: pd.DataFrame) -> set[str]:
    return set(films["patient"].str.split("|").explode()) - {""}


def _count_pairs(duplicates: pd.DataFrame, a: set[str], b: set[str]) -> int:
    first, second = duplicates["first"], duplicates["second"]
    return int(((first.isin(a) & second.isin(b)) | (first.isin(b) & second.isin(a))).sum())


def count_conflicts(index: pd.DataFrame, duplicates: pd.DataFrame) -> int:
    """Count the pairs of duplicates that stand under different findings."""
    findings = index.set_index("radiograph")["findings"]
    return int((duplicates["first"].map(findings) != duplicates["second"].map(findings)).sum())


def certify(
    index: pd.DataFrame, duplicates: pd.DataFrame, split: pd.DataFrame, settings: Split
) -> dict[str, object]:
    """Return the certificate of a split.

    Raises
    ------
    UserError
        If two subsets share a patient or a film; names them with the counts.
    """
    shared = count_shared(index, duplicates, split)
    leaking = shared[shared[["patients", "exact", "near"]].sum(axis=1) > 0]
    if len(leaking):
        row = leaking.iloc[0]
        raise UserError(
            f"split.csv: {row['first']} and {row['second']} share {row['patients']} patients, "
            f"{row['exact']} identical and {row['near']} duplicate films; make the split anew"
        )
    return {
        "shared": shared.to_dict("records"),
        "radiographs": int(split["radiograph"].nunique()),
        "groups": int(split["group"].nunique()),
        "without_patient": int((index["patient"] == "").sum()),
        "duplicates": {kind: int((duplicates["kind"] == kind).sum()) for kind in ("exact", "near")},
        "near_searched": False,  # identical pixels alone are searched so far
        "label_conflicts": count_conflicts(index, duplicates),
        "label_conflicts_handled": settings.conflicts,
    }


@command
def main() -> None:
    """Write the certificate of a split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--duplicates", type=Path, required=True, help="table to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--settings", required=True, help="Split, as JSON")
    parser.add_argument("--leakage", type=Path, required=True, help="certificate to write")
    arguments = parser.parse_args()
    certificate = certify(
        tables.read(arguments.index, tables.INDEX),
        tables.read(arguments.duplicates, tables.DUPLICATES),
        tables.read(arguments.split, tables.SPLIT),
        check(Split, arguments.settings, "--settings"),
    )
    write_json(arguments.leakage, certificate)
    log.info(f"{certificate['radiographs']:,} films; no patient or film is in two subsets")


if __name__ == "__main__":
    main()

"""Certify a split: count what its subsets share, and stop the run unless every count is zero.

The counts are taken from the tables alone; nothing of the code that made the split is used.
"""

import argparse
import logging
from itertools import combinations
from pathlib import Path

import pandas as pd

from cxrpipe import tables
from cxrpipe.config import Dedupe, Split, check
from cxrpipe.data.identity import pixels_of
from cxrpipe.runtime import UserError, command, write_json

CONFLICTS_LISTED = 1000
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


def list_conflicts(index: pd.DataFrame, duplicates: pd.DataFrame) -> pd.DataFrame:
    """List the pairs of duplicates that stand under different findings."""
    films = index.set_index("radiograph")
    pairs = duplicates[["first", "second", "kind", "score"]].reset_index(drop=True)
    for end in ("first", "second"):
        film = films.loc[pairs[end]]
        pairs[f"{end}_finding"] = film["findings"].to_numpy()
        pairs[f"{end}_file"] = (film["source"] + "/" + film["file"]).to_numpy()
    return pairs[pairs["first_finding"] != pairs["second_finding"]]


def count_films(index: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    """Count the films of every source and finding in the index and in each subset of fold 0."""
    subset = split[split["fold"] == 0].set_index("radiograph")["subset"]
    films = index.assign(subset=index["radiograph"].map(subset).fillna("left out"))
    films = films.assign(finding=films["findings"].str.split("|")).explode("finding")
    counts = pd.crosstab([films["source"], films["finding"]], films["subset"])
    counts = counts.reindex(columns=[*tables.SUBSETS, "left out"], fill_value=0)
    return counts.reset_index().rename_axis(columns=None)


def certify(
    index: pd.DataFrame,
    duplicates: pd.DataFrame,
    split: pd.DataFrame,
    left_out: pd.DataFrame,
    settings: Split,
    dedupe: Dedupe,
) -> dict[str, object]:
    """Return the certificate of a split.

    Raises
    ------
    UserError
        If two subsets share a patient or a film, or a film is neither in the split nor left out;
        names them with the counts.
    """
    shared = count_shared(index, duplicates, split)
    leaking = shared[shared[["patients", "exact", "near"]].sum(axis=1) > 0]
    if len(leaking):
        row = leaking.iloc[0]
        raise UserError(
            f"split.csv: {row['first']} and {row['second']} share {row['patients']} patients, "
            f"{row['exact']} identical and {row['near']} duplicate films; make the split anew"
        )
    out = set(left_out["radiograph"])
    for fold, of_fold in split.groupby("fold"):
        films = set(of_fold["radiograph"])
        if lost := set(index["radiograph"]) - films - out:
            raise UserError(f"split.csv: fold {fold} lacks radiograph {min(lost)}; make it anew")
        if twice := films & out:
            raise UserError(f"left-out.csv: radiograph {min(twice)} is in the split; make it anew")
    conflicts = list_conflicts(index, duplicates)
    in_group = split[split["fold"] == 0].groupby("group").size()
    used = index[index["radiograph"].isin(split["radiograph"])]
    return {
        "shared": shared.to_dict("records"),
        "radiographs": len(used),
        "groups": len(in_group),
        "largest_group": int(in_group.max()),
        "without_patient": int((used["patient"] == "").sum()),
        "duplicates": {kind: int((duplicates["kind"] == kind).sum()) for kind in ("exact", "near")},
        "near_searched": dedupe.near,
        "near_score": dedupe.score,
        "label_conflicts": len(conflicts),
        "label_conflicts_handled": settings.conflicts,
        "conflicts": conflicts.head(CONFLICTS_LISTED).to_dict("records"),
        "left_out": {
            reason: int((left_out["reason"] == reason).sum())
            for reason in tables.LEFT_OUT.choices["reason"]
        },
        "films": count_films(index, split).to_dict("records"),
    }


@command
def main() -> None:
    """Write the certificate of a split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--duplicates", type=Path, required=True, help="table to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--left-out", type=Path, required=True, help="table to read")
    parser.add_argument("--settings", required=True, help="Split, as JSON")
    parser.add_argument("--dedupe", required=True, help="Dedupe, as JSON")
    parser.add_argument("--leakage", type=Path, required=True, help="certificate to write")
    arguments = parser.parse_args()
    certificate = certify(
        tables.read(arguments.index, tables.INDEX),
        tables.read(arguments.duplicates, tables.DUPLICATES),
        tables.read(arguments.split, tables.SPLIT),
        tables.read(arguments.left_out, tables.LEFT_OUT),
        check(Split, arguments.settings, "--settings"),
        check(Dedupe, arguments.dedupe, "--dedupe"),
    )
    write_json(arguments.leakage, certificate)
    log.info(f"{certificate['radiographs']:,} films; no patient or film is in two subsets")


if __name__ == "__main__":
    main()

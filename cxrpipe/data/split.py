"""Divide patients into train, validation and test, so that no patient or copy is in two."""

import argparse
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from cxrpipe import tables
from cxrpipe.config import Split, check
from cxrpipe.data.splitting.selection import STRENGTH, choose_films
from cxrpipe.data.splitting.shares import choose_test, choose_validation, count_kinds
from cxrpipe.runtime import UserError, command

log = logging.getLogger(__name__)


def split_films(
    index: pd.DataFrame,
    duplicates: pd.DataFrame,
    settings: Split,
    sources: list[str],
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split the films of an index by patient and copies.

    Findings keep their shares, and so does every finding of every source, as far as whole groups
    allow. The split depends on the films and the seed, not on the order of the rows.

    Returns
    -------
    split, left_out
        As ``tables.SPLIT`` and ``tables.LEFT_OUT`` promise, sorted by fold and radiograph.

    Raises
    ------
    UserError
        If a finding has too few groups, or a subset stays without it; names both.
    """
    films, left_out = choose_films(index, duplicates, settings, sources, seed)
    refuse_few_groups(films, index, settings)
    kinds = count_kinds(films)
    fixed = films.groupby("group")["fixed"].agg(
        lambda subsets: max(subsets, key=STRENGTH.__getitem__)
    )
    test = choose_test(kinds, fixed, settings, seed)
    fold_of = choose_validation(kinds, fixed, test, settings, seed)
    in_test = films["group"].map(test)
    validated = films["group"].map(fold_of)
    folds = []
    for fold in range(settings.folds):
        subset = np.select([in_test, validated == fold], ["test", "validation"], "train")
        rows = films[["radiograph", "group", "source", "findings"]]
        rows = rows.rename(columns={"findings": "finding"})
        folds.append(rows.assign(subset=subset, fold=fold))
    split = pd.concat(folds, ignore_index=True)
    refuse_empty_subsets(split, settings)
    return split, left_out


def refuse_few_groups(films: pd.DataFrame, index: pd.DataFrame, settings: Split) -> None:
    """Raise a UserError if a finding has fewer groups than there are parts; names the counts."""
    parts = settings.folds + 1 if settings.folds > 1 else len(tables.SUBSETS)
    findings = sorted(set(index["findings"].str.split("|").explode()) - {""})
    shown = films.assign(finding=films["findings"].str.split("|")).explode("finding")
    groups = shown.groupby("finding")["group"].nunique().reindex(findings, fill_value=0)
    for finding, count in groups.items():
        if count < parts:
            raise UserError(
                f"split: finding '{finding}' has films of {count} patients; {parts} parts need "
                f"at least {parts}: add films, or drop the finding from the recipe"
            )


def refuse_empty_subsets(split: pd.DataFrame, settings: Split) -> None:
    """Raise a UserError if a finding has no film in a subset; a fixed test set may lack it."""
    is_fixed = settings.published or settings.held_out
    needed = [subset for subset in tables.SUBSETS if subset != "test" or not is_fixed]
    shown = split.assign(finding=split["finding"].str.split("|")).explode("finding")
    shown = shown[shown["finding"] != ""]
    for fold, of_fold in shown.groupby("fold"):
        counts = pd.crosstab(of_fold["finding"], of_fold["subset"])
        for finding, row in counts.reindex(columns=needed, fill_value=0).iterrows():
            if (row == 0).any():
                raise UserError(
                    f"split: finding '{finding}' has no film in {row.idxmin()} of fold {fold}, "
                    "since whole patients are dealt; add films, or change the shares"
                )
    if not split["subset"].eq("test").any():
        raise UserError("split.test: no film is for the test; give a share, or sources held out")


@command
def main() -> None:
    """Split the films of an index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--duplicates", type=Path, required=True, help="table to read")
    parser.add_argument("--sources", nargs="+", required=True, help="in the recipe's order")
    parser.add_argument("--settings", required=True, help="Split, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--split", type=Path, required=True, help="table to write")
    parser.add_argument("--left-out", type=Path, required=True, help="table to write")
    arguments = parser.parse_args()
    settings = check(Split, arguments.settings, "--settings")
    index = tables.read(arguments.index, tables.INDEX)
    duplicates = tables.read(arguments.duplicates, tables.DUPLICATES)
    split, left_out = split_films(index, duplicates, settings, arguments.sources, arguments.seed)
    tables.write(left_out, arguments.left_out, tables.LEFT_OUT)
    tables.write(split, arguments.split, tables.SPLIT)
    counts = split.loc[split["fold"] == 0, "subset"].value_counts()
    log.info(", ".join(f"{subset} {counts.get(subset, 0):,}" for subset in tables.SUBSETS))
    reasons = left_out["reason"].value_counts()
    log.info(f"left out: {', '.join(f'{reasons[key]:,} {key}' for key in reasons.index) or 'none'}")


if __name__ == "__main__":
    main()

"""Divide patients into train, validation and test, so that no patient or copy is in two."""

import argparse
import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrpipe import tables
from cxrpipe.config import Split, check
from cxrpipe.data.dealing import deal
from cxrpipe.data.groups import find_copies, join_groups, settle_conflicts, truncate
from cxrpipe.runtime import UserError, command, derive_seed

STRENGTH = {"": 0, "train": 1, "validation": 2, "test": 3}  # of what is fixed beforehand
log = logging.getLogger(__name__)


def fix_subsets(films: pd.DataFrame, settings: Split) -> "pd.Series[str]":
    """Return the subset (n,) that is fixed for each film beforehand, empty where none is.

    Sources held out are for the test. A published validation set dissolves into train where
    cross validation makes its own.
    """
    fixed = films["published"] if settings.published else pd.Series("", index=films.index)
    if settings.folds > 1:
        fixed = fixed.replace("validation", "train")
    return fixed.mask(films["source"].isin(settings.held_out), "test")


def find_leaks(films: pd.DataFrame) -> "pd.Series[str]":
    """Tell which films would leak into a fixed validation or test set; (n,) detail by id.

    They are joined (column ``group``) to a film that is fixed (column ``fixed``) elsewhere.
    """
    strength = films["fixed"].map(STRENGTH)
    strongest = strength.groupby(films["group"]).transform("max")
    leaks = (strongest >= STRENGTH["validation"]) & (strength < strongest)
    names = strongest[leaks].map({place: subset for subset, place in STRENGTH.items()})
    detail = "patient or copy of a film that is fixed in " + names
    return detail.set_axis(films.loc[leaks, "radiograph"])


def choose_films(
    index: pd.DataFrame,
    duplicates: pd.DataFrame,
    settings: Split,
    sources: list[str],
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leave out conflicts, leaks, exact copies and what is too much, in this order.

    Returns
    -------
    films, left_out
        The rows of the index that stay, sorted by radiograph, with the columns ``group`` and
        ``fixed``; and the others as ``tables.LEFT_OUT`` promises.
    """
    films = index.assign(
        group=join_groups(index, duplicates), fixed=fix_subsets(index, settings)
    ).sort_values("radiograph", ignore_index=True)
    left_out = []

    def leave_out(details: "pd.Series[str]", reason: str) -> pd.DataFrame:
        left_out.append(pd.DataFrame({"reason": reason, "detail": details}))
        return films[~films["radiograph"].isin(details.index)]

    films = leave_out(settle_conflicts(films, duplicates, settings, sources), "conflict")
    films = leave_out(find_leaks(films), "leak")
    films = leave_out(find_copies(films), "copy")
    films = leave_out(truncate(films, settings, seed), "truncated")
    table = pd.concat(left_out).rename_axis("radiograph").sort_index().reset_index()
    return films, table


def count_kinds(films: pd.DataFrame) -> pd.DataFrame:
    """Count the films of every kind that a split keeps in proportion.

    Returns
    -------
    One row per group, sorted; columns (finding, source), where an empty name stands for all.
    """
    shown = films["findings"].str.get_dummies("|")
    findings = [str(finding) for finding in shown]
    kinds = {("", ""): pd.Series(1, index=films.index)}
    kinds |= {(finding, ""): shown[finding] for finding in findings}
    for source in sorted(set(films["source"])):
        of_source = films["source"] == source
        kinds |= {(finding, source): shown[finding] * of_source for finding in findings}
    return pd.DataFrame(kinds).groupby(films["group"]).sum()


def amount(wanted: float, counts: "pd.Series[int]") -> "pd.Series[float]":
    """Return a share of the counts of each kind, or from 1 on that many of every finding."""
    if wanted < 1:
        return counts * wanted
    of_finding = counts.xs("", level=1)
    share = (wanted / of_finding.clip(lower=wanted)).drop("")
    share[""] = (share * of_finding.drop("")).sum() / max(of_finding[""], 1)
    finding = counts.index.get_level_values(0)
    return pd.Series(counts.to_numpy() * share[finding].to_numpy(), index=counts.index)


def choose_test(
    kinds: pd.DataFrame, fixed: "pd.Series[str]", settings: Split, seed: int
) -> "pd.Series[bool]":
    """Tell which groups (rows of ``kinds``) are for the test: the fixed ones, and a share.

    A share is one of the films that are not fixed; where none is fixed for the test, also of those
    published for training, since a collection may keep its test films to itself.
    """
    is_test = fixed == "test"
    free = fixed == "" if is_test.any() else fixed != "validation"
    in_test = kinds[is_test].sum() + amount(settings.test, kinds[free].sum())
    may_test = is_test | free if settings.test > 0 else is_test
    allowed = np.stack([~is_test, may_test], axis=1)
    wanted = np.stack([kinds.sum() - in_test, in_test])
    needed = [max(settings.folds, 2), 1]  # training and validation follow from the first
    return pd.Series(_deal(kinds, wanted, allowed, needed, seed, "test") == 1, index=kinds.index)


def choose_validation(
    kinds: pd.DataFrame,
    fixed: "pd.Series[str]",
    test: "pd.Series[bool]",
    settings: Split,
    seed: int,
) -> "pd.Series[int]":
    """Return the fold in which each group is for validation, -1 for none.

    A share is one of all films that are not fixed for the test.
    """
    rest, is_fixed = kinds[~test], fixed[~test]
    if settings.folds > 1:
        wanted = np.tile(rest.sum() / settings.folds, (settings.folds, 1))
        allowed = np.ones((len(rest), settings.folds), dtype=bool)
        needed = [1] * settings.folds
        return pd.Series(_deal(rest, wanted, allowed, needed, seed, "folds"), index=rest.index)
    published = bool(fixed.eq("validation").any())
    base = kinds[fixed == ""] if published else kinds[fixed != "test"]
    share = kinds[fixed == "validation"].sum() + amount(settings.validation, base.sum())
    wanted = np.stack([np.minimum(share, rest.sum()), np.maximum(rest.sum() - share, 0)])
    may_validate = is_fixed.ne("train") | (not published)
    allowed = np.stack([may_validate, is_fixed != "validation"], axis=1)
    return pd.Series(-_deal(rest, wanted, allowed, [1, 1], seed, "validation"), index=rest.index)


def _deal(
    kinds: pd.DataFrame,
    wanted: npt.NDArray[np.float64],
    allowed: npt.NDArray[np.bool_],
    needed: list[int],
    seed: int,
    what: str,
) -> npt.NDArray[np.int64]:
    """Deal groups; each part needs so many groups of every finding, whatever their source."""
    of_all_sources = np.asarray(kinds.columns.get_level_values(1) == "")
    needs = np.outer(needed, of_all_sources)
    counts = kinds.to_numpy(dtype=float)
    return deal(counts, wanted, allowed, needs, derive_seed(seed, "split", what))


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
        rows = films[["radiograph", "group", "findings"]].rename(columns={"findings": "finding"})
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

"""Which groups are for training, validation and test, so that every kind of film keeps its share.

A kind is a finding, or a finding of one source.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrpipe.config import Split
from cxrpipe.data.splitting.dealing import deal
from cxrpipe.runtime import derive_seed


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

    A share is one of all films for which none of train, validation and test is fixed.
    """
    rest, is_fixed = kinds[~test], fixed[~test]
    if settings.folds > 1:
        wanted = np.tile(rest.sum() / settings.folds, (settings.folds, 1))
        allowed = np.ones((len(rest), settings.folds), dtype=bool)
        needed = [1] * settings.folds
        return pd.Series(_deal(rest, wanted, allowed, needed, seed, "folds"), index=rest.index)
    undecided = kinds[fixed.isin(["", "rest"])]
    share = kinds[fixed == "validation"].sum() + amount(settings.validation, undecided.sum())
    wanted = np.stack([np.minimum(share, rest.sum()), np.maximum(rest.sum() - share, 0)])
    allowed = np.stack([is_fixed != "train", is_fixed != "validation"], axis=1)
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

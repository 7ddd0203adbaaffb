"""Which films a split uses, and why the others are left out."""

from collections import Counter

import numpy as np
import pandas as pd

from cxrpipe.config import Split
from cxrpipe.data.identity import pixels_of
from cxrpipe.data.splitting.groups import find_conflicts, join_copies, join_groups
from cxrpipe.runtime import UserError, derive_seed

# What may be fixed for a film beforehand, from the weakest; "rest" is train or validation.
STRENGTH = {"": 0, "rest": 1, "train": 2, "validation": 3, "test": 4}


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
        """Note films that are left out, and return the others."""
        left_out.append(pd.DataFrame({"reason": reason, "detail": details}))
        return films[~films["radiograph"].isin(details.index)]

    films = leave_out(settle_conflicts(films, duplicates, settings, sources), "conflict")
    films = leave_out(find_leaks(films), "leak")
    films = films.assign(fixed=soften(films))
    films = films.assign(fixed=strongest_of_copies(films))
    films = leave_out(find_copies(films), "copy")
    films = leave_out(truncate(films, settings, seed), "truncated")
    table = pd.concat(left_out).rename_axis("radiograph").sort_index().reset_index()
    return films, table


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


def settle_conflicts(
    index: pd.DataFrame, duplicates: pd.DataFrame, settings: Split, sources: list[str]
) -> "pd.Series[str]":
    """Tell why films are left out since a copy of them stands under another finding.

    Returns
    -------
    (n_left_out,) detail, with the id for index. ``exclude`` leaves out every copy, ``first``
    those that contradict the copy of the first source.

    Raises
    ------
    UserError
        If there is a conflict and the setting is ``stop``; names a pair.
    """
    found = find_conflicts(index, duplicates)
    if settings.conflicts == "stop" and len(found):
        pair = found.iloc[0]
        raise UserError(
            f"split.conflicts: {len(found)} pairs of copies stand under two findings, such as "
            f"{pair['first']} ({pair['first_finding']}) and {pair['second']} "
            f"({pair['second_finding']}); correct the labels, or choose exclude or first"
        )
    films = index.assign(
        cluster=join_copies(index, duplicates),
        place=index["source"].map({source: place for place, source in enumerate(sources)}),
    ).sort_values(["place", "radiograph"])
    clusters = films.groupby("cluster")["findings"]
    findings = clusters.transform(lambda several: " and ".join(sorted(set(several))))
    conflict = clusters.transform("nunique") > 1
    if settings.conflicts == "first":
        conflict &= films["findings"] != clusters.transform("first")
    detail = "copies stand under " + findings[conflict]
    return detail.set_axis(films.loc[conflict, "radiograph"])


def soften(films: pd.DataFrame) -> "pd.Series[str]":
    """Give what sources without a validation set publish for training to the ``rest``."""
    with_validation = set(films.loc[films["fixed"] == "validation", "source"])
    soft = (films["fixed"] == "train") & ~films["source"].isin(with_validation)
    return films["fixed"].mask(soft, "rest")


def strongest_of_copies(films: pd.DataFrame) -> "pd.Series[str]":
    """Return for each film the strongest that is fixed for it or a film of the same pixels."""
    strength = films["fixed"].map(STRENGTH).groupby(pixels_of(films["radiograph"])).transform("max")
    return strength.map({place: subset for subset, place in STRENGTH.items()})


def find_copies(index: pd.DataFrame) -> "pd.Series[str]":
    """Tell which films have the same pixels as another that stays; (n,) detail by id."""
    films = index["radiograph"].sort_values()
    first = films.groupby(pixels_of(films)).transform("first")
    copies = films[films != first]
    return ("same pixels as " + first[films != first]).set_axis(copies)


def truncate(index: pd.DataFrame, settings: Split, seed: int) -> "pd.Series[str]":
    """Tell which films are more of a finding than wanted; (n,) detail by id.

    Films that are fixed for validation or test (column ``fixed``) all stay. Of the others, whole
    groups (column ``group``) are taken in seeded order until a finding has enough; the last one may
    be cut. A film with several findings counts for each, and goes once one is full.
    """
    if not settings.truncate:
        return pd.Series(dtype=str)
    dealt = index[~index["fixed"].isin(["validation", "test"])]
    shown = dealt["findings"].str.split("|").explode()
    counts = shown[shown != ""].value_counts()
    smallest = counts.min() if len(counts) else 0
    limit = int(smallest if settings.truncate == "smallest" else settings.truncate)
    groups = np.sort(dealt["group"].unique())
    order = np.random.default_rng(derive_seed(seed, "truncate")).permutation(len(groups))
    place = dealt["group"].map(dict(zip(groups, order, strict=True)))
    films = dealt.assign(place=place).sort_values(["place", "radiograph"])
    taken: Counter[str] = Counter()
    over = {}
    for radiograph, findings in zip(films["radiograph"], films["findings"], strict=True):
        names = findings.split("|")
        full = next((name for name in names if taken[name] >= limit), None)
        if full is None:
            taken.update(names)
        else:
            over[radiograph] = f"over {limit} films of {full or 'no finding'}"
    return pd.Series(over, dtype=str)

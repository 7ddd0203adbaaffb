"""What belongs together: films of one patient and copies of one film; and what is left out."""

from collections import Counter

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cxrpipe.config import Split
from cxrpipe.data.identity import pixels_of
from cxrpipe.runtime import UserError, derive_seed


def join_groups(index: pd.DataFrame, duplicates: pd.DataFrame) -> "pd.Series[str]":
    """Join films that share a patient or are copies of each other, directly or by way of others.

    Parameters
    ----------
    index, duplicates
        As ``tables.INDEX`` and ``tables.DUPLICATES`` promise.

    Returns
    -------
    (n_radiographs,) the smallest id of each film's group, in the rows of the index.

    Raises
    ------
    UserError
        If the duplicates name a film that the index lacks.
    """
    radiographs = index["radiograph"]
    strange = {*duplicates["first"], *duplicates["second"]} - set(radiographs)
    if strange:
        raise UserError(
            f"duplicates.csv: radiograph {min(strange)} is not in the index; make it anew"
        )
    patients = radiographs.to_frame().assign(patient=index["patient"].str.split("|"))
    patients = patients.explode("patient").query("patient != ''")
    of_patient = patients.groupby("patient")["radiograph"].transform("first")
    left = pd.concat([patients["radiograph"], duplicates["first"]])
    right = pd.concat([of_patient, duplicates["second"]])
    place = pd.Series(np.arange(len(index)), index=radiographs)
    edges = (place[left].to_numpy(), place[right].to_numpy())
    links = coo_array((np.ones(len(left)), edges), shape=(len(index), len(index)))
    _, component = connected_components(links, directed=False)
    return radiographs.groupby(component).transform("min")


def join_copies(index: pd.DataFrame, duplicates: pd.DataFrame) -> "pd.Series[str]":
    """Join copies alone, whoever the patients are; as ``join_groups``."""
    return join_groups(index.assign(patient=""), duplicates)


def find_conflicts(index: pd.DataFrame, duplicates: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of copies that stand under different findings, with both findings."""
    finding = index.set_index("radiograph")["findings"]
    pairs = duplicates.assign(
        first_finding=duplicates["first"].map(finding),
        second_finding=duplicates["second"].map(finding),
    )
    return pairs[pairs["first_finding"] != pairs["second_finding"]]


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
    limit = int(counts.min()) if settings.truncate == "smallest" else int(settings.truncate)
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

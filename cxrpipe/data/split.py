"""Divide patients into train, validation and test, so that no patient or copy is in two."""

import argparse
import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cxrpipe import tables
from cxrpipe.config import Split, check
from cxrpipe.runtime import UserError, command, derive_seed

Integers = npt.NDArray[np.int64]
log = logging.getLogger(__name__)


def join_groups(index: pd.DataFrame, duplicates: pd.DataFrame) -> "pd.Series[str]":
    """Join films that share a patient or are copies of each other, directly or by way of others.

    Parameters
    ----------
    index, duplicates
        As ``tables.INDEX`` and ``tables.DUPLICATES`` promise.

    Returns
    -------
    (n_radiographs,) the smallest id of each film's group, in the rows of the index.
    """
    radiographs = index["radiograph"]
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


def find_conflicts(index: pd.DataFrame, duplicates: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of copies that stand under different findings, with both findings."""
    finding = index.set_index("radiograph")["findings"]
    pairs = duplicates.assign(
        first_finding=duplicates["first"].map(finding),
        second_finding=duplicates["second"].map(finding),
    )
    return pairs[pairs["first_finding"] != pairs["second_finding"]]


def drop_copies(index: pd.DataFrame, duplicates: pd.DataFrame, conflicts: str) -> pd.DataFrame:
    """Keep one film of every set of exact copies, and treat films under two findings as told.

    Parameters
    ----------
    conflicts
        ``exclude`` drops all copies of a film under two findings, ``first`` keeps the one of the
        smallest id, ``stop`` raises.
    """
    found = find_conflicts(index, duplicates)
    if conflicts == "stop" and len(found):
        pair = found.iloc[0]
        raise UserError(
            f"split.conflicts: {len(found)} films stand under two findings, such as "
            f"{pair['first']} ({pair['first_finding']}) and {pair['second']} "
            f"({pair['second_finding']}); correct the labels, or choose exclude or first"
        )
    dropped = set(duplicates.loc[duplicates["kind"] == "exact", "second"])
    copies = join_groups(index.assign(patient=""), duplicates)
    several = index["findings"].groupby(copies).transform("nunique") > 1
    if conflicts == "first":
        several &= index["radiograph"] != copies
    dropped |= set(index.loc[several, "radiograph"])
    return index[~index["radiograph"].isin(dropped)]


def divide(group: Integers, finding: Integers, shares: list[float], seed: int) -> Integers:
    """Deal whole groups into parts so that every finding keeps its share in every part.

    Groups are dealt from the largest to the smallest (equals in seeded order), each to the part
    where it brings the counts of its findings closest to their wanted values. The last groups
    of a rare finding go to the parts that still lack it, so that no part is left without.

    Parameters
    ----------
    group, finding
        (n_radiographs,) numbers from 0.
    shares
        Wanted share of each part; they sum to 1.

    Returns
    -------
    (n_radiographs,) the number of the part.
    """
    counts = np.zeros((group.max() + 1, finding.max() + 1))
    np.add.at(counts, (group, finding), 1)
    shuffled = np.random.default_rng(seed).permutation(len(counts))
    order = shuffled[np.argsort(-counts.sum(axis=1)[shuffled], kind="stable")]
    wanted = np.outer(shares, counts.sum(axis=0))
    dealt = np.zeros_like(wanted)
    part = np.zeros(len(counts), dtype=np.int64)
    groups_left = (counts > 0).sum(axis=0)
    for number in order:
        before = ((dealt - wanted) / wanted) ** 2
        after = ((dealt + counts[number] - wanted) / wanted) ** 2
        cost = (after - before).sum(axis=1)
        shown = counts[number] > 0
        lacking = (dealt == 0) & shown
        scarce = groups_left <= lacking.sum(axis=0)
        urgent = lacking[:, scarce].any(axis=1)
        part[number] = np.argmin(np.where(urgent | ~urgent.any(), cost, np.inf))
        dealt[part[number]] += counts[number]
        groups_left -= shown
    return part[group]


def split_films(
    index: pd.DataFrame, duplicates: pd.DataFrame, settings: Split, seed: int
) -> pd.DataFrame:
    """Split the films of an index by patient and copies.

    The split depends on the films and the seed, not on the order of the rows.

    Returns
    -------
    As ``tables.SPLIT`` promises, one fold, sorted by radiograph.

    Raises
    ------
    UserError
        If a finding has fewer than three groups; names the finding and the count.
    """
    grouped = index.assign(group=join_groups(index, duplicates))
    films = drop_copies(grouped, duplicates, settings.conflicts).sort_values("radiograph")
    groups_of = films.groupby("findings")["group"].nunique()
    for finding, groups in groups_of.reindex(sorted(set(index["findings"])), fill_value=0).items():
        if groups < len(tables.SUBSETS):
            raise UserError(
                f"split: finding '{finding}' has films of {groups} patients; train, validation "
                "and test need at least 3: add films, or drop the finding from the recipe"
            )
    shares = [1 - settings.validation - settings.test, settings.validation, settings.test]
    part = divide(
        pd.factorize(films["group"])[0],
        pd.factorize(films["findings"], sort=True)[0],
        shares,
        derive_seed(seed, "split"),
    )
    split = pd.DataFrame(
        {
            "radiograph": films["radiograph"],
            "group": films["group"],
            "finding": films["findings"],
            "subset": np.array(tables.SUBSETS)[part],
            "fold": 0,
        }
    )
    refuse_empty_subsets(split)
    return split


def refuse_empty_subsets(split: pd.DataFrame) -> None:
    """Raise a UserError if a finding has no film in one of the subsets."""
    counts = pd.crosstab(split["finding"], split["subset"]).reindex(
        columns=list(tables.SUBSETS), fill_value=0
    )
    for finding, row in counts.iterrows():
        if (row == 0).any():
            raise UserError(
                f"split: finding '{finding}' has no film in {row.idxmin()}, since its patients "
                "have several findings; add films, or change the shares"
            )


@command
def main() -> None:
    """Split the films of an index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--duplicates", type=Path, required=True, help="table to read")
    parser.add_argument("--settings", required=True, help="Split, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--split", type=Path, required=True, help="table to write")
    arguments = parser.parse_args()
    settings = check(Split, arguments.settings, "--settings")
    index = tables.read(arguments.index, tables.INDEX)
    duplicates = tables.read(arguments.duplicates, tables.DUPLICATES)
    split = split_films(index, duplicates, settings, arguments.seed)
    tables.write(split, arguments.split, tables.SPLIT)
    counts = split["subset"].value_counts()
    log.info(", ".join(f"{subset} {counts[subset]:,}" for subset in tables.SUBSETS))


if __name__ == "__main__":
    main()

"""What belongs together: films of one patient and copies of one film."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cxrpipe.runtime import UserError


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

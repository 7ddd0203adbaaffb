"""The columns of a results table: one name for every number that ``metrics.json`` nests."""

from collections.abc import Mapping
from typing import Any

Columns = dict[str, object]

OVERALL = ("accuracy", "balanced_accuracy", "one_vs_rest_accuracy", "kappa", "mcc")
MACRO = ("precision", "recall", "specificity", "f1", "auc", "ap")
OF_FINDINGS = ("f1", "auc")
BOUNDS = ("low", "high")  # of an interval over patients
PARTS = (*BOUNDS, "sd")  # over folds


def spread(name: str, told: object, *parts: str) -> Columns:
    """Name a score and what is told beside it: ``f1``, ``f1_low``, ``f1_high``, ``f1_sd``.

    Parameters
    ----------
    told
        An estimate, with ``value`` and the parts; or a plain number, which has no parts.
    """
    if not isinstance(told, Mapping):
        return {name: told}
    return {name: told["value"]} | {f"{name}_{part}": told[part] for part in parts}


def score_columns(scores: Mapping[str, Any]) -> Columns:
    """Return the scores over all films and the macro scores, in which findings count equally.

    Scores that are missing, as areas under curves of a vote, have no column.
    """
    told = {name: scores[name] for name in OVERALL if name in scores}
    told |= {name: scores["macro"][name] for name in MACRO if name in scores["macro"]}
    columns: Columns = {}
    for name, value in told.items():
        columns |= spread(name, value, *PARTS)
    return columns


def calibration_columns(calibration: Mapping[str, Any]) -> Columns:
    """Return how good probabilities are, once divided by the temperature."""
    after = calibration["after"]
    return spread("brier", after["brier"], *PARTS) | {"ece": after["ece"]}


def finding_columns(scores: Mapping[str, Any]) -> Columns:
    """Return F1 and AUC of every finding: ``f1_covid``, ``f1_covid_low``, ``f1_covid_high``."""
    columns: Columns = {}
    for score in OF_FINDINGS:
        for finding, told in scores.get("findings", {}).items():
            if score in told:
                columns |= spread(f"{score}_{finding}", told[score], *BOUNDS)
    return columns


def localisation_columns(localisation: Mapping[str, Any]) -> Columns:
    """Return the pointing game's columns, empty where no lesion is known."""
    names = {"n": "pointing_n", "share": "pointing", "chance_lungs": "pointing_chance"}
    return {column: localisation.get(key) for key, column in names.items()}

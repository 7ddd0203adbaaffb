"""The CSV contracts: which columns every table has, and that its rows keep their promises.

Tables are checked on writing and on reading, so a broken one stops the command that made it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from cxrpipe.runtime import UserError, whole

SUBSETS = ("train", "validation", "test")


@dataclass(frozen=True)
class Contract:
    """The promise of one table.

    Attributes
    ----------
    columns
        Name and dtype (``str``, ``int64``, ``float64``) of every column, in order. An unknown
        text is empty; an unknown number is NaN and allowed only where ``optional`` says so.
    key
        Columns that together name a row once.
    choices
        Column: the only values it may hold.
    """

    columns: dict[str, str]
    key: tuple[str, ...] = ()
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    optional: tuple[str, ...] = ()


# Masks are paths joined by "|"; boxes are "finding:left,top,width,height" joined by "|", in shares
# of the film's width and height.
INDEX = Contract(
    {
        "radiograph": "str",
        "source": "str",
        "file": "str",
        "patient": "str",
        "view": "str",
        "age": "float64",
        "sex": "str",
        "width": "int64",
        "height": "int64",
        "mode": "str",
        "tint": "float64",
        "contrast": "float64",
        "blank": "float64",
        "findings": "str",
        "published": "str",
        "lungs": "str",
        "lesions": "str",
        "boxes": "str",
    },
    key=("radiograph",),
    choices={"sex": ("F", "M", ""), "published": (*SUBSETS, "")},
    optional=("age",),
)
EXCLUDED = Contract(
    {"source": "str", "file": "str", "reason": "str", "detail": "str"}, key=("source", "file")
)
DUPLICATES = Contract(
    {"first": "str", "second": "str", "kind": "str", "score": "float64"},
    key=("first", "second"),
    choices={"kind": ("exact", "near")},
)
SPLIT = Contract(
    {
        "radiograph": "str",
        "group": "str",
        "source": "str",
        "finding": "str",
        "subset": "str",
        "fold": "int64",
    },
    key=("radiograph", "fold"),
    choices={"subset": SUBSETS},
)
LEFT_OUT = Contract(
    {"radiograph": "str", "reason": "str", "detail": "str"},
    key=("radiograph",),
    choices={"reason": ("conflict", "copy", "truncated", "leak")},
)
HISTORY = Contract(
    {
        "epoch": "int64",
        "learning_rate": "float64",
        "train_loss": "float64",
        "train_accuracy": "float64",
        "validation_loss": "float64",
        "validation_accuracy": "float64",
        "validation_macro_f1": "float64",
        "validation_macro_auc": "float64",
        "best": "int64",
    },
    key=("epoch",),
    optional=("validation_macro_f1", "validation_macro_auc"),
)
# The rows of a curve are in the order of x, the same x for every model but for reliability, whose
# x is the mean probability in a bin.
CURVES = Contract(
    {
        "task": "str",
        "model": "str",
        "finding": "str",
        "curve": "str",
        "x": "float64",
        "y": "float64",
        "low": "float64",
        "high": "float64",
        "n": "float64",
    },
    choices={
        "curve": (
            "roc",
            "precision_recall",
            "reliability",
            "reliability_calibrated",
            "decision",
            "selective",
        )
    },
    optional=("y", "low", "high", "n"),
)


# Features are those of a model (its name) or the greys themselves ("pixels"); stage tells whether
# the model is trained ("after") or as it started ("before"), and is empty for pixels.
LAYOUT = Contract(
    {
        "radiograph": "str",
        "source": "str",
        "finding": "str",
        "features": "str",
        "stage": "str",
        "method": "str",
        "x": "float64",
        "y": "float64",
    },
    key=("radiograph", "features", "stage", "method"),
    choices={"stage": ("before", "after", ""), "method": ("tsne", "umap", "som")},
)
NEIGHBOURS = Contract(
    {
        "radiograph": "str",
        "features": "str",
        "stage": "str",
        "rank": "int64",
        "neighbour": "str",
        "distance": "float64",
    },
    key=("radiograph", "features", "stage", "rank"),
)
# What is seen on a film without any model, at its own resolution.
MEASURES = Contract(
    {
        "radiograph": "str",
        "tint": "float64",
        "dark": "float64",
        "bright": "float64",
        "contrast": "float64",
        "crop": "float64",
        "text": "float64",
        "devices": "float64",
    },
    key=("radiograph",),
)
# One row for each test film of a model; causes are names joined by "|".
ERRORS = Contract(
    {
        "radiograph": "str",
        "group": "str",
        "source": "str",
        "true": "str",
        "said": "str",
        "probability": "float64",
        "right": "int64",
        "causes": "str",
        "shown": "str",
    },
    key=("radiograph",),
    choices={"shown": ("", "drawn", "surest", "drawn|surest")},
)


def predictions(findings: Sequence[str]) -> Contract:
    """Return the contract of a prediction table: one logit column for every finding, in order."""
    columns = {"radiograph": "str", "subset": "str"} | dict.fromkeys(findings, "float64")
    return Contract(columns, key=("radiograph",), choices={"subset": SUBSETS})


def check(table: pd.DataFrame, contract: Contract, name: str) -> None:
    """Raise a UserError that names the table, the column and a row that breaks the contract."""
    if list(table.columns) != list(contract.columns):
        expected = ", ".join(contract.columns)
        raise UserError(f"{name}: expected columns {expected}; found {', '.join(table.columns)}")
    for column, dtype in contract.columns.items():
        if dtype == "str" or column in contract.optional:
            continue
        broken = ~np.isfinite(table[column].to_numpy(dtype=float))
        if broken.any():
            raise UserError(f"{name}: {column} is not a number in row {int(broken.argmax()) + 2}")
    for column, choices in contract.choices.items():
        unknown = sorted(set(table[column]) - set(choices))
        if unknown:
            raise UserError(f"{name}: {column} '{unknown[0]}' is none of {', '.join(choices)}")
    if contract.key and table.duplicated(list(contract.key)).any():
        row = table.loc[table.duplicated(list(contract.key)), list(contract.key)].iloc[0]
        raise UserError(f"{name}: {', '.join(contract.key)} {list(row)} stands in two rows")


def write(table: pd.DataFrame, path: Path, contract: Contract) -> None:
    """Check a table and write it whole; equal tables give equal bytes."""
    check(table, contract, str(path))
    with whole(path) as partial:
        table.to_csv(partial, index=False, float_format="%.9g", lineterminator="\n")


def read(path: Path, contract: Contract) -> pd.DataFrame:
    """Read a table and check it; empty cells of text columns stay empty strings."""
    text = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [column for column in contract.columns if column not in text.columns]
    if missing:
        raise UserError(f"{path}: column {missing[0]} is missing; make the file anew")
    table = text.copy()
    numeric = {column: dtype for column, dtype in contract.columns.items() if dtype != "str"}
    for column in numeric:
        table[column] = pd.to_numeric(text[column].replace("", "nan"), errors="coerce")
    check(table, contract, str(path))
    return table.astype(numeric)

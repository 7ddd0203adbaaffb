"""A small training as tests share it: films, what the command is told, and it in a process."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from cxrpipe import tables
from cxrpipe.config import Preprocess, Task
from cxrpipe.preprocessing.store import Prepared, write_store
from cxrpipe.training import train

FINDINGS = ("dark", "bright")
SUBSETS = ["train"] * 16 + ["validation"] * 6 + ["test"] * 2
SETTINGS = {"epochs": 4, "batch": 8, "precision": "fp32", "patience": 4}


def names():
    return [f"{number:024x}" for number in range(24)]


def pictures():
    """Even films are dark, odd ones bright."""
    noise = np.random.default_rng(0).integers(0, 100, (24, 32, 32))
    return (noise + 120 * (np.arange(24) % 2)[:, None, None]).astype(np.uint8)


def split():
    rows = pd.DataFrame({"radiograph": names(), "group": names(), "subset": SUBSETS, "fold": 0})
    rows.insert(2, "source", "s")
    rows.insert(3, "finding", list(FINDINGS) * 12)
    other = rows.assign(fold=1, subset="test")  # a fold that must not be read
    return pd.concat([rows, other])


def write_data(folder):
    films = [Prepared(name, grey, {}) for name, grey in zip(names(), pictures(), strict=True)]
    described = Preprocess(side=32, clahe=2).model_dump_json()
    write_store(folder / "films.h5", reversed(films), 24, 32, described)
    tables.write(split(), folder / "split.csv", tables.SPLIT)


def task(kind="single"):
    return Task(kind=kind, findings=FINDINGS, sources=("s",))


def options(
    data,
    out,
    seed=0,
    architecture="test_resnet",
    dropout=0,
    kind="single",
    weights="none",
    **changed,
):
    """Flags of the command and what they are given."""
    model = {"architecture": architecture, "side": 32, "dropout": dropout, "weights": weights}
    return {
        "radiographs": data / "films.h5",
        "split": data / "split.csv",
        "fold": 0,
        "task": task(kind).model_dump_json(),
        "name": "tiny",
        "model": json.dumps(model | {"training": SETTINGS | changed}),
        "seed": seed,
        "cores": 1,
        "weights": out / "weights.safetensors",
        "history": out / "history.csv",
        "summary": out / "summary.json",
        "timing": out / "timing.json",
    }


def command(data: Path, out: Path, **changed) -> None:
    """Train, as a process of its own."""
    told = options(data, out, **changed)
    told |= {"checkpoints": out / "checkpoints", "save-every": 0}
    flags = (str(part) for key, value in told.items() for part in (f"--{key}", value))
    sys.argv = ["train", *flags]
    with Path(os.devnull).open("w") as sys.stderr:
        train.main()

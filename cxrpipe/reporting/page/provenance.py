"""Where a run comes from: code, data, seeds, machines, and the files whose numbers are shown."""

import hashlib
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxrpipe.reporting.page.blocks import Block, Chapter, Facts, Table, Words
from cxrpipe.reporting.page.run import Run
from cxrpipe.reporting.page.wording import NOT_KNOWN, say_list

SHOWN = 16  # digits of a checksum; 64 bits, enough to tell any two files apart


def describe_commit(revision: str | None, changes: str | None) -> str:
    """Name the commit of the code and whether its files differ from it.

    Parameters
    ----------
    revision
        What ``git rev-parse HEAD`` says; None where there is no git.
    changes
        What ``git status --porcelain`` says: empty if no file differs.
    """
    if not revision:
        return NOT_KNOWN
    return revision.strip() + (", and changes that are not committed" if changes else "")


def checksum(content: bytes) -> str:
    """Return the first digits of the SHA-256 of a file."""
    return hashlib.sha256(content).hexdigest()[:SHOWN]


def list_seeds(recipe: Mapping[str, Any]) -> str:
    """Name the seed of the recipe, and those of its models that have another."""
    own = [f"{name} {model['seed']}" for name, model in recipe["models"].items() if model["seed"]]
    said = f"{recipe['seed']} (split, initial weights, sampling, augmentation, bootstrap)"
    return f"{said}; added for {say_list(own)}" if own else said


def timing_table(run: Run) -> pd.DataFrame:
    """Return how each model was trained, how fast, and on what."""
    rows = []
    for name, timing in run.timings.items():
        summary = run.summaries[name]
        rows.append(
            {
                "model": name,
                "architecture": summary["architecture"],
                "parameters": f"{summary['parameters'] / 1e6:.2f} M",
                "batch": summary["batch"],
                "epochs": summary["epochs"],
            }
            | {key.replace("_", " "): value for key, value in timing.items()}
        )
    return pd.DataFrame(rows)


def tell_provenance(
    run: Run, machine: str, files: Mapping[str, str], data: Mapping[str, str]
) -> Chapter:
    """Tell where code, data and numbers come from.

    Parameters
    ----------
    machine
        That wrote the page.
    files
        Checksum of each file whose numbers are shown, by its path from the page.
    data
        Checksum of each file that pins films.
    """
    pairs = [
        ("run", run.name),
        ("page written by", f"cxrpipe {run.versions['cxrpipe']}, commit {run.commit}"),
        ("seed", list_seeds(run.recipe)),
        ("page written on", machine),
        ("with", ", ".join(f"{name} {number}" for name, number in run.versions.items())),
    ]
    said = (
        f"A checksum is the first {SHOWN} digits of the SHA-256 of a file. Below every table "
        "stands the file that its numbers are from: where checksums are equal, the numbers are."
    )
    blocks: list[Block] = [
        Facts(pairs, "git, the recipe and this machine"),
        Table(
            "Training of the first fold",
            timing_table(run),
            "models/*/fold-0/summary.json, timing.json",
        ),
        Table("What pins the films", _listed(data), "checksums of the collections"),
        Table("Files whose numbers are shown", _listed(files), f"the files of run {run.name}"),
        Words([said]),
    ]
    return Chapter("Provenance and environment", blocks, place="provenance")


def _listed(checksums: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame({"file": checksums.keys(), "SHA-256": checksums.values()})

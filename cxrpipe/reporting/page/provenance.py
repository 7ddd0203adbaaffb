"""Where a run comes from: code, data, seeds, machines, and the files whose numbers are shown."""

import hashlib
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxrpipe.reporting.page.blocks import Block, Chapter, Facts, Table, Words
from cxrpipe.reporting.page.run import Run
from cxrpipe.reporting.page.wording import NOT_KNOWN, say_count, say_list

SHOWN = 16  # digits of a checksum; 64 bits, enough to tell any two files apart


def describe_code(code: Mapping[str, Any]) -> str:
    """Name the commit of the code and how many files differ from it, as ``provenance.json`` has it.

    ``commit`` is None where there is no git.
    """
    if not code["commit"]:
        return NOT_KNOWN
    n_changed = len(code["changed"] or ())
    changes = say_count(n_changed, "changed file", "changed files")
    return str(code["commit"]) + (f", and {changes} not committed" if n_changed else "")


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


def describe_machine(machine: Mapping[str, Any]) -> str:
    """Name the machine of a run."""
    gpus = say_list(machine["gpus"]) if machine["gpus"] else "no GPU"
    return (
        f"{machine['processor']}, {say_count(machine['cores'], 'core', 'cores')} used, "
        f"{machine['memory_gib']:g} GiB of memory, {gpus}; {machine['system']}"
    )


def tell_provenance(run: Run, files: Mapping[str, str], data: Mapping[str, str]) -> Chapter:
    """Tell where code, data and numbers come from.

    Parameters
    ----------
    files
        Checksum of each file whose numbers are shown, by its path from the page.
    data
        Checksum of each file that pins films.
    """
    told = run.provenance
    lock = told["packages"]["lock"]
    pairs = [
        ("run", run.name),
        ("code", f"cxrpipe {run.versions['cxrpipe']}, commit {describe_code(told['code'])}"),
        ("data, pinned by DVC as", told["data"]["pin"] or "not pinned"),
        ("packages", ", ".join(f"{name} {number}" for name, number in run.versions.items())),
        ("lock of all packages", lock[:SHOWN] if lock else NOT_KNOWN),
        ("seed", list_seeds(run.recipe)),
        ("machine", describe_machine(told["machine"])),
        ("begun and ended", f"{told['started']} and {told['ended']}, its last part"),
        ("checksums of all files", f"{len(told['outputs']):,} in provenance.json"),
    ]
    said = (
        f"A checksum is the first {SHOWN} digits of the SHA-256 of a file. Below every table "
        "stands the file that its numbers are from: where checksums are equal, the numbers are."
    )
    blocks: list[Block] = [
        Facts(pairs, "provenance.json"),
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

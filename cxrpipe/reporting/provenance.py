"""Write where a run comes from: code, data, packages, machine, seeds, times, and every checksum.

It is written after all other files of the run but the report, which shows it. Of an incremental
run the times are those of the last part. The commit is what git says of the working folder.
"""

import argparse
import hashlib
import json
import logging
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import yaml

from cxrpipe.models.device import describe
from cxrpipe.runtime import command, progress, write_json

PACKAGES = ("cxrpipe", "snakemake", "torch", "torchvision", "timm", "numpy", "pandas", "pillow")
# Of the files of a run: what tells of it, what measures it, and what a stopped training left.
LEFT_OUT = ("provenance.json", "records.json", "report.html", "benchmarks", "checkpoints")
log = logging.getLogger(__name__)


def ask_git(*question: str) -> str | None:
    """Ask git about the working folder; None if there is no git, or no repository."""
    git = shutil.which("git")
    if git is None:
        return None
    asked = subprocess.run(  # noqa: S603 - git and fixed arguments alone
        [git, *question], capture_output=True, text=True, check=False
    )
    return asked.stdout if asked.returncode == 0 else None


def tell_code() -> dict[str, Any]:
    """Tell the commit, and which files differ from it; None of what is not known."""
    commit, changes = ask_git("rev-parse", "HEAD"), ask_git("status", "--porcelain")
    changed = None if changes is None else [line[3:] for line in changes.splitlines()]
    return {"commit": commit.strip() if commit else None, "changed": changed}


def tell_data(pin: Path, checksums: Sequence[Path]) -> dict[str, Any]:
    """Tell what DVC pins as the raw data, and the checksum of each collection's list of files."""
    pinned = yaml.safe_load(pin.read_text(encoding="utf-8")) if pin.is_file() else {}
    return {
        "pin": next((out["md5"] for out in pinned.get("outs", [])), None),
        "collections": {path.parent.name: checksum(path) for path in checksums},
    }


def tell_packages(lock: Path) -> dict[str, Any]:
    """Tell the checksum of the lock, and what is installed of the packages that matter most."""
    return {
        "lock": checksum(lock) if lock.is_file() else None,
        "installed": {"python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
    }


def tell_machine(cores: int) -> dict[str, Any]:
    """Tell the machine that this is written on; those of the trainings are in ``timing.json``."""
    gpus = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": torch.cpu.get_capabilities().get("cpu_name", platform.processor()),
        "cores": cores,
        "memory_gib": round(memory / 2**30, 1),
        "gpus": [describe(gpu) for gpu in gpus],
    }


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sum_outputs(folder: Path) -> dict[str, str]:
    """Return the checksum of every file of a run by its path in it, but for ``LEFT_OUT``.

    What models left that are no longer in the recipe lies there too, and is summed.
    """
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder): path for path in found}
    wanted = [
        place
        for place in files
        if place.parts[0] not in LEFT_OUT and not place.name.startswith(".")
    ]
    return {
        place.as_posix(): checksum(files[place])
        for place in progress(wanted, len(wanted), "files summed")
    }


@command
def main() -> None:
    """Write the provenance of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="name of the recipe")
    parser.add_argument("--recipe", required=True, help="Recipe, as JSON")
    parser.add_argument("--started", required=True, help="when Snakemake began, ISO 8601")
    parser.add_argument("--checksums", nargs="+", type=Path, required=True, help="SHA256SUMS")
    parser.add_argument("--pin", type=Path, default=Path("data.dvc"))
    parser.add_argument("--lock", type=Path, default=Path("requirements.txt"))
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--results", type=Path, required=True, help="folder of the run")
    parser.add_argument("--provenance", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args()
    recipe = json.loads(arguments.recipe)
    outputs = sum_outputs(arguments.results)
    told = {
        "run": arguments.run,
        "code": tell_code(),
        "data": tell_data(arguments.pin, arguments.checksums),
        "packages": tell_packages(arguments.lock),
        "machine": tell_machine(arguments.cores),
        "seeds": {"recipe": recipe["seed"]}
        | {name: model["seed"] for name, model in recipe["models"].items() if model["seed"]},
        "started": arguments.started,
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "outputs": outputs,
    }
    write_json(arguments.provenance, told)
    log.info(f"{len(outputs):,} files summed")


if __name__ == "__main__":
    main()

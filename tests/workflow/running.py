"""The means to copy the project to a folder of its own and to run Snakemake in it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def copy_project(folder: Path) -> Path:
    """Copy what Git tracks or would track, so that nothing else is needed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target, follow_symlinks=False)
    return folder


def environment() -> dict[str, str]:
    """The environment of a user who activated the virtual environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path}


def snakemake(
    project: Path, *arguments: str, recipe: str = "tiny", gpu: int = 1, **overrides: object
) -> str:
    """Run Snakemake as the README says and return what it printed; it must end well."""
    done = try_snakemake(project, *arguments, recipe=recipe, gpu=gpu, **overrides)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def try_snakemake(
    project: Path, *arguments: str, recipe: str = "tiny", gpu: int = 1, **overrides: object
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake and return how it ended, with both streams in one."""
    config = [f"recipe={recipe}", *(f"{key}={value}" for key, value in overrides.items())]
    resources = ["--cores", "2", "--resources", f"gpu={gpu}"]
    return subprocess.run(
        ["snakemake", *arguments, *resources, "--config", *config],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def try_dvc(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run DVC and return how it ended, with both streams in one."""
    return subprocess.run(
        ["dvc", *arguments],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def dvc(project: Path, *arguments: str) -> str:
    """Run DVC and return what it printed; it must end well."""
    done = try_dvc(project, *arguments)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def git(project: Path, *arguments: str) -> str:
    """Run git as somebody; it must end well."""
    somebody = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"]
    done = subprocess.run(
        ["git", *somebody, *arguments], cwd=project, check=True, capture_output=True, text=True
    )
    return done.stdout


def replace(path: Path, old: str, new: str) -> None:
    """Edit a file, in which the text must be."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def planned(printed: str) -> dict[str, int]:
    """Return the jobs of a dry run or a run: rule to number."""
    table = printed.partition("Job stats:")[2].partition("total")[0]
    rows = re.findall(r"^(\w+)\s+(\d+)$", table, re.MULTILINE)
    return {rule: int(number) for rule, number in rows if rule != "all"}

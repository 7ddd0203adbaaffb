"""How long the explanations of a finished run take, rule by rule.

    python benchmarks/explained.py

A copy of the project trains three models for an epoch on 200 synthetic films, up to their scores.
Then everything that explains them is made and timed: heatmaps and their scores, features, mistakes,
filters, and the pictures of them. The seconds are those of Snakemake's own benchmark files, with
every job's start; the whole stands beside them.
"""

import argparse
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

ROOT = Path(__file__).parents[1]
RUN = "explained"
MODELS = ("resnet18", "resnet34", "densenet121")
EXPLAINING = ("gradcam", "localise", "embed", "project", "measure", "errors", "filters")
EXPLAINING += ("illustrate", "overlays")


def copy_project(folder: Path) -> None:
    """Copy what Git tracks."""
    listed = subprocess.run(
        ["git", "ls-files"],  # noqa: S607 - the user's own git
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)


def write_recipe(project: Path, options: argparse.Namespace) -> None:
    """Write the recipe of the run: so many films, two in five of them for the test."""
    recipe = {
        "title": "Explanations timed on synthetic films; its scores mean nothing",
        "sources": ["phantom-north"],
        "findings": ["normal", "covid", "lung_opacity", "viral_pneumonia", "tuberculosis"],
        "split": {"truncate": options.films // 5, "test": 0.4},
        "preprocess": {"side": options.side},
        "training": {"epochs": 1, "batch": 16},
        "models": {name: {"architecture": name} for name in MODELS},
    }
    (project / f"config/recipes/{RUN}.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")


def snakemake(project: Path, options: argparse.Namespace, *targets: str) -> float:
    """Make targets of the run, and return the seconds that it took."""
    asked = ["--cores", str(options.cores), "--resources", "gpu=1", "--config", f"recipe={RUN}"]
    start = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "snakemake", "--quiet", "all", *asked, "--", *targets],
        cwd=project,
        check=True,
    )
    return time.monotonic() - start


def seconds_of_rules(project: Path) -> dict[str, float]:
    """Add up the seconds of all jobs of every rule."""
    total: dict[str, float] = defaultdict(float)
    folder = project / "results" / RUN / "benchmarks"
    for file in sorted(folder.rglob("*.tsv")):
        rule = file.relative_to(folder).parts[0].removesuffix(".tsv")
        total[rule] += float(file.read_text().splitlines()[1].split("\t")[0])
    return total


def main() -> None:
    """Time the explanations of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=200)
    parser.add_argument("--side", type=int, default=224, help="pixels")
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        project = Path(folder)
        copy_project(project)
        write_recipe(project, options)
        snakemake(project, options, f"results/{RUN}/metrics.json")
        overlays = [f"results/{RUN}/explanations/{model}/fold-0" for model in MODELS]
        whole = snakemake(project, options, "illustrate", *overlays)
        seconds = seconds_of_rules(project)
    if lacking := [rule for rule in EXPLAINING if rule not in seconds]:
        raise SystemExit(f"{', '.join(lacking)} did not run; nothing is told")
    print(f"{options.films} films, {len(MODELS)} models, {options.side} px, {options.cores} cores")
    for rule in EXPLAINING:
        print(f"{rule:12}{seconds[rule]:8.1f} s")
    print(
        f"{'all, waiting':12}{whole:8.1f} s; evaluate, for comparison {seconds['evaluate']:.1f} s"
    )


if __name__ == "__main__":
    main()

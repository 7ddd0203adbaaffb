"""DVC as the front door: it runs the workflow once and then has nothing to do."""

import subprocess
from pathlib import Path

from running import environment, snakemake


def dvc(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["dvc", *arguments],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def test_dvc_repro_records_a_run_and_then_does_nothing(project: Path):
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    stage = project / "dvc.yaml"
    stage.write_text(stage.read_text().replace("demo", "tiny"), encoding="utf-8")
    assert "Running stage 'tiny'" in dvc(project, "repro")
    assert "Data and pipelines are up to date" in dvc(project, "repro")
    assert "Data and pipelines are up to date" in dvc(project, "status", "tiny")
    assert "Nothing to be done" in snakemake(project, "--dry-run")

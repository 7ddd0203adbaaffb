"""A run that is killed: nothing half done stays, and the next run goes on."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
from running import environment, planned, snakemake, try_snakemake

MODEL = Path("results/tiny/models/small/fold-0")
LONGER = "training={epochs: 400, patience: 400}"


def start(project: Path, training: str = LONGER) -> subprocess.Popen[bytes]:
    """Start a long training in a session of its own."""
    options = ["--cores", "2", "--resources", "gpu=1", "--config", "recipe=tiny", training]
    return subprocess.Popen(
        ["snakemake", str(MODEL / "weights.safetensors"), *options],
        cwd=project,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_for_epochs(project: Path, epochs: int = 400) -> None:
    log = project / "logs/tiny/train/small/fold-0.txt"
    for _ in range(600):
        if log.exists() and f"epoch 3/{epochs}" in log.read_text():
            return
        time.sleep(0.1)
    pytest.fail("the training did not begin within a minute")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_an_interrupted_run_leaves_nothing_half_done_and_goes_on(project: Path, how: int):
    (project / "logs/tiny/train/small/fold-0.txt").unlink()
    run = start(project)
    wait_for_epochs(project)
    os.killpg(run.pid, how)
    run.wait(timeout=60)
    assert not (project / MODEL / "weights.safetensors").exists()
    assert not (project / MODEL / "history.csv").exists()
    jobs = planned(snakemake(project))
    assert jobs["train"] == 1
    assert not {"download", "index", "split", "preprocess"} & set(jobs)
    assert not list(project.rglob(".partial-*"))
    assert (project / MODEL / "weights.safetensors").exists()
    assert "Nothing to be done" in snakemake(project, "--dry-run")


def test_a_killed_training_goes_on_where_it_was(project: Path):
    log = project / "logs/tiny/train/small/fold-0.txt"
    log.unlink()
    training = "{epochs: 12, patience: 12, save_every: 0}"
    run = start(project, f"training={training}")
    wait_for_epochs(project, 12)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait(timeout=60)
    state = project / "results/tiny/checkpoints/small/fold-0/state.pt"
    assert state.exists()
    snakemake(project, str(MODEL / "weights.safetensors"), training=training)
    assert "epoch 12/12" in log.read_text()
    assert "epoch 1/12" not in log.read_text()
    assert len(pd.read_csv(project / MODEL / "history.csv")) == 12
    assert not state.exists()


def test_a_job_ends_when_its_snakemake_is_killed_alone(project: Path):
    (project / "logs/tiny/train/small/fold-0.txt").unlink()
    run = start(project)
    wait_for_epochs(project)
    run.kill()
    run.wait(timeout=60)
    log = project / "logs/tiny/train/small/fold-0.txt"
    time.sleep(3)
    said = log.read_text()
    time.sleep(3)
    assert log.read_text() == said
    assert not (project / MODEL / "weights.safetensors").exists()


def test_a_second_run_in_the_same_folder_is_refused_in_words(project: Path):
    (project / "logs/tiny/train/small/fold-0.txt").unlink()
    run = start(project)
    try:
        wait_for_epochs(project)
        second = try_snakemake(project, seed=3)
        assert second.returncode != 0
        assert "Another run works in this folder; wait for it, or stop it." in second.stdout
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait(timeout=60)

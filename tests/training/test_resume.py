"""A training that is killed, at any moment and again and again, ends with the same bytes."""

import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest
from trainings import command, write_data

KILLS = 20
# Everything that has a state: a drawn order, augmentation, dropout, two parts, an average.
SETTINGS = {
    "dropout": 0.3,
    "epochs": 8,
    "patience": 8,
    "save_every": 0,
    "head_epochs": 1,
    "ema": 0.5,
    "schedule": "plateau",
    "plateau_patience": 1,
    "augmentation": {"noise": 0.1, "erase": 0.5},
}
OUTPUTS = ("weights.safetensors", "history.csv", "summary.json")


@pytest.fixture(scope="module")
def start():
    """Start a training in a process that has everything imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cxrpipe.training.train"])

    def start(data: Path, out: Path) -> multiprocessing.process.BaseProcess:
        process = context.Process(target=command, args=(data, out), kwargs=SETTINGS)
        process.start()
        return process

    return start


def test_twenty_kills_at_random_moments_give_the_same_bytes(start, tmp_path):
    write_data(tmp_path)
    start(tmp_path, tmp_path / "warm-up").join()
    begun = time.monotonic()
    whole = start(tmp_path, tmp_path / "whole")
    whole.join()
    seconds = time.monotonic() - begun
    assert whole.exitcode == 0
    moments = np.random.default_rng(0)
    n_killed = n_resumed = 0
    while n_killed < KILLS:
        out = tmp_path / str(n_killed)
        killed = start(tmp_path, out)
        killed.join(moments.uniform(0, seconds))
        killed.kill()
        killed.join()
        if killed.exitcode == 0:
            continue  # it had ended before
        n_killed += 1
        n_resumed += (out / "checkpoints/state.pt").exists()
        again = start(tmp_path, out)
        again.join()
        assert again.exitcode == 0
        assert not (out / "checkpoints").exists()
        for name in OUTPUTS:
            assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert n_resumed >= KILLS / 4  # the others were killed before their first epoch ended

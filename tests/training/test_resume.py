"""A training that is killed, at any moment and again and again, ends with the same bytes."""

import multiprocessing
import time
from multiprocessing import forkserver
from pathlib import Path

import numpy as np
import pytest
from trainings import command, write_data

# Everything that has a state: a drawn order, augmentation, dropout, two parts, averages, momentum.
AVERAGED = {
    "dropout": 0.3,
    "epochs": 8,
    "patience": 8,
    "head_epochs": 1,
    "ema": 0.5,
    "schedule": "plateau",
    "plateau_patience": 1,
    "augmentation": {"noise": 0.1, "erase": 0.5},
}
SEVERAL = {
    "kind": "multi",
    "epochs": 8,
    "patience": 8,
    "optimiser": "sgd",
    "precision": "bf16",
    "loss": "focal",
    "warm_up": 1.5,
    "monitor": "macro_auc",
}
OUTPUTS = ("weights.safetensors", "history.csv", "summary.json")


@pytest.fixture(scope="module")
def start():
    """Start a training in a process that has everything imported already."""
    forkserver._forkserver._stop()  # of other tests, which has not imported it
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cxrpipe.training.train"])

    def start(data: Path, out: Path, settings: dict) -> multiprocessing.process.BaseProcess:
        process = context.Process(target=command, args=(data, out), kwargs=settings)
        process.start()
        return process

    return start


@pytest.mark.parametrize(("settings", "kills"), [(AVERAGED, 20), (SEVERAL, 5)])
def test_kills_at_random_moments_give_the_same_bytes(settings, kills, start, tmp_path):
    write_data(tmp_path)
    start(tmp_path, tmp_path / "warm-up", settings).join()
    begun = time.monotonic()
    whole = start(tmp_path, tmp_path / "whole", settings)
    whole.join()
    seconds = time.monotonic() - begun
    assert whole.exitcode == 0
    moments = np.random.default_rng(0)
    n_killed = n_resumed = 0
    while n_killed < kills:
        out = tmp_path / str(n_killed)
        killed = start(tmp_path, out, settings)
        killed.join(moments.uniform(0, seconds))
        killed.kill()
        killed.join()
        if killed.exitcode == 0:
            continue  # it had ended before
        n_killed += 1
        n_resumed += (out / "checkpoints/state.pt").exists()
        again = start(tmp_path, out, settings)
        again.join()
        assert again.exitcode == 0
        assert not (out / "checkpoints").exists()
        for name in OUTPUTS:
            assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert n_resumed >= kills / 5  # the others were killed before their first epoch ended

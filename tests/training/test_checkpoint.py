"""The state of a killed training: only for the same training, whole, and gone when it has ended."""

import pytest
import torch

from cxrpipe.training.checkpoint import Checkpoint, name_training

STATE = {"weights": torch.arange(3), "history": [{"epoch": 1, "loss": 0.5}]}


@pytest.fixture
def saved(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state", "this", save_every=0)
    checkpoint.save(lambda: STATE)
    return checkpoint


def test_a_state_comes_back_as_it_went(saved):
    loaded = saved.load()
    assert torch.equal(loaded["weights"], STATE["weights"])
    assert loaded["history"] == STATE["history"]


def test_the_state_of_another_training_is_not_used(saved):
    assert Checkpoint(saved.path.parent, "other", 0).load() is None


def test_there_is_no_state_before_the_first(tmp_path):
    assert Checkpoint(tmp_path / "none", "this", 0).load() is None


def test_a_broken_state_is_not_used(saved):
    saved.path.write_bytes(saved.path.read_bytes()[:-50])
    assert saved.load() is None


def test_a_state_is_not_saved_before_its_time(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state", "this", save_every=60)
    checkpoint.save(lambda: pytest.fail("nothing is asked for"))
    assert checkpoint.load() is None


def test_an_ended_training_leaves_nothing_behind_what_a_kill_left_included(saved):
    (saved.path.parent / ".partial-1-state.pt").write_bytes(b"half")
    saved.remove()
    assert not saved.path.parent.exists()
    saved.remove()  # nothing to do


def test_another_setting_version_or_code_is_another_training(tmp_path):
    (tmp_path / "training").mkdir()
    (tmp_path / "training/loop.py").write_text("1")
    first = name_training(tmp_path, "settings", b"films")
    assert first == name_training(tmp_path, "settings", b"films")
    assert first != name_training(tmp_path, "settings", b"other")
    assert first != name_training(tmp_path, "setting", b"sfilms")
    (tmp_path / "training/loop.py").write_text("2")
    assert first != name_training(tmp_path, "settings", b"films")

"""The state of a killed training: only for the same training, whole, and gone when it has ended."""

from pathlib import Path

import pytest
import torch

from cxrpipe.training import checkpoint
from cxrpipe.training.checkpoint import Checkpoint, loaded_code, name_training

STATE = {"weights": torch.arange(3), "history": [{"epoch": 1, "loss": 0.5}]}


@pytest.fixture
def saved(tmp_path):
    state = Checkpoint(tmp_path / "state", "this", save_every=0)
    state.save(lambda: STATE)
    return state


def test_a_state_comes_back_as_it_went(saved):
    loaded = saved.load()
    assert torch.equal(loaded["weights"], STATE["weights"])
    assert loaded["history"] == STATE["history"]


def test_the_state_of_another_training_is_not_used(saved):
    assert Checkpoint(saved.path.parent, "other", 0).load() is None


def test_there_is_no_state_before_the_first(tmp_path):
    assert Checkpoint(tmp_path / "none", "this", 0).load() is None


@pytest.mark.parametrize("damage", [lambda b: b[:-50], lambda b: b"", lambda b: b"garbage" * 99])
def test_a_broken_state_is_not_used(damage, saved):
    saved.path.write_bytes(damage(saved.path.read_bytes()))
    assert saved.load() is None


def test_a_state_is_not_saved_before_its_time(tmp_path):
    state = Checkpoint(tmp_path / "state", "this", save_every=60)
    state.save(lambda: pytest.fail("nothing is asked for"))
    assert state.load() is None


def test_an_ended_training_leaves_nothing_behind_what_a_kill_left_included(saved):
    (saved.path.parent / ".partial-1-state.pt").write_bytes(b"half")
    saved.remove()
    assert not saved.path.parent.exists()
    saved.remove()  # nothing to do


def test_another_setting_or_film_is_another_training():
    first = name_training("settings", b"films")
    assert first == name_training("settings", b"films")
    assert first != name_training("settings", b"other")
    assert first != name_training("setting", b"sfilms")


def test_the_code_in_use_is_ours_and_the_users_but_no_librarys():
    package = Path(checkpoint.__file__).parents[1]
    code = loaded_code(package)
    assert Path(checkpoint.__file__).read_bytes() in code
    assert Path(torch.__file__).read_bytes() not in loaded_code(Path("/"))

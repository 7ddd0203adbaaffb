"""Weights on disk: they come back as they went, and broken or foreign files are refused."""

import dataclasses

import pytest
import torch
from safetensors.torch import save_file

from cxrpipe.config import Model, Preprocess
from cxrpipe.models import weights
from cxrpipe.models.card import Card
from cxrpipe.runtime import UserError

CARD = Card(
    Model(architecture="resnet18", weights="imagenet", options={"drop_rate": 0.2}),
    "multi",
    ("normal", "covid", "lung_opacity"),
    preprocess=Preprocess(side=96, clahe=2),
    mean=0.1 + 0.2,  # no short decimal
    std=1 / 3,
)


def state(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        "weight": torch.randn(4, 3, generator=generator),
        "turned": torch.randn(4, 3, generator=generator).T,
        "count": torch.tensor(7),
        "half": torch.randn(5, generator=generator).bfloat16(),
        "learned": torch.nn.Parameter(torch.randn(2, generator=generator)),
    }


@pytest.fixture
def path(tmp_path):
    weights.save(tmp_path / "w.safetensors", state(), CARD)
    return tmp_path / "w.safetensors"


def test_weights_and_card_come_back_as_they_went(path):
    loaded, card = weights.load(path)
    assert card == CARD
    assert set(loaded) == set(state())
    for name, tensor in state().items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor)


def test_equal_weights_give_equal_bytes_in_any_order(path, tmp_path):
    turned = dict(reversed(state().items()))
    weights.save(tmp_path / "again.safetensors", turned, CARD)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("seed", "card"),
    [(1, CARD), (0, dataclasses.replace(CARD, preprocess=Preprocess(side=128)))],
    ids=["state", "card"],
)
def test_other_weights_or_another_card_give_other_bytes(seed, card, path, tmp_path):
    weights.save(tmp_path / "other.safetensors", state(seed), card)
    assert (tmp_path / "other.safetensors").read_bytes() != path.read_bytes()


def test_nothing_but_the_weights_is_left_in_the_folder(path):
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-1], lambda b: b[: len(b) // 2], lambda b: b"\xff" * 8 + b[8:], lambda b: b""],
    ids=["last byte lost", "half lost", "header broken", "empty"],
)
def test_a_corrupted_file_is_refused(damage, path):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"w\.safetensors: not readable as safetensors"):
        weights.load(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no\.safetensors: not readable"):
        weights.load(tmp_path / "no.safetensors")


def test_weights_with_the_card_of_another_version_are_refused(tmp_path):
    old = {"cxrpipe": '{"model": {"architecture": "resnet18"}, "findings": ["a", "b"]}'}
    save_file({"weight": torch.ones(2)}, tmp_path / "old.safetensors", old)
    with pytest.raises(UserError, match=r"old\.safetensors: was written by another version"):
        weights.load(tmp_path / "old.safetensors")


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_weights_without_a_card_are_refused(metadata, tmp_path):
    save_file({"weight": torch.ones(2)}, tmp_path / "foreign.safetensors", metadata)
    with pytest.raises(UserError, match=r"foreign\.safetensors: has no card of cxrpipe"):
        weights.load(tmp_path / "foreign.safetensors")

"""The embed command: features of every film, before and after a real training."""

import json
import logging
import sys

import numpy as np
import pytest
import torch
from trainings import options, pictures, split, write_data

from cxrpipe import tables
from cxrpipe.config import Model, Preprocess
from cxrpipe.explanation import embed
from cxrpipe.explanation.features import read_features
from cxrpipe.models import weights
from cxrpipe.models.card import Card
from cxrpipe.models.zoo import load_classifier
from cxrpipe.training import train

COHORT = [f"{number:024x}" for number in range(24)]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks are fastest on one thread, the more so beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def call(main, told):
    flags = [str(part) for key, value in told.items() for part in (f"--{key}", value)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["command", *flags])
        patch.setattr(logging, "basicConfig", lambda **_: None)
        patch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        try:
            main()
        finally:
            torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Hold the films, and models that learnt: whole, head alone, and from the whole one."""
    folder = tmp_path_factory.mktemp("films")
    write_data(folder)
    for name, changes in MODELS.items():
        told = train_options(folder, name)
        start = {"start": folder / "whole/weights.safetensors"} if changes.get("weights") else {}
        call(train.main, told | start)
    return folder


MODELS = {
    "whole": {"head": "9"},
    "head": {"head": "9", "trained": "head", "seed": 5},
    "second": {"head": "7-5", "weights": "model:whole"},
}


def train_options(folder, name):
    told = options(folder, folder / name, seed=3, epochs=1)
    model = json.loads(told["model"]) | MODELS[name]
    return told | {"model": Model.model_validate(model).model_dump_json()}


def embed_options(folder, name):
    told = train_options(folder, name)
    kept = ("radiographs", "split", "fold", "task", "model", "seed", "cores", "weights")
    return {key: told[key] for key in kept} | {"features": folder / name / "features.h5"}


@pytest.fixture(scope="module")
def whole(folder):
    call(embed.main, embed_options(folder, "whole"))
    return read_features(folder / "whole/features.h5")


def test_every_film_of_the_fold_has_features(whole):
    assert whole.radiographs == COHORT
    assert whole.before.shape == whole.after.shape == (24, 9)
    assert (whole.layer, whole.width) == ("head.4", 9)


def test_the_last_layer_makes_the_logits_of_the_features_after_training(folder, whole):
    classifier, _ = load_classifier(folder / "whole/weights.safetensors")
    with torch.no_grad():
        logits = classifier(torch.from_numpy(pictures()[:, None]))
        made = classifier.network.head[4](torch.from_numpy(whole.after))
    torch.testing.assert_close(made, logits, rtol=1e-4, atol=1e-4)
    assert not np.allclose(whole.before, whole.after, atol=1e-3)


def before_its_head(path):
    """Compute what the head of a trained model averages, and its first dense layer, by hand."""
    classifier, card = load_classifier(path)
    normal = ((pictures() / 255 - card.mean) / card.std).astype(np.float32)
    with torch.no_grad():
        maps = classifier.network.backbone.forward_features(torch.from_numpy(normal[:, None]))
    return maps.mean(dim=(2, 3))


def test_a_backbone_that_did_not_learn_starts_and_ends_as_the_same(folder):
    """Before training it is that of the same seed; only the head's first layer moves."""
    call(embed.main, embed_options(folder, "head"))
    features = read_features(folder / "head/features.h5")
    pooled = before_its_head(folder / "head/weights.safetensors")
    classifier, card = load_classifier(folder / "head/weights.safetensors")
    started = embed.build_start(card, None, None, seed=3, fold=0)
    for head, found in ((started, features.before), (classifier, features.after)):
        with torch.no_grad():
            expected = head.network.head[2](pooled).relu()
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-4)


def test_a_model_starts_from_the_weights_of_another(folder):
    told = embed_options(folder, "second")
    call(embed.main, told | {"start": folder / "whole/weights.safetensors"})
    features = read_features(folder / "second/features.h5")
    pooled = before_its_head(folder / "whole/weights.safetensors")
    _, card = load_classifier(folder / "second/weights.safetensors")
    start = folder / "whole/weights.safetensors"
    head = embed.build_start(card, start, None, seed=3, fold=0).network.head
    with torch.no_grad():
        expected = head[4](head[2](pooled).relu()).relu()
    np.testing.assert_allclose(features.before, expected.numpy(), rtol=1e-4, atol=1e-4)


def test_the_same_films_give_the_same_bytes(folder, whole, tmp_path):
    call(embed.main, embed_options(folder, "whole") | {"features": tmp_path / "again.h5"})
    written = (folder / "whole/features.h5").read_bytes()
    assert (tmp_path / "again.h5").read_bytes() == written


def test_films_of_other_folds_and_tasks_have_no_features(folder, tmp_path):
    films = split()
    films.loc[(films["fold"] == 0) & (films["radiograph"] == COHORT[7]), "source"] = "elsewhere"
    tables.write(films[films["radiograph"] != COHORT[3]], tmp_path / "split.csv", tables.SPLIT)
    changed = {"split": tmp_path / "split.csv", "features": tmp_path / "features.h5"}
    call(embed.main, embed_options(folder, "whole") | changed)
    names = read_features(tmp_path / "features.h5").radiographs
    assert names == [name for name in COHORT if name not in (COHORT[3], COHORT[7])]


def test_weights_of_another_model_task_or_side_are_refused(folder, refusal, tmp_path):
    told = embed_options(folder, "whole") | {"features": tmp_path / "features.h5"}
    line = refusal(embed.main, **told | {"model": train_options(folder, "head")["model"]})
    assert line.endswith("weights.safetensors: is of another model than --model; train it anew")
    task = json.loads(told["task"]) | {"findings": ["bright", "dark"]}
    line = refusal(embed.main, **told | {"task": json.dumps(task)})
    assert "trained for ('single', ('dark', 'bright')), and asked for" in line
    state, card = weights.load(told["weights"])
    other = Card(card.model, card.kind, card.findings, Preprocess(side=64), card.mean, card.std)
    weights.save(tmp_path / "w.safetensors", state, other)
    line = refusal(embed.main, **told | {"weights": tmp_path / "w.safetensors"})
    assert "trained at side 64, and films have 32; give those" in line

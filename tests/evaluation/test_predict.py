"""The predict command: its logits are those of the network, film by film."""

import numpy as np
import pandas as pd
import pytest
import torch

from cxrpipe import tables
from cxrpipe.config import Model, Preprocess, Task
from cxrpipe.evaluation import predict
from cxrpipe.models import weights
from cxrpipe.models.card import Card
from cxrpipe.models.zoo import Classifier, build
from cxrpipe.preprocessing.store import Prepared, write_store

FINDINGS = ("normal", "covid", "lung_opacity")
MODEL = Model(architecture="test_resnet", side=32)
TASK = Task(findings=FINDINGS, sources=("s", "t"))
ORDER = [4, 0, 6, 2, 3, 5]
SUBSETS = ["train", "validation", "test", "test", "test", "test"]
MEAN, STD = 0.4, 0.2
NAMES = [f"{number:024x}" for number in range(7)]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks are fastest on one thread, the more so beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pictures():
    return np.random.default_rng(0).integers(0, 256, (7, 32, 32), dtype=np.uint8)


@pytest.fixture(scope="module")
def network():
    """A network whose running means have moved."""
    built = build(MODEL, 3, seed=2)
    with torch.no_grad():
        built(torch.from_numpy(pictures()[:, None] / 255).float())
    return built.eval()


def direct(network):
    """Compute the logits one film at a time, normalised by numpy."""
    normal = ((pictures() / 255 - MEAN) / STD).astype(np.float32)
    with torch.no_grad():
        return np.concatenate([network(torch.from_numpy(film[None, None])) for film in normal])


@pytest.mark.parametrize("batch", [1, 3, 128])
def test_logits_are_those_of_the_network_whatever_the_batch(batch, network, monkeypatch):
    monkeypatch.setattr(predict, "most_at_once", lambda device: batch)
    classifier = Classifier(network, MEAN, STD)
    cpu = torch.device("cpu")
    logits = predict.predict_logits(classifier, torch.from_numpy(pictures()), cpu)
    np.testing.assert_allclose(logits.numpy(), direct(network), rtol=1e-4, atol=1e-4)


@pytest.fixture
def films(network, tmp_path):
    """Return the arguments of the command; of seven films six stand in the split."""
    state = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    card = Card(MODEL, "single", FINDINGS, Preprocess(side=32), MEAN, STD)
    weights.save(tmp_path / "w.safetensors", state, card)
    stored = [Prepared(name, film, {}) for name, film in zip(NAMES, pictures(), strict=True)]
    write_store(tmp_path / "films.h5", stored, 7, 32, "{}")
    chosen = [NAMES[place] for place in ORDER]
    split = pd.DataFrame(
        {"radiograph": chosen, "group": chosen, "source": "s", "finding": "covid"}
    ).assign(subset=SUBSETS, fold=0)
    split.loc[4, "source"] = "elsewhere"
    split.loc[5, "finding"] = "hernia"
    split = pd.concat([split, split.assign(radiograph=NAMES[1], fold=1).head(1)])
    tables.write(split, tmp_path / "split.csv", tables.SPLIT)
    return {
        "radiographs": tmp_path / "films.h5",
        "split": tmp_path / "split.csv",
        "fold": 0,
        "task": TASK.model_dump_json(),
        "weights": tmp_path / "w.safetensors",
        "predictions": tmp_path / "predictions.csv",
    }


def test_the_command_writes_the_logits_of_the_films_of_its_fold_and_task(network, run, films):
    run(predict.main, **films)
    table = tables.read(films["predictions"], tables.predictions(FINDINGS))
    assert list(table["radiograph"]) == [NAMES[place] for place in ORDER[:4]]
    assert list(table["subset"]) == SUBSETS[:4]
    logits = table[list(FINDINGS)].to_numpy()
    np.testing.assert_allclose(logits, direct(network)[ORDER[:4]], rtol=1e-4, atol=1e-4)


def test_films_of_none_of_the_findings_are_predicted_where_each_is_a_yes_or_no(
    network, run, films, tmp_path
):
    state = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    card = Card(MODEL, "multi", FINDINGS, Preprocess(side=32), MEAN, STD)
    weights.save(tmp_path / "w.safetensors", state, card)
    task = TASK.model_copy(update={"kind": "multi"})
    run(predict.main, **films | {"task": task.model_dump_json()})
    table = tables.read(films["predictions"], tables.predictions(FINDINGS))
    assert list(table["radiograph"]) == [NAMES[place] for place in (*ORDER[:4], ORDER[5])]


def test_weights_of_another_task_are_refused(refusal, films):
    task = TASK.model_copy(update={"findings": FINDINGS[::-1]})
    line = refusal(predict.main, **films | {"task": task.model_dump_json()})
    assert "w.safetensors: trained for ('single', ('normal', 'covid', 'lung_opacity'))" in line
    assert line.endswith("train it anew")


def test_films_of_another_side_are_refused(refusal, films, tmp_path):
    small = [Prepared(name, np.zeros((16, 16), np.uint8), {}) for name in NAMES]
    write_store(tmp_path / "small.h5", small, 7, 16, "{}")
    line = refusal(predict.main, **films | {"radiographs": tmp_path / "small.h5"})
    assert "trained at side 32, and films have 16" in line

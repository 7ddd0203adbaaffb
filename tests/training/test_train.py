"""The train command on a store of bright and dark films: everything that it writes."""

import json
import logging
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from cxrpipe import tables
from cxrpipe.config import Model
from cxrpipe.models import weights
from cxrpipe.models.zoo import load_classifier
from cxrpipe.preprocessing.store import Prepared, write_store
from cxrpipe.training.loop import Films, Trained
from cxrpipe.training.train import grey_statistics, main, read_films, time_taken

FINDINGS = ("dark", "bright")
SUBSETS = ["train"] * 16 + ["validation"] * 6 + ["test"] * 2
SETTINGS = {"epochs": 4, "batch": 8, "precision": "fp32", "patience": 4}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks are fastest on one thread, the more so beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def names():
    return [f"{number:024x}" for number in range(24)]


def pictures():
    """Even films are dark, odd ones bright."""
    noise = np.random.default_rng(0).integers(0, 100, (24, 32, 32))
    return (noise + 120 * (np.arange(24) % 2)[:, None, None]).astype(np.uint8)


def split():
    rows = pd.DataFrame({"radiograph": names(), "group": names(), "subset": SUBSETS, "fold": 0})
    rows.insert(2, "source", "s")
    rows.insert(3, "finding", list(FINDINGS) * 12)
    other = rows.assign(fold=1, subset="test")  # a fold that must not be read
    return pd.concat([rows, other])


def write_data(folder):
    films = [Prepared(name, grey, {}) for name, grey in zip(names(), pictures(), strict=True)]
    write_store(folder / "films.h5", reversed(films), 24, 32, "{}")
    tables.write(split(), folder / "split.csv", tables.SPLIT)


def train(data, out, seed=0, architecture="test_resnet", **changed):
    options = {
        "radiographs": data / "films.h5",
        "split": data / "split.csv",
        "fold": 0,
        "name": "tiny",
        "model": json.dumps({"architecture": architecture}),
        "settings": json.dumps(SETTINGS | changed),
        "seed": seed,
        "cores": 1,
        "weights": out / "weights.safetensors",
        "history": out / "history.csv",
        "summary": out / "summary.json",
        "timing": out / "timing.json",
    }
    flags = [str(part) for key, value in options.items() for part in (f"--{key}", value)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train", *flags, "--findings", *FINDINGS])
        patch.setattr(logging, "basicConfig", lambda **_: None)
        patch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        try:
            main()
        finally:
            torch.use_deterministic_algorithms(False)
    return out


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return folder


@pytest.fixture(scope="module")
def out(data, tmp_path_factory):
    return train(data, tmp_path_factory.mktemp("out"))


def test_mean_and_deviation_of_the_grey_levels_are_those_of_numpy():
    grey = np.random.default_rng(1).integers(0, 256, (3, 1, 8, 8), dtype=np.uint8)
    mean, std = grey_statistics(Films(torch.from_numpy(grey), torch.zeros(3)))
    assert mean == pytest.approx(np.mean(grey / 255), rel=1e-12)
    assert std == pytest.approx(np.std(grey / 255), rel=1e-12)


def test_films_come_in_the_order_of_the_split_with_the_place_of_their_finding(data):
    rows = split().iloc[[5, 2, 20]]
    films = read_films(data / "films.h5", rows, list(FINDINGS))
    np.testing.assert_array_equal(films.grey[:, 0].numpy(), pictures()[[5, 2, 20]])
    assert films.labels.tolist() == [1, 0, 0]


def test_the_card_tells_how_to_use_the_weights_and_knows_the_training_films_alone(out):
    _, card = weights.load(out / "weights.safetensors")
    seen = pictures()[:16] / 255
    assert card.model == Model(architecture="test_resnet")
    assert card.findings == FINDINGS
    assert card.side == 32
    assert (card.mean, card.std) == (pytest.approx(np.mean(seen)), pytest.approx(np.std(seen)))


def test_the_history_keeps_its_contract_and_marks_the_lowest_validation_loss(out):
    history = tables.read(out / "history.csv", tables.HISTORY)
    assert list(history["epoch"]) == [1, 2, 3, 4]
    lowest = history["validation_loss"].idxmin()
    assert list(history["best"]) == [int(row == lowest) for row in range(4)]


def test_the_weights_are_those_of_the_marked_epoch(out):
    history = tables.read(out / "history.csv", tables.HISTORY)
    classifier, _ = load_classifier(out / "weights.safetensors")
    with torch.no_grad():
        logits = classifier(torch.from_numpy(pictures()[16:22])[:, None])
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1] * 3))
    marked = history.loc[history["best"] == 1, "validation_loss"].item()
    assert float(loss) == pytest.approx(marked, rel=1e-3)


def test_the_summary_counts_what_was_trained(out):
    summary = json.loads((out / "summary.json").read_text())
    history = tables.read(out / "history.csv", tables.HISTORY)
    state, _ = weights.load(out / "weights.safetensors")
    numbers = sum(
        tensor.numel()
        for name, tensor in state.items()
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
    )
    assert summary == {
        "architecture": "test_resnet",
        "weights": "none",
        "parameters": numbers,
        "trainable": numbers,
        "batch": 8,
        "epochs": 4,
        "best_epoch": int(history["epoch"][history["best"].argmax()]),
        "size_bytes": (out / "weights.safetensors").stat().st_size,
    }


def test_the_timing_divides_the_training_films_by_the_seconds(out):
    trained = Trained({}, [], best_epoch=1, seconds_per_epoch=2.5)
    timing = time_taken(trained, n_films=40, device=torch.device("cpu"), precision="bf16")
    assert (timing["seconds_per_epoch"], timing["films_per_second"]) == (2.5, 16)
    assert timing["precision"] == "bf16"
    written = json.loads((out / "timing.json").read_text())
    assert written["precision"] == "fp32"
    assert written.keys() == timing.keys()
    assert written["torch"] == torch.__version__


def test_the_same_seed_gives_equal_bytes_and_another_seed_others(data, out, tmp_path):
    again, other = (train(data, tmp_path / str(seed), seed) for seed in (0, 1))
    for name in ("weights.safetensors", "history.csv", "summary.json"):
        assert (again / name).read_bytes() == (out / name).read_bytes()
    assert (other / "history.csv").read_bytes() != (out / "history.csv").read_bytes()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"learning_rate": 1e30}, "training.learning_rate: loss is not finite in epoch"),
        ({"epoch": 3}, "--settings: unknown key 'epoch'; did you mean 'epochs'?"),
        ({"architecture": "test_resnett"}, "no architecture 'test_resnett'; did you mean"),
    ],
)
def test_a_mistake_ends_with_one_line_and_writes_nothing(changed, message, data, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        train(data, tmp_path / "out", **changed)
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("cxrpipe train: error: ")
    assert message in line
    assert not (tmp_path / "out").exists()

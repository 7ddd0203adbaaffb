"""The train command on a store of bright and dark films: everything that it writes."""

import json
import logging
import sys

import numpy as np
import pytest
import torch
from trainings import FINDINGS, SETTINGS, names, options, pictures, split, task, write_data

from cxrpipe import tables
from cxrpipe.config import Model, Task, Training
from cxrpipe.models import weights
from cxrpipe.models.zoo import load_classifier
from cxrpipe.runtime import UserError
from cxrpipe.training.films import Films, grey_statistics, load_films
from cxrpipe.training.loop import Trained
from cxrpipe.training.train import main, time_taken


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks are fastest on one thread, the more so beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def train(data, out, start=None, **said):
    run(options(data, out, **said) | ({"start": start} if start else {}))
    return out


def run(told):
    flags = [str(part) for key, value in told.items() for part in (f"--{key}", value)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train", *flags])
        patch.setattr(logging, "basicConfig", lambda **_: None)
        patch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        try:
            main()
        finally:
            torch.use_deterministic_algorithms(False)


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
    films = load_films(data / "films.h5", split().iloc[[5, 2, 20]], task(), "train")
    np.testing.assert_array_equal(films.grey[:, 0].numpy(), pictures()[[5, 2]])
    assert films.labels.tolist() == [1, 0]


def test_films_of_several_findings_have_an_answer_for_each(data):
    rows = split().iloc[[5, 2]].assign(finding=["bright|dark", "normal"])
    films = load_films(data / "films.h5", rows, task("multi"), "train")
    assert films.labels.tolist() == [[1, 1], [0, 0]]
    assert films.labels.dtype == torch.float32


def test_a_subset_without_films_is_refused(data):
    with pytest.raises(UserError, match=r"no validation film of the task \(dark, bright in s\)"):
        load_films(data / "films.h5", split().iloc[[5, 2]], task(), "validation")


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_a_finding_that_no_training_film_shows_is_refused_by_name(kind, data):
    """Film 5 is bright; film 20, which is dark, is for validation."""
    rows = split().iloc[[5, 20]]
    with pytest.raises(UserError, match=r"no training film of dark in s; add films"):
        load_films(data / "films.h5", rows, task(kind), "train")
    load_films(data / "films.h5", rows, task(kind), "validation")


def test_a_model_of_one_collection_sees_no_film_of_another(data, tmp_path):
    """Films 0 to 7 and 16 to 19 come from the collection t; their greys tell who was seen."""
    films = split().reset_index(drop=True)
    ours = [*range(8), *range(16, 20)]
    films.loc[films["radiograph"].isin([names()[place] for place in ours]), "source"] = "t"
    tables.write(films, tmp_path / "split.csv", tables.SPLIT)
    told = options(data, tmp_path, epochs=1)
    model = json.dumps(json.loads(told["model"]) | {"trained_on": "t"})
    both = Task(findings=FINDINGS, sources=("s", "t")).model_dump_json()
    run(told | {"split": tmp_path / "split.csv", "model": model, "task": both})
    _, card = weights.load(tmp_path / "weights.safetensors")
    assert card.mean == pytest.approx(np.mean(pictures()[:8] / 255))
    assert card.model.trained_on == "t"


def test_films_are_taken_by_their_places():
    films = Films(torch.arange(5).view(5, 1, 1, 1), torch.arange(5) * 10)
    taken = films.take(torch.tensor([3, 3, 0]), torch.device("cpu"))
    assert taken.grey.flatten().tolist() == [3, 3, 0]
    assert taken.labels.tolist() == [30, 30, 0]


def test_the_card_tells_how_to_use_the_weights_and_knows_the_training_films_alone(out):
    _, card = weights.load(out / "weights.safetensors")
    seen = pictures()[:16] / 255
    assert card.model == Model(architecture="test_resnet", side=32, training=SETTINGS)
    assert (card.findings, card.kind) == (FINDINGS, "single")
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
        "head": "linear",
        "dropout": 0,
        "weights": "none",
        "task": "",
        "side": 32,
        "trained": "all",
        "parameters": numbers,
        "trainable": numbers,
        "batch": 8,
        "epochs": 4,
        "best_epoch": int(history["epoch"][history["best"].argmax()]),
        "kept": "best",
        "monitor": "loss",
        "size_bytes": (out / "weights.safetensors").stat().st_size,
    }


def test_the_timing_divides_the_training_films_by_the_seconds(out):
    trained = Trained({}, [], best_epoch=1, kept_epoch=1, seconds_per_epoch=2.5)
    timing = time_taken(trained, 40, torch.device("cpu"), Training(precision="bf16"))
    assert (timing["seconds_per_epoch"], timing["films_per_second"]) == (2.5, 16)
    assert timing["precision"] == "bf16"
    written = json.loads((out / "timing.json").read_text())
    assert written["precision"] == "fp32"
    assert written.keys() == timing.keys()
    assert written["torch"] == torch.__version__


def test_the_same_seed_gives_equal_bytes_and_another_seed_others(data, out, tmp_path):
    again, other = (train(data, tmp_path / str(seed), seed=seed) for seed in (0, 1))
    for name in ("weights.safetensors", "history.csv", "summary.json"):
        assert (again / name).read_bytes() == (out / name).read_bytes()
    assert (other / "history.csv").read_bytes() != (out / "history.csv").read_bytes()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"learning_rate": 1e30}, "training.learning_rate: loss is not finite in epoch"),
        ({"epoch": 3}, "--model: training: unknown key 'epoch'; did you mean 'epochs'?"),
        (
            {"architecture": "test_resnett"},
            "no architecture 'test_resnett' in the zoo or in timm; did",
        ),
    ],
)
def test_a_mistake_ends_with_one_line_and_writes_nothing(changed, message, data, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        train(data, tmp_path / "out", **changed)
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("cxrpipe train: error: ")
    assert message in line
    assert not (tmp_path / "out").exists()


def test_a_model_goes_on_from_the_weights_of_another_and_takes_over_its_greys(data, out, tmp_path):
    """Dark and bright become a yes and no each; the first convolution stays where it was."""
    still = {"epochs": 1, "learning_rate": 1e-12, "kind": "multi"}
    train(data, tmp_path, start=out / "weights.safetensors", weights="model:first", **still)
    first, card = weights.load(out / "weights.safetensors")
    second, other = weights.load(tmp_path / "weights.safetensors")
    name = "network.conv1.0.weight"
    torch.testing.assert_close(second[name], first[name], rtol=0, atol=1e-6)
    assert not torch.allclose(second["network.fc.weight"], first["network.fc.weight"], atol=1e-3)
    assert (other.mean, other.std, other.kind) == (card.mean, card.std, "multi")


def test_memory_that_is_too_short_names_the_batch(data, tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.optim.Adam, "step", fail)
    with pytest.raises(SystemExit, match="2"):
        train(data, tmp_path / "out")
    assert capsys.readouterr().err == (
        "cxrpipe train: error: training.batch: 8 films of tiny at side 32 do not fit into the "
        "memory; lower it, or set training.halve_batch\n"
    )

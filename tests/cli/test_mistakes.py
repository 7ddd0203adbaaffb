"""What users get wrong with films and models: one line that names it, and nothing is unpickled."""

import json
import pickle
import shutil
from functools import partial
from pathlib import Path

import pytest
from made import FINDINGS, make_film
from safetensors.numpy import load_file, save_file

from cxrpipe.evaluation.statistics.calibration import checksum
from cxrpipe.inference.loading import read_card_of
from cxrpipe.models.card import KEY, write_card
from cxrpipe.serving import server

# What each subcommand is told of a film and a model; models takes the folder of the run.
COMMANDS = {
    "classify": lambda film, model: [film, "--model", model],
    "explain": lambda film, model: [film, "--model", model],
    "submit": lambda film, model: [film, "--model", model],
    "export": lambda film, model: ["--model", model, "--output", "exported.onnx"],
    "serve": lambda film, model: ["--model", model, "--port", "0"],
    "models": lambda film, model: [model.parents[1]],
}
OF_FILMS = ("classify", "explain", "submit")
OF_MODELS = tuple(name for name in COMMANDS if name != "models")


class Bomb:
    """What writes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.write_text, (Path(self.path), "unpickled")


@pytest.fixture
def film(tmp_path):
    return make_film(tmp_path / "film.png")


@pytest.fixture
def model(small_run, tmp_path, monkeypatch):
    """A copy of a model, to be broken; commands run beside it."""
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(small_run / "models/first", tmp_path / "run/models/first")


@pytest.fixture
def refused(command, tmp_path, monkeypatch):
    """Run a command that must refuse in one line and write nothing; return what it says."""
    monkeypatch.setattr(server, "build_server", None)  # a page that is served would never end

    def refused(name, *words):
        before = sorted(tmp_path.rglob("*"))
        done = command(name, *words)
        assert done.status == 2
        assert done.out == ""
        [line] = done.err.splitlines()
        start = f"cxrpipe {name}: error: "
        assert line.startswith(start)
        assert sorted(tmp_path.rglob("*")) == before
        return line.removeprefix(start)

    return refused


def without_model(words):
    """Leave --model and its value out."""
    place = words.index("--model")
    return words[:place] + words[place + 2 :]


def weights_of(model):
    return model / "fold-0/weights.safetensors"


def change_card(model, change):
    """Change the card of weights, and calibrate them anew."""
    path = weights_of(model)
    card = json.loads(write_card(read_card_of(path)))
    change(card)
    save_file(load_file(path), path, {KEY: json.dumps(card)})
    fixed = path.with_name("calibration.json")
    fixed.write_text(json.dumps(json.loads(fixed.read_text()) | {"weights": checksum(path)}))


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def flip(path, place):
    """Flip the bits of one byte."""
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)


# Paths and classes


@pytest.mark.parametrize("name", OF_FILMS)
def test_a_film_that_is_not_there_is_named(name, refused, model):
    said = refused(name, *COMMANDS[name]("nowhere.png", model))
    assert said == "nowhere.png: no such file or folder; check the path"


@pytest.mark.parametrize("name", OF_MODELS)
@pytest.mark.parametrize("place", ["nowhere", "nowhere.onnx"])
def test_a_model_that_is_not_there_is_named(name, place, refused, film, model):
    said = refused(name, *COMMANDS[name](film, Path(place)))
    if name == "export" and place.endswith(".onnx"):
        assert said.startswith(f"{place}: is exported already")
    else:
        assert said.lower().startswith(f"{place}: no such file or ")


@pytest.mark.parametrize("name", OF_MODELS)
def test_a_model_that_the_run_lacks_is_named_with_the_nearest(name, refused, film, model):
    said = refused(name, *COMMANDS[name](film, "frist"), "--run", model.parents[1])
    assert said == f"{model.parents[1]}: no model 'frist'; did you mean 'first'?"


@pytest.mark.parametrize("name", OF_MODELS)
def test_where_no_model_is_named_it_is_said_how(name, refused, film, model):
    said = refused(name, *without_model(COMMANDS[name](film, model)))
    assert said == "no model is named; give --run, as results/demo, or --model"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_run_that_is_not_there_is_named(name, refused, film, model):
    words = COMMANDS[name](film, Path("nowhere/models/first"))
    said = refused(
        name, *words if name == "models" else (*without_model(words), "--run", "nowhere")
    )
    assert said == "nowhere: no such folder; give that of a run, as results/<recipe>"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("classify", ["--overlay", "heatmaps", "--class", "covd"]),
        ("explain", ["--class", "covd"]),
        ("submit", ["--names", "covd=1"]),
    ],
)
def test_a_class_that_the_model_lacks_is_named_with_the_nearest(name, words, refused, film, model):
    said = refused(name, *COMMANDS[name](film, model), *words)
    assert said.endswith("no finding 'covd'; did you mean 'covid'?")


# Files of a model


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.update(colour="grey"),
        lambda card: card.pop("mean"),
        lambda card: card["model"].update(layers=3),
        lambda card: card["preprocess"].pop("side") and card.update(side=32),
        lambda card: card.update(findings=None),
    ],
    ids=["a new key", "a missing key", "a new setting", "a moved setting", "no findings"],
)
def test_a_model_of_another_version_is_named(name, change, refused, film, model):
    change_card(model, change)
    said = refused(name, *COMMANDS[name](film, model))
    assert said == f"{weights_of(model)}: was written by another version of cxrpipe; train it anew"


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    "damage",
    [cut, empty, partial(flip, place=0), partial(flip, place=8)],
    ids=["cut", "empty", "wrong length of the header", "wrong start of the header"],
)
def test_weights_that_are_corrupted_are_named(name, damage, refused, film, model):
    damage(weights_of(model))
    said = refused(name, *COMMANDS[name](film, model))
    assert said.startswith(f"{weights_of(model)}: not readable as safetensors (")


@pytest.mark.parametrize("name", OF_MODELS)
def test_a_weight_that_has_changed_is_found_by_the_checksum(name, refused, film, model):
    path = weights_of(model)
    flip(path, path.stat().st_size - 1)
    said = refused(name, *COMMANDS[name](film, model))
    assert said.startswith(f"{path.with_name('calibration.json')}: fitted with weights of SHA-256 ")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_pickle_in_place_of_safetensors_is_not_opened(name, refused, film, model, tmp_path):
    weights_of(model).write_bytes(pickle.dumps(Bomb(tmp_path / "written")))
    said = refused(name, *COMMANDS[name](film, model))
    assert said.startswith(f"{weights_of(model)}: not readable as safetensors (")
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("name", OF_MODELS)
@pytest.mark.parametrize("called", ["model.onnx", "model.pt", "model.safetensors"])
def test_a_pickle_that_is_given_as_the_model_is_not_opened(
    name, called, refused, film, model, tmp_path
):
    path = tmp_path / called
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "written")))
    if name == "export" and called.endswith("onnx"):
        said = refused(name, *COMMANDS[name](film, path))
        assert said.startswith(f"{path}: is exported already")
    else:
        assert refused(name, *COMMANDS[name](film, path)).startswith(f"{path}: ")
    assert not (tmp_path / "written").exists()


def test_the_pickle_of_these_tests_writes_where_it_is_opened(tmp_path):
    pickle.loads(pickle.dumps(Bomb(tmp_path / "written")))  # noqa: S301
    assert (tmp_path / "written").read_text() == "unpickled"


@pytest.mark.parametrize("name", OF_MODELS)
@pytest.mark.parametrize("missing", ["calibration.json", "guard.safetensors"])
def test_what_belongs_to_weights_and_is_missing_is_named(name, missing, refused, film, model):
    path = weights_of(model).with_name(missing)
    path.unlink()
    assert refused(name, *COMMANDS[name](film, model)).startswith(f"{path}: ")
    path.write_bytes(pickle.dumps(Bomb("written")))
    assert refused(name, *COMMANDS[name](film, model)).startswith(f"{path}: not readable as ")
    assert not Path("written").exists()


def test_models_of_other_findings_do_not_answer_together(refused, film, model, tmp_path):
    from made import make_model

    other = make_model(tmp_path / "other", findings=FINDINGS[:2])
    said = refused("classify", film, "--model", model, "--model", other)
    assert said.startswith("models of different findings (single: normal, covid and single: ")

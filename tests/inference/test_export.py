"""One file for others: it answers as the run's own network, or is refused in one line."""

import json
import pickle
import subprocess
import sys
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from made import FINDINGS, MODEL, boundless, calibration, make_film

import cxrpipe
from cxrpipe.catalogue import Phantom
from cxrpipe.config import Index, Model, Preprocess
from cxrpipe.data.phantoms.phantom import PlannedFilm, draw_film, plan_films
from cxrpipe.inference.classifier import Classifier
from cxrpipe.inference.describing import describe_pictures
from cxrpipe.inference.export import FORMATS, export
from cxrpipe.inference.graph import Graph
from cxrpipe.inference.guarding import Guard
from cxrpipe.inference.onnx_network import N_DIGITS, SEAL, load_onnx, seal
from cxrpipe.inference.squares import fit_squares, takes_any_size
from cxrpipe.inference.torch_network import TorchNetwork
from cxrpipe.models.card import KEY, Card
from cxrpipe.models.zoo import Classifier as Network
from cxrpipe.models.zoo import build
from cxrpipe.preprocessing.radiograph import fit_square
from cxrpipe.runtime import RESEARCH_USE, UserError

SIDE = 32
PAD, STRETCH = Preprocess(side=SIDE), Preprocess(side=SIDE, fit="stretch")
ENHANCED = Preprocess(side=SIDE, clahe=2)
SMALL_BLOCKS = {"growth_rate": 4, "block_config": [1, 1, 1, 1]}
MODELS = {
    "resnet": (MODEL, PAD, "single"),
    "densenet": (Model(architecture="densenet121", options=SMALL_BLOCKS), STRETCH, "multi"),
    "transformer": (Model(architecture="test_vit", side=SIDE), ENHANCED, "single"),
}
SIZES = [(500, 400), (96, 96), (90, 70), (64, 50), (40, 33), (20, 31), (32, 30), (200, 31)]


class File(NamedTuple):
    """A model, and the file that it was exported to."""

    classifier: Classifier
    path: Path
    difference: float


def draw(size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


def classifier_of(name):
    model, preprocess, kind = MODELS[name]
    card = Card(model, kind, FINDINGS, preprocess, 0.5, 0.3)
    module = Network(build(model, len(FINDINGS), seed=0), card.mean, card.std)
    network = TorchNetwork(module, card, torch.device("cpu"))
    square = np.zeros((1, SIDE, SIDE), np.uint8)
    seen = (describe_pictures(square), network.compute(square).features)
    guard = Guard("", Index(), *(boundless(points.shape[1]) for points in seen))
    quantiles = (0.7,) * (1 if kind == "single" else len(FINDINGS))
    return Classifier(network, calibration(kind, "", quantiles), guard)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Tiny networks are fastest on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def phantoms():
    """A hundred phantoms (100, 96, 96)."""
    settings = Phantom(hospital="north", patients=60, side=96)
    planned = plan_films(settings).head(100).itertuples(index=False, name=None)
    return np.stack([draw_film(settings, PlannedFilm(*film)).pixels for film in planned])


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Export a model, but none twice."""
    folder = tmp_path_factory.mktemp("files")

    @cache
    def export_once(name, form):
        classifier, path = classifier_of(name), folder / f"{name}.{form}"
        return File(classifier, path, export(classifier, path, form))

    return lambda name, form="onnx": export_once(name, form)


@pytest.fixture(scope="module")
def file(exported):
    """An ONNX file."""
    return exported("resnet").path


# What a file answers


@pytest.mark.parametrize("name", MODELS)
def test_a_file_answers_to_100_phantoms_as_torch_does(name, phantoms, exported):
    classifier, path, difference = exported(name)
    assert difference < 1e-4
    network, fixed, _ = load_onnx(path)
    settings = classifier.network.card.preprocess
    squares = np.stack([fit_square(film, settings) for film in phantoms])
    expected = classifier.network.compute(squares)
    assert np.ptp(expected.logits, axis=0).min() > 1e-3  # films do not all get one answer
    for n in (1, 7, 32):
        found = [network.compute(squares[at : at + n]) for at in range(0, 100, n)]
        for ours, theirs in zip(expected, zip(*found, strict=True), strict=True):
            np.testing.assert_allclose(np.concatenate(theirs), ours, rtol=1e-4, atol=1e-4)
    films = phantoms if takes_any_size(settings) else squares
    [shares] = onnxruntime.InferenceSession(path).run(["probabilities"], {"films": films[:, None]})
    np.testing.assert_allclose(shares, fixed.probabilities(expected.logits), atol=1e-4)


@pytest.mark.parametrize("form", FORMATS)
def test_films_of_other_sizes_go_in_as_they_are(form, exported):
    classifier, path, _ = exported("resnet", form)
    run = FORMATS[form][1](path)
    graph = Graph(classifier.network.module, classifier.network.card, classifier.calibration)
    for number, size in enumerate([(SIDE, SIDE), *SIZES]):
        films = draw((1 + number % 3, 1, *size), number)
        with torch.inference_mode():
            expected, found = graph(torch.from_numpy(films)), run(films)
        for ours, theirs in zip(expected, found, strict=True):
            np.testing.assert_allclose(theirs, ours.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_a_film_has_the_same_answer_from_torch_and_from_the_file(name, exported, tmp_path):
    film = make_film(tmp_path / "a.png", size=(300, 240))
    classifier, path, _ = exported(name)
    ours, theirs = classifier.classify(film), Classifier.load(path).classify(film)
    assert theirs.probabilities == pytest.approx(ours.probabilities, abs=1e-4)
    assert (theirs.finding, theirs.above) == (ours.finding, ours.above)
    assert theirs.conformal == ours.conformal


def test_all_that_belongs_to_a_model_travels_with_it(exported):
    classifier, path, _ = exported("resnet")
    network, fixed, guard = load_onnx(path)
    assert network.card == classifier.network.card
    np.testing.assert_equal(fixed.as_json(), classifier.calibration.as_json())
    assert (guard.index, guard.features.limit) == (Index(), np.inf)
    np.testing.assert_array_equal(guard.features.whitening, classifier.guard.features.whitening)


def test_a_guard_of_other_weights_is_refused(exported, tmp_path):
    classifier = exported("resnet").classifier
    other = Classifier(
        classifier.network, classifier.calibration, replace(classifier.guard, weights="b" * 64)
    )
    export(other, tmp_path / "a.onnx", "onnx")
    with pytest.raises(UserError, match="fitted with weights of SHA-256 bbbbbbbbbbbb"):
        load_onnx(tmp_path / "a.onnx")


# Preparation inside


@pytest.mark.parametrize("settings", [PAD, STRETCH], ids=lambda it: it.fit)
def test_a_square_passes_unchanged(settings):
    films = draw((5, 1, SIDE, SIDE))
    np.testing.assert_array_equal(fit_squares(torch.from_numpy(films), settings).numpy(), films)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("settings", [PAD, STRETCH], ids=lambda it: it.fit)
def test_other_sizes_are_prepared_as_in_a_run_but_for_a_grey_level(settings, size):
    films = draw((20, *size))
    expected = np.stack([fit_square(film, settings) for film in films]).astype(int)
    found = fit_squares(torch.from_numpy(films)[:, None], settings).numpy()[:, 0]
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("size", [(50, 96), (96, 50)], ids=str)
def test_where_one_axis_alone_is_averaged_they_are_but_for_two(size):
    films = draw((20, *size))
    expected = np.stack([fit_square(film, STRETCH) for film in films]).astype(int)
    found = fit_squares(torch.from_numpy(films)[:, None], STRETCH).numpy()[:, 0]
    assert np.abs(found - expected).max() <= 2
    assert (np.abs(found - expected) > 1).mean() < 0.02


def test_a_recipe_with_clahe_gives_a_file_that_takes_squares_alone(exported):
    session = onnxruntime.InferenceSession(exported("transformer").path)
    assert session.get_inputs()[0].shape == ["n", 1, SIDE, SIDE]
    told = session.get_modelmeta().custom_metadata_map["films"]
    assert told == "that cxrpipe prepared, squares of 32 pixels"


# The file itself


def test_others_find_names_note_and_metadata_in_an_onnx_file(file):
    onnx.checker.check_model(file, full_check=True)
    session = onnxruntime.InferenceSession(file)
    assert session.get_inputs()[0].shape == ["n", 1, "height", "width"]
    assert [it.name for it in session.get_outputs()] == ["logits", "probabilities", "features"]
    told = session.get_modelmeta().custom_metadata_map
    assert told["use"] == RESEARCH_USE
    assert json.loads(told["calibration"])["temperature"] == 2.0


@pytest.mark.parametrize("form", FORMATS)
def test_a_model_gives_the_same_bytes_twice_and_names_no_folder(form, exported, tmp_path):
    classifier, path, _ = exported("resnet", form)
    export(classifier, tmp_path / f"a.{form}", form)
    assert (tmp_path / f"a.{form}").read_bytes() == path.read_bytes()
    parts = [path.read_bytes()]
    if form == "pt2":
        with zipfile.ZipFile(path) as archive:
            parts = [archive.read(name) for name in archive.namelist()]
    for place in (str(path.parent), sys.prefix, str(Path(cxrpipe.__file__).parent)):
        assert not any(place.encode() in part for part in parts)


@pytest.mark.parametrize("shift", [np.float32(2e-4), np.nan])
def test_a_file_that_answers_otherwise_than_torch_is_not_written(
    shift, exported, tmp_path, monkeypatch
):
    answers = []

    def write(graph, told, path):
        answers.append(graph)
        path.write_bytes(b"a file")

    def run(path):
        return lambda films: [it.numpy() + shift for it in answers[0](torch.from_numpy(films))]

    monkeypatch.setitem(FORMATS, "pt2", (write, run))
    with pytest.raises(UserError, match=r"a\.pt2: not written: .* 0\.0001 is allowed"):
        export(exported("resnet").classifier, tmp_path / "a.pt2", "pt2")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_exported_again(file, tmp_path):
    with pytest.raises(UserError, match="exported already"):
        export(Classifier.load(file), tmp_path / "a.onnx", "onnx")


# Without torch, and without onnxruntime


def test_a_file_is_answered_with_without_torch_or_onnx(file, tmp_path):
    film = make_film(tmp_path / "a.png")
    told = (
        "import sys, cxrpipe; "
        f"said = cxrpipe.Classifier.load({str(file)!r}).classify({str(film)!r}).finding; "
        "print(said, 'torch' in sys.modules, 'onnx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    finding, *imported = done.stdout.split()
    assert finding in FINDINGS
    assert imported == ["False", "False"]
    assert done.stderr == ""


@pytest.mark.parametrize("package", ["onnxruntime", "onnx", "onnxscript"])
def test_a_missing_package_is_named_with_its_mend(package, exported, tmp_path, monkeypatch):
    classifier, path, _ = exported("resnet")
    monkeypatch.setitem(sys.modules, package, None)
    told = rf"{package}: not installed; pip install 'cxrpipe\[onnx\]'"
    with pytest.raises(UserError, match=told):
        export(classifier, tmp_path / "a.onnx", "onnx")
    if package == "onnxruntime":
        with pytest.raises(UserError, match=told):
            Classifier.load(path)
    else:
        assert Classifier.load(path).findings == FINDINGS


# Files that are refused


class Trap:
    """Says so when it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


def other_model():
    """The bytes of a model that cxrpipe did not write."""
    value = onnx.helper.make_tensor_value_info("a", onnx.TensorProto.FLOAT, [1])
    node = onnx.helper.make_node("Identity", ["a"], ["b"])
    result = onnx.helper.make_tensor_value_info("b", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([node], "other", [value], [result])
    opset = [onnx.helper.make_opsetid("", 20)]
    return onnx.helper.make_model(graph, ir_version=10, opset_imports=opset).SerializeToString()


def flip(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def tell(content, **told):
    """Change the metadata of a file, and seal it anew; None takes an entry away."""
    model = onnx.load_model_from_string(content[: -N_DIGITS - len(SEAL)])
    kept = {entry.key: entry.value for entry in model.metadata_props} | told
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {k: v for k, v in kept.items() if v is not None})
    return seal(model.SerializeToString())


BROKEN = {
    "empty": (lambda whole: b"", "no ONNX file of cxrpipe, or cut short"),
    "pickle": (lambda whole: pickle.dumps(Trap()), "no ONNX file of cxrpipe, or cut short"),
    "other": (lambda whole: other_model(), "no ONNX file of cxrpipe, or cut short"),
    "cut short": (lambda whole: whole[:-1], "no ONNX file of cxrpipe, or cut short"),
    "flipped weight": (lambda whole: flip(whole, len(whole) // 2), "damaged or changed"),
    "flipped seal": (lambda whole: flip(whole, -1), "damaged or changed"),
    "no graph": (lambda whole: seal(b"no graph"), r"onnxruntime \S+ cannot run it"),
    "no card": (lambda whole: seal(other_model()), "has no card of cxrpipe"),
    "other card": (lambda whole: tell(whole, **{KEY: "{}"}), "by another version of cxrpipe"),
    "no guard": (lambda whole: tell(whole, guard=None), "by another version of cxrpipe"),
    "other guard": (lambda whole: tell(whole, guard="AAAA"), "not readable as a guard"),
    "calibration": (lambda whole: tell(whole, calibration="[]"), "by another version of cxrpipe"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_is_not_as_export_wrote_it_is_refused(what, file, tmp_path):
    change, said = BROKEN[what]
    (tmp_path / "a.onnx").write_bytes(change(file.read_bytes()))
    with pytest.raises(UserError, match=rf"a\.onnx: .*{said}"):
        Classifier.load(tmp_path / "a.onnx")


def test_metadata_told_as_they_are_are_read(file, tmp_path):
    (tmp_path / "a.onnx").write_bytes(tell(file.read_bytes()))
    assert Classifier.load(tmp_path / "a.onnx").findings == FINDINGS


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"a\.onnx: No such file"):
        Classifier.load(tmp_path / "a.onnx")
    (tmp_path / "b.onnx").mkdir()
    with pytest.raises(UserError, match=r"b\.onnx: Is a directory"):
        Classifier.load(tmp_path / "b.onnx")

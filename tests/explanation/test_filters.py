"""The filters command: it starts both networks where training did, and draws their filters."""

import json
import logging
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from cxrpipe.config import Filters, Model, Preprocess
from cxrpipe.explanation import filters
from cxrpipe.explanation.attribution.ascent import draw_noise, excitement, gauge
from cxrpipe.explanation.excited import Excited, read_excited, write_excited
from cxrpipe.explanation.filters import choose_filters, draw_filters, main
from cxrpipe.explanation.start import build_start, say_start
from cxrpipe.models import weights
from cxrpipe.models.card import Card
from cxrpipe.models.zoo import Classifier, build, load_classifier
from cxrpipe.runtime import UserError, derive_seed

FINDINGS = ("normal", "covid")
SETTINGS = Filters(layers=2, per_layer=3, steps=4, side=32)
SEED, FOLD = 11, 1
MODELS = {
    "whole": Model(architecture="test_resnet", side=64, seed=4),
    "flat": Model(architecture="test_resnet", side=64, head="flatten-8"),
    "heir": Model(architecture="test_resnet", side=64, weights="model:whole"),
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks are fastest on one thread, the more so beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def card_of(model):
    return Card(model, "single", FINDINGS, Preprocess(side=model.side), 0.5, 0.3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Hold models that training changed: of the last stage two filters, of the rest nothing."""
    folder = tmp_path_factory.mktemp("models")
    for name, model in MODELS.items():
        start = folder / f"{model.start}.safetensors" if model.start else None
        classifier = build_start(card_of(model), start, None, SEED, FOLD)
        prefix = "backbone." if model.head != "linear" else ""
        last = classifier.network.get_submodule(f"{prefix}layer4.0.conv2")
        with torch.no_grad():
            last.weight[5] *= -1
            last.weight[9] *= 2
        weights.save(folder / f"{name}.safetensors", classifier.state_dict(), card_of(model))
    return folder


def call(folder, name, out, **changed):
    model = MODELS[name]
    told = {
        "weights": folder / f"{name}.safetensors",
        "model": model.model_dump_json(),
        "settings": SETTINGS.model_dump_json(),
        "seed": SEED,
        "fold": FOLD,
        "filters": out,
    } | changed
    if model.start:
        told["start"] = folder / f"{model.start}.safetensors"
    flags = [str(part) for key, value in told.items() for part in (f"--{key}", value)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["filters", *flags])
        patch.setattr(logging, "basicConfig", lambda **_: None)
        main()
    return read_excited(Path(out))


@pytest.fixture(scope="module")
def whole(folder):
    return call(folder, "whole", folder / "whole.h5")


def test_filters_stand_layer_by_layer_and_those_that_changed_are_among_them(whole):
    layers = list(dict.fromkeys(whole.layer))
    assert len(layers) == 2
    assert layers[-1] == "layer4.0.conv2"
    assert [whole.layer.count(layer) for layer in layers] == [3, 3]
    assert whole.channel == [0, 1, 2, 0, 5, 9]  # where nothing changed, the first


def test_pictures_differ_exactly_where_training_changed_the_filter(whole):
    before, after = whole.pictures[:, 0], whole.pictures[:, 1]
    same = (before == after).all(axis=(1, 2))
    # Filter 9 is the same but for its length, which is of no matter.
    assert same.tolist() == [True, True, True, True, False, True]
    np.testing.assert_allclose(whole.activations[same, 0], whole.activations[same, 1], rtol=1e-4)


def test_activations_are_those_of_the_pictures_that_are_written(folder, whole):
    after, card = load_classifier(folder / "whole.safetensors")
    before = build_start(card, None, None, SEED, FOLD)
    noise = draw_noise(32, derive_seed(derive_seed(SEED, "filters"), "noise"))
    for stage, classifier in enumerate((before, after)):
        own = gauge(classifier, "network.layer4.0.conv2", whole.channel[3:], noise)
        films = torch.from_numpy(whole.pictures[3:, stage]).float().unsqueeze(1)
        reached = excitement(own, films)
        np.testing.assert_allclose(whole.activations[3:, stage], reached, rtol=1e-5)
        assert (reached > excitement(own, noise[:1].expand(3, 1, 32, 32))).all()


def test_the_same_seed_gives_the_same_bytes_and_another_other_pictures(folder, whole, tmp_path):
    again = call(folder, "whole", tmp_path / "again.h5")
    assert (tmp_path / "again.h5").read_bytes() == (folder / "whole.h5").read_bytes()
    other = call(folder, "whole", tmp_path / "other.h5", seed=SEED + 1)
    assert not np.array_equal(other.pictures, again.pictures)


def test_a_network_that_flattens_its_map_is_shown_pictures_of_another_side(folder, tmp_path):
    drawn = call(folder, "flat", tmp_path / "flat.h5")
    assert drawn.layer[-1] == "backbone.layer4.0.conv2"
    assert drawn.pictures.shape == (6, 2, 32, 32)
    assert {5, 9} < set(drawn.channel[3:])


def test_an_heir_begins_at_the_model_that_it_starts_from(folder, tmp_path):
    """Else its filters, drawn anew, would all have changed, and not the two alone."""
    drawn = call(folder, "heir", tmp_path / "heir.h5")
    assert drawn.before == "weights of the model whole"
    assert drawn.channel[3:] == [0, 5, 9]


def test_global_random_state_is_left_as_it_was(folder, tmp_path):
    np.random.seed(7)  # noqa: NPY002
    numpy, state = np.random.get_state()[1].copy(), torch.random.get_rng_state()  # noqa: NPY002
    call(folder, "whole", tmp_path / "filters.h5")
    np.testing.assert_array_equal(np.random.get_state()[1], numpy)  # noqa: NPY002
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("none", "random weights"),
        ("imagenet", "weights of ImageNet"),
        ("model:nih", "weights of the model nih"),
        ("/home/somebody/best.safetensors", "weights of the file best.safetensors"),
    ],
)
def test_the_start_is_said_in_words(start, said):
    assert say_start(Model(architecture="resnet18", weights=start)) == said


def test_pictures_do_not_depend_on_how_many_filters_climb_at_once(folder, monkeypatch):
    classifier, _ = load_classifier(folder / "whole.safetensors")
    noise = draw_noise(32, 0)
    together = draw_filters(classifier, "network.layer2.0.conv1", [1, 2, 3], noise, 3, 0)
    monkeypatch.setattr(filters, "BATCH", 1)
    apart = draw_filters(classifier, "network.layer2.0.conv1", [1, 2, 3], noise, 3, 0)
    assert np.mean(np.abs(together[0].astype(int) - apart[0].astype(int)) > 1) < 0.01
    np.testing.assert_allclose(together[1], apart[1], rtol=1e-2)


def test_written_pictures_are_read_again(tmp_path):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, 2, 4, 4), dtype=np.uint8)
    told = Excited(pictures, rng.random((2, 2), np.float32), ["a", "b.c"], [3, 0], "random weights")
    write_excited(tmp_path / "filters.h5", told)
    read = read_excited(tmp_path / "filters.h5")
    for one, two in zip(read, told, strict=True):
        np.testing.assert_array_equal(one, two)
    with h5py.File(tmp_path / "filters.h5") as file:
        assert set(file) == {"pictures", "activations", "layer", "channel"}
        assert file.attrs["before"] == "random weights"


# What is refused


def refused(capsys, *told, **changed):
    with pytest.raises(SystemExit) as stopped:
        call(*told, **changed)
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_weights_of_another_model_are_refused(folder, tmp_path, capsys):
    other = MODELS["whole"].model_copy(update={"dropout": 0.5}).model_dump_json()
    said = refused(capsys, folder, "whole", tmp_path / "filters.h5", model=other)
    assert "whole.safetensors: is of another model than --model; train it anew" in said
    assert not (tmp_path / "filters.h5").exists()


class Strict(torch.nn.Module):
    """A network that takes films of 224 pixels alone."""

    def __init__(self, in_chans=1, num_classes=2):
        super().__init__()
        self.convolve = torch.nn.Conv2d(in_chans, 4, 3)
        self.head = torch.nn.Linear(4, num_classes)

    def forward(self, films):
        assert films.shape[-1] == 224, "takes 224 pixels"
        return self.head(self.convolve(films).mean(dim=(2, 3)))


def test_a_side_that_the_network_cannot_take_is_told(folder, tmp_path, capsys):
    model = Model(architecture=f"{__name__}:Strict", side=224)
    classifier = Classifier(build(model, 2, seed=0), 0.5, 0.3)
    weights.save(folder / "strict.safetensors", classifier.state_dict(), card_of(model))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODELS, "strict", model)
        said = refused(capsys, folder, "strict", tmp_path / "filters.h5")
    assert "filters.side: the network cannot take pictures of 32 pixels (takes 224 pixels" in said


def test_another_error_of_the_drawing_is_not_blamed_on_the_side(folder, tmp_path, monkeypatch):
    def break_down(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(filters, "draw_both", break_down)
    with pytest.raises(RuntimeError, match="broken"):
        call(folder, "whole", tmp_path / "filters.h5")


def test_it_is_said_when_there_are_fewer_layers_than_asked_for(folder, caplog):
    classifier, card = load_classifier(folder / "whole.safetensors")
    with caplog.at_level(logging.INFO):
        choose_filters(classifier, classifier, card, SETTINGS)
        assert caplog.messages == []
        chosen = choose_filters(classifier, classifier, card, Filters(layers=12))
    assert caplog.messages == [
        f"{len(chosen)} layers, not 12: no more have a convolution of their own"
    ]


def test_a_network_without_convolutions_is_refused():
    class Mixing(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.mix, self.head = torch.nn.Conv2d(1, 2, 1), torch.nn.Linear(2, 2)

        def forward(self, films):
            return self.head(self.mix(films).mean(dim=(2, 3)))

    mixing = Classifier(Mixing(), 0.5, 0.3)
    card = card_of(Model(architecture="somewhere:Mixing", side=32))
    with pytest.raises(UserError, match="somewhere:Mixing has no convolution that gives a map"):
        choose_filters(mixing, mixing, card, SETTINGS)


def test_answers_that_are_no_numbers_are_an_error(folder):
    classifier, _ = load_classifier(folder / "whole.safetensors")
    classifier.network.layer1[0].conv1.weight.data.fill_(torch.nan)
    with pytest.raises(UserError, match=r"network\.layer2 answers with what is no number"):
        draw_filters(classifier, "network.layer2", [0], draw_noise(32, 0), 2, 0)


def test_the_settings_are_the_commands_own(folder, tmp_path, capsys):
    said = refused(
        capsys, folder, "whole", tmp_path / "filters.h5", settings=json.dumps({"step": 3})
    )
    assert "--settings" in said
    assert "did you mean 'steps'" in said

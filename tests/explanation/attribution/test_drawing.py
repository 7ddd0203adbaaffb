"""Heatmaps of many films: each is the one it has alone, and none is drawn twice."""

import numpy as np
import pandas as pd
import pytest
import torch

from cxrpipe.config import Model
from cxrpipe.explanation.attribution import drawing
from cxrpipe.explanation.attribution.cam import METHODS, explain, measure_offset
from cxrpipe.explanation.attribution.drawing import draw_explained, draw_heatmaps
from cxrpipe.models.zoo import Classifier, build, feature_layer
from cxrpipe.runtime import UserError

CPU = torch.device("cpu")
LAYERS = ["network.layer2", "network.layer4"]
FINDINGS = ("normal", "covid", "mass")


def films(n, side=32):
    return np.random.default_rng(0).integers(0, 256, (n, side, side), dtype=np.uint8)


def alone(classifier, film, finding, method="gradcam", layer="network.layer2"):
    """Explain one film by itself."""
    offset = measure_offset(classifier, layer, film.shape[-1])
    grey = torch.from_numpy(film[None, None])
    return explain(classifier, method, layer, grey, torch.tensor([finding]), offset)[0].numpy()


@pytest.mark.parametrize("method", set(METHODS) - {"cam"})
@pytest.mark.parametrize("batch", [2, 32])
def test_heatmaps_do_not_depend_on_the_batch(batch, method, classifier, monkeypatch):
    monkeypatch.setattr(drawing, "BATCH", batch)
    findings = [0, 1, 1, 0, 1]
    drawn = draw_heatmaps(classifier, "network.layer2", films(5), findings, CPU, method)
    assert (drawn.max(axis=(1, 2)) == 1).sum() >= 3
    for film, finding, heatmap in zip(films(5), findings, drawn, strict=True):
        np.testing.assert_allclose(heatmap, alone(classifier, film, finding, method), atol=5e-3)


def test_the_offset_of_the_layer_is_that_given(classifier):
    """The map is drawn where it is said to look, or else where it is measured to look."""
    layer, greys, places = "network.layer2", films(2), [0, 1]
    measured = draw_heatmaps(classifier, layer, greys, places, CPU)
    offset = measure_offset(classifier, layer, 32)
    given = draw_heatmaps(classifier, layer, greys, places, CPU, offset=offset)
    elsewhere = draw_heatmaps(classifier, layer, greys, places, CPU, offset=(0, 0))
    assert np.array_equal(measured, given)
    assert not np.array_equal(measured, elsewhere)


def test_no_films_have_no_heatmaps(classifier):
    assert draw_heatmaps(classifier, "network.layer3", films(0), [], CPU).shape == (0, 32, 32)


@pytest.mark.parametrize(("method", "least"), [("gradcam", 0), ("cam", -1)])
def test_heatmaps_that_are_not_finite_are_an_error(method, least):
    model = Model(architecture="resnet18", side=64)
    broken = Classifier(build(model, 2, seed=1), 0.5, 0.3).eval()
    broken.network.layer4[1].conv2.weight.data[0].fill_(torch.nan)
    broken.network.layer4[1].bn2.weight.data.fill_(1)
    layer = "network.layer4"
    with pytest.raises(UserError, match=rf"{layer} gives heatmaps outside {least} to 1"):
        draw_heatmaps(broken, layer, films(1, 64), [0], CPU, method)


OWN = torch.nn.Sequential(
    torch.nn.Conv2d(1, 4, 3, padding=1),
    torch.nn.ReLU(inplace=True),
    torch.nn.MaxPool2d(4),
    torch.nn.Flatten(),
    torch.nn.Linear(4 * 8 * 8, 1),
)


@pytest.mark.parametrize("own", [True, False])
def test_networks_that_flatten_their_map_are_explained_at_their_side(own):
    """An own network of one logit, and one of the zoo; every place of their maps speaks for it."""
    model = Model(architecture="test_resnet", side=32, head="flatten-8")
    network = OWN if own else build(model, 1, seed=0)
    stride, layer = (0, "2") if own else (8, "backbone.layer2")
    assert feature_layer(network, model, stride) == layer
    for module in network.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.constant_(module.weight, 0.01)
            torch.nn.init.constant_(module.bias, 1)
    explained = Classifier(network, 0.5, 0.3).eval()
    heatmaps = draw_heatmaps(explained, f"network.{layer}", films(2), [0, 0], CPU)
    assert heatmaps.shape == (2, 32, 32)
    assert heatmaps.max(axis=(1, 2)).tolist() == [1, 1]
    assert not np.array_equal(heatmaps[0], heatmaps[1])


EXPLAINED = pd.DataFrame(
    [
        ("a", "covid", "gradcam", LAYERS[0]),
        ("b", "covid", "hirescam", LAYERS[1]),
        ("b", "normal", "gradcam", LAYERS[0]),
        ("a", "mass", "gradcam", LAYERS[1]),
        ("a", "covid", "gradcam", LAYERS[0]),  # as the first
        ("b", "covid", "gradcam", LAYERS[0]),
    ],
    columns=["radiograph", "finding", "method", "layer"],
    index=[3, 3, 0, 7, 8, 9],
)


def grey():
    """Return the film of every row."""
    return films(2)[["ab".index(name) for name in EXPLAINED["radiograph"]]]


def test_every_row_has_its_heatmap(classifier):
    drawn = draw_explained(classifier, EXPLAINED, grey(), FINDINGS, CPU)
    for (_, row), film, heatmap in zip(EXPLAINED.iterrows(), grey(), drawn, strict=True):
        place = FINDINGS.index(row["finding"])
        expected = alone(classifier, film, place, row["method"], row["layer"])
        np.testing.assert_allclose(heatmap, expected, atol=5e-3)
    assert np.array_equal(drawn[0], drawn[4])


def test_nothing_is_drawn_twice_and_each_layer_is_measured_once(classifier, monkeypatch):
    drawn, measured = [], []

    def draw(classifier, layer, grey, findings, device, method, offset):
        drawn.append((layer, method, findings))
        return np.zeros(grey.shape, np.float32)

    def measure(classifier, layer, side):
        measured.append(layer)
        return 0.0, 0.0

    monkeypatch.setattr(drawing, "draw_heatmaps", draw)
    monkeypatch.setattr(drawing, "measure_offset", measure)
    draw_explained(classifier, EXPLAINED, grey(), FINDINGS, CPU)
    assert measured == LAYERS
    assert drawn == [
        (LAYERS[0], "gradcam", [1, 0, 1]),
        (LAYERS[1], "hirescam", [1]),
        (LAYERS[1], "gradcam", [2]),
    ]


def test_no_rows_have_no_heatmaps(classifier):
    none = draw_explained(classifier, EXPLAINED.head(0), films(0), FINDINGS, CPU)
    assert none.shape == (0, 32, 32)

"""Heatmaps over new films: which finding, which file, and what cannot be explained."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from made import FINDINGS, make_film, make_model
from PIL import Image

from cxrpipe.cli import explain
from cxrpipe.config import Preprocess
from cxrpipe.explanation.attribution.cam import METHODS, grad_cam, measure_offset
from cxrpipe.inference.classifier import Classifier
from cxrpipe.inference.explaining import Explainer, decode, find_finding, write_overlay
from cxrpipe.inference.films import prepare_film
from cxrpipe.runtime import UserError

SIDE = 96


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """Of films large enough for a last map of several cells."""
    run = tmp_path_factory.mktemp("run")
    return Classifier.load(make_model(run, preprocess=Preprocess(side=SIDE)))


def test_the_command_offers_the_methods_that_there_are():
    assert tuple(METHODS) == explain.METHODS


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_heatmap_is_that_of_the_network_for_this_finding(finding, classifier, tmp_path):
    film = make_film(tmp_path / "a.png")
    square = prepare_film(film, classifier.network.card.preprocess).square
    explainer = Explainer(classifier)
    network = classifier.network.module
    offset = measure_offset(network, explainer.layer, SIDE)
    grey, place = torch.from_numpy(square)[None, None], torch.tensor([FINDINGS.index(finding)])
    expected = grad_cam(network, explainer.layer, grey, place, offset)[0]
    np.testing.assert_allclose(explainer.draw(square, finding), expected, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_draws_from_0_to_1_and_cam_from_minus_1(method, classifier, tmp_path):
    square = prepare_film(make_film(tmp_path / "a.png"), classifier.network.card.preprocess).square
    explainer = Explainer(classifier, method)
    heatmaps = np.stack([explainer.draw(square, finding) for finding in FINDINGS])
    least = -1 if method == "cam" else 0
    assert least <= heatmaps.min() <= heatmaps.max() <= 1
    assert heatmaps.std(axis=(1, 2)).max() > 0.1  # it may be that nothing speaks for one of them


def test_an_overlay_is_the_film_at_its_own_resolution_above_a_strip(classifier, tmp_path):
    film = make_film(tmp_path / "a.png", size=(700, 800))
    said = classifier.classify(film, force=True)
    picture = Explainer(classifier).overlay(film, "covid", said)
    assert picture.shape[0] > 700
    assert picture.shape[1:] == (800, 3)


def test_what_is_explained_is_the_finding_asked_for_else_the_named_else_the_likeliest(
    classifier, tmp_path
):
    film = make_film(tmp_path / "a.png")
    shares = {"normal": 0.2, "covid": 0.5, "tuberculosis": 0.3}
    said = replace(classifier.classify(film, force=True), probabilities=shares, finding="normal")
    explainer, folder = Explainer(classifier), tmp_path / "heatmaps"
    asked = write_overlay(explainer, said, "tuberculosis", folder, 0)
    named = write_overlay(explainer, said, None, folder, 1)
    likeliest = write_overlay(explainer, replace(said, finding=""), None, folder, 11)
    names = ["0001-a-tuberculosis.png", "0002-a-normal.png", "0012-a-covid.png"]
    assert [asked, named, likeliest] == [folder / name for name in names]
    assert sorted(path.name for path in folder.iterdir()) == names
    with Image.open(asked) as first, Image.open(named) as second:
        assert not np.array_equal(np.asarray(first), np.asarray(second))


def test_what_cannot_be_explained_is_a_mistake_that_names_what_can(classifier, tmp_path):
    with pytest.raises(UserError, match="no finding 'covd'; did you mean 'covid'"):
        find_finding(FINDINGS, "covd")
    with pytest.raises(UserError, match=r"no method 'gradcm'; did you mean 'gradcam"):
        Explainer(classifier, "gradcm")
    with pytest.raises(UserError, match="a film passes no module layer9"):
        Explainer(classifier, layer="layer9")
    (tmp_path / "a.png").write_bytes(b"no film")
    with pytest.raises(UserError, match=r"a\.png: unreadable"):
        decode(tmp_path / "a.png", 100)


def test_a_network_that_torch_does_not_compute_gives_no_heatmaps(classifier):
    class Other:
        card = classifier.network.card

    other = Classifier(Other(), classifier.calibration, classifier.guard)
    with pytest.raises(UserError, match="an ONNX file gives no heatmaps"):
        Explainer(other)


def test_a_heatmap_is_of_its_own_film_while_others_are_answered_to(classifier, tmp_path):
    """Batches that come next pass the same network in other threads."""
    films = [make_film(tmp_path / f"{number}.png", number) for number in range(12)]
    squares = [prepare_film(film, classifier.network.card.preprocess).square for film in films]
    explainer = Explainer(classifier)
    expected = [explainer.draw(square, "covid") for square in squares]
    for _ in range(5):
        answers = classifier.classify_each(films * 20, force=True)
        drawn = []
        for square, answered in zip(squares, answers, strict=False):
            assert answered.film
            drawn.append(explainer.draw(square, "covid"))
        answers.close()
        np.testing.assert_allclose(drawn, expected, atol=1e-5)

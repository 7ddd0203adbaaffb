"""Insertion and deletion on a network that sees one quadrant alone, and orders by hand."""

import numpy as np
import pytest
import torch

from cxrpipe.explanation.scoring import alteration
from cxrpipe.explanation.scoring.alteration import (
    alter,
    area,
    rank_pixels,
    tell_altered,
    trace,
)
from cxrpipe.explanation.scoring.cells import draw_cells
from cxrpipe.models.zoo import Classifier

CPU = torch.device("cpu")
SHARES = np.array([0, 0.25, 0.5, 0.75, 1])
MEAN = 0.4  # grey 102


class OneQuadrant(torch.nn.Module):
    """Its second logit is the sum of the upper left quarter of an 8 x 8 film, its first is 0."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, films):
        seen = self.weight * films[:, 0, :4, :4].sum(dim=(1, 2))
        return torch.stack([torch.zeros_like(seen), seen], dim=1)


@pytest.fixture
def classifier():
    return Classifier(OneQuadrant(), MEAN, 8.0).eval()


def marked(rows, columns, n=1):
    heatmaps = np.zeros((n, 8, 8), np.float32)
    heatmaps[:, slice(*rows), slice(*columns)] = 1
    return heatmaps


def bright(n=1):
    """A film of 204: 16 pixels that are seen give 16 * (0.8 - 0.4) / 8, a logit of 0.8."""
    return np.full((n, 8, 8), 204, np.uint8)


def logistic(logit):
    return 1 / (1 + np.exp(-logit))


def test_the_hottest_pixel_ranks_first_and_equals_follow_the_other_map():
    heatmap = np.array([[0, 3], [1, 0]], np.float32)
    other = np.array([[1, 0], [0, 2]], np.float32)
    assert rank_pixels(heatmap[None], other[None]).tolist() == [[[3, 0], [1, 2]]]


def test_a_heatmap_of_zeros_ranks_as_chance_does():
    random = draw_cells(3, (4, 4), 8, (0.0, 0.0), 1)
    zeros = np.zeros_like(random)
    assert np.array_equal(rank_pixels(zeros, random), rank_pixels(random, random))


def test_so_many_pixels_are_shown_or_hidden():
    film = np.arange(64, dtype=np.uint8).reshape(8, 8)
    ranks = np.arange(64)[::-1].reshape(8, 8)  # the last pixel is the hottest
    inserted, deleted = alter(film, ranks, SHARES, blank=99.5)
    assert (inserted != 99.5).sum(axis=(1, 2)).tolist() == [0, 16, 32, 48, 64]
    assert (deleted != 99.5).sum(axis=(1, 2)).tolist() == [64, 48, 32, 16, 0]
    assert inserted[1, 6:].ravel().tolist() == list(range(48, 64))
    assert deleted[1, :6].ravel().tolist() == list(range(48))


def test_a_heatmap_of_what_is_seen_rises_at_once_and_falls_at_once(classifier):
    heatmaps = marked((0, 4), (0, 4))
    ranks = rank_pixels(heatmaps, draw_cells(1, (2, 2), 8, (0.0, 0.0), 0))
    insertion, deletion = trace(classifier, "single", bright(), [1], ranks, SHARES, CPU)[0]
    full = logistic(0.8)
    np.testing.assert_allclose(insertion, [0.5, full, full, full, full], atol=1e-6)
    np.testing.assert_allclose(deletion, [full, 0.5, 0.5, 0.5, 0.5], atol=1e-6)
    np.testing.assert_allclose(area(insertion, SHARES), 0.125 * (0.5 + full) + 0.75 * full)


def test_a_heatmap_of_what_is_not_seen_rises_last_and_falls_last(classifier):
    """Rows from below: the upper half comes with the third and the fourth quarter of pixels."""
    ranks = np.arange(64)[::-1].reshape(1, 8, 8)
    insertion, deletion = trace(classifier, "single", bright(), [1], ranks, SHARES, CPU)[0]
    half, full = logistic(0.4), logistic(0.8)
    np.testing.assert_allclose(insertion, [0.5, 0.5, 0.5, half, full], atol=1e-6)
    np.testing.assert_allclose(deletion, [full, full, full, half, 0.5], atol=1e-6)


def test_each_film_has_the_probability_of_its_own_class(classifier):
    """For ``single`` the two probabilities add up to one; for ``multi`` the first is one half."""
    ranks = np.arange(64).reshape(1, 8, 8).repeat(2, axis=0)
    single = trace(classifier, "single", bright(2), [0, 1], ranks, SHARES, CPU)
    np.testing.assert_allclose(single.sum(axis=0), 1, atol=1e-6)
    multi = trace(classifier, "multi", bright(2), [0, 1], ranks, SHARES, CPU)
    np.testing.assert_allclose(multi[0], 0.5, atol=1e-6)
    np.testing.assert_allclose(multi[1], single[1], atol=1e-6)


def test_curves_do_not_depend_on_the_batch(classifier, monkeypatch):
    grey = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
    ranks = rank_pixels(*(draw_cells(3, (2, 2), 8, (0.0, 0.0), seed) for seed in (0, 1)))
    whole = trace(classifier, "single", grey, [0, 1, 1], ranks, SHARES, CPU)
    monkeypatch.setattr(alteration, "fit_batch", lambda most, side: 3)
    parts = trace(classifier, "single", grey, [0, 1, 1], ranks, SHARES, CPU)
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_curves_and_areas_are_means_over_films(judge):
    """Insertion rises as a line in one film and stays in the other: areas 1/2 and 1."""
    line, one = SHARES, np.ones(5)
    traced = np.array([[line, 1 - line], [one, 0 * one]])
    told = tell_altered(judge(2), ["f0", "f1"], traced, traced[::-1, ::-1], SHARES)
    assert (told["n"], told["groups"], told["shares"]) == (2, 2, SHARES.tolist())
    assert told["insertion"]["curve"] == [0.5, 0.625, 0.75, 0.875, 1]
    assert told["insertion"]["area"] == {"value": 0.75, "low": None, "high": None}
    assert told["insertion"]["chance"]["value"] == told["deletion"]["area"]["value"] == 0.25
    assert told["deletion"]["chance_curve"] == told["insertion"]["curve"]


def test_no_films_are_none(judge):
    none = np.zeros((0, 2, 5))
    assert tell_altered(judge(1), [], none, none, SHARES) == {"n": 0}

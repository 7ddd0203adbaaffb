"""The pointing game, counted by hand."""

import numpy as np
import pytest

from cxrpipe.explanation.scoring.localisation import points_at, summarise


def mask(*places, side=4):
    drawn = np.zeros((side, side), dtype=bool)
    for place in places:
        drawn[place] = True
    return drawn


def heat(place, value=1.0, side=4):
    drawn = np.full((side, side), 0.1 * value, dtype=np.float32)
    drawn[place] = value
    return drawn


def test_a_maximum_inside_the_lesion_hits_and_one_beside_it_misses():
    lesion = mask((1, 2), (1, 3))
    heatmaps = np.stack([heat((1, 2)), heat((1, 3)), heat((2, 2)), heat((2, 1))])
    assert points_at(heatmaps, np.stack([lesion] * 4)).tolist() == [True, True, False, False]


def test_every_heatmap_is_compared_with_its_own_lesion():
    heatmaps = np.stack([heat((0, 0)), heat((3, 3))])
    assert points_at(heatmaps, np.stack([mask((0, 0)), mask((3, 3))])).tolist() == [True, True]
    assert points_at(heatmaps, np.stack([mask((3, 3)), mask((0, 0))])).tolist() == [False, False]


def test_a_heatmap_of_zeros_points_at_nothing():
    assert points_at(heat((0, 0), value=0)[None], np.ones((1, 4, 4), bool)).tolist() == [False]


def test_a_film_without_a_lesion_cannot_be_hit():
    assert points_at(heat((0, 0))[None], mask()[None]).tolist() == [False]


def test_hits_and_chances_counted_by_hand():
    """Films of 16 pixels; the lungs are the two middle columns, 8 pixels."""
    lungs = mask(*[(row, column) for row in range(4) for column in (1, 2)])
    lesions = [
        mask((0, 1), (0, 2), (1, 1), (1, 2)),  # 4 of the film, 4 of the lungs
        mask((0, 0), (0, 1)),  # 2 of the film, 1 of the lungs
        mask((3, 0)),  # 1 of the film, none of the lungs
    ]
    summary = summarise(
        ["covid", "tuberculosis", "covid"],
        np.array([True, False, False]),
        np.stack(lesions),
        np.stack([lungs] * 3),
    )
    assert (summary["n"], summary["hits"]) == (3, 1)
    assert summary["share"] == pytest.approx(1 / 3, abs=5e-5)
    assert summary["chance_film"] == pytest.approx(7 / 48, abs=5e-5)
    assert summary["chance_lungs"] == pytest.approx((4 / 8 + 1 / 8 + 0) / 3, abs=5e-5)
    assert summary["findings"] == {
        "covid": {"n": 2, "hits": 1, "share": 0.5, "chance_film": 0.1562, "chance_lungs": 0.25},
        "tuberculosis": {
            "n": 1,
            "hits": 0,
            "share": 0,
            "chance_film": 0.125,
            "chance_lungs": 0.125,
        },
    }


def test_points_thrown_at_random_hit_as_often_as_the_chance_says():
    random = np.random.default_rng(0)
    lesions = random.random((2000, 8, 8)) < random.random((2000, 1, 1))
    heatmaps = random.random((2000, 8, 8)).astype(np.float32)
    everywhere = np.ones((2000, 8, 8), bool)
    summary = summarise(["a"] * 2000, points_at(heatmaps, lesions), lesions, everywhere)
    assert summary["share"] == pytest.approx(summary["chance_film"], abs=5 * 0.5 / 2000**0.5)
    assert summary["chance_lungs"] == summary["chance_film"]


def test_a_film_without_lungs_has_no_chance_of_a_random_point_of_the_lungs():
    summary = summarise(["a"], np.array([True]), mask((0, 0))[None], mask()[None])
    assert summary["chance_lungs"] == 0

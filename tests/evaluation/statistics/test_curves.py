"""Curves on a grid against scikit-learn's own points, and by hand where a grid has its traps."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve, roc_curve

from cxrpipe.evaluation.statistics.curves import RECALLS, SHARES, precision_recall, roc

#                  order: .9 .8 .7 .6 .5
SHOWN = np.array([1, 0, 1, 0, 1], dtype=bool)
ORDER = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
ONCE = np.ones((1, 5), np.uint8)


def at(curve, grid, x):
    return curve[0, np.argmin(abs(grid - x))]


def test_sensitivity_by_hand():
    """The curve stands at 1/3, runs to half the false alarms, rises to 2/3, and so on."""
    curve = roc(SHOWN, ORDER, ONCE)
    assert at(curve, SHARES, 0) == pytest.approx(1 / 3)
    assert at(curve, SHARES, 0.49) == pytest.approx(1 / 3)
    assert at(curve, SHARES, 0.5) == pytest.approx(2 / 3)
    assert at(curve, SHARES, 0.99) == pytest.approx(2 / 3)
    assert at(curve, SHARES, 1) == 1


def test_precision_by_hand():
    curve = precision_recall(SHOWN, ORDER, ONCE)
    for recall, precision in ((0.01, 1), (0.33, 1), (0.34, 2 / 3), (0.66, 2 / 3), (1, 3 / 5)):
        assert at(curve, RECALLS, recall) == pytest.approx(precision)


def random_case(seed, n=60):
    random = np.random.default_rng(seed)
    shown = random.random(n) < 0.4
    order = np.round(random.normal(size=n) + shown, 1)  # with ties
    return shown, order, random.integers(0, 4, (5, n), dtype=np.uint8)


@pytest.mark.parametrize("seed", range(10))
def test_the_area_of_every_sample_is_close_to_that_of_its_full_curve(seed):
    shown, order, weights = random_case(seed)
    for curve, drawn in zip(roc(shown, order, weights), weights, strict=True):
        alarms, found, _ = roc_curve(shown, order, sample_weight=drawn, drop_intermediate=False)
        for share in (0.005, 0.255, 0.505, 0.995):  # between points of the grid
            low, high = np.interp([share - 0.005, share + 0.005], SHARES, curve)
            assert low - 1e-9 <= np.interp(share, alarms, found) <= high + 1e-9


@pytest.mark.parametrize("seed", range(10))
def test_precision_is_that_of_the_highest_threshold_that_finds_enough(seed):
    shown, order, weights = random_case(seed)
    for curve, drawn in zip(precision_recall(shown, order, weights), weights, strict=True):
        precision, recall, _ = precision_recall_curve(shown, order, sample_weight=drawn)
        for wanted, told in zip(RECALLS, curve, strict=True):
            enough = np.flatnonzero(recall >= wanted - 1e-12)[-1]
            assert told == pytest.approx(precision[enough])


def test_films_of_one_value_stand_on_one_side_of_every_threshold():
    """All films alike: the curve is chance itself, precision the share of films that show it."""
    alike = np.zeros(5)
    np.testing.assert_allclose(roc(SHOWN, alike, ONCE)[0], SHARES, atol=1e-9)
    np.testing.assert_allclose(precision_recall(SHOWN, alike, ONCE)[0], 3 / 5)


def test_a_perfect_order_finds_everything_without_a_false_alarm():
    assert (roc(SHOWN, SHOWN.astype(float), ONCE) == 1).all()
    assert (precision_recall(SHOWN, SHOWN.astype(float), ONCE) == 1).all()


def test_a_sample_without_films_of_both_kinds_has_no_curve():
    weights = np.array([[1, 0, 1, 0, 1], [0, 1, 0, 1, 0], [1, 1, 0, 0, 0]], np.uint8)
    assert np.isnan(roc(SHOWN, ORDER, weights)).all(axis=1).tolist() == [True, True, False]
    missing = np.isnan(precision_recall(SHOWN, ORDER, weights)).all(axis=1)
    assert missing.tolist() == [False, True, False]

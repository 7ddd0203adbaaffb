"""Odds ratios of films that come in groups."""

import math

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats.contingency import odds_ratio

from cxrpipe.explanation.mistakes.association import (
    Association,
    associate,
    count_cells,
    design_effect,
)


def films(wrong_with, right_with, wrong_without, right_without):
    """Return whether films have the cause and whether they are wrong, so many of each kind."""
    counts = (wrong_with, right_with, wrong_without, right_without)
    kinds = np.repeat(np.arange(4), counts)
    return kinds < 2, kinds % 2 == 0


HAS, WRONG = films(8, 12, 10, 70)
ALONE = np.arange(100)


def test_films_are_counted_by_cause_and_answer():
    np.testing.assert_array_equal(count_cells(HAS, WRONG), [[8, 12], [10, 70]])


def test_the_odds_ratio_is_that_counted_by_hand_with_halves():
    """Counts 8.5, 12.5, 10.5, 70.5: the ratio is 8.5 x 70.5 / (12.5 x 10.5)."""
    found = associate(HAS, WRONG, ALONE, 0.95)
    expected = 8.5 * 70.5 / (12.5 * 10.5)
    error = math.sqrt(1 / 8.5 + 1 / 12.5 + 1 / 10.5 + 1 / 70.5)
    assert found.odds_ratio == pytest.approx(expected)
    # Films alone: the design effect is K / (K - 1).
    reach = 1.959964 * error * math.sqrt(100 / 99)
    assert found.low == pytest.approx(expected * math.exp(-reach), rel=1e-5)
    assert found.high == pytest.approx(expected * math.exp(reach), rel=1e-5)
    z = math.log(expected) / (error * math.sqrt(100 / 99))
    assert found.p == pytest.approx(2 * norm.sf(z))


def test_with_many_films_alone_the_interval_is_near_that_of_scipy():
    has, wrong = films(80, 120, 100, 700)
    found = associate(has, wrong, np.arange(1000), 0.9)
    exact = odds_ratio(count_cells(has, wrong).astype(int), kind="sample")
    interval = exact.confidence_interval(0.9)
    assert found.odds_ratio == pytest.approx(exact.statistic, rel=0.02)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=0.03)


def test_p_is_below_five_percent_just_where_the_interval_leaves_one_out():
    rng = np.random.default_rng(0)
    sides = []
    for _ in range(200):
        has, wrong = rng.random(80) < 0.3, rng.random(80) < 0.3
        found = associate(has, wrong, rng.integers(0, 50, 80), 0.95)
        outside = found.low > 1 or found.high < 1
        assert outside == (found.p < 0.05)
        sides.append(outside)
    assert 0 < sum(sides) < 20


def test_films_that_are_there_twice_in_one_group_say_no_more():
    """The design effect of pairs of equal films is two, but for K / (K - 1)."""
    once = associate(HAS, WRONG, ALONE, 0.95)
    twice = associate(HAS.repeat(2), WRONG.repeat(2), ALONE.repeat(2), 0.95)
    pairs = design_effect(HAS.repeat(2), WRONG.repeat(2), ALONE.repeat(2))
    assert pairs == pytest.approx(2 * 100 / 99)
    assert twice.p == pytest.approx(once.p, rel=0.2)
    assert np.log(twice.high / twice.low) == pytest.approx(np.log(once.high / once.low), rel=0.05)


def test_the_design_effect_counted_by_hand():
    """Scores of two films with, wrong, and two without, right, are all 1/4; of the others -1/4.

    Groups: the first four films, then two of the others, then each alone.
    """
    has = np.array([1, 1, 0, 0, 1, 1, 0, 0], bool)
    wrong = np.array([1, 1, 0, 0, 0, 0, 1, 1], bool)
    groups = np.array(["a", "a", "a", "a", "b", "b", "c", "d"])
    by_group = 4**2 + 2**2 + 1 + 1
    assert design_effect(has, wrong, groups) == pytest.approx(by_group / 8 * 4 / 3)


def test_groups_whose_films_differ_do_not_make_the_interval_narrower():
    has = np.tile([True, False], 50)
    wrong = np.ones(100, bool)
    wrong[::4] = False
    wrong[1::4] = False
    assert design_effect(has, wrong, np.arange(100) // 2) == 1


NOTHING = Association(math.nan, math.nan, math.nan, math.nan)


@pytest.mark.parametrize(
    "counts", [(0, 20, 0, 80), (20, 0, 80, 0), (0, 0, 20, 80), (20, 80, 0, 0), (1, 0, 0, 0)]
)
def test_without_both_sides_nothing_is_estimable(counts):
    """No mistake, all wrong, none has the cause, all have it, one film."""
    has, wrong = films(*counts)
    np.testing.assert_equal(associate(has, wrong, np.arange(len(has)), 0.95), NOTHING)


def test_no_films_and_one_patient_have_defined_results():
    none = np.array([], bool)
    np.testing.assert_equal(associate(none, none, none, 0.95), NOTHING)
    one = associate(HAS, WRONG, np.zeros(100), 0.95)
    assert one.odds_ratio == pytest.approx(8.5 * 70.5 / (12.5 * 10.5))
    assert all(math.isnan(value) for value in one[1:])


@pytest.mark.parametrize(
    ("groups", "estimable"),
    [
        (np.arange(100) % 20, True),
        (np.arange(100) % 19, False),
        (np.where(HAS, ALONE % 5, ALONE), True),
        (np.where(HAS, ALONE % 4, ALONE), False),
        (np.where(WRONG, 0, ALONE), False),
    ],
    ids=["20 groups", "19 groups", "5 with the cause", "4 with the cause", "1 wrong"],
)
def test_few_patients_have_no_interval(groups, estimable):
    found = associate(HAS, WRONG, groups, 0.95)
    assert [math.isnan(value) for value in found] == [False, *[not estimable] * 3]


def draw(rng, n_groups, cause, wrong):
    """Draw films of patients of one to twenty, whose films have much in common."""
    group = np.repeat(np.arange(n_groups), np.minimum(1 + rng.geometric(0.3, n_groups), 20))
    with_cause = rng.random(n_groups) < cause  # all films of a patient, or none
    often = rng.beta(wrong * 2 / 3, (1 - wrong) * 2 / 3, n_groups)  # correlation 0.6
    return with_cause[group], rng.random(len(group)) < often[group], group


@pytest.mark.parametrize(
    ("n_groups", "cause", "wrong"), [(60, 0.3, 0.3), (150, 0.1, 0.1), (40, 0.4, 0.2)]
)
def test_a_cause_that_makes_no_difference_is_rarely_called_one(n_groups, cause, wrong):
    """Of 300 runs in one of twenty; as if films were alone, in more than one of six."""
    rng = np.random.default_rng(1)
    runs = [draw(rng, n_groups, cause, wrong) for _ in range(300)]
    found = np.array([associate(*run, 0.95).p for run in runs])
    alone = np.array([associate(has, wrong, np.arange(len(has)), 0.95).p for has, wrong, _ in runs])
    assert np.isfinite(found).mean() > 0.8
    assert np.mean(found[np.isfinite(found)] < 0.05) <= 0.06
    assert np.mean(alone[np.isfinite(found)] < 0.05) > 1 / 6


def test_a_cause_that_makes_a_difference_is_found():
    rng = np.random.default_rng(2)
    hits = []
    for _ in range(50):
        has, _, group = draw(rng, 150, 0.3, 0.3)
        wrong = rng.random(len(has)) < np.where(has, 0.5, 0.2)
        found = associate(has, wrong, group, 0.95)
        hits.append(found.p < 0.05 and found.low < 4 < found.high)
    assert np.mean(hits) > 0.85

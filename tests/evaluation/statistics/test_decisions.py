"""Thresholds, benefit, abstention and sets, by hand and by simulation."""

import numpy as np
import pytest
from scipy.special import logit

from cxrpipe.evaluation.statistics.decisions import (
    choose_threshold,
    confidence,
    covered,
    describe_sizes,
    fit_quantiles,
    net_benefit,
    prediction_sets,
    selective,
    treat_all,
)

#                      with the finding        without it
PROBABILITY = np.array([0.9, 0.8, 0.6, 0.6, 0.3, 0.7, 0.6, 0.2, 0.1])
SHOWN = np.arange(9) < 5


@pytest.mark.parametrize(
    ("wanted", "threshold"),
    [
        (0.01, 0.9),
        (0.2, 0.9),
        (0.21, 0.8),
        (0.4, 0.8),
        (0.6, 0.6),
        (0.8, 0.6),
        (0.81, 0.3),
        (1, 0.3),
    ],
)
def test_the_highest_threshold_that_finds_enough(wanted, threshold):
    assert choose_threshold(SHOWN, PROBABILITY, wanted) == threshold


@pytest.mark.parametrize("seed", range(20))
def test_no_higher_threshold_finds_enough(seed):
    random = np.random.default_rng(seed)
    shown, probability = random.random(60) < 0.4, np.round(random.random(60), 1)  # with ties
    for wanted in (0.05, 0.55, 0.9, 0.95, 1):
        threshold = choose_threshold(shown, probability, wanted)
        assert np.mean(probability[shown] >= threshold) >= wanted - 1e-12
        assert np.mean(probability[shown] > threshold) < wanted


def test_a_share_that_is_not_exact_in_binary_wants_no_film_more():
    """0.55 of 100 films is 55.00000000000001, and 55 are enough."""
    assert choose_threshold(np.full(100, True), np.arange(100) / 100, 0.55) == 0.45


def test_thresholds_of_one_film_and_of_none():
    assert choose_threshold(np.array([True]), np.array([0.4]), 0.95) == 0.4
    assert np.isnan(choose_threshold(np.array([False]), np.array([0.4]), 0.95))
    assert np.isnan(choose_threshold(SHOWN[:0], PROBABILITY[:0], 0.95))


def test_net_benefit_by_hand():
    """At 0.6: four found, two alarms that cost 1.5 each; at 0.2: all found, three cost 1/4 each."""
    benefit = net_benefit(SHOWN, PROBABILITY, np.array([0.01, 0.2, 0.6, 0.95]))
    expected = [(5 - 4 / 99) / 9, (5 - 3 / 4) / 9, (4 - 2 * 1.5) / 9, 0]
    np.testing.assert_allclose(benefit, expected)


def test_net_benefit_of_treating_all_is_zero_at_the_prevalence():
    np.testing.assert_allclose(
        treat_all(SHOWN, np.array([0.1, 0.5, 5 / 9])), [(5 - 4 / 9) / 9, 1 / 9, 0], atol=1e-15
    )


def test_a_perfect_model_has_the_prevalence_as_net_benefit():
    thresholds = np.linspace(0.01, 0.99, 99)
    np.testing.assert_allclose(net_benefit(SHOWN, SHOWN * 1.0, thresholds), 5 / 9)
    assert np.isnan(net_benefit(SHOWN[:0], PROBABILITY[:0], thresholds)).all()


def test_confidence_is_that_of_the_given_answer():
    logits = np.log([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.4, 0.5, 0.1]])
    sure, right = confidence(np.array([0, 1, 1]), logits, "single")
    np.testing.assert_allclose(sure, logit([0.7, 0.6, 0.5]), atol=1e-15)
    assert list(right) == [1, 0, 1]
    sure, right = confidence(np.array([[1, 0], [0, 1]]), np.array([[2.0, 3], [-1, 0]]), "multi")
    assert list(sure) == [2, 3, 1, 0]
    assert list(right) == [1, 0, 1, 0]


def test_confidence_tells_apart_what_rounds_to_probability_one():
    sure, _ = confidence(np.array([0, 0]), np.array([[90.0, 0, 0], [80.0, 0, 0]]), "single")
    np.testing.assert_allclose(sure, [90 - np.log(2), 80 - np.log(2)])


def test_accuracy_among_the_most_confident_by_hand():
    """From the surest: right, wrong, right, right; means 1, 1/2, 2/3, 3/4."""
    sure, right = np.array([0.1, 4, 3, 2]), np.array([1.0, 1, 0, 1])
    accuracy, area = selective(sure, right, np.array([0.05, 0.25, 0.26, 0.5, 0.75, 1]))
    np.testing.assert_allclose(accuracy, [1, 1, 1 / 2, 1 / 2, 2 / 3, 3 / 4])
    assert area == pytest.approx((1 + 1 / 2 + 2 / 3 + 3 / 4) / 4)


def test_equally_sure_films_count_with_their_mean_in_any_order():
    """The surest is right; of the next three one is."""
    sure, right = np.array([2.0, 1, 1, 1]), np.array([1.0, 1, 0, 0])
    coverages = np.array([0.25, 0.5, 0.75, 1])
    expected = [1, (1 + 1 / 3) / 2, (1 + 2 / 3) / 3, 1 / 2]
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(4)
        accuracy, area = selective(sure[order], right[order], coverages)
        np.testing.assert_allclose(accuracy, expected)
        assert area == pytest.approx(np.mean(expected))


def test_a_constant_model_gains_nothing_by_abstaining_and_no_answers_have_no_accuracy():
    right = np.array([1.0, 0, 0, 1, 1])
    accuracy, area = selective(np.ones(5), right, np.array([0.05, 0.5, 1]))
    np.testing.assert_allclose([*accuracy, area], 0.6)
    accuracy, area = selective(right[:0], right[:0], np.array([0.5, 1]))
    assert np.isnan([*accuracy, area]).all()


def test_a_quantile_and_its_sets_by_hand():
    """Scores of nine films are .1 to .9: number ceil(10 c), and none for a coverage above .9."""
    probability = np.column_stack([1 - np.arange(1, 10) / 10, np.arange(1, 10) / 10])
    true = np.zeros(9, np.int64)
    for coverage, quantile in ((0.1, 0.1), (0.11, 0.2), (0.8, 0.8), (0.9, 0.9), (0.91, np.inf)):
        assert fit_quantiles(true, probability, "single", coverage) == pytest.approx([quantile])
    films = np.array([[0.75, 0.2, 0.05], [0.4, 0.35, 0.25], [0.34, 0.33, 0.33]])
    sets = prediction_sets(films, [0.65], "single")
    assert sets.tolist() == [[True, False, False], [True, True, False], [False] * 3]
    assert list(covered(np.array([0, 2, 1]), sets)) == [1, 0, 0]
    assert describe_sizes(sets) == (1, 1 / 3, 1 / 3)


def test_too_few_films_give_sets_that_hold_everything():
    for true, kind in ((np.zeros(0, np.int64), "single"), (np.zeros((0, 2), np.int64), "multi")):
        quantiles = fit_quantiles(true, np.zeros((0, 2)), kind, 0.9)
        assert quantiles.tolist() == [np.inf] * (1 if kind == "single" else 2)
        assert prediction_sets(np.array([[0.0, 1.0]]), quantiles, kind).all()
    one = fit_quantiles(np.array([1]), np.array([[0.25, 0.75]]), "single", 0.5)
    assert list(one) == [0.25]


def test_every_finding_has_its_own_sets_of_answers():
    """Scores of the first finding: .1, .2, .3; of the second, which is answered wrong: .6 to .8."""
    true = np.array([[1, 0], [1, 1], [0, 0]])
    probability = np.array([[0.9, 0.6], [0.8, 0.3], [0.3, 0.8]])
    quantiles = fit_quantiles(true, probability, "multi", 0.5)
    np.testing.assert_allclose(quantiles, [0.2, 0.7])
    sets = prediction_sets(np.array([[0.85, 0.5], [0.5, 0.9]]), quantiles, "multi")
    assert sets.tolist() == [[[False, True], [True, True]], [[False, False], [False, True]]]
    np.testing.assert_array_equal(covered(np.array([[1, 0], [1, 0]]), sets), [1, 0])
    assert describe_sizes(sets) == (1, 1 / 2, 1 / 4)


@pytest.mark.parametrize("kind", ["single", "multi"])
@pytest.mark.parametrize("n", [10, 37])
def test_sets_cover_new_films_as_often_as_wanted_and_not_much_more(kind, n):
    """Whatever the probabilities are worth: here they have nothing to do with the truth."""
    random = np.random.default_rng(n)
    shares = []
    for _ in range(3000):
        probability = random.dirichlet(np.ones(3), n + 20)
        true = random.integers(0, 3, n + 20)
        if kind == "multi":
            true = (random.random((n + 20, 3)) < 0.3).astype(np.int64)
        quantiles = fit_quantiles(true[:n], probability[:n], kind, 0.8)
        shares.append(covered(true[n:], prediction_sets(probability[n:], quantiles, kind)).mean())
    error = 3 * np.std(shares) / np.sqrt(len(shares))
    assert 0.8 - error <= np.mean(shares) <= 0.8 + 1 / (n + 1) + error


def test_no_sets_have_no_sizes():
    assert np.isnan(describe_sizes(np.zeros((0, 3), dtype=bool))).all()

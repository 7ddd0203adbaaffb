"""Areas under curves: by hand, against scikit-learn with ties and weights, and where there is none.

Every weighted sample must score as if its films were copied so often.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from cxrpipe.evaluation.statistics import counting
from cxrpipe.evaluation.statistics.ranking import areas, log_odds

NAN = np.nan


def random_case(seed, n, n_values, share):
    """Draw films of three findings whose order has few values, so that many are equal."""
    random = np.random.default_rng(seed)
    shown = random.random((n, 3)) < share
    order = random.normal(size=n_values)[random.integers(0, n_values, (n, 3))]
    return shown, order, random.integers(0, 4, (3, n)).astype(np.uint8)


def one_sample(shown, order):
    """Return both areas of a single finding, all films counted once."""
    shown, order = np.array(shown, bool)[:, None], np.array(order, float)[:, None]
    return tuple(area.item() for area in areas(shown, order, np.ones((1, len(shown)), np.uint8)))


def test_both_areas_counted_by_hand():
    # With it: 3 and 1; without: 2 and 0. Three of four pairs stand in order; of the two found, the
    # first is the first of all, the second the third.
    assert one_sample([1, 1, 0, 0], [3, 1, 2, 0]) == (3 / 4, (1 + 2 / 3) / 2)


def test_films_in_one_place_count_half_and_are_found_together():
    # At 2 one of each kind comes in: half a pair; the second found film is one of two right of 3.
    assert one_sample([1, 1, 0, 0], [3, 2, 2, 0]) == (3.5 / 4, (1 + 2 / 3) / 2)


def test_a_perfect_a_reversed_and_a_constant_order():
    assert one_sample([1, 1, 0, 0], [4, 3, 2, 1]) == (1, 1)
    assert one_sample([1, 1, 0, 0], [1, 2, 3, 4]) == (0, (1 / 3 + 2 / 4) / 2)
    assert one_sample([1, 0, 0, 0], [5, 5, 5, 5]) == (1 / 2, 1 / 4)


def test_what_no_film_or_every_film_has_cannot_be_told_apart():
    np.testing.assert_array_equal(one_sample([0, 0], [1, 2]), [NAN, NAN])
    np.testing.assert_array_equal(one_sample([1, 1], [1, 2]), [NAN, 1])
    np.testing.assert_array_equal(one_sample([], []), [NAN, NAN])


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 30), st.sampled_from([0.1, 0.5])
)
def test_both_areas_are_those_of_scikit_learn(seed, n, n_values, share):
    shown, order, weights = random_case(seed, n, n_values, share)
    roc, precision = areas(shown, order, weights)
    for sample, drawn in enumerate(weights):
        for finding, (having, likely) in enumerate(zip(shown.T, order.T, strict=True)):
            held = drawn > 0
            films = having[held], likely[held]
            kinds = set(films[0].tolist())
            expected = [
                score(*films, sample_weight=drawn[held]) if needed <= kinds else NAN
                for score, needed in (
                    (roc_auc_score, {True, False}),
                    (average_precision_score, {True}),
                )
            ]
            ours = roc[sample, finding], precision[sample, finding]
            np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_the_area_is_the_share_of_pairs_in_order_and_depends_on_order_alone(seed):
    shown, order, weights = random_case(seed, 30, 10, 0.4)
    shown[0], shown[1] = True, False
    once = np.ones_like(weights[:1])
    roc, precision = areas(shown, order, once)
    for finding in range(3):
        with_it, without = order[shown[:, finding], finding], order[~shown[:, finding], finding]
        difference = with_it[:, None] - without
        pairs = (difference > 0) + 0.5 * (difference == 0)
        assert roc[0, finding] == pytest.approx(pairs.mean(), abs=1e-12)
    others = areas(shown, np.exp(3 * order) - 5, once)
    np.testing.assert_array_equal(others, (roc, precision))


def test_a_weighted_sample_scores_as_if_its_films_were_copied():
    shown, order, weights = random_case(3, 40, 12, 0.4)
    weighted = areas(shown, order, weights)
    for sample, drawn in enumerate(weights):
        copies = np.repeat(np.arange(40), drawn)
        copied = areas(shown[copies], order[copies], np.ones((1, len(copies)), np.uint8))
        for area, expected in zip(weighted, copied, strict=True):
            np.testing.assert_allclose(area[sample], expected[0], rtol=0, atol=1e-14)


def test_areas_are_the_same_however_many_samples_are_worked_on_at_once(monkeypatch):
    shown, order, _ = random_case(4, 50, 20, 0.3)
    weights = np.random.default_rng(5).integers(0, 4, (100, 50)).astype(np.uint8)
    together = areas(shown, order, weights)
    monkeypatch.setattr(counting, "WEIGHTS_AT_ONCE", 7 * 50)
    monkeypatch.setattr(counting, "FEWEST_SAMPLES", 1)
    np.testing.assert_allclose(areas(shown, order, weights), together, rtol=0, atol=1e-14)


def test_log_odds_are_those_of_the_probabilities():
    logits = np.random.default_rng(0).normal(size=(20, 5))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = np.log(shares / (1 - shares))
    np.testing.assert_allclose(log_odds(logits), expected, rtol=0, atol=1e-12)


def test_films_of_certain_findings_keep_their_order():
    logits = np.array([[100.0, 0], [60, 0], [80, 0]])  # their probabilities round to one
    assert log_odds(logits).tolist() == [[100, -100], [60, -60], [80, -80]]
    # The film of the second finding is the least certain one: both findings stand in order.
    shown = np.array([[True, False], [False, True], [True, False]])
    assert areas(shown, log_odds(logits), np.ones((1, 3), np.uint8))[0].tolist() == [[1, 1]]

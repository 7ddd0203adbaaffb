"""Votes and mean probabilities counted by hand, and where probabilities round to 0 or 1."""

import numpy as np
import pytest
from scipy.special import expit, log_expit, logit, softmax

from cxrpipe.evaluation.statistics.ensemble import mean_logits, vote

NORMAL, COVID, PNEUMONIA = range(3)


def sure(*probabilities):
    """Logits of a film from its probabilities."""
    return np.log(probabilities)


def models(*films):
    """Logits (n_models, n, n_findings) from the films of each model."""
    return np.array(films)


# Four models. Film 0: three for normal. Film 1: two for normal and two for covid, who are surer.
# Film 2: two for normal, two for pneumonia. Film 3: one for covid, one normal, two pneumonia.
FOUR = models(
    [sure(0.6, 0.2, 0.2), sure(0.5, 0.3, 0.2), sure(0.8, 0.1, 0.1), sure(0.1, 0.8, 0.1)],
    [sure(0.5, 0.3, 0.2), sure(0.6, 0.3, 0.1), sure(0.7, 0.2, 0.1), sure(0.7, 0.2, 0.1)],
    [sure(0.4, 0.3, 0.3), sure(0.1, 0.9, 0.0001), sure(0.3, 0.1, 0.6), sure(0.3, 0.3, 0.4)],
    [sure(0.0001, 0.9998, 0.0001), sure(0.1, 0.8, 0.1), sure(0.3, 0.1, 0.6), sure(0.3, 0.3, 0.4)],
)


def test_most_votes_win_also_against_one_model_that_is_very_sure():
    """Film 0 has mean probabilities 0.375 of normal and 0.45 of covid."""
    assert vote(FOUR, "single")[0] == NORMAL
    assert mean_logits(FOUR, "single")[0].argmax() == COVID


def test_equal_votes_go_to_the_surer_of_those_tied():
    assert list(vote(FOUR, "single")) == [NORMAL, COVID, NORMAL, PNEUMONIA]


def test_equal_votes_go_to_the_named_finding_if_it_is_one_of_them():
    assert list(vote(FOUR, "single", NORMAL)) == [NORMAL, NORMAL, NORMAL, PNEUMONIA]
    assert list(vote(FOUR, "single", COVID)) == [NORMAL, COVID, NORMAL, PNEUMONIA]
    assert list(vote(FOUR, "single", PNEUMONIA)) == [NORMAL, COVID, PNEUMONIA, PNEUMONIA]


def test_equal_votes_and_probabilities_go_to_the_first_finding():
    tied = models([[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]])
    assert list(vote(tied, "single")) == [COVID]


def test_a_model_alone_votes_as_it_answers():
    logits = np.random.default_rng(0).normal(size=(1, 20, 3))
    np.testing.assert_array_equal(vote(logits, "single"), logits[0].argmax(axis=1))
    np.testing.assert_array_equal(vote(logits, "multi"), logits[0] > 0)


def test_every_finding_is_voted_on_by_itself():
    """Of two models: both yes, both no, a sure yes, a sure no, evenly sure, and one at 1/2."""
    logits = models([[1.0, -1.0, 3.0, 1.0, 2.0, 0.0]], [[2.0, -2.0, -1.0, -3.0, -2.0, 0.1]])
    assert vote(logits, "multi").tolist() == [[1, 0, 1, 0, 0, 1]]
    assert vote(logits, "multi", 4).tolist() == [[1, 0, 1, 0, 1, 1]]
    assert vote(logits, "multi", 1).tolist() == [[1, 0, 1, 0, 0, 1]]
    assert vote(models([[5.0]], [[-0.1]], [[-0.1]]), "binary").tolist() == [[0]]


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_probabilities_are_averaged(kind):
    logits = 3 * np.random.default_rng(1).normal(size=(4, 30, 5))
    joined = mean_logits(logits, kind)
    if kind == "single":
        np.testing.assert_allclose(softmax(joined, axis=1), softmax(logits, axis=2).mean(axis=0))
    else:
        np.testing.assert_allclose(joined, logit(expit(logits).mean(axis=0)))


def test_tails_keep_their_order_where_probabilities_round_to_zero_and_one():
    """Half of e to the -800 is e to the -800.69: no such probability can be written down."""
    halved = -800 - np.log(2)
    assert mean_logits(models([[-800.0]], [[-900.0]]), "multi")[0, 0] == pytest.approx(halved)
    assert mean_logits(models([[800.0]], [[900.0]]), "multi")[0, 0] == pytest.approx(-halved)
    single = mean_logits(models([[0.0, -800.0]], [[0.0, -900.0]]), "single")
    np.testing.assert_allclose(single, [[0, halved]], atol=1e-12)
    same = mean_logits(models([[-3.0, 40.0]], [[-3.0, 40.0]]), "multi")
    np.testing.assert_allclose(same, [[-3, 40]], rtol=1e-12)
    assert log_expit(same[0, 1]) < 0


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_folds_are_joined_one_by_one(kind):
    logits = np.random.default_rng(2).normal(size=(4, 3, 10, 2))
    joined = zip(mean_logits(logits, kind), vote(logits, kind, 1), strict=True)
    for fold, (mean, votes) in enumerate(joined):
        np.testing.assert_allclose(mean, mean_logits(logits[:, fold], kind))
        np.testing.assert_array_equal(votes, vote(logits[:, fold], kind, 1))

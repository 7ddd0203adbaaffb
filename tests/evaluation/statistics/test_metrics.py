"""Scores of counts: by hand, against scikit-learn, and of classes that allow none."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from cxrpipe.evaluation.statistics import counting
from cxrpipe.evaluation.statistics.metrics import (
    accuracy,
    answer_matrices,
    confusion_matrices,
    decide,
    f1,
    kappa,
    macro,
    mcc,
    one_vs_rest_accuracy,
    precision,
    probabilities,
    recall,
    softmax,
    specificity,
)

#                      predicted covid  normal
ASYMMETRIC = np.array([[3, 1],  # true covid
                       [4, 2]])  # true normal  # fmt: skip
NAN = np.nan
EXACT = {"rtol": 0, "atol": 1e-12}
OF_ALL = (accuracy, one_vs_rest_accuracy, kappa, mcc)
OF_CLASSES = (precision, recall, specificity, f1)
cases = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(2, 5))


def random_weights(random, n):
    """Draw how often films count; the first does, since scikit-learn wants any at all."""
    return np.maximum(random.integers(0, 4, n), np.arange(n) == 0).astype(np.uint8)


def random_case(case):
    """Draw true and predicted classes, of which some may be missing, and how often films count."""
    seed, n, n_classes = case
    random = np.random.default_rng(seed)
    present = random.choice(n_classes, random.integers(1, n_classes + 1), replace=False)
    named = random.choice(n_classes, random.integers(1, n_classes + 1), replace=False)
    return random.choice(present, n), random.choice(named, n), random_weights(random, n), n_classes


def count_one(true, predicted, n_classes, weights):
    return confusion_matrices(true, predicted, n_classes, weights[None])[0]


def test_scores_of_classes_counted_by_hand():
    np.testing.assert_allclose(recall(ASYMMETRIC), [3 / 4, 2 / 6])
    np.testing.assert_allclose(precision(ASYMMETRIC), [3 / 7, 2 / 3])
    np.testing.assert_allclose(specificity(ASYMMETRIC), [2 / 6, 3 / 4])
    np.testing.assert_allclose(f1(ASYMMETRIC), [2 * 3 / (4 + 7), 2 * 2 / (6 + 3)])


def test_scores_of_all_films_counted_by_hand():
    chance = 4 * 7 + 6 * 3
    assert accuracy(ASYMMETRIC) == one_vs_rest_accuracy(ASYMMETRIC) == 5 / 10
    assert kappa(ASYMMETRIC) == pytest.approx((50 - chance) / (100 - chance))
    assert mcc(ASYMMETRIC) == pytest.approx((3 * 2 - 1 * 4) / np.sqrt(4 * 6 * 7 * 3))


def test_rows_are_true_and_columns_predicted_and_films_count_as_often_as_they_weigh():
    true, predicted = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 0, 0, 1])
    weights = np.array([[1, 1, 1, 1, 1], [3, 0, 1, 2, 0]], np.uint8)
    counts = confusion_matrices(true, predicted, 2, weights)
    assert counts.tolist() == [[[1, 1], [2, 1]], [[3, 0], [3, 0]]]


@given(cases)
def test_counts_are_those_of_scikit_learn(case):
    true, predicted, weights, n_classes = random_case(case)
    expected = sklearn.confusion_matrix(
        true, predicted, labels=range(n_classes), sample_weight=weights
    )
    np.testing.assert_array_equal(count_one(true, predicted, n_classes, weights), expected)


@given(cases)
def test_scores_of_classes_are_those_of_scikit_learn_where_films_have_the_class(case):
    true, predicted, weights, n_classes = random_case(case)
    counts = count_one(true, predicted, n_classes, weights)
    said = {"labels": range(n_classes), "sample_weight": weights, "zero_division": 0}
    theirs = sklearn.precision_recall_fscore_support(true, predicted, **said)
    missing = counts.sum(axis=1) == 0
    for score, expected in zip((precision, recall, f1), theirs[:3], strict=True):
        np.testing.assert_allclose(score(counts), np.where(missing, NAN, expected), **EXACT)


@given(cases)
def test_specificity_is_recall_of_all_other_films(case):
    true, predicted, weights, n_classes = random_case(case)
    counts = count_one(true, predicted, n_classes, weights)
    n = weights.sum()
    for finding in range(n_classes):
        others = true != finding, predicted != finding
        said = {"sample_weight": weights, "zero_division": 0}
        missing = counts[finding].sum() in (0, n)
        expected = NAN if missing else sklearn.recall_score(*others, **said)
        np.testing.assert_allclose(specificity(counts)[finding], expected, **EXACT)


@given(cases)
def test_scores_of_all_films_are_those_of_scikit_learn(case):
    true, predicted, weights, n_classes = random_case(case)
    counts = count_one(true, predicted, n_classes, weights)
    said = {"sample_weight": weights}
    of_each = [
        sklearn.accuracy_score(true == finding, predicted == finding, **said)
        for finding in range(n_classes)
    ]
    assert accuracy(counts) == pytest.approx(
        sklearn.accuracy_score(true, predicted, **said), abs=1e-12
    )
    assert one_vs_rest_accuracy(counts) == pytest.approx(np.mean(of_each), abs=1e-12)
    with warnings.catch_warnings():  # theirs warns where a class is named that no film has
        warnings.simplefilter("ignore")
        balanced = sklearn.balanced_accuracy_score(true, predicted, **said)
    assert macro(recall(counts)) == pytest.approx(balanced, abs=1e-12)


@given(cases)
def test_kappa_and_mcc_are_those_of_scikit_learn_where_films_have_several_classes(case):
    true, predicted, weights, n_classes = random_case(case)
    counts = count_one(true, predicted, n_classes, weights)
    if (counts.sum(axis=1) > 0).sum() < 2:
        assert np.isnan([kappa(counts), mcc(counts)]).all()
        return
    said = {"sample_weight": weights}
    expected = sklearn.cohen_kappa_score(true, predicted, labels=range(n_classes), **said)
    assert kappa(counts) == pytest.approx(expected, abs=1e-12)
    expected = sklearn.matthews_corrcoef(true, predicted, **said)
    assert mcc(counts) == pytest.approx(expected, abs=1e-12)


@given(cases)
def test_yes_and_no_are_counted_for_every_finding_by_itself(case):
    seed, n, n_findings = case
    random = np.random.default_rng(seed)
    true, answers = random.integers(0, 2, (2, n, n_findings))
    weights = random_weights(random, n)
    expected = sklearn.multilabel_confusion_matrix(true, answers, sample_weight=weights)
    np.testing.assert_array_equal(answer_matrices(true, answers, weights[None])[0], expected)


@pytest.mark.parametrize("score", [*OF_ALL, *OF_CLASSES])
def test_many_matrices_are_scored_as_each_alone(score):
    counts = np.random.default_rng(0).integers(0, 4, (3, 5, 4, 4))
    counts[0, 0, 2] = counts[1, 1, :, 3] = 0
    each = [[score(matrix) for matrix in matrices] for matrices in counts]
    np.testing.assert_array_equal(score(counts), each)


def test_counts_are_the_same_however_many_samples_are_counted_at_once(monkeypatch):
    random = np.random.default_rng(1)
    true, predicted = random.integers(0, 3, (2, 50))
    weights = random.integers(0, 4, (100, 50)).astype(np.uint8)
    counts = confusion_matrices(true, predicted, 3, weights)
    monkeypatch.setattr(counting, "WEIGHTS_AT_ONCE", 7 * 50)
    monkeypatch.setattr(counting, "FEWEST_SAMPLES", 1)
    np.testing.assert_array_equal(confusion_matrices(true, predicted, 3, weights), counts)


def test_a_class_that_is_never_named_has_precision_and_f1_of_zero():
    confusion = np.array([[5, 0], [3, 0]])
    np.testing.assert_allclose(precision(confusion), [5 / 8, 0])
    np.testing.assert_allclose(f1(confusion), [10 / 13, 0])
    np.testing.assert_allclose(recall(confusion), [1, 0])
    assert kappa(confusion) == mcc(confusion) == 0


def test_a_class_without_films_has_no_score_also_where_it_is_named():
    confusion = np.array([[5, 1, 2], [0, 4, 0], [0, 0, 0]])
    for score in OF_CLASSES:
        assert np.isnan(score(confusion)).tolist() == [False, False, True]


def test_a_class_that_every_film_has_has_no_specificity_and_nothing_agrees_beyond_chance():
    confusion = np.array([[6, 2], [0, 0]])
    assert (recall(confusion)[0], precision(confusion)[0]) == (6 / 8, 1)
    assert f1(confusion)[0] == 12 / 14
    for score in (specificity(confusion)[0], kappa(confusion), mcc(confusion)):
        assert np.isnan(score)


def test_no_films_have_no_scores():
    for score in (*OF_ALL, *OF_CLASSES):
        assert np.isnan(score(np.zeros((2, 3, 3)))).all()


def test_a_macro_score_is_over_the_classes_that_can_be_estimated():
    np.testing.assert_allclose(macro(np.array([0.5, NAN, 0.25])), 0.375)
    assert np.isnan(macro(np.array([NAN, NAN])))


def test_a_sample_that_lacks_a_class_which_others_have_has_no_macro_score():
    samples = np.array([[0.5, NAN, 0.25], [0.5, NAN, NAN], [0.0, NAN, 1.0]])
    np.testing.assert_allclose(macro(samples), [0.375, NAN, 0.5])


def test_the_answer_is_the_first_of_the_likeliest_findings_or_a_probability_above_one_half():
    logits = np.array([[0.0, 2.0, 2.0], [1.0, -1.0, 1e-300]])
    assert decide(logits, "single").tolist() == [1, 0]
    assert decide(logits, "multi").tolist() == [[0, 1, 1], [1, 0, 1]]


def test_probabilities_sum_to_one_also_for_huge_logits():
    logits = np.array([[1000.0, 0.0], [0.0, np.log(3)], [-2000.0, -2000.0]])
    np.testing.assert_allclose(softmax(logits), [[1, 0], [0.25, 0.75], [0.5, 0.5]])


def test_findings_share_a_film_or_each_has_its_own_probability():
    logits = np.array([[0.0, np.log(3)]])
    np.testing.assert_allclose(probabilities(logits, "single"), [[1 / 4, 3 / 4]])
    np.testing.assert_allclose(probabilities(logits, "multi"), [[1 / 2, 3 / 4]])
    np.testing.assert_allclose(probabilities(np.array([[-800.0]]), "binary"), [[0]], atol=1e-300)

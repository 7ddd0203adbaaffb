"""Scores: by hand, against scikit-learn, and against nine published confusion matrices."""

import numpy as np
import pytest
from sklearn import metrics as sklearn

from cxrpipe.evaluation.metrics import (
    accuracy,
    answer_auc,
    answer_matrices,
    auc,
    confusion_matrix,
    f1,
    precision,
    probabilities,
    recall,
    softmax,
)

#                      predicted covid  normal
ASYMMETRIC = np.array([[3, 1],  # true covid
                       [4, 2]])  # true normal  # fmt: skip

# (what was predicted, by rows of the true class), true accuracy %, macro F1
PUBLISHED = {
    "MobileNetV2": ("951,4,45; 23,1386,23; 93,3,904", 94.43, 0.9394),
    "VGG16": ("948,8,44; 7,1417,8; 88,7,905", 95.28, 0.9475),
    "DenseNet201": ("983,4,13; 15,1416,1; 120,8,872", 95.31, 0.9477),
    "Xception": ("966,0,34; 14,1411,7; 91,0,909", 95.75, 0.9526),
    "InceptionResNetV2": ("957,4,39; 15,1405,12; 79,0,921", 95.66, 0.9521),
    "ResNet152V2": ("932,12,56; 9,1414,9; 77,7,916", 95.05, 0.9452),
    "NASNetLarge": ("915,47,38; 1,1431,0; 72,64,864", 93.53, 0.9305),
    "InceptionV3": ("970,4,26; 8,1417,7; 80,0,920", 96.36, 0.9594),
    "InceptionV3, 500 px": ("961,0,39; 5,1422,5; 73,0,927", 96.45, 0.9599),
    "P VGG16": ("59,0,0,1; 0,53,7,0; 0,2,58,0; 0,1,0,59", 95.42, None),
    "P ResNet18": ("58,0,1,1; 1,52,7,0; 0,0,60,0; 0,0,0,60", 95.83, None),
    "P DenseNet121": ("59,1,0,0; 0,55,5,0; 0,3,57,0; 0,0,1,59", 95.83, None),
}


def random_case(seed, n=60, n_classes=4):
    """Every class has films, and some films have equal logits."""
    random = np.random.default_rng(seed)
    true = np.append(np.arange(n_classes), random.integers(0, n_classes, n - n_classes))
    return true, random.normal(size=(20, n_classes))[random.integers(0, 20, n)]


def films_of(counts):
    """Return true and predicted classes that have these counts."""
    places = np.argwhere(np.asarray(counts) >= 0)
    return np.repeat(places, np.asarray(counts).ravel(), axis=0).T


def test_recall_and_precision_counted_by_hand():
    np.testing.assert_allclose(recall(ASYMMETRIC), [3 / 4, 2 / 6])
    np.testing.assert_allclose(precision(ASYMMETRIC), [3 / 7, 2 / 3])


def test_accuracy_and_f1_counted_by_hand():
    assert accuracy(ASYMMETRIC) == 5 / 10
    np.testing.assert_allclose(f1(ASYMMETRIC), [2 * 3 / (4 + 7), 2 * 2 / (6 + 3)])


def test_rows_are_true_and_columns_predicted():
    true, predicted = films_of(ASYMMETRIC)
    np.testing.assert_array_equal(confusion_matrix(true, predicted, 2), ASYMMETRIC)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_confusion_matrices_give_their_true_accuracy_and_macro_f1(name):
    rows, percent, macro_f1 = PUBLISHED[name]
    counts = np.array([[int(n) for n in row.split(",")] for row in rows.split(";")])
    true, predicted = films_of(counts)
    confusion = confusion_matrix(true, predicted, len(counts))
    assert round(100 * accuracy(confusion), 2) == percent
    expected = sklearn.f1_score(true, predicted, average="macro")
    assert f1(confusion).mean() == pytest.approx(expected, abs=1e-12)
    if macro_f1:
        assert round(float(f1(confusion).mean()), 4) == macro_f1


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_scikit_learn(seed):
    true, logits = random_case(seed)
    predicted = logits.argmax(axis=1)
    confusion = confusion_matrix(true, predicted, 4)
    np.testing.assert_array_equal(confusion, sklearn.confusion_matrix(true, predicted))
    assert accuracy(confusion) == pytest.approx(sklearn.accuracy_score(true, predicted))
    expected = sklearn.precision_recall_fscore_support(true, predicted, zero_division=0)
    for ours, theirs in zip((precision, recall, f1), expected[:3], strict=True):
        np.testing.assert_allclose(ours(confusion), theirs)


@pytest.mark.parametrize("seed", range(3))
def test_the_area_is_the_share_of_pairs_in_the_right_order(seed):
    true, logits = random_case(seed)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for finding, area in enumerate(auc(true, logits)):
        with_it, without = shares[true == finding, finding], shares[true != finding, finding]
        difference = with_it[:, None] - without[None, :]
        assert (difference == 0).any()
        assert area == pytest.approx(np.mean((difference > 0) + 0.5 * (difference == 0)))


def test_a_class_that_is_never_predicted_has_precision_and_f1_of_zero():
    confusion = np.array([[5, 0], [3, 0]])
    np.testing.assert_allclose(precision(confusion), [5 / 8, 0])
    np.testing.assert_allclose(f1(confusion), [10 / 13, 0])
    np.testing.assert_allclose(recall(confusion), [1, 0])


def test_a_class_without_films_has_no_recall_and_no_area():
    confusion = np.array([[5, 1, 0], [0, 4, 0], [0, 0, 0]])
    np.testing.assert_allclose(recall(confusion), [5 / 6, 1, np.nan])
    np.testing.assert_allclose(f1(confusion), [10 / 11, 8 / 9, np.nan])
    areas = auc(np.array([0, 0, 1, 1]), random_case(0)[1][:4, :3])
    assert np.isfinite(areas[:2]).all()
    assert np.isnan(areas[2])


def test_the_area_is_missing_if_every_film_has_the_class():
    assert np.isnan(auc(np.array([1, 1]), np.array([[0.0, 1.0], [1.0, 0.0]]))).all()


def test_two_classes_have_the_same_area_also_for_very_sure_networks():
    """Probabilities round to one here; their order must not be lost."""
    logits = np.array([[0.0, 40.0], [0.0, 50.0], [0.0, 60.0]])
    np.testing.assert_allclose(auc(np.array([0, 1, 1]), logits), [1, 1])


def test_probabilities_sum_to_one_also_for_huge_logits():
    logits = np.array([[1000.0, 0.0], [0.0, np.log(3)], [-2000.0, -2000.0]])
    np.testing.assert_allclose(softmax(logits), [[1, 0], [0.25, 0.75], [0.5, 0.5]])


def test_answers_are_counted_for_every_finding_by_itself():
    """Of four films: true no, no, yes, yes twice; answered no, yes, yes, yes and all no."""
    true = np.array([[0, 0], [0, 0], [1, 1], [1, 1]])
    answered = np.array([[0, 0], [1, 0], [1, 0], [1, 0]])
    counts = answer_matrices(true, answered)
    assert counts.tolist() == [[[1, 1], [0, 2]], [[2, 0], [2, 0]]]
    np.testing.assert_array_equal(counts, sklearn.multilabel_confusion_matrix(true, answered))


def test_the_area_of_each_answer_counted_by_hand():
    """Of the pairs of a film with it and one without, 3 of 4 stand in the right order."""
    true = np.array([[1, 0, 1], [1, 0, 1], [0, 0, 1], [0, 0, 1]])
    logits = np.array([[3.0], [1.0], [2.0], [0.0]]).repeat(3, axis=1)
    np.testing.assert_array_equal(answer_auc(true, logits), [3 / 4, np.nan, np.nan])


def test_no_films_have_no_accuracy_and_no_area():
    assert np.isnan(accuracy(np.zeros((2, 2), np.int64)))
    assert np.isnan(auc(np.zeros(0, np.int64), np.zeros((0, 2)))).all()
    assert answer_matrices(np.zeros((0, 3), np.int64), np.zeros((0, 3), np.int64)).sum() == 0


def test_findings_share_a_film_or_each_has_its_own_probability():
    logits = np.array([[0.0, np.log(3)]])
    np.testing.assert_allclose(probabilities(logits, "single"), [[1 / 4, 3 / 4]])
    np.testing.assert_allclose(probabilities(logits, "multi"), [[1 / 2, 3 / 4]])
    np.testing.assert_allclose(probabilities(np.array([[-800.0]]), "binary"), [[0]], atol=1e-300)

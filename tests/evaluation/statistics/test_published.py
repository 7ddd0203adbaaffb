"""What two published systems scored, from the confusion matrices that they printed.

One of them printed the mean of three one-vs-rest accuracies as accuracy: both numbers are told.
"""

import numpy as np
import pytest

from cxrpipe.evaluation.statistics.measures import measure_answers
from cxrpipe.evaluation.statistics.metrics import macro

# EE-RDS 2021, rows true normal, covid, pneumonia, columns predicted in that order. First what was
# published in percent: mean one-vs-rest accuracy, macro sensitivity and macro specificity; then the
# true accuracy in percent and the macro F1, counted anew from the matrix.
J = {
    "MobileNetV2": (
        (96.29, 94.09, 97.36), 94.43, 0.9394, "951,4,45; 23,1386,23; 93,3,904"
    ),
    "VGG16": (
        (96.85, 94.75, 97.74), 95.28, 0.9475, "948,8,44; 7,1417,8; 88,7,905"
    ),
    "DenseNet201": (
        (96.87, 94.79, 97.75), 95.31, 0.9477, "983,4,13; 15,1416,1; 120,8,872"
    ),
    "Xception": (
        (97.16, 95.34, 97.99), 95.75, 0.9526, "966,0,34; 14,1411,7; 91,0,909"
    ),
    "InceptionResNetV2": (
        (97.11, 95.30, 97.94), 95.66, 0.9521, "957,4,39; 15,1405,12; 79,0,921"
    ),
    "ResNet152V2": (
        (96.69, 94.51, 97.61), 95.05, 0.9452, "932,12,56; 9,1414,9; 77,7,916"
    ),
    "NASNetLarge": (
        (95.69, 92.61, 96.63), 93.53, 0.9305, "915,47,38; 1,1431,0; 72,64,864"
    ),
    "InceptionV3": (
        (97.57, 95.98, 98.27), 96.36, 0.9594, "970,4,26; 8,1417,7; 80,0,920"
    ),
    "InceptionV3, 500 px, 1024 head": (
        (97.63, 96.03, 98.32), 96.45, 0.9599, "961,0,39; 5,1422,5; 73,0,927"
    ),
}  # fmt: skip
# Classification and localisation of chest radiographs, 60 films each of covid, lung opacity,
# normal and viral pneumonia: published accuracy in percent.
P = {
    "VGG16": (95.42, "59,0,0,1; 0,53,7,0; 0,2,58,0; 0,1,0,59"),
    "ResNet18": (95.83, "58,0,1,1; 1,52,7,0; 0,0,60,0; 0,0,0,60"),
    "DenseNet121": (95.83, "59,1,0,0; 0,55,5,0; 0,3,57,0; 0,0,1,59"),
}
DIGIT = 0.01  # some numbers were cut after the second digit, others rounded


def score(rows):
    """Score the films that a printed matrix counts."""
    counts = np.array([[int(n) for n in row.split(",")] for row in rows.split(";")])
    true, predicted = np.repeat(np.argwhere(counts >= 0), counts.ravel(), axis=0).T
    once = np.ones((1, len(true)), np.uint8)
    scores = measure_answers(true, predicted, "single", len(counts), once)
    np.testing.assert_array_equal(scores["confusion"][0], counts)
    return scores


@pytest.mark.parametrize("name", J)
def test_what_was_published_as_accuracy_is_the_one_vs_rest_mean(name):
    (one_vs_rest, sensitivity, specificity), _, _, rows = J[name]
    scores = score(rows)
    assert 100 * scores["one_vs_rest_accuracy"][0] == pytest.approx(one_vs_rest, abs=DIGIT)
    assert 100 * macro(scores["recall"])[0] == pytest.approx(sensitivity, abs=DIGIT)
    assert 100 * macro(scores["specificity"])[0] == pytest.approx(specificity, abs=DIGIT)
    assert one_vs_rest - 100 * scores["accuracy"][0] > 1  # it flatters by more than a percent


@pytest.mark.parametrize("name", J)
def test_the_true_accuracy_and_macro_f1_follow_from_the_same_matrix(name):
    _, accuracy, macro_f1, rows = J[name]
    scores = score(rows)
    assert round(100 * scores["accuracy"][0], 2) == accuracy
    assert round(macro(scores["f1"])[0], 4) == macro_f1


@pytest.mark.parametrize("name", P)
def test_the_accuracy_of_the_system_of_four_findings_is_true(name):
    accuracy, rows = P[name]
    scores = score(rows)
    assert round(100 * scores["accuracy"][0], 2) == accuracy
    assert scores["balanced_accuracy"] == pytest.approx(scores["accuracy"], abs=1e-12)  # 60 of each
    assert scores["one_vs_rest_accuracy"][0] == pytest.approx(1 - (1 - scores["accuracy"][0]) / 2)

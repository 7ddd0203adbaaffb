"""Scores of an epoch: counted by hand, beside scikit-learn, and of films that allow none."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, roc_auc_score

from cxrpipe.training.scores import Scores, log_odds, merit, score

NAN = math.nan


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def as_tuple(scores):
    return scores.loss, scores.accuracy, scores.macro_f1, scores.macro_auc


def test_scores_of_one_finding_each_counted_by_hand():
    logits = torch.tensor([[2.0, 1], [3, 1], [0, 1], [0, 3], [1, 0]])
    labels = torch.tensor([0, 0, 0, 1, 1])
    # predicted 0 0 1 1 0. F1 of 0: 2 x 2 / (3 + 3); of 1: 2 x 1 / (2 + 2).
    # Log odds of 0: 1 2 -1 against -3 1, five of six pairs in order, one of them a tie.
    area = (2 + 1 + 1 + 0.5) / 6
    expected = (0.25, 3 / 5, (2 / 3 + 1 / 2) / 2, area)
    assert as_tuple(score(logits, labels, 0.25)) == pytest.approx(expected)


def test_scores_of_several_findings_counted_by_hand():
    logits = torch.tensor([[1.0, -1], [-1, -2], [2, 1], [-3, 2]])
    labels = torch.tensor([[1.0, 0], [1, 0], [0, 0], [0, 1]])
    # predicted 1 0, 0 0, 1 1, 0 1: F1 of the first 2 x 1 / (2 + 2), of the second 2 x 1 / (1 + 2)
    # Areas: 1 -1 against 2 -3, two of four pairs; 2 against all others, three of three.
    expected = (0.5, 5 / 8, (1 / 2 + 2 / 3) / 2, (1 / 2 + 1) / 2)
    assert as_tuple(score(logits, labels, 0.5)) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_one_finding_each_agrees_with_scikit_learn(seed):
    logits = 2 * torch.randn(200, 4, generator=random(seed))
    labels = torch.randint(0, 4, (200,), generator=random(seed + 100))
    ours = score(logits, labels, 0.0)
    probabilities = logits.double().softmax(dim=1)
    assert ours.macro_auc == pytest.approx(
        roc_auc_score(labels, probabilities, multi_class="ovr", average="macro"), rel=1e-12
    )
    assert ours.macro_f1 == pytest.approx(
        f1_score(labels, logits.argmax(dim=1), average="macro"), rel=1e-12
    )


@pytest.mark.parametrize("seed", range(5))
def test_several_findings_agree_with_scikit_learn(seed):
    logits = torch.randn(200, 5, generator=random(seed)).round(decimals=1)  # with ties
    labels = torch.randint(0, 2, (200, 5), generator=random(seed + 100))
    ours = score(logits, labels.float(), 0.0)
    assert ours.macro_auc == pytest.approx(roc_auc_score(labels, logits, average="macro"))
    predicted = (logits.sigmoid() > 0.5).int()
    assert ours.macro_f1 == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert ours.accuracy == pytest.approx(float((predicted == labels).double().mean()))


def test_a_binary_task_is_scored_for_its_one_finding():
    logits = torch.tensor([[1.0], [2], [-1], [-2]])
    labels = torch.tensor([[1.0], [0], [0], [0]])
    assert as_tuple(score(logits, labels, 0.0)) == pytest.approx((0, 3 / 4, 2 / 3, 2 / 3))


def test_two_findings_have_the_area_of_either():
    logits, labels = torch.randn(50, 2, generator=random()), torch.arange(50) % 2
    difference = (logits[:, 1] - logits[:, 0]).double()
    expected = roc_auc_score(labels, difference)
    assert score(logits, labels, 0.0).macro_auc == pytest.approx(expected, rel=1e-12)


def test_findings_that_cannot_be_estimated_are_left_out_of_the_means():
    logits = torch.tensor([[1.0, -1, -1, 1], [-1, -1, -1, 1], [-2, -1, 2, 1]])
    labels = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, 1], [0, 0, 0, 1]])
    # The second is neither shown nor predicted; the third predicted, not shown; the fourth always.
    expected = (0.0, 10 / 12, (2 / 3 + 1) / 2, 1.0)
    assert as_tuple(score(logits, labels, 0.0)) == pytest.approx(expected)


def test_a_finding_without_films_is_left_out_where_one_finding_is_told():
    logits = torch.tensor([[2.0, 0, 0], [0, 2, 0]])
    assert as_tuple(score(logits, torch.tensor([0, 1]), 0.0)) == (0.0, 1.0, 1.0, 1.0)


def test_scores_of_which_nothing_is_left_are_no_numbers():
    of_each = score(-torch.ones(3, 2), torch.zeros(3, 2), 0.0)
    of_one = score(torch.tensor([[1.0, 0], [2, 0]]), torch.tensor([0, 0]), 0.0)
    assert math.isnan(of_each.macro_f1)
    assert math.isnan(of_each.macro_auc)
    assert of_one.macro_f1 == 1
    assert math.isnan(of_one.macro_auc)


@pytest.mark.parametrize("broken", [math.nan, math.inf])
@pytest.mark.parametrize("labels", [torch.arange(4) % 2, torch.eye(4)[:, :2]])
def test_logits_that_are_not_finite_have_no_area(broken, labels):
    assert math.isnan(score(torch.full((4, 2), broken), labels, NAN).macro_auc)


def test_films_of_certain_findings_keep_their_order():
    logits = torch.tensor([[100.0, 0], [60, 0], [80, 0]])  # their probabilities round to one
    assert logits.softmax(dim=1)[:, 0].tolist() == [1, 1, 1]
    assert log_odds(logits.double())[:, 0].tolist() == [100, 60, 80]
    assert score(logits, torch.tensor([0, 1, 0]), 0.0).macro_auc == 1


def test_log_odds_are_those_of_the_probabilities():
    logits = torch.randn(20, 5, generator=random()).double()
    probabilities = logits.softmax(dim=1).numpy()
    expected = np.log(probabilities / (1 - probabilities))
    np.testing.assert_allclose(log_odds(logits), expected, rtol=1e-10)


def test_logits_of_a_network_may_carry_gradients_or_inference_mode():
    with torch.inference_mode():
        inferred = torch.tensor([[1.0, 0], [0, 1]]) * 1
    logits = torch.tensor([[1.0, 0], [0, 1]], requires_grad=True)
    for given in (inferred, logits):
        assert score(given, torch.tensor([0, 1]), 0.0).accuracy == 1


def test_the_merit_is_larger_for_the_better_epoch():
    scores = Scores(loss=0.3, accuracy=0.9, macro_f1=0.8, macro_auc=0.95)
    merits = {name: merit(scores, name) for name in ("loss", "accuracy", "macro_f1", "macro_auc")}
    assert merits == {"loss": -0.3, "accuracy": 0.9, "macro_f1": 0.8, "macro_auc": 0.95}


@pytest.mark.parametrize("monitor", ["loss", "accuracy", "macro_f1", "macro_auc"])
def test_what_is_no_number_is_never_the_best(monitor):
    assert merit(Scores(NAN, NAN, NAN, NAN), monitor) == -math.inf

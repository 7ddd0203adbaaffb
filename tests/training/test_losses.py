"""Losses: counted by hand, beside torch, torchvision and scikit-learn, and at their limits."""

import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from cxrpipe.config import Training
from cxrpipe.training.losses import make_criterion, weigh_classes, weigh_positives

ONE = torch.tensor([0] * 6 + [1] * 3 + [2])  # one finding each of ten films
EACH = torch.tensor([[1.0, 0], [1, 1], [0, 0], [1, 0], [0, 0]])
VARIANTS = [
    {"class_weights": weights, "label_smoothing": smoothing}
    for weights in (False, True)
    for smoothing in (0, 0.2)
]


def logits_of(labels, seed=0, scale=2.0):
    n_findings = 3 if labels.ndim == 1 else labels.shape[1]
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(len(labels), n_findings, generator=generator)


def criterion(labels, **changed):
    return make_criterion(Training(**changed), labels)


def test_the_plain_losses_are_those_of_torch():
    ours = criterion(ONE)(logits_of(ONE), ONE)
    torch.testing.assert_close(ours, functional.cross_entropy(logits_of(ONE), ONE))
    ours = criterion(EACH)(logits_of(EACH), EACH)
    torch.testing.assert_close(
        ours, functional.binary_cross_entropy_with_logits(logits_of(EACH), EACH)
    )


def test_losses_are_nats():
    assert float(criterion(ONE)(torch.zeros(10, 3), ONE)) == pytest.approx(math.log(3))
    assert float(criterion(EACH)(torch.zeros(5, 2), EACH)) == pytest.approx(math.log(2))


def test_answers_may_be_integers():
    plain = criterion(EACH, class_weights=True)(logits_of(EACH), EACH)
    integers = criterion(EACH.long(), class_weights=True)(logits_of(EACH), EACH.long())
    assert torch.equal(plain, integers)


def test_weights_of_findings_counted_by_hand_and_as_scikit_learn_balances():
    torch.testing.assert_close(weigh_classes(ONE), torch.tensor([10 / 18, 10 / 9, 10 / 3]))
    theirs = compute_class_weight("balanced", classes=np.arange(3), y=ONE.numpy())
    np.testing.assert_allclose(weigh_classes(ONE), theirs, rtol=1e-6)
    assert float(weigh_classes(ONE)[ONE].mean()) == pytest.approx(1)


def test_a_finding_without_training_films_has_the_weight_one():
    torch.testing.assert_close(
        weigh_classes(torch.tensor([0, 2, 2, 2])), torch.tensor([2, 1, 2 / 3])
    )
    weighted = criterion(torch.tensor([0, 0, 0, 1]), class_weights=True)  # 2/3 and 2
    logits = torch.zeros(3, 4)
    loss = float(weighted(logits, torch.tensor([0, 1, 3])))  # the last two beyond the labels
    assert loss == pytest.approx((2 / 3 + 2 + 1) / 3 * math.log(4))


def test_with_class_weights_every_finding_adds_equally():
    weighted = criterion(ONE, class_weights=True)
    parts = [float(weighted(torch.zeros(len(c), 3), c)) * len(c) for c in ONE.split([6, 3, 1])]
    assert parts == pytest.approx([10 / 3 * math.log(3)] * 3)


def test_positives_are_weighed_by_negatives_over_positives():
    assert weigh_positives(EACH).tolist() == pytest.approx([2 / 3, 4])
    loss = float(criterion(EACH, class_weights=True)(torch.zeros(5, 2), EACH))
    # first: 3 positives of weight 2/3 and 2 negatives; second: 1 positive of 4 and 4 negatives
    assert loss == pytest.approx((2 + 2 + 4 + 4) / 10 * math.log(2))


def test_a_finding_without_positives_or_without_negatives_is_not_weighed():
    labels = torch.tensor([[0, 1, 1], [0, 1, 0], [0, 1, 0]])
    assert weigh_positives(labels).tolist() == [1, 1, 2]


def test_smoothing_is_torchs_for_one_finding_and_towards_a_half_for_each():
    ours = criterion(ONE, label_smoothing=0.3)(logits_of(ONE), ONE)
    theirs = functional.cross_entropy(logits_of(ONE), ONE, label_smoothing=0.3)
    torch.testing.assert_close(ours, theirs)
    ours = criterion(EACH, label_smoothing=0.2)(torch.full((5, 2), math.log(3)), EACH)
    # probabilities of 3/4 for 4 positives as 0.9 and 6 negatives as 0.1
    yes, no = -math.log(3 / 4), -math.log(1 / 4)
    expected = (4 * (0.9 * yes + 0.1 * no) + 6 * (0.1 * yes + 0.9 * no)) / 10
    assert float(ours) == pytest.approx(expected)


@pytest.mark.parametrize("gamma", [0.5, 1, 2, 5])
def test_the_focal_loss_of_each_is_torchvisions_and_so_is_its_slope(gamma):
    ours = logits_of(EACH).requires_grad_()
    theirs = logits_of(EACH).requires_grad_()
    loss = criterion(EACH, loss="focal", focal_gamma=gamma)(ours, EACH)
    expected = sigmoid_focal_loss(theirs, EACH, alpha=-1, gamma=gamma, reduction="mean")
    torch.testing.assert_close(loss, expected)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_the_focal_loss_of_one_finding_counted_by_hand():
    logits = torch.tensor([[math.log(3), 0], [0, 0]])  # probabilities of 3/4 and 1/2
    labels = torch.tensor([0, 1])
    loss = criterion(labels, loss="focal", focal_gamma=2)(logits, labels)
    expected = (-(1 / 16) * math.log(3 / 4) + 1 / 4 * math.log(2)) / 2
    assert float(loss) == pytest.approx(expected)


def test_class_weights_multiply_focal_losses():
    labels = torch.tensor([0, 0, 0, 1])  # 2/3 and 2
    focal = criterion(labels, loss="focal", focal_gamma=1, class_weights=True)
    expected = (3 * 2 / 3 + 2) / 4 * math.log(2) / 2
    assert float(focal(torch.zeros(4, 2), labels)) == pytest.approx(expected)
    focal = criterion(EACH, loss="focal", focal_gamma=1, class_weights=True)
    assert float(focal(torch.zeros(5, 2), EACH)) == pytest.approx(12 / 10 * math.log(2) / 2)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("labels", [ONE, EACH], ids=["one", "each"])
def test_a_gamma_of_zero_is_the_plain_loss_with_its_slope(labels, variant):
    slopes, losses = [], []
    for loss in ("focal", "cross_entropy"):
        logits = logits_of(labels).requires_grad_()
        losses.append(criterion(labels, loss=loss, focal_gamma=0, **variant)(logits, labels))
        losses[-1].backward()
        slopes.append(logits.grad)
    assert torch.equal(*losses)
    torch.testing.assert_close(*slopes)


@pytest.mark.parametrize("gamma", [0, 0.01, 0.5, 1, 2])
@pytest.mark.parametrize("labels", [ONE, EACH], ids=["one", "each"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_loss_and_slope_stay_finite_for_certain_answers(labels, variant, gamma):
    right = functional.one_hot(ONE) if labels.ndim == 1 else labels
    for logits in (1000 * (2.0 * right - 1), 1000 * (1 - 2.0 * right)):
        logits.requires_grad_()
        loss = criterion(labels, loss="focal", focal_gamma=gamma, **variant)(logits, labels)
        loss.backward()
        assert math.isfinite(float(loss.detach()))
        assert bool(logits.grad.isfinite().all())


@pytest.mark.parametrize("loss", ["cross_entropy", "focal"])
@pytest.mark.parametrize("labels", [ONE, EACH], ids=["one", "each"])
def test_parts_of_a_batch_add_up_to_the_whole(labels, loss):
    mean = criterion(labels, loss=loss, class_weights=True, label_smoothing=0.1)
    logits = logits_of(labels)
    parts = sum(
        mean(some, answers) * len(answers) / len(labels)
        for some, answers in zip(logits.chunk(3), labels.chunk(3), strict=True)
    )
    torch.testing.assert_close(parts, mean(logits, labels))


@pytest.mark.parametrize("labels", [ONE, EACH], ids=["one", "each"])
def test_losses_leave_labels_and_the_global_random_state_as_they_were(labels):
    before, given = torch.get_rng_state(), labels.clone()
    criterion(labels, loss="focal", class_weights=True, label_smoothing=0.1)(
        logits_of(labels), labels
    )
    assert torch.equal(labels, given)
    assert torch.equal(torch.get_rng_state(), before)

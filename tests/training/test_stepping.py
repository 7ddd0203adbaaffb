"""One step: what it returns, and batches in parts where the memory is short."""

import math

import pytest
import torch
from torch import nn

from cxrpipe.config import Training
from cxrpipe.training.losses import make_criterion
from cxrpipe.training.stepping import Stepper, count_right

GREY = torch.linspace(0, 255, 8 * 16).view(8, 1, 4, 4)
LABELS = torch.tensor([0, 1] * 4)


class Small(nn.Module):
    """Its memory holds only so many films."""

    def __init__(self, most=8):
        super().__init__()
        self.layer = nn.Linear(16, 2)
        nn.init.zeros_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)
        self.most = most

    def forward(self, grey):
        if len(grey) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.layer(grey.flatten(1) / 255)


def stepper(network, **said):
    settings = Training(optimiser="sgd", momentum=0, precision="fp32", **said)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    return Stepper(network, optimiser, make_criterion(settings, LABELS), settings)


def test_a_step_returns_the_mean_loss_and_the_share_of_right_answers():
    loss, share = stepper(Small())(GREY, LABELS)
    assert float(loss) == pytest.approx(math.log(2))  # equal logits
    assert float(share) == 0.5


def test_right_answers_are_findings_or_every_yes_and_no():
    logits = torch.tensor([[2.0, -1.0], [-1.0, 3.0], [1.0, 0.5]])
    assert int(count_right(logits, torch.tensor([0, 1, 1]))) == 2
    yes = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])  # right: both, the second, none
    assert int(count_right(logits, yes)) == 3


@pytest.mark.parametrize(("most", "n_parts"), [(8, 1), (4, 2), (3, 4), (2, 4)])
def test_a_batch_in_parts_takes_the_same_step(most, n_parts):
    whole, short = Small(), Small(most)
    expected = stepper(whole)(GREY, LABELS)
    step = stepper(short, halve_batch=True)
    taken = step(GREY, LABELS)
    assert step.n_parts == n_parts
    torch.testing.assert_close(taken, expected)
    torch.testing.assert_close(short.layer.weight, whole.layer.weight)


@pytest.mark.parametrize(("most", "allowed"), [(4, False), (1, True)])
def test_memory_that_is_too_short_is_an_error_if_halving_is_not_allowed_or_not_enough(
    most, allowed
):
    with pytest.raises(torch.OutOfMemoryError):
        stepper(Small(most), halve_batch=allowed)(GREY, LABELS)


def test_another_error_is_passed_on():
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        stepper(Small(), halve_batch=True)(GREY[:, :, :2], LABELS)


def test_a_batch_that_was_tried_in_vain_leaves_no_trace():
    """The norm sees every part once, and dropout draws as if nothing had failed."""

    class Normed(Small):
        def __init__(self, most):
            super().__init__(most)
            self.norm = nn.BatchNorm1d(16)
            self.drop = nn.Dropout(0.5)

        def forward(self, grey):
            self.drop(self.norm(grey.flatten(1) / 255))
            return super().forward(grey)

    short, halved = Normed(most=4), Normed(most=4)
    torch.manual_seed(1)
    stepper(short, halve_batch=True)(GREY, LABELS)
    drawn = torch.get_rng_state()
    torch.manual_seed(1)
    for part in GREY.chunk(2):
        halved(part)
    assert torch.equal(short.norm.running_mean, halved.norm.running_mean)
    assert int(short.norm.num_batches_tracked) == 2
    assert torch.equal(drawn, torch.get_rng_state())

"""Steps of the optimisers counted by hand, and learning rates beside torch's schedules."""

import math
import random

import pytest
import torch
from torch import nn

from cxrpipe.config import Training, check
from cxrpipe.runtime import UserError
from cxrpipe.training.optimisation import count_plateaus, learning_rate, make_optimiser


def network():
    """A matrix of 2 and -4, a bias of 3."""
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, -4]]))
        layer.bias.fill_(3)
    return layer


def step(layer, optimiser, gradient):
    for weight in layer.parameters():
        if weight.requires_grad:
            weight.grad = torch.full_like(weight, gradient)
    optimiser.step()


def numbers(layer):
    return [*layer.weight.detach().flatten().tolist(), float(layer.bias.detach())]


@pytest.mark.parametrize(
    ("optimiser", "expected"),
    [
        ("sgd", [2 - 0.1 * 0.5 * 2, -4 + 0.1 * 0.5 * 4, 3]),  # rate x decay x weight
        ("adamw", [2 - 0.1 * 0.5 * 2, -4 + 0.1 * 0.5 * 4, 3]),
        ("adam", [2 - 0.1, -4 + 0.1, 3]),  # the first step of Adam is the sign of its gradient
    ],
)
def test_without_a_gradient_matrices_decay_and_biases_stay(optimiser, expected):
    layer = network()
    settings = Training(optimiser=optimiser, learning_rate=0.1, weight_decay=0.5)
    step(layer, make_optimiser(layer, settings), 0.0)
    assert numbers(layer) == pytest.approx(expected)


def test_sgd_gathers_momentum():
    layer = network()
    settings = Training(optimiser="sgd", learning_rate=0.1, momentum=0.8)
    optimiser = make_optimiser(layer, settings)
    for _ in range(2):
        step(layer, optimiser, 1.0)
    fallen = 0.1 * (1 + 1.8)
    assert numbers(layer) == pytest.approx([2 - fallen, -4 - fallen, 3 - fallen])


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_steps_are_those_of_torch(name):
    ours, theirs = network(), network()
    settings = Training(optimiser=name, learning_rate=0.1, weight_decay=0.2)
    optimiser = make_optimiser(ours, settings)
    make = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name]
    oracle = make([theirs.weight], lr=0.1, weight_decay=0.2)
    oracle.add_param_group({"params": [theirs.bias], "weight_decay": 0})
    for gradient in (1.0, -2.0, 0.5):
        step(ours, optimiser, gradient)
        step(theirs, oracle, gradient)
    assert numbers(ours) == pytest.approx(numbers(theirs), rel=1e-5)


def test_every_weight_is_optimised_once_and_kernels_alone_decay():
    layers = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    decayed, others = make_optimiser(layers, Training(weight_decay=0.01)).param_groups
    assert [id(weight) for weight in decayed["params"]] == [
        id(layers[0].weight),
        id(layers[3].weight),
    ]
    assert {id(weight) for group in (decayed, others) for weight in group["params"]} == {
        id(weight) for weight in layers.parameters()
    }
    assert len(decayed["params"]) + len(others["params"]) == len(list(layers.parameters()))
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.01, 0)


def test_a_network_without_biases_is_optimised():
    layer = nn.Linear(2, 1, bias=False)
    before = layer.weight.detach().clone()
    step(layer, make_optimiser(layer, Training(optimiser="sgd", learning_rate=0.1)), 1.0)
    torch.testing.assert_close(layer.weight.detach(), before - 0.1)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_a_frozen_weight_stays_until_it_is_thawed(name):
    layer = network()
    layer.weight.requires_grad_(False)
    settings = Training(optimiser=name, learning_rate=0.1, weight_decay=0.5)
    optimiser = make_optimiser(layer, settings)
    step(layer, optimiser, 1.0)
    assert layer.weight.tolist() == [[2, -4]]
    layer.weight.requires_grad_(True)
    step(layer, optimiser, 1.0)
    assert layer.weight.tolist() != [[2, -4]]


def rates(settings, n_batches, scores=()):
    n = settings.epochs * n_batches
    return [learning_rate(settings, step, n_batches, scores) for step in range(n)]


def torchs_rates(schedule_of, n, *scores_of):
    """Return n rates of a schedule of torch that begins at 0.5; it is told scores if given."""
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.5)
    schedule = schedule_of(optimiser)
    found = []
    for place in range(n):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step(*(scores[place] for scores in scores_of))
    return found


def test_a_constant_rate_is_the_one_set():
    assert rates(Training(epochs=2, schedule="constant", learning_rate=0.5), 3) == [0.5] * 6


@pytest.mark.parametrize(("epochs", "n_batches"), [(1, 1), (1, 7), (4, 5)])
def test_the_cosine_is_torchs(epochs, n_batches):
    n = epochs * n_batches
    settings = Training(epochs=epochs, schedule="cosine", learning_rate=0.5)
    theirs = torchs_rates(lambda of: torch.optim.lr_scheduler.CosineAnnealingLR(of, n), n)
    assert rates(settings, n_batches) == pytest.approx(theirs)


def test_the_rate_rises_evenly_over_the_warm_up_and_then_follows_the_cosine():
    settings = Training(epochs=2, schedule="cosine", learning_rate=0.5, warm_up=0.75)
    rising = [0.125, 0.25, 0.375]  # three of four steps of an epoch
    falling = [0.25 * (1 + math.cos(math.pi * place / 5)) for place in range(5)]
    assert rates(settings, 4) == pytest.approx(rising + falling)


def test_a_warm_up_may_fill_the_training():
    settings = Training(epochs=1, schedule="cosine", learning_rate=0.5, warm_up=1)
    assert rates(settings, 4) == pytest.approx([0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("schedule", ["constant", "cosine", "plateau"])
@pytest.mark.parametrize("warm_up", [0, 0.3, 1, 2.5])
def test_rates_are_above_zero_and_never_above_the_one_set(schedule, warm_up):
    settings = Training(epochs=3, schedule=schedule, learning_rate=0.5, warm_up=warm_up)
    found = rates(settings, 7, scores=[0.1, 0.2])
    assert min(found) > 0
    assert max(found) == 0.5


def test_a_warm_up_longer_than_the_training_is_refused():
    with pytest.raises(UserError, match=r"^training: warm_up: 2\.5 epochs of 2; give fewer"):
        check(Training, {"epochs": 2, "warm_up": 2.5}, "training")


@pytest.mark.parametrize("seed", range(30))
def test_the_plateau_is_torchs_for_scores_at_random(seed):
    source = random.Random(seed)  # noqa: S311
    patience, n = source.randrange(4), 25
    scores = [source.choice([-math.inf, 0.1, 0.2, 0.3, 0.4, 0.5]) for _ in range(n)]
    theirs = torchs_rates(
        lambda optimiser: torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimiser, "max", factor=0.5, patience=patience, threshold=0, eps=0
        ),
        n,
        scores,
    )
    settings = Training(
        epochs=n,
        schedule="plateau",
        learning_rate=0.5,
        plateau_factor=0.5,
        plateau_patience=patience,
    )
    ours = [learning_rate(settings, epoch * 3 + 1, 3, scores[:epoch]) for epoch in range(n)]
    assert ours == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("scores", "patience", "expected"),
    [
        ([], 0, 0),
        ([1], 0, 0),
        ([1, 1], 0, 1),
        ([1, 1, 1], 0, 2),
        ([1, 0, 0], 2, 0),
        ([1, 0, 0, 0], 2, 1),
        ([1, 0, 0, 2, 1, 1], 2, 0),
        ([1, 0, 0, 0, 0, 0, 0], 2, 2),
    ],
)
def test_plateaus_are_counted_as_by_hand(scores, patience, expected):
    assert count_plateaus(scores, patience) == expected


def plateau(**changed):
    plain = {"epochs": 9, "learning_rate": 1, "plateau_factor": 0.1, "plateau_patience": 0}
    return Training(schedule="plateau", **plain | changed)


def test_a_rate_depends_on_the_epochs_before_it_alone():
    scores = [0.5, 0.4, 0.3]
    assert rates(plateau(epochs=3), 2, scores) == pytest.approx([1, 1, 1, 1, 0.1, 0.1])


def test_epochs_of_the_head_alone_are_no_plateau():
    scores = [0.5, 0.4, 0.3, 0.2]  # the first two train the head
    found = [learning_rate(plateau(head_epochs=2), epoch, 1, scores) for epoch in range(5)]
    assert found == pytest.approx([1, 1, 1, 1, 0.1])


def test_the_warm_up_and_plateaus_multiply():
    settings = plateau(warm_up=3)
    assert learning_rate(settings, 2, 1, [0.5, 0.4]) == pytest.approx(0.75 * 0.1)

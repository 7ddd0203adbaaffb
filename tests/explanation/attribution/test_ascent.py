"""Activation maximisation: the pictures are those that the filters' own weights tell."""

import numpy as np
import pytest
import torch
from torch import nn

from cxrpipe.config import Model
from cxrpipe.explanation.attribution.ascent import (
    bound,
    climb,
    draw_noise,
    excitement,
    gauge,
    of_one_length,
    smooth,
    standardise,
)
from cxrpipe.models.zoo import Classifier, build

MODEL = Model(architecture="test_resnet", side=32)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks are fastest on one thread, the more so beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def classifier():
    return Classifier(build(MODEL, 2, seed=0), 0.5, 0.3).eval()


def convolution(kernels):
    """Return a network of one convolution with kernels (n, side, side)."""
    layer = nn.Conv2d(1, len(kernels), kernels.shape[-1], bias=False)
    layer.weight = nn.Parameter(kernels.unsqueeze(1))
    return nn.Sequential(layer)


def gratings():
    """Return two even kernels of 15 pixels, of waves that run across and down."""
    place = torch.linspace(-1, 1, 15)
    wave = torch.cos(4 * place) * torch.exp(-(place**2))
    bell = torch.exp(-2 * place**2)
    across = bell[:, None] * (wave - wave.mean())[None, :]
    return torch.stack([across, across.T])


def hooks_of(network):
    return [hook for module in network.modules() for hook in module._forward_hooks.values()]


# What is climbed


def test_the_picture_of_a_single_convolution_is_its_kernel():
    kernels, noise = gratings(), draw_noise(15, 3)
    filters = gauge(convolution(kernels), "0", [0, 1], noise)
    films = climb(filters, noise[:1], steps=30, seed=0, jitter=0)
    for film, kernel in zip(films[:, 0], kernels, strict=True):
        assert np.corrcoef(film.ravel(), kernel.ravel())[0, 1] > 0.95
    assert films.min() >= 0
    assert films.max() <= 255
    torch.testing.assert_close(films, films.round())


def test_a_larger_picture_repeats_what_its_filter_wants():
    """Waves across have more of their power in the kernel's frequency across than down."""
    noise = draw_noise(48, 3)
    filters = gauge(convolution(gratings()), "0", [0, 1], noise)
    films = climb(filters, noise[:1], steps=30, seed=0)[:, 0]
    power = torch.fft.fft2(films - films.mean(dim=(1, 2), keepdim=True)).abs().square()
    across, down = power[:, :4, 2:].sum(dim=(1, 2)), power[:, 2:, :4].sum(dim=(1, 2))
    assert across[0] > 10 * down[0]
    assert down[1] > 10 * across[1]


def test_every_picture_excites_its_own_filter_more_than_noise_and_than_the_others(classifier):
    noise = draw_noise(32, 1)
    filters = gauge(classifier, "network.layer2.0.conv2", [0, 3, 5], noise)
    films = climb(filters, noise[:1], steps=15, seed=2)
    reached = excitement(filters, films)
    assert (reached > 3 * excitement(filters, noise[:1].expand(3, 1, 32, 32))).all()
    assert (reached > excitement(filters, films.roll(1, dims=0))).all()


def test_more_steps_climb_higher(classifier):
    noise = draw_noise(32, 1)
    filters = gauge(classifier, "network.layer1.0.conv1", [0, 1, 2, 3], noise)
    few, many = (climb(filters, noise[:1], steps, seed=2) for steps in (3, 15))
    assert (excitement(filters, many) > excitement(filters, few)).all()


def test_a_filter_that_never_answers_leaves_the_noise_smooth_and_unexcited():
    noise = draw_noise(15, 3)
    filters = gauge(convolution(torch.zeros(1, 15, 15)), "0", [0], noise)
    films = climb(filters, noise[:1], steps=4, seed=0)
    assert excitement(filters, films).item() == 0
    smoothed = noise[:1]
    for _ in range(4):
        smoothed = smooth(smoothed)
    torch.testing.assert_close(films, smoothed.round())


# On what scale


def test_noise_itself_excites_a_linear_filter_by_the_root_of_a_half():
    """Half of what is standardised and even about zero is positive; its mean square is 1/2."""
    noise = draw_noise(64, 3)
    filters = gauge(convolution(gratings()), "0", [1], noise)
    answers = standardise(filters._replace(channels=torch.tensor([1] * len(noise))), noise)
    assert answers.mean().item() == pytest.approx(0, abs=1e-4)
    assert answers.std(correction=0).item() == pytest.approx(1, abs=1e-3)
    reached = excitement(filters._replace(channels=torch.tensor([1] * len(noise))), noise)
    assert reached.square().mean().item() == pytest.approx(0.5, abs=0.1)


def test_the_scale_of_a_filters_weights_is_of_no_matter():
    noise = draw_noise(15, 3)
    one, tenfold = (gauge(convolution(scale * gratings()), "0", [0, 1], noise) for scale in (1, 10))
    films = climb(one, noise[:1], steps=10, seed=0)
    torch.testing.assert_close(excitement(one, films), excitement(tenfold, films))


def test_steps_have_one_length_however_steep_the_slope():
    slopes = torch.tensor([[3.0, -4.0], [0.003, -0.004]]).reshape(2, 1, 1, 2)
    expected = torch.tensor([3.0, -4.0]) / (25 / 2) ** 0.5
    torch.testing.assert_close(of_one_length(slopes).flatten(1), expected.expand(2, 2))
    assert of_one_length(torch.zeros(1, 1, 2, 2)).abs().max() == 0


def test_a_picture_keeps_within_its_contrast_and_the_grey_scale():
    films = torch.tensor([[127.5 + 90, 127.5 - 90], [127.5 + 30, 127.5 - 30]]).reshape(2, 1, 1, 2)
    expected = torch.tensor([[187.5, 67.5], [157.5, 97.5]])
    torch.testing.assert_close(bound(films).flatten(1), expected)
    point = torch.full((1, 1, 10, 10), 127.5)
    point[0, 0, 3, 3] += 1000  # a contrast of 100 is brought to 60, and 727.5 to white
    assert bound(point).max() == 255


def test_smoothing_keeps_a_level_and_spreads_a_point_over_nine():
    level = torch.full((1, 1, 5, 5), 90.0)
    torch.testing.assert_close(smooth(level), level)
    point = torch.zeros(1, 1, 5, 5)
    point[0, 0, 2, 2] = 90
    spread = smooth(point)[0, 0]
    assert spread[1, 1].item() == pytest.approx(0.1 * 90 / 9)
    assert spread[2, 2].item() == pytest.approx(0.9 * 90 + 0.1 * 90 / 9)
    assert spread.sum().item() == pytest.approx(90)


# Nothing else is touched


def test_the_same_seed_gives_the_same_pictures_and_another_others(classifier):
    noise = draw_noise(32, 1)
    torch.testing.assert_close(noise, draw_noise(32, 1), rtol=0, atol=0)
    assert not torch.equal(noise, draw_noise(32, 2))
    filters = gauge(classifier, "network.layer1.0.conv1", [0, 1], noise)
    first, again, other = (climb(filters, noise[:1], 4, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_hooks_are_gone_and_random_state_and_gradients_are_as_they_were(classifier):
    state, noise = torch.random.get_rng_state(), draw_noise(32, 1)
    filters = gauge(classifier, "network.conv1", [0], noise)
    climb(filters, noise[:1], 2, seed=0)
    assert torch.equal(state, torch.random.get_rng_state())
    assert hooks_of(classifier) == []
    assert all(weight.grad is None for weight in classifier.parameters())
    assert noise.grad is None

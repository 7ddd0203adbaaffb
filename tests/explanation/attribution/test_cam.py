"""Class activation maps: derived by hand on one convolution, and what a real network must keep."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from cxrpipe.explanation.attribution import cam
from cxrpipe.explanation.attribution.cam import (
    METHODS,
    captured,
    enlarge,
    explain,
    grad_cam,
    measure_offset,
)
from cxrpipe.runtime import UserError

FILM = torch.tensor([[0.0, 0.25], [0.75, 1.0]])[None, None]
X, Y = FILM[0, 0], 1 - FILM[0, 0]
NONE = torch.zeros(2, 2)


def close(actual, expected):
    torch.testing.assert_close(actual, torch.as_tensor(expected))


# Class 0 is 2 x - 1, class 1 is 2 - 3 x, class 2 is -1; each divided by its maximum, without
# negatives but for CAM. Grad-CAM++ leaves out the channels whose gradient is negative, which are
# 1 - x, x and both. Integrated gradients give the slope times x - 1/4, the mean grey.
BY_HAND = {
    "gradcam": [(2 * X - 1).relu(), (2 - 3 * X).relu() / 2, NONE],
    "gradcam++": [X, Y, NONE],
    "hirescam": [(2 * X - 1).relu(), (2 - 3 * X).relu() / 2, NONE],
    "cam": [2 * X - 1, (2 - 3 * X) / 2, NONE - 1],
    "ablationcam": [(2 * X - 1).relu(), (2 - 3 * X).relu() / 2, NONE],
    "integrated": [(X - 0.25).relu() / 0.75, (0.25 - X).relu() / 0.25, NONE],
}


@pytest.mark.parametrize("method", METHODS)
def test_the_map_of_one_convolution_is_the_one_derived_by_hand(method, hand):
    films, findings = FILM.repeat(3, 1, 1, 1), torch.arange(3)
    maps = explain(hand, method, "conv", films, findings)
    torch.testing.assert_close(maps, torch.stack(BY_HAND[method]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_another_class_gives_another_map(method, classifier, noise):
    films = noise(1, 64).repeat(3, 1, 1, 1)
    maps = explain(classifier, method, "network.layer4", films, torch.arange(3))
    for first, second in ((0, 1), (1, 2), (2, 0)):
        assert float((maps[first] - maps[second]).abs().max()) > 0.01


@pytest.mark.parametrize("method", METHODS)
def test_no_hook_is_left_after_use_nor_after_an_error(method, classifier, noise):
    explain(classifier, method, "network.layer4", noise(2), torch.tensor([0, 1]))
    with pytest.raises((RuntimeError, IndexError)):
        explain(classifier, method, "network.layer4", noise(1), torch.tensor([7]))
    broken = nn.Sequential(classifier, nn.Flatten(5))
    broken.mean = classifier.mean
    with pytest.raises((RuntimeError, IndexError)):
        explain(broken, method, "0.network.layer4", noise(1), torch.tensor([0]))
    hooks = [(module._forward_hooks, module._backward_hooks) for module in broken.modules()]
    assert not any(forward or backward for forward, backward in hooks)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("method", [method for method in METHODS if method != "integrated"])
def test_a_layer_that_gives_no_map_is_named(method, classifier, noise):
    with pytest.raises(UserError, match=r"network\.fc gives \(1, 3\) and no map"):
        explain(classifier, method, "network.fc", noise(1), torch.tensor([0]))


@pytest.mark.parametrize("method", [method for method in METHODS if method != "integrated"])
def test_a_layer_that_gives_several_tensors_is_named(method):
    class Pair(nn.Module):
        def forward(self, films):
            return films, films

    class Paired(nn.Module):
        def __init__(self):
            super().__init__()
            self.pair, self.fc = Pair(), nn.Linear(1, 1)

        def forward(self, films):
            return self.fc(self.pair(films)[0].mean(dim=(2, 3)))

    with pytest.raises(UserError, match=r"pair gives tuple and no map"):
        explain(Paired(), method, "pair", FILM, torch.tensor([0]))
    with pytest.raises(UserError, match=r"pair gives tuple and no map"):
        measure_offset(Paired(), "pair", side=8)


def test_a_layer_used_twice_is_explained_where_it_is_used_first():
    """The map of the first use is 3 x, its gradient that of the second, 3."""

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 1, bias=False)
            self.conv.weight.data.fill_(3)

        def forward(self, films):
            return self.conv(self.conv(films)).sum(dim=(2, 3))

    maps = METHODS["gradcam"](Twice(), "conv", FILM, torch.tensor([0]))
    close(maps[0], 3 * (3 * X))


@pytest.mark.parametrize("method", METHODS)
def test_a_map_of_zeros_stays_zero_and_is_no_nan(method, classifier, noise):
    """The head heeds nothing."""
    weights = classifier.network.fc.weight.data.clone()
    classifier.network.fc.weight.data.zero_()
    maps = explain(classifier, method, "network.layer4", noise(2), torch.tensor([0, 1]))
    classifier.network.fc.weight.data.copy_(weights)
    close(maps, torch.zeros(2, 32, 32))


def test_every_film_of_a_batch_is_explained_for_its_own_class(hand):
    maps = grad_cam(hand, "conv", FILM.repeat(3, 1, 1, 1), torch.tensor([1, 2, 0]))
    close(maps, [[[1.0, 0.625], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.5, 1.0]]])


def test_channels_are_weighted_with_the_mean_of_their_gradient(hand):
    """The gradient of the first channel is 3 at one place and 0 elsewhere; its mean is 3/4."""
    head = torch.zeros(1, 2, 2, 2)
    head[0, 0, 0, 0] = 3
    head[0, 1] = 1
    hand.forward = lambda films: torch.einsum("nchw,kchw->nk", hand.conv(films), head)
    # 3/4 x + (1 - x) = 1 - x / 4
    close(grad_cam(hand, "conv", FILM, torch.tensor([0])), [[[1.0, 0.9375], [0.8125, 0.75]]])


def test_a_small_map_is_enlarged_evenly_to_the_side_of_the_film(hand):
    hand.conv.stride = (2, 2)
    film = torch.zeros(1, 1, 4, 4)
    film[0, 0, ::2, ::2] = torch.tensor([[0.5, 0.5], [0.5, 1.0]])  # map: 0 0 / 0 1
    edge = torch.tensor([0, 0.25, 0.75, 1])
    close(grad_cam(hand, "conv", film, torch.tensor([0]))[0], torch.outer(edge, edge))


def test_a_later_operation_in_place_does_not_change_what_is_captured(hand):
    network = nn.Sequential(hand.conv, nn.ReLU(inplace=True))
    with captured(network, "0") as outputs:
        after = network(FILM * 2)
    assert float(outputs[0].detach().min()) == -1
    assert float(after.detach().min()) == 0


def test_a_later_operation_in_place_does_not_change_the_map(hand):
    """Of 2 x and 1 - 2 x, the negative is zero afterwards; the map is that of before."""
    network = nn.Sequential(hand.conv, nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(8, 1))
    nn.init.ones_(network[3].weight)
    # The gradients of x are 1 but where x is 0, of 1 - 2 x where it is positive: 3/4 and 1/4 or 2/4
    maps = METHODS["gradcam"](network, "0", FILM * 2, torch.tensor([0]))
    close(maps[0], 0.75 * 2 * X + 0.5 * (1 - 2 * X))


def test_the_hook_is_gone_after_the_context_and_after_an_error(hand):
    with captured(hand, "conv") as outputs:
        hand(FILM)
    hand(FILM)
    assert len(outputs) == 1
    with pytest.raises(ZeroDivisionError), captured(hand, "conv") as outputs:
        raise ZeroDivisionError
    hand(FILM)
    assert outputs == []


def test_each_film_has_the_map_that_it_has_alone(classifier, noise):
    films, findings = noise(5), torch.tensor([0, 1, 2, 0, 1])
    together = grad_cam(classifier, "network.layer2", films, findings)
    alone = torch.cat(
        [
            grad_cam(classifier, "network.layer2", film[None], finding[None])
            for film, finding in zip(films, findings, strict=True)
        ]
    )
    assert len({tuple(film.flatten().tolist()) for film in alone}) == 5
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)


def test_maps_of_a_network_lie_from_0_to_1_and_reach_1_or_are_zero(classifier, noise):
    maps = grad_cam(classifier, "network.layer2", noise(12), torch.arange(12) % 3)
    assert float(maps.min()) >= 0
    assert set(maps.amax(dim=(1, 2)).tolist()) <= {0.0, 1.0}
    assert float(maps.max()) == 1


@pytest.mark.parametrize("method", METHODS)
def test_explaining_changes_neither_weights_nor_gradients_nor_films(method, classifier, noise):
    before = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
    films = noise(2).float()
    explain(classifier, method, "network.layer4", films, torch.tensor([0, 1]))
    assert torch.equal(films, noise(2).float())
    assert not films.requires_grad
    assert all(weight.grad is None for weight in classifier.parameters())
    assert all(torch.equal(before[name], now) for name, now in classifier.state_dict().items())


@pytest.mark.parametrize("method", METHODS)
def test_films_can_be_explained_where_gradients_are_off(method, hand):
    with torch.no_grad():
        maps = explain(hand, method, "conv", FILM, torch.tensor([0]))
        assert not torch.is_grad_enabled()
    torch.testing.assert_close(maps[0], BY_HAND[method][0], rtol=0, atol=1e-5)


def test_without_an_offset_a_map_is_enlarged_as_torch_does():
    maps = torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(0))
    expected = functional.interpolate(maps[None], (32, 32), mode="bilinear")[0]
    torch.testing.assert_close(enlarge(maps, 32, (0, 0)), expected, rtol=0, atol=1e-5)


def test_an_offset_moves_a_map_down_and_right_and_repeats_its_border():
    maps = torch.arange(9.0).view(1, 3, 3)
    moved = enlarge(maps, 3, (1, -2))
    torch.testing.assert_close(moved, torch.tensor([[[2.0, 2, 2], [2, 2, 2], [5, 5, 5]]]))


@pytest.mark.parametrize(
    ("kernel", "padding", "expected"),
    [
        (2, 0, (0, 0)),  # a cell looks at the two pixels that it covers
        (3, 1, (-0.5, -0.5)),  # at its first pixel, and one on either side
        (1, 0, (-0.5, -0.5)),  # at its first pixel
        ((2, 3), (0, 1), (0, -0.5)),
    ],
)
def test_the_offset_of_one_convolution_of_stride_two_is_the_one_derived_by_hand(
    kernel, padding, expected
):
    convolution = nn.Conv2d(1, 1, kernel, stride=2, padding=padding, bias=False)
    nn.init.ones_(convolution.weight)
    offset = measure_offset(nn.Sequential(convolution), "0", side=8)
    assert offset == pytest.approx(expected, abs=1e-6)


def test_a_layer_whose_middle_cells_are_dead_is_enlarged_evenly(hand, caplog):
    """What sees nothing lies nowhere, and not at nan, where every map would be wrong."""
    hand.conv.weight.data.zero_()
    with caplog.at_level("INFO"):
        assert measure_offset(hand, "conv", side=8) == (0, 0)
    assert "conv: its middle cells see no pixel" in caplog.text


def test_an_offset_is_measured_on_any_batches(classifier, monkeypatch):
    together = measure_offset(classifier, "network.layer2", 32)
    monkeypatch.setattr(cam, "fit_batch", lambda most, side: 3)
    apart = measure_offset(classifier, "network.layer2", 32)
    assert apart == pytest.approx(together, abs=1e-3)


def test_a_moved_map_lies_where_the_network_looked():
    """Three convolutions of stride two displace a map by 0.5 + 1 + 2 pixels."""
    layers = [nn.Conv2d(1, 1, 3, stride=2, padding=1, bias=False) for _ in range(3)]
    for layer in layers:
        nn.init.ones_(layer.weight)
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    spots = range(28, 36)  # one for every pixel of a cell
    films = torch.zeros(len(spots), 1, 64, 64)
    for film, spot in zip(films, spots, strict=True):
        film[0, spot, spot] = 1

    def error(offset):
        maps = grad_cam(network, "2", films, torch.zeros(len(spots), dtype=int), offset)
        places = torch.arange(64.0)
        means = (maps.sum(dim=2) * places).sum(dim=1) / maps.sum(dim=(1, 2))
        return float((means - torch.tensor([float(spot) for spot in spots])).mean())

    offset = measure_offset(network, "2", side=64)
    assert offset == pytest.approx((-3.5, -3.5), abs=0.05)
    assert error((0, 0)) == pytest.approx(3.5, abs=0.1)
    assert error(offset) == pytest.approx(0, abs=0.1)

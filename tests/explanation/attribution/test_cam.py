"""Grad-CAM: maps derived by hand on one convolution, and what a real network must keep."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from cxrpipe.config import Model
from cxrpipe.explanation.attribution.cam import captured, enlarge, grad_cam, measure_offset
from cxrpipe.models.zoo import Classifier, build

#                        weight of channel x, of channel 1 - x
HEAD = torch.tensor([[1.0, -1.0],  # class 0: x - (1 - x) = 2 x - 1
                     [-1.0, 2.0],  # class 1: -x + 2 (1 - x) = 2 - 3 x
                     [-1.0, -1.0]])  # class 2: -1 everywhere  # fmt: skip
FILM = torch.tensor([[0.0, 0.25], [0.75, 1.0]])[None, None]


class Hand(nn.Module):
    """One convolution that gives x and 1 - x, their means, and a linear head."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1)
        self.conv.weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
        self.conv.bias.data = torch.tensor([0.0, 1.0])

    def forward(self, films):
        return self.conv(films).mean(dim=(2, 3)) @ HEAD.T


def explain(films, findings, network=None, layer="conv"):
    return grad_cam(network or Hand(), layer, films, torch.tensor(findings))


def close(actual, expected):
    torch.testing.assert_close(actual, torch.tensor(expected))


@pytest.fixture(scope="module")
def classifier():
    """An untrained network whose head has weights of both signs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    built = Classifier(build(Model(architecture="test_resnet"), 3, seed=2), 0.5, 0.3).eval()
    built.network.fc.weight.data.normal_(generator=torch.Generator().manual_seed(2))
    yield built
    torch.set_num_threads(before)


def noise(n):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 1, 32, 32), dtype=torch.uint8, generator=generator)


def test_the_map_of_one_convolution_is_the_one_derived_by_hand():
    close(explain(FILM, [0]), [[[0.0, 0.0], [0.5, 1.0]]])  # 2 x - 1, without negatives


def test_another_class_gives_another_map():
    close(explain(FILM, [1]), [[[1.0, 1.25 / 2], [0.0, 0.0]]])  # 2 - 3 x, divided by 2


def test_a_map_without_positive_values_stays_zero_and_is_no_nan():
    close(explain(FILM, [2]), [[[0.0, 0.0], [0.0, 0.0]]])


def test_every_film_of_a_batch_is_explained_for_its_own_class():
    maps = explain(FILM.repeat(3, 1, 1, 1), [1, 2, 0])
    close(maps[:2], [[[1.0, 0.625], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    close(maps[2], [[0.0, 0.0], [0.5, 1.0]])


def test_channels_are_weighted_with_the_mean_of_their_gradient():
    """The gradient of the first channel is 3 at one place and 0 elsewhere; its mean is 3/4."""
    head = torch.zeros(1, 2, 2, 2)
    head[0, 0, 0, 0] = 3
    head[0, 1] = 1

    class Placed(Hand):
        def forward(self, films):
            return torch.einsum("nchw,kchw->nk", self.conv(films), head)

    # 3/4 x + (1 - x) = 1 - x / 4
    close(explain(FILM, [0], Placed()), [[[1.0, 0.9375], [0.8125, 0.75]]])


def test_a_small_map_is_enlarged_evenly_to_the_side_of_the_film():
    class Coarse(Hand):
        def __init__(self):
            super().__init__()
            self.conv.stride = (2, 2)

    film = torch.zeros(1, 1, 4, 4)
    film[0, 0, ::2, ::2] = torch.tensor([[0.5, 0.5], [0.5, 1.0]])  # map: 0 0 / 0 1
    edge = torch.tensor([0, 0.25, 0.75, 1])
    torch.testing.assert_close(explain(film, [0], Coarse())[0], torch.outer(edge, edge))


def test_a_later_operation_in_place_does_not_change_what_is_captured():
    network = nn.Sequential(Hand().conv, nn.ReLU(inplace=True))
    with captured(network, "0") as outputs:
        after = network(FILM * 2)
    assert float(outputs[0].detach().min()) == -1
    assert float(after.detach().min()) == 0


def test_the_hook_is_gone_after_the_context_and_after_an_error():
    network = Hand()
    with captured(network, "conv") as outputs:
        network(FILM)
    network(FILM)
    assert len(outputs) == 1
    with pytest.raises(ZeroDivisionError), captured(network, "conv") as outputs:
        raise ZeroDivisionError
    network(FILM)
    assert outputs == []
    with pytest.raises(RuntimeError, match="index 7 is out of bounds"):
        explain(FILM, [7], network)
    assert not network.conv._forward_hooks


def test_each_film_has_the_map_that_it_has_alone(classifier):
    films, findings = noise(5), [0, 1, 2, 0, 1]
    together = explain(films, findings, classifier, "network.layer2")
    alone = torch.cat(
        [
            explain(films[place : place + 1], [finding], classifier, "network.layer2")
            for place, finding in enumerate(findings)
        ]
    )
    assert len({tuple(film.flatten().tolist()) for film in alone}) == 5
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)


def test_maps_of_a_network_lie_from_0_to_1_and_reach_1_or_are_zero(classifier):
    maps = explain(noise(12), [0, 1, 2] * 4, classifier, "network.layer2")
    assert float(maps.min()) >= 0
    assert set(maps.amax(dim=(1, 2)).tolist()) <= {0.0, 1.0}
    assert float(maps.max()) == 1


def test_explaining_changes_neither_weights_nor_gradients_nor_films(classifier):
    before = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
    films = noise(2).float()
    explain(films, [0, 1], classifier, "network.layer4")
    assert torch.equal(films, noise(2).float())
    assert not films.requires_grad
    assert all(weight.grad is None for weight in classifier.parameters())
    assert all(torch.equal(before[name], now) for name, now in classifier.state_dict().items())


def test_films_can_be_explained_where_gradients_are_off():
    with torch.no_grad():
        close(explain(FILM, [0]), [[[0.0, 0.0], [0.5, 1.0]]])


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

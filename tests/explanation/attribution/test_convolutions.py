"""Which filters of a network are found, and that nothing behind them computes."""

import pytest
import torch
from torch import nn

from cxrpipe.config import Model
from cxrpipe.explanation.attribution.convolutions import find_changed, find_convolutions, respond
from cxrpipe.models.zoo import Classifier, build

MODEL = Model(architecture="test_resnet", side=32)


@pytest.fixture(scope="module")
def classifier():
    return Classifier(build(MODEL, 2, seed=0), 0.5, 0.3).eval()


def hooks_of(network):
    return [hook for module in network.modules() for hook in module._forward_hooks.values()]


def test_hooks_are_gone_also_when_the_network_fails(classifier):
    with pytest.raises(RuntimeError):
        respond(classifier, "network.layer3", torch.zeros(1, 2, 32, 32))
    assert hooks_of(classifier) == []


def test_what_lies_behind_the_layer_is_not_computed():
    reached = []
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Flatten())
    nn.init.ones_(network[0].weight)
    network[2].register_forward_hook(lambda module, inputs, output: reached.append("head"))
    answers = respond(network, "0", -torch.ones(1, 1, 5, 5))
    torch.testing.assert_close(answers, network[0](-torch.ones(1, 1, 5, 5)))
    assert answers.min() < 0  # before what follows in place
    assert reached == []


def test_the_filters_whose_weights_moved_furthest_are_found():
    before = torch.zeros(4, 1, 2, 2)
    after = before.clone()
    after[1, 0, 0, 0] = 3  # length 3
    after[2, 0] = torch.tensor([[2.0, -2.0], [2.0, 2.0]])  # length 4
    after[3, 0, 1, 1] = -1
    assert find_changed(before, after, 1) == [2]
    assert find_changed(before, after, 2) == [1, 2]
    assert find_changed(before, after, 9) == [0, 1, 2, 3]
    assert find_changed(before, before, 2) == [0, 1]  # nothing moved


def test_the_last_convolution_of_a_layer_is_found_but_not_what_weighs_its_channels():
    class Squeezed(nn.Module):
        """A convolution, then a weight of each channel from its mean, by another."""

        def __init__(self):
            super().__init__()
            self.weigh, self.convolve = nn.Conv2d(2, 2, 1), nn.Conv2d(1, 2, 3)

        def forward(self, films):
            maps = self.convolve(films)
            return maps * self.weigh(maps.mean(dim=(2, 3), keepdim=True))

    network = nn.Sequential(nn.ReLU(), nn.Sequential(Squeezed(), nn.ReLU()), nn.Flatten())
    film = torch.zeros(1, 1, 8, 8)
    assert find_convolutions(network, ["0"], film) == []
    assert find_convolutions(network, ["0", "1", "2"], film) == ["1.0.convolve"]
    stages = ["network.layer1", "network.layer3"]
    classifier = Classifier(build(MODEL, 2, seed=0), 0.5, 0.3).eval()
    found = find_convolutions(classifier, stages, torch.zeros(1, 1, 32, 32))
    assert found == ["network.layer1.0.conv2", "network.layer3.0.conv2"]

"""What tests of heatmaps share: one thread, a network by hand, and an untrained one of the zoo."""

import pytest
import torch
from torch import nn

from cxrpipe.config import Model
from cxrpipe.models.zoo import Classifier, build

#                        weight of channel x, of channel 1 - x
HEAD = torch.tensor([[1.0, -1.0],  # class 0: x - (1 - x) = 2 x - 1
                     [-1.0, 2.0],  # class 1: -x + 2 (1 - x) = 2 - 3 x
                     [-1.0, -1.0]])  # class 2: -1 everywhere  # fmt: skip


class Hand(nn.Module):
    """One convolution that gives x and 1 - x, their means, and a linear head.

    The mean grey of the films that it would have learnt from is 1/4 of its scale.
    """

    mean = 0.25 / 255

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1)
        self.conv.weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
        self.conv.bias.data = torch.tensor([0.0, 1.0])
        self.fc = nn.Linear(2, 3, bias=False)
        self.fc.weight.data = HEAD

    def forward(self, films):
        return self.fc(self.conv(films).mean(dim=(2, 3)))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks are fastest on one thread, the more so beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture(scope="module")
def classifier():
    """An untrained network, all of which is heeded, whose head has weights of both signs."""
    built = Classifier(build(Model(architecture="test_resnet"), 3, seed=2), 0.5, 0.3).eval()
    for norm in built.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.ones_(norm.weight)
    built.network.fc.weight.data.normal_(generator=torch.Generator().manual_seed(2))
    return built


@pytest.fixture
def noise():
    """Return so many films of noise."""

    def noise(n, side=32):
        generator = torch.Generator().manual_seed(0)
        return torch.randint(0, 256, (n, 1, side, side), dtype=torch.uint8, generator=generator)

    return noise

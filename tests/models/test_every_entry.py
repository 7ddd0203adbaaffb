"""Every network of the zoo learns, every family by heart, and its last map is the one named."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from cxrpipe.config import Model
from cxrpipe.models.zoo import ZOO, build, feature_layer, last_map
from cxrpipe.runtime import UserError

# Pixels below which the convolutions without padding run out of places.
SMALLEST = {"inception_v3": 75, "inception_resnet_v2": 75}

# Light members: VGG without its layers of 4096 units, ResNetV2 of 18 layers as of 50 and 152, and
# the small MobileNet. Sides are the smallest that keep a map.
FAMILIES = {
    "VGG": Model(architecture="vgg11", side=32, head="pool"),
    "ResNet": Model(architecture="resnet18", side=32),
    "ResNetV2": Model(architecture="resnetv2_18", side=32),
    "DenseNet": Model(architecture="densenet121", side=32),
    "Inception": Model(architecture="inception_v3", side=75),
    "InceptionResNet": Model(architecture="inception_resnet_v2", side=75),
    "Xception": Model(architecture="xception", side=32),
    "MobileNet": Model(architecture="mobilenetv2_050", side=32),
    "EfficientNet": Model(architecture="efficientnet_b1", side=32),
    "NASNet": Model(architecture="nasnetalarge", side=32),
    "cnn1": Model(architecture="cnn1", side=64),
    "cnn2": Model(architecture="cnn2", side=32),
    "cnn3": Model(architecture="cnn3", side=64),
    "fusion": Model(architecture="fusion", side=32, options={"width": 64}),
}

# Pixels for the networks that are slow at their native side.
LIGHTER = {"nasnetalarge": 160, "efficientnet_b7": 160, "fusion": 160, "resnet152v2": 160}


def noise(n, side):
    return torch.randn(n, 1, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("architecture", ZOO)
def test_every_architecture_takes_two_steps_that_reach_all_its_parameters(architecture):
    model = Model(architecture=architecture, side=SMALLEST.get(architecture, 64))
    network = build(model, 3, seed=0).train()
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-3)
    for _ in range(2):
        logits = network(noise(2, model.side))
        assert logits.shape == (2, 3)
        loss = functional.cross_entropy(logits, torch.tensor([0, 2]))
        assert loss.isfinite()
        optimiser.zero_grad()
        loss.backward()
        gradients = {name: weight.grad for name, weight in network.named_parameters()}
        assert [name for name, gradient in gradients.items() if gradient is None] == []
        assert all(gradient.isfinite().all() for gradient in gradients.values())
        optimiser.step()
    assert functional.cross_entropy(network(noise(2, model.side)), torch.tensor([0, 2])).isfinite()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_learns_eight_films_of_noise_by_heart(family):
    model = FAMILIES[family]
    network = build(model, 2, seed=0).train()
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0
    films, labels = noise(8, model.side), torch.arange(8) % 2
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-4 if family == "cnn2" else 1e-3)
    for _ in range(60):
        loss = functional.cross_entropy(network(films), labels)
        if loss < 0.1:
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.1


@pytest.mark.parametrize("architecture", ZOO)
def test_the_map_that_is_explained_is_the_last_of_several_cells(architecture):
    side = LIGHTER.get(architecture, ZOO[architecture].side)
    head = "pool" if architecture.startswith("vgg") else "linear"
    model = Model(architecture=architecture, side=side, head=head)
    network = build(model, 2, seed=0)
    assert feature_layer(network, model, 0) == last_map(network, model)
    assert network.training


class Dense(nn.Module):
    """A network of a user that makes no map."""

    def __init__(self, in_chans, num_classes):
        super().__init__()
        self.fc = nn.Linear(in_chans * 32 * 32, num_classes)

    def forward(self, radiographs):
        return self.fc(radiographs.flatten(1))


def test_a_network_without_a_map_cannot_be_explained():
    model = Model(architecture=f"{__name__}:Dense", side=32)
    with pytest.raises(UserError, match=r"Dense has no map of several cells at side 32"):
        feature_layer(build(model, 2, seed=0), model, 0)

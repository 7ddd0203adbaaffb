"""The layers at which belief is looked at: one of every stride, the last map the deepest."""

import pytest
import torch
from torch import nn

from cxrpipe.config import Model
from cxrpipe.explanation.attribution.layers import find_layer, list_layers
from cxrpipe.models.zoo import Classifier, build, feature_layer
from cxrpipe.runtime import UserError

STAGES = ["act1", "layer1", "layer2", "layer3", "layer4"]


def layers(model, most=12, network=None):
    """List the layers, without what they all begin with."""
    network = network or build(model, 2, seed=0)
    classifier = Classifier(network, 0.5, 0.25).eval()
    listed = list_layers(classifier, model, model.side, most)
    assert not any(module._forward_hooks for module in classifier.modules())
    assert listed[-1] == "network." + feature_layer(network, model, 0)
    return [name.removeprefix("network.") for name in listed]


def test_the_stages_of_a_resnet_are_its_layers():
    assert layers(Model(architecture="resnet18", side=64)) == STAGES


def test_they_are_the_same_before_a_head_of_ours():
    model = Model(architecture="resnet18", side=64, head="16")
    assert layers(model) == [f"backbone.{name}" for name in STAGES]


def test_dense_blocks_are_whole():
    blocks = [f"features.{name}" for name in ("norm0", *(f"denseblock{n}" for n in (1, 2, 3)))]
    assert layers(Model(architecture="densenet121", side=64), 5) == [*blocks, "features"]


def test_convolutions_side_by_side_are_listed_at_the_end_of_their_stride():
    """Layers are convolution, activation and pooling; strides 1, 2, 4, 8, 16, 32 and 64."""
    expected = [f"features.{place}" for place in range(1, 18, 3)]
    assert layers(Model(architecture="cnn1", side=128)) == [*expected, "features"]


def test_of_a_fusion_the_backbones_come_before_the_fused_map():
    listed = layers(Model(architecture="fusion", side=64, options={"width": 16}), 5)
    assert listed[-1] == "backbone.blocks"
    assert len(listed) == 5
    assert all(name.startswith("backbone.backbones.") for name in listed[:-1])


@pytest.mark.parametrize(
    ("most", "expected"),
    [(1, [4]), (2, [0, 4]), (3, [0, 2, 4]), (4, [0, 1, 3, 4]), (5, [0, 1, 2, 3, 4])],
)
def test_of_more_layers_those_are_listed_that_are_evenly_spread(most, expected):
    model = Model(architecture="resnet18", side=64)
    assert layers(model, most) == [STAGES[place] for place in expected]


def test_stages_of_one_stride_are_named_where_strides_are_too_few():
    """A dilated network: after its second stage no map is halved any more."""
    own = nn.Sequential(*(nn.Sequential(nn.Conv2d(n, 4, 3, s, 1)) for n, s in STRIDES), HEAD)
    model = Model(architecture="own.module:Own", side=32)
    assert layers(model, 2, own) == ["0", "4"]
    assert layers(model, 3, own) == ["0", "1", "4"]
    assert layers(model, 4, own) == ["0", "1", "3", "4"]
    assert layers(model, 5, own) == layers(model, 12, own) == ["0", "1", "2", "3", "4"]


def test_a_dilated_resnet_of_the_zoo_shows_its_four_stages_beside_its_stem():
    options = {"channels": [8, 8, 8, 8], "output_stride": 8}
    model = Model(architecture="resnet10t", side=64, options=options)
    assert layers(model, 5) == STAGES


STRIDES = [(1, 2), (4, 2), (4, 2), (4, 1), (4, 1)]
HEAD = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))


@pytest.fixture(scope="module")
def resnet():
    model = Model(architecture="resnet18", side=64)
    return Classifier(build(model, 2, seed=0), 0.5, 0.25).eval(), model


@pytest.mark.parametrize(
    ("name", "stride", "found"),
    [("layer3.1.conv2", 8, "layer3.1.conv2"), ("", 8, "layer2"), ("", 0, "layer4")],
)
def test_a_layer_is_found_by_its_name_before_its_stride(name, stride, found, resnet):
    assert find_layer(*resnet, 64, name, stride) == f"network.{found}"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("layer3.1.conv9", "no module layer3.1.conv9; did you mean 'layer3.1.conv"),
        ("x", "no module x; valid: conv1, bn1, act1, maxpool, layer1.0, layer1.1, layer1"),
        ("fc", r"fc gives no map \(n, channels, height, width\); give another layer"),
    ],
)
def test_what_is_no_layer_with_a_map_is_refused(name, hint, resnet):
    with pytest.raises(UserError, match=rf"gradcam\.layer: .*{hint}"):
        find_layer(*resnet, 64, name, 0)


class Own(nn.Module):
    """A user's network: a stem that halves, a trunk in one module, a squeezed side path."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.trunk = nn.Sequential(
            nn.Conv2d(4, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, 4, 1), nn.ReLU()
        )
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(4, 2)

    def forward(self, films):
        maps = self.trunk(self.stem(films))
        return self.head(self.squeeze(maps).flatten(1))


def test_a_network_of_a_user_is_looked_into():
    with torch.random.fork_rng(devices=[]):
        own = Own()
    assert layers(Model(architecture="own.module:Own", side=64), network=own) == [
        "stem",
        "trunk.1",
        "trunk",
    ]

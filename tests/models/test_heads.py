"""Heads by name: their parameters counted by hand, where dropout stands, and without a bias."""

import pytest
import torch
from torch import nn

from cxrpipe.config import Model
from cxrpipe.models.heads import make_head
from cxrpipe.models.parts import count_parameters, head_of
from cxrpipe.models.zoo import build

# A map of 512 channels and 3 x 3 cells, as ResNet-18 makes of 96 px, and four findings.
CHANNELS, CELLS, FINDINGS = 512, 9, 4


def head(name, **settings):
    model = Model(architecture="resnet18", head=name, **settings)
    return make_head(model, CHANNELS, CELLS, FINDINGS)


@pytest.mark.parametrize(
    ("name", "n_parameters"),
    [
        ("128-32", (512 + 1) * 128 + (128 + 1) * 32 + (32 + 1) * 4),
        ("pool-128-32", (512 + 1) * 128 + (128 + 1) * 32 + (32 + 1) * 4),
        ("1024-1024", (512 + 1) * 1024 + (1024 + 1) * 1024 + (1024 + 1) * 4),
        ("pool", (512 + 1) * 4),
        ("flatten", (512 * 9 + 1) * 4),
        ("flatten-1024", (512 * 9 + 1) * 1024 + (1024 + 1) * 4),
    ],
)
def test_parameters_of_a_head_are_those_counted_by_hand(name, n_parameters):
    assert count_parameters(head(name))[0] == n_parameters
    model = Model(architecture="resnet18", head=name, side=96)
    assert count_parameters(head_of(build(model, FINDINGS, seed=0)))[0] == n_parameters


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("128-32", ["AdaptiveAvgPool2d", "Flatten", "Linear", "ReLU", "Linear", "ReLU", "Linear"]),
        ("pool", ["AdaptiveAvgPool2d", "Flatten", "Linear"]),
        ("flatten-8", ["Flatten", "Linear", "ReLU", "Linear"]),
    ],
)
def test_the_layers_of_a_head_stand_in_the_published_order(name, layers):
    assert [type(layer).__name__ for layer in head(name)] == layers


def test_a_pooling_head_sees_the_mean_of_each_channel_alone():
    pooling = head("pool")
    maps = torch.rand(2, CHANNELS, 3, 3, generator=torch.Generator().manual_seed(0))
    means = maps.mean(dim=(2, 3))
    torch.testing.assert_close(pooling(maps), means @ pooling[-1].weight.T + pooling[-1].bias)


# Layers of 128-32:  0 pool, 1 flatten, then each linear layer, with its dropout before it.
@pytest.mark.parametrize(
    ("place", "positions"), [("first", [2]), ("last", [6]), ("all", [2, 5, 8])]
)
def test_dropout_stands_where_it_is_asked_for(place, positions):
    layers = list(head("128-32", dropout=0.3, dropout_at=place))
    found = [place for place, layer in enumerate(layers) if isinstance(layer, nn.Dropout)]
    assert found == positions
    assert {layers[position].p for position in found} == {0.3}
    assert all(isinstance(layers[position + 1], nn.Linear) for position in found)


@pytest.mark.parametrize("place", ["first", "last", "all"])
def test_dropout_stands_once_before_a_single_layer(place):
    layers = [type(layer).__name__ for layer in head("pool", dropout=0.3, dropout_at=place)]
    assert layers == ["AdaptiveAvgPool2d", "Flatten", "Dropout", "Linear"]


def test_no_dropout_is_none_at_all():
    assert not any(isinstance(layer, nn.Dropout) for layer in head("128-32"))


def test_without_a_bias_only_the_last_layer_lacks_it():
    linear = [layer for layer in head("128-32", bias=False) if isinstance(layer, nn.Linear)]
    assert [layer.bias is None for layer in linear] == [False, False, True]


@pytest.mark.parametrize(
    ("architecture", "inputs", "kind"),
    [
        ("resnet18", 512, nn.Linear),
        ("mobilenetv2", 1280, nn.Linear),
        ("densenet121", 1024, nn.Linear),
        ("vgg16", 4096, nn.Linear),
        ("resnet50v2", 2048, nn.Conv2d),
        ("cnn1", 512, nn.Linear),
    ],
)
def test_an_architecture_s_own_last_layer_can_do_without_a_bias(architecture, inputs, kind):
    with torch.device("meta"):
        with_bias, without = (
            build(Model(architecture=architecture, side=64, bias=bias), 3, seed=0)
            for bias in (True, False)
        )
    last = [layer for layer in head_of(without).modules() if isinstance(layer, kind)][-1]
    assert last.bias is None
    assert last.weight.shape[:2] == (3, inputs)
    assert count_parameters(with_bias)[0] - count_parameters(without)[0] == 3
    logits = without(torch.zeros(2, 1, 64, 64, device="meta"))
    assert logits.shape == (2, 3)


def test_without_a_bias_logits_are_linear_in_the_features():
    network = build(Model(architecture="resnet18", side=32, bias=False), 3, seed=0).eval()
    films = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features = network.forward_features(films).mean(dim=(2, 3))
        torch.testing.assert_close(network(films), features @ network.fc.weight.T)


def test_vgg_with_a_head_of_ours_has_no_layers_of_4096_units():
    with torch.device("meta"):
        own, pooled = (
            build(Model(architecture="vgg16", side=64, head=name), 3, seed=0)
            for name in ("linear", "pool")
        )
    dense = (512 * 7 * 7 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 3
    convolutions = count_parameters(own)[0] - dense
    assert count_parameters(pooled)[0] == convolutions + (512 + 1) * 3
    assert not any(4096 in weight.shape for weight in pooled.parameters())

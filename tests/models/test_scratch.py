"""The small networks of system F, and its transfer models: their published counts, their starts."""

import pytest
import torch
from torch import nn

from cxrpipe.config import Model
from cxrpipe.models.parts import count_parameters, count_statistics, train_part
from cxrpipe.models.scratch import convolve, glorot_normal, he_normal, lecun_normal, set_start
from cxrpipe.models.zoo import build


def unfilled(architecture, side, head="linear"):
    """A network for three colours and findings, of sizes without numbers."""
    with torch.device("meta"):
        return build(Model(architecture=architecture, side=side, head=head), 3, 0, in_chans=3)


def numbers(network):
    """What Keras counts: parameters and running statistics."""
    return count_parameters(network)[0] + count_statistics(network)


@pytest.mark.parametrize(
    ("architecture", "published"),
    [("cnn1", 14_678_851), ("cnn2", 27_078_435), ("cnn3", 49_643_043)],
)
def test_the_scratch_networks_have_the_published_counts(architecture, published):
    assert numbers(unfilled(architecture, 256)) == published


def test_the_running_statistics_of_cnn3_are_two_a_channel():
    channels = 2 * (32 + 64 + 128 + 256 + 512 + 1024) + 512  # two norms a block, one in the head
    assert count_statistics(unfilled("cnn3", 256)) == 2 * channels


# Keras' ResNet101 has a bias in each of its convolutions, timm's has none: 52,672 fewer.
@pytest.mark.parametrize(
    ("architecture", "head", "trainable", "all_numbers"),
    [
        ("vgg19", "flatten-1024", 18_878_467, 38_902_851),
        ("densenet201", "flatten-1024", 70_782_979, 89_104_963),
        ("resnet101", "pool", 6_147, 42_664_323 - 52_672),
    ],
)
def test_the_transfer_models_have_the_published_counts(architecture, head, trainable, all_numbers):
    network = unfilled(architecture, 192, head)
    assert numbers(network) == all_numbers
    train_part(nn.ModuleDict({"network": network}), "head")
    assert count_parameters(network)[1] == trainable


@pytest.mark.parametrize("architecture", ["cnn1", "cnn2", "cnn3"])
def test_every_block_halves_the_map_and_nothing_else_changes_its_size(architecture):
    network = unfilled(architecture, 128)
    channels = {"cnn1": 1024, "cnn2": 512, "cnn3": 1024}[architecture]
    cells = {"cnn1": 2, "cnn2": 4, "cnn3": 2}[architecture]
    maps = network.forward_features(torch.zeros(1, 3, 128, 128, device="meta"))
    assert maps.shape == (1, channels, cells, cells)
    assert network.head[1].in_features == channels * cells**2


# A layer of 64 x 5 x 5 = 1,600 inputs for each output; an output has 96 x 5 x 5 = 2,400 uses.
@pytest.mark.parametrize(
    ("initialise", "variance"),
    [(he_normal, 2 / 1600), (lecun_normal, 1 / 1600), (glorot_normal, 2 / (1600 + 2400))],
)
def test_starting_weights_have_the_variance_of_their_formula_and_no_bias(initialise, variance):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = convolve(64, 96, 5, initialise)
    n = layer.weight.numel()
    spread = (2 / (n - 1)) ** 0.5  # of a normal sample's variance, relative
    assert float(layer.weight.var().detach()) == pytest.approx(variance, rel=4 * spread)
    assert abs(float(layer.weight.mean().detach())) < 4 * (variance / n) ** 0.5
    assert not layer.bias.any()


def test_a_layer_without_a_bias_can_be_filled():
    layer = set_start(nn.Linear(4, 3, bias=False), he_normal)
    assert layer.bias is None


@pytest.mark.parametrize(
    ("architecture", "hidden", "inputs"), [("cnn1", 2, 1024), ("cnn2", 2, 2048), ("cnn3", 1, 1024)]
)
def test_hidden_layers_start_as_published(architecture, hidden, inputs):
    """He in cnn2, Glorot (2 / (fan in + fan out)) in the others."""
    network = build(Model(architecture=architecture, side=64), 3, seed=0)
    layer = network.head[1]
    assert layer.in_features == inputs
    variance = 2 / inputs if architecture == "cnn2" else 2 / (inputs + 512)
    spread = (2 / layer.weight.numel()) ** 0.5
    assert float(layer.weight.var().detach()) == pytest.approx(variance, rel=4 * spread)


@pytest.mark.parametrize(
    ("architecture", "dropout"), [("cnn1", 0), ("cnn2", 0), ("cnn2", 0.5), ("cnn3", 0.3)]
)
def test_dropout_of_the_head_is_what_is_asked_for(architecture, dropout):
    network = build(Model(architecture=architecture, side=64, dropout=dropout), 3, seed=0)
    (found,) = [layer.p for layer in network.head if isinstance(layer, nn.Dropout)]
    assert found == dropout

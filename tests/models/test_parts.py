"""The parts of a network: what learns, what stays as it is, and how large it is."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from cxrpipe.config import Model
from cxrpipe.models.parts import count_parameters, count_statistics, head_names, head_of, train_part
from cxrpipe.models.zoo import Classifier, build
from cxrpipe.runtime import UserError

# Each has its last dropout elsewhere: in the network's own code, in a module, in the head.
PLACES = ["resnet18", "densenet121", "mobilenetv2", "resnet50v2", "legacy_xception"]


def classifier(architecture="resnet18", **settings):
    return Classifier(build(Model(architecture=architecture, side=32, **settings), 3, 0), 0.5, 0.25)


def grey(n=4):
    return torch.rand(n, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 255


def learn(learner, films):
    """Take one large step."""
    trainable = [weight for weight in learner.parameters() if weight.requires_grad]
    optimiser = torch.optim.SGD(trainable, lr=0.5)
    functional.cross_entropy(learner(films), torch.arange(len(films)) % 3).backward()
    optimiser.step()


def test_parameters_are_counted_by_hand():
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3),  # 4 x 1 x 3 x 3 + 4 = 40
        nn.BatchNorm2d(4),  # 4 + 4 = 8; running means are no parameters
        nn.Linear(5, 2, bias=False),  # 10
    )
    assert count_parameters(network) == (58, 58)
    network[0].weight.requires_grad_(False)
    assert count_parameters(network) == (58, 58 - 36)
    assert count_statistics(network) == 4 + 4


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, {"fc.weight", "fc.bias"}),
        ({"bias": False}, {"fc.weight"}),
        ({"head": "8"}, {"head.2.weight", "head.2.bias", "head.4.weight", "head.4.bias"}),
    ],
)
def test_the_head_is_what_stands_behind_the_last_map(settings, names):
    assert head_names(classifier(**settings).network) == names


@pytest.mark.parametrize("head", ["linear", "128-32"])
def test_a_step_of_the_head_alone_changes_nothing_else(head):
    learner = classifier(head=head, dropout=0.5)
    before = {name: tensor.clone() for name, tensor in learner.state_dict().items()}
    train_part(learner, "head")
    learn(learner, grey())
    changed = {
        name for name, tensor in learner.state_dict().items() if not tensor.equal(before[name])
    }
    assert changed == {f"network.{name}" for name in head_names(learner.network)}


def test_after_the_head_everything_can_learn_again():
    learner = classifier()
    before = {name: tensor.clone() for name, tensor in learner.state_dict().items()}
    train_part(learner, "head")
    assert count_parameters(learner)[1] == 512 * 3 + 3
    train_part(learner, "all")
    assert count_parameters(learner)[0] == count_parameters(learner)[1]
    assert all(module.training for module in learner.modules())
    for _ in range(2):  # timm's residual blocks start as identities: their insides learn later
        learn(learner, grey())
    assert [name for name, value in learner.state_dict().items() if value.equal(before[name])] == []


def test_dropout_of_a_backbone_that_does_not_learn_is_off():
    learner = classifier("cnn2", head="8", dropout=0.5)
    train_part(learner, "head")
    features = learner.network.backbone.forward_features
    assert torch.equal(features(grey()), features(grey()))
    assert not any(module.training for module in learner.network.backbone.modules())
    assert all(module.training for module in learner.network.head.modules())


@pytest.mark.parametrize("architecture", PLACES)
def test_dropout_before_the_last_layer_is_on_while_the_head_learns(architecture):
    learner = classifier(architecture, dropout=0.5)
    train_part(learner, "head")
    with torch.no_grad():
        features = learner.network.forward_features
        assert torch.equal(features(grey()), features(grey()))
        assert not torch.equal(learner(grey()), learner(grey()))
        learner.eval()
        assert torch.equal(learner(grey()), learner(grey()))


@pytest.mark.parametrize("architecture", PLACES)
def test_a_head_without_dropout_learns_from_the_same_features_every_time(architecture):
    learner = classifier(architecture)
    train_part(learner, "head")
    with torch.no_grad():
        assert torch.equal(learner(grey()), learner(grey()))


@pytest.mark.parametrize("name", ["head", "fc", "classifier"])
def test_a_head_of_a_foreign_network_is_found_by_its_name(name):
    network = nn.ModuleDict({"first": nn.Linear(4, 3), name: nn.Linear(3, 2)})
    assert head_of(network) is network[name]
    assert head_names(network) == {f"{name}.weight", f"{name}.bias"}
    train_part(nn.ModuleDict({"network": network}), "head")
    assert count_parameters(network) == (15 + 8, 8)


def test_a_network_whose_head_cannot_be_found_says_how_to_name_it():
    network = nn.ModuleDict({"first": nn.Linear(4, 3), "last": nn.Linear(3, 2)})
    with pytest.raises(UserError, match="no module named head, fc or classifier; name its last"):
        train_part(nn.ModuleDict({"network": network}), "head")

"""Making networks: heads on backbones of any kind, and classes of the user."""

import pytest
import torch
from torch import nn

from cxrpipe.config import Model
from cxrpipe.models.parts import count_parameters, head_of
from cxrpipe.models.zoo import build, feature_layer
from cxrpipe.runtime import UserError

RADIOGRAPHS = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("architecture", "channels"),
    [("test_resnet", 96), ("mobilenetv3_small_050", 288), ("vgg11", 512), ("convnext_atto", 320)],
)
def test_a_head_replaces_all_that_the_architecture_has_behind_its_map(architecture, channels):
    """Every weight that is left gets a gradient."""
    network = build(Model(architecture=architecture, head="8", side=64), 3, seed=0)
    assert count_parameters(head_of(network))[0] == (channels + 1) * 8 + (8 + 1) * 3
    network(RADIOGRAPHS).square().sum().backward()
    assert not [name for name, weight in network.named_parameters() if weight.grad is None]


def test_a_pooling_head_with_the_weights_of_the_architectures_own_answers_as_it():
    own = build(Model(architecture="resnet18"), 3, seed=0)
    pooled = build(Model(architecture="resnet18", head="pool", side=64), 3, seed=1)
    pooled.backbone.load_state_dict(own.state_dict(), strict=False)
    pooled.head[-1].load_state_dict(own.fc.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(pooled.eval()(RADIOGRAPHS), own.eval()(RADIOGRAPHS))


@pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("vit_tiny_patch16_224", {"depth": 1}),
        ("swin_tiny_patch4_window7_224", {"depths": (1, 1, 1, 1)}),
    ],
)
def test_an_architecture_without_a_map_is_refused_a_head_that_needs_one(architecture, options):
    model = Model(architecture=architecture, head="128-32", side=224, options=options)
    with pytest.raises(UserError, match=r"ends in no map, so that head: 128-32 .*; give linear"):
        build(model, 3, seed=0)


def test_an_architecture_of_one_side_names_it():
    model = Model(architecture="vit_tiny_patch16_224", side=96, options={"depth": 1})
    with pytest.raises(UserError, match=r"cannot take films of side 96 \(.*224.*; give another"):
        build(model, 3, seed=0)


@pytest.mark.parametrize(
    ("where", "shares"), [("all", [0.3, 0.3]), ("first", [0.3, 0.0]), ("last", [0.0, 0.3])]
)
def test_dropout_of_vggs_own_head_stands_in_one_of_its_two_places_or_both(where, shares):
    options = {"mlp_ratio": 0.01}
    model = Model(architecture="vgg11", dropout=0.3, dropout_at=where, side=64, options=options)
    network = build(model, 3, seed=0)
    places = [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)]
    assert places == shares


class Mean(nn.Module):
    """A network of the user: a convolution, the mean of its map, and a last layer."""

    def __init__(self, in_chans, num_classes, width=4, norm=True):
        super().__init__()
        self.convolution = nn.Conv2d(in_chans, width, 3)
        self.norm = nn.BatchNorm2d(width) if norm else nn.Identity()
        self.fc = nn.Linear(width, num_classes)

    def forward(self, radiographs):
        return self.fc(self.norm(self.convolution(radiographs)).mean(dim=(2, 3)))


class Single(Mean):
    def forward(self, radiographs):
        return super().forward(radiographs)[:, 0]


class Twice(Mean):
    def forward(self, radiographs):
        return super().forward(radiographs), radiographs


def own(name, **settings):
    return Model(**{"architecture": f"{__name__}:{name}", "side": 32, **settings})


def test_a_network_of_the_user_is_made_with_its_options():
    network = build(own("Mean", options={"width": 6, "norm": False}), 3, seed=0)
    assert count_parameters(network)[0] == 6 * (9 + 1) + 3 * (6 + 1)
    assert network.training


def test_a_network_of_the_user_depends_on_the_seed_alone_and_keeps_its_statistics():
    before = torch.get_rng_state()
    first, again, other = (build(own("Mean"), 3, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.fc.weight, again.fc.weight)
    assert not torch.equal(first.fc.weight, other.fc.weight)
    assert not first.norm.running_mean.any()  # the empty film that was sent through left nothing


def test_the_last_map_of_a_network_of_the_user_is_found():
    model = own("Mean")
    assert feature_layer(build(model, 3, seed=0), model, 0) == "norm"


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ("no_such_package:Net", r"No module named 'no_such_package'; give package\.module:Class"),
        ("torch.nn:Linea", r"has no attribute 'Linea'; give package\.module:Class"),
        (":Net", r"Empty module name; give package\.module:Class"),
        ("torch.nn:functional", r"'torch\.nn:functional' is no torch\.nn\.Module"),
        ("pathlib:Path", r"'pathlib:Path' is no torch\.nn\.Module"),
    ],
)
def test_what_is_no_network_is_refused(architecture, message):
    with pytest.raises(UserError, match=message):
        build(Model(architecture=architecture, side=32), 3, seed=0)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (own("Single"), r"gives \(2,\) for 2 films; expected logits \(2, 3\)"),
        (own("Twice"), r"gives tuple for 2 films; expected logits \(2, 3\)"),
        (own("Mean", options={"depth": 3}), "options of .*'depth'; it is called with in_chans"),
        (own("Mean", options={"in_chans": 3}), "options of .*'in_chans'"),
        (own("Mean", head="128-32"), "has a head of its own"),
        (own("Mean", dropout=0.5), "has a head of its own"),
    ],
)
def test_a_network_of_the_user_that_does_not_fit_is_refused(model, message):
    with pytest.raises(UserError, match=message):
        build(model, 3, seed=0)

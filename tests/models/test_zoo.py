"""Networks by name: what they take and give, where their maps are, how they come back."""

import pytest
import torch

from cxrpipe.config import Model, Preprocess
from cxrpipe.explanation.attribution.cam import captured
from cxrpipe.models import weights
from cxrpipe.models.card import Card
from cxrpipe.models.parts import count_parameters
from cxrpipe.models.zoo import Classifier, build, feature_layer, load_classifier
from cxrpipe.runtime import UserError

TINY = Model(architecture="test_resnet")


def films(n=2, side=64, seed=0):
    return torch.rand(n, 1, side, side, generator=torch.Generator().manual_seed(seed))


def equal(first, second):
    return [torch.equal(first[name], second[name]) for name in first]


@pytest.mark.parametrize("architecture", ["test_resnet", "mobilenetv2_050"])
@pytest.mark.parametrize("n_findings", [2, 5])
def test_a_network_takes_one_grey_channel_and_gives_one_logit_a_finding(architecture, n_findings):
    network = build(Model(architecture=architecture), n_findings, seed=0).eval()
    logits = network(films())
    assert logits.shape == (2, n_findings)
    assert not torch.equal(logits[0], logits[1])
    with pytest.raises(RuntimeError, match="to have 1 channels"):
        network(films().repeat(1, 3, 1, 1))


def test_an_unknown_architecture_names_the_nearest():
    with pytest.raises(
        UserError, match=r"no architecture 'resnet18x' in .*; did you mean 'resnet18\w?'"
    ):
        build(Model(architecture="resnet18x"), 2, seed=0)


@pytest.mark.parametrize("name", ["resnet18.bogus", "tf_efficientnet_b1_ns"])
def test_a_tag_or_an_old_name_that_timm_has_no_record_of_is_refused(name):
    with pytest.raises(UserError, match=rf"no architecture '{name}' in the zoo or in timm; did"):
        build(Model(architecture=name), 2, seed=0)


def test_an_unknown_option_is_named():
    with pytest.raises(UserError, match=r"options of test_resnet: .*'depthh'"):
        build(Model(architecture="test_resnet", options={"depthh": 3}), 2, seed=0)


def test_dropout_twice_is_refused():
    model = Model(architecture="test_resnet", dropout=0.2, options={"drop_rate": 0.5})
    with pytest.raises(UserError, match=r"options of test_resnet: .*multiple values.*'drop_rate'"):
        build(model, 2, seed=0)


def test_a_side_that_is_too_small_is_refused():
    with pytest.raises(UserError, match=r"inception_v3 cannot take films of side 64 \(.*give ano"):
        build(Model(architecture="inception_v3", side=64), 2, seed=0)
    with pytest.raises(UserError, match="side 32 is halved 6 times; give 64 or more"):
        build(Model(architecture="cnn1", side=32), 2, seed=0)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    first, again, other = (build(TINY, 3, seed).state_dict() for seed in (4, 4, 5))
    assert all(equal(first, again))
    assert not torch.equal(first["fc.weight"], other["fc.weight"])
    assert not torch.equal(first["conv1.0.weight"], other["conv1.0.weight"])


def test_building_leaves_the_global_random_state_as_it_was():
    before = torch.get_rng_state()
    build(TINY, 3, seed=9)
    assert torch.equal(torch.get_rng_state(), before)


def test_resnet18_has_the_published_parameters_less_colours_and_head():
    published = 11_689_512  # torchvision's table: three colours, 1,000 classes
    colours, head = 2 * 64 * 7 * 7, (512 + 1) * (1000 - 2)
    total, _ = count_parameters(build(Model(architecture="resnet18"), 2, seed=0))
    assert total == published - colours - head


@pytest.mark.parametrize("architecture", ["test_resnet", "densenet121", "mobilenetv2_050"])
@pytest.mark.parametrize("head", ["linear", "flatten"])
def test_the_layer_of_a_stride_gives_one_cell_for_so_many_pixels(architecture, head):
    model = Model(architecture=architecture, head=head, side=64)
    network = build(model, 2, seed=0).eval()
    for stride, cells in ((8, 8), (16, 4), (32, 2), (0, 2)):
        with torch.no_grad(), captured(network, feature_layer(network, model, stride)) as outputs:
            network(films(n=1, side=64))
        assert outputs[0].shape[2:] == (cells, cells)


def test_the_layer_of_a_stride_is_the_deepest_that_has_it():
    model = Model(architecture="resnet18")
    network = build(model, 2, seed=0)
    assert [feature_layer(network, model, stride) for stride in (16, 0)] == ["layer3", "layer4"]
    model = Model(architecture="resnet18", options={"output_stride": 16})
    network = build(model, 2, seed=0).eval()
    assert [feature_layer(network, model, stride) for stride in (16, 0)] == ["layer4", "layer4"]
    with torch.no_grad(), captured(network, "layer4") as outputs:
        network(films(n=1, side=64))
    assert outputs[0].shape == (1, 512, 4, 4)


def test_a_stride_that_the_network_lacks_names_those_that_it_has():
    network = build(TINY, 2, seed=0)
    with pytest.raises(UserError, match=r"no map of stride 12; valid: \[2, 4, 8, 16, 32\]"):
        feature_layer(network, TINY, 12)


def test_the_last_map_is_found_where_modules_give_several_things():
    model = Model(architecture=f"{__name__}:Twofold", side=32)
    assert feature_layer(Twofold(1, 2), model, 0) == "convolution"


class Twofold(torch.nn.Module):
    """Its last module returns a tuple."""

    def __init__(self, in_chans, num_classes):
        super().__init__()
        self.convolution = torch.nn.Conv2d(in_chans, num_classes, 3)
        self.pair = Pair()

    def forward(self, radiographs):
        return self.pair(self.convolution(radiographs))[0].mean(dim=(2, 3))


class Pair(torch.nn.Module):
    def forward(self, maps):
        return maps, maps


def test_grad_cam_of_a_flattening_head_shows_the_place_that_its_weights_choose():
    """The last layer looks at the cell at the top right alone."""
    model = Model(architecture="test_resnet", head="flatten", side=64)
    network = build(model, 2, seed=0).eval()
    last = network.head[-1]
    with torch.no_grad():
        last.weight.zero_()
        last.weight.view(2, -1, 2, 2)[1, :, 0, 1] = 1
    layer = feature_layer(network, model, 0)
    with captured(network, layer) as outputs:
        logits = network(films(n=1, side=64))
    (gradients,) = torch.autograd.grad(logits[0, 1], outputs[0])
    assert (gradients[..., 0, 1] == 1).all()
    assert gradients.sum() == gradients.shape[1]


def test_a_classifier_normalises_grey_levels_itself():
    grey = torch.tensor([[0, 51, 255]], dtype=torch.uint8)
    classifier = Classifier(torch.nn.Identity(), mean=0.2, std=0.4)
    torch.testing.assert_close(classifier(grey), torch.tensor([[-0.5, 0, 2.0]]))


@pytest.mark.parametrize("head", ["linear", "pool", "8-4", "flatten-8"])
def test_a_loaded_classifier_answers_as_the_saved_one(head, tmp_path):
    grey = films() * 255
    model = Model(architecture="test_resnet", head=head, dropout=0.5, bias=False, side=64)
    classifier = Classifier(build(model, 3, seed=3), mean=0.4, std=0.3)
    classifier(grey)  # moves the running means away from their start
    card = Card(model, "single", ("a", "b", "c"), Preprocess(side=64), 0.4, 0.3)
    weights.save(tmp_path / "w.safetensors", classifier.state_dict(), card)
    loaded, read = load_classifier(tmp_path / "w.safetensors")
    assert read == card
    assert not loaded.training
    with torch.no_grad():
        assert torch.equal(loaded(grey), classifier.eval()(grey))

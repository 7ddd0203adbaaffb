"""Networks by name: what they start from, and that nothing starts from chance unasked."""

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save_file

from cxrpipe.config import Model
from cxrpipe.explanation.cam import captured
from cxrpipe.models import weights
from cxrpipe.models.zoo import (
    Classifier,
    build,
    count_parameters,
    feature_layer,
    load_classifier,
    pretrained_greys,
)
from cxrpipe.runtime import UserError

TINY = Model(architecture="test_resnet")


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks are fastest on one thread, the more so beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def films(n=2, side=64, seed=0):
    return torch.rand(n, 1, side, side, generator=torch.Generator().manual_seed(seed))


def equal(first, second):
    return [torch.equal(first[name], second[name]) for name in first]


@pytest.fixture(scope="module")
def colour():
    """A resnet18 for colour pictures of 1,000 things, as timm's pretrained weights are."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return timm.create_model("resnet18").eval()


@pytest.fixture(scope="module")
def file(colour, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "colour.safetensors"
    save_file(colour.state_dict(), path)
    return path


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


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
    with pytest.raises(UserError, match=r"no architecture 'resnet18x'; did you mean 'resnet18\w?'"):
        build(Model(architecture="resnet18x"), 2, seed=0)


def test_an_unknown_option_is_named():
    with pytest.raises(UserError, match=r"options of test_resnet: .*'depthh'"):
        build(Model(architecture="test_resnet", options={"depthh": 3}), 2, seed=0)


def test_weights_from_a_file_add_the_colours_up_and_get_a_fresh_head(colour, file):
    state = colour.state_dict()
    model = Model(architecture="resnet18", weights=str(file))
    loaded, again = (build(model, 3, seed).state_dict() for seed in (0, 1))
    grey = state["conv1.weight"].sum(dim=1, keepdim=True)
    torch.testing.assert_close(loaded["conv1.weight"], grey, rtol=0, atol=0)
    others = [name for name in state if name != "conv1.weight" and not name.startswith("fc.")]
    assert len(others) == len(state) - 3
    assert all(torch.equal(loaded[name], state[name]) for name in others)
    assert loaded["fc.weight"].shape == (3, 512)
    assert float(torch.cdist(loaded["fc.weight"], state["fc.weight"]).min()) > 0.1
    assert not torch.equal(loaded["fc.weight"], again["fc.weight"])


def test_the_features_of_a_grey_film_are_those_of_its_colour_copy(colour, file):
    network = build(Model(architecture="resnet18", weights=str(file)), 3, seed=0).eval()
    with torch.no_grad():
        ours = network.forward_features(films())
        theirs = colour.forward_features(films().repeat(1, 3, 1, 1))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


class Trap:
    """A pickle that would make a folder when read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return type(self.path).mkdir, (self.path,)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("weights.pth", r"weights\.pth' is no safetensors file"),
        ("weights.pt", r"weights\.pt' is no safetensors file"),
        ("weights.safetensors", "cannot be loaded"),
    ],
)
def test_a_pickle_is_refused_and_never_run(name, message, tmp_path):
    torch.save({"conv1.weight": Trap(tmp_path / "sprung")}, tmp_path / name)
    with pytest.raises(UserError, match=message):
        build(Model(architecture="test_resnet", weights=str(tmp_path / name)), 2, seed=0)
    assert not (tmp_path / "sprung").exists()


def test_weights_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(UserError, match="is no safetensors file here"):
        build(Model(architecture="resnet18", weights=str(tmp_path / "no.safetensors")), 2, seed=0)


def test_weights_of_another_shape_are_refused(colour, tmp_path):
    state = {name: tensor.clone() for name, tensor in colour.state_dict().items()}
    state["layer4.0.conv1.weight"] = torch.zeros(512, 256, 1, 1)
    save_file(state, tmp_path / "other.safetensors")
    model = Model(architecture="resnet18", weights=str(tmp_path / "other.safetensors"))
    with pytest.raises(UserError, match=r"cannot be loaded .*layer4\.0\.conv1\.weight"):
        build(model, 2, seed=0)


def test_weights_that_fit_no_layer_are_refused_instead_of_random_ones(tmp_path):
    state = build(TINY, 2, seed=1).state_dict()
    path = tmp_path / "foreign.safetensors"
    save_file({f"other.{name}": tensor for name, tensor in state.items()}, path)
    with pytest.raises(UserError, match=r"foreign\.safetensors"):
        build(Model(architecture="test_resnet", weights=str(path)), 2, seed=0)


def test_weights_that_lack_a_layer_are_refused(colour, tmp_path):
    state = colour.state_dict()
    del state["layer4.0.conv1.weight"]
    save_file(state, tmp_path / "partial.safetensors")
    model = Model(architecture="resnet18", weights=str(tmp_path / "partial.safetensors"))
    with pytest.raises(UserError, match=r"layer4\.0\.conv1\.weight"):
        build(model, 2, seed=0)


@pytest.mark.usefixtures("offline")
def test_pretrained_weights_without_a_network_are_an_error_and_never_random():
    with pytest.raises(UserError, match="'imagenet' of test_resnet cannot be loaded") as caught:
        build(Model(architecture="test_resnet", weights="imagenet"), 2, seed=0)
    assert "give the path of a safetensors file" in str(caught.value)


@pytest.mark.usefixtures("offline")
def test_an_architecture_without_pretrained_weights_is_an_error_and_never_random():
    with pytest.raises(UserError, match="No pretrained weights exist for resnetaa34d"):
        build(Model(architecture="resnetaa34d", weights="imagenet"), 2, seed=0)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    first, again, other = (build(TINY, 3, seed).state_dict() for seed in (4, 4, 5))
    assert all(equal(first, again))
    assert not torch.equal(first["fc.weight"], other["fc.weight"])
    assert not torch.equal(first["conv1.0.weight"], other["conv1.0.weight"])


def test_building_leaves_the_global_random_state_as_it_was():
    before = torch.get_rng_state()
    build(TINY, 3, seed=9)
    assert torch.equal(torch.get_rng_state(), before)


def test_grey_levels_of_pretrained_weights_are_the_averages_over_the_colours():
    mean, std = pretrained_greys(build(Model(architecture="resnet18"), 2, seed=0))
    assert mean == pytest.approx((0.485 + 0.456 + 0.406) / 3)
    assert std == pytest.approx((0.229 + 0.224 + 0.225) / 3)


def test_parameters_are_counted_by_hand():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3),  # 4 x 1 x 3 x 3 + 4 = 40
        torch.nn.BatchNorm2d(4),  # 4 + 4 = 8; running means are no parameters
        torch.nn.Linear(5, 2, bias=False),  # 10
    )
    assert count_parameters(network) == (58, 58)
    network[0].weight.requires_grad_(False)
    assert count_parameters(network) == (58, 58 - 36)


def test_resnet18_has_the_published_parameters_less_colours_and_head():
    published = 11_689_512  # torchvision's table: three colours, 1,000 classes
    colours, head = 2 * 64 * 7 * 7, (512 + 1) * (1000 - 2)
    total, _ = count_parameters(build(Model(architecture="resnet18"), 2, seed=0))
    assert total == published - colours - head


@pytest.mark.parametrize("architecture", ["test_resnet", "densenet121", "mobilenetv2_050"])
def test_the_layer_of_a_stride_gives_one_cell_for_so_many_pixels(architecture):
    network = build(Model(architecture=architecture), 2, seed=0).eval()
    for stride, cells in ((8, 8), (16, 4), (32, 2), (0, 2)):
        with torch.no_grad(), captured(network, feature_layer(network, stride)) as outputs:
            network(films(n=1, side=64))
        assert outputs[0].shape[2:] == (cells, cells)


def test_the_layer_of_a_stride_is_the_deepest_that_has_it():
    network = build(Model(architecture="resnet18"), 2, seed=0)
    assert [feature_layer(network, stride) for stride in (16, 0)] == ["layer3", "layer4"]
    model = Model(architecture="resnet18", options={"output_stride": 16})
    network = build(model, 2, seed=0).eval()
    assert [feature_layer(network, stride) for stride in (16, 0)] == ["layer4", "layer4"]
    with torch.no_grad(), captured(network, "layer4") as outputs:
        network(films(n=1, side=64))
    assert outputs[0].shape == (1, 512, 4, 4)


def test_a_stride_that_the_network_lacks_names_those_that_it_has():
    network = build(TINY, 2, seed=0)
    with pytest.raises(UserError, match=r"no map of stride 12; valid: \[2, 4, 8, 16, 32\]"):
        feature_layer(network, 12)


def test_a_classifier_normalises_grey_levels_itself():
    grey = torch.tensor([[0, 51, 255]], dtype=torch.uint8)
    classifier = Classifier(torch.nn.Identity(), mean=0.2, std=0.4)
    torch.testing.assert_close(classifier(grey), torch.tensor([[-0.5, 0, 2.0]]))


def test_a_loaded_classifier_answers_as_the_saved_one(tmp_path):
    grey = films() * 255
    classifier = Classifier(build(TINY, 3, seed=3), mean=0.4, std=0.3)
    classifier(grey)  # moves the running means away from their start
    card = weights.Card(TINY, ("a", "b", "c"), 64, 0.4, 0.3)
    weights.save(tmp_path / "w.safetensors", classifier.state_dict(), card)
    loaded, read = load_classifier(tmp_path / "w.safetensors")
    assert read == card
    assert not loaded.training
    with torch.no_grad():
        assert torch.equal(loaded(grey), classifier.eval()(grey))

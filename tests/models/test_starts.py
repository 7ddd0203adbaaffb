"""Starting points: what is taken over, and that nothing starts from chance unasked."""

import logging

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save_file

from cxrpipe.config import Model, Preprocess
from cxrpipe.models import weights
from cxrpipe.models.card import Card
from cxrpipe.models.entries import ZOO
from cxrpipe.models.zoo import Classifier, build, start_greys
from cxrpipe.runtime import UserError

TINY = Model(architecture="test_resnet", side=64)


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
        ("weights.safetensors", r"weights\.safetensors: not readable as safetensors"),
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
    assert str(caught.value).endswith(
        "set weights_folder in params.yaml to a folder that holds test_resnet.r160_in1k.safetensors"
    )


@pytest.mark.usefixtures("offline")
def test_an_architecture_without_pretrained_weights_is_an_error_and_never_random():
    with pytest.raises(UserError, match="no imagenet weights of 'resnetaa34d'; give none"):
        build(Model(architecture="resnetaa34d", weights="imagenet"), 2, seed=0)


@pytest.mark.parametrize("architecture", ["cnn1", f"{__name__}:Own"])
def test_architectures_that_are_no_timm_networks_have_no_imagenet_weights(architecture):
    with pytest.raises(UserError, match=f"no imagenet weights of '{architecture}'; give none or a"):
        build(Model(architecture=architecture, weights="imagenet", side=64), 2, seed=0)


def test_where_an_architecture_lacks_imagenet_weights_its_sizes_that_have_them_are_named():
    with pytest.raises(UserError, match=r"'resnet152v2'; .*resnetv2_50\.a1h_in1k") as caught:
        build(Model(architecture="resnet152v2", weights="imagenet", side=32), 2, seed=0)
    assert "resnetv2_101.a1h_in1k" in str(caught.value)


@pytest.fixture(scope="module")
def folder(colour, tmp_path_factory):
    """A folder of pretrained weights, as params.yaml names one."""
    path = tmp_path_factory.mktemp("pretrained")
    save_file(colour.state_dict(), path / "resnet18.tv_in1k.safetensors")
    return path


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("head", ["linear", "128-32", "flatten"])
def test_imagenet_weights_come_from_the_folder_whatever_the_head(head, colour, folder):
    model = Model(architecture="resnet18", weights="imagenet", head=head, side=64)
    network = build(model, 3, seed=0, weights_folder=folder)
    body = network if head == "linear" else network.backbone
    assert torch.equal(body.layer4[1].conv2.weight, colour.layer4[1].conv2.weight)
    assert torch.equal(body.bn1.running_var, colour.bn1.running_var)
    grey = colour.conv1.weight.sum(dim=1, keepdim=True)
    torch.testing.assert_close(body.conv1.weight, grey, rtol=0, atol=0)


def test_weights_that_the_folder_lacks_are_named(folder):
    model = Model(architecture="resnet34", weights="imagenet", side=64)
    with pytest.raises(UserError, match=r"weights_folder: .* lacks resnet34\.tv_in1k\.safetensors"):
        build(model, 3, seed=0, weights_folder=folder)


@pytest.mark.usefixtures("offline")
def test_the_fusion_starts_from_the_weights_of_both_and_its_blocks_from_the_seed(tmp_path):
    states = {}
    for place, name in enumerate(ZOO["fusion"].backbones):
        torch.manual_seed(place)
        states[name] = timm.create_model(name).state_dict()
        save_file(states[name], tmp_path / f"{name}.safetensors")
    options = {"width": 64}
    model = Model(architecture="fusion", weights="imagenet", options=options, side=64)
    network = build(model, 2, seed=5, weights_folder=tmp_path)
    plain = build(Model(architecture="fusion", options=options, side=64), 2, seed=5)
    parts = network.backbone.backbones
    for part, name, layer in (
        (parts["resnetv2_50"], "resnetv2_50.a1h_in1k", "stages.3.blocks.2.conv3.weight"),
        (parts["legacy_xception"], "legacy_xception.tf_in1k", "conv4.pointwise.weight"),
    ):
        assert torch.equal(part.state_dict()[layer], states[name][layer])
    blocks, fresh = (each.backbone.blocks.state_dict() for each in (network, plain))
    assert all(equal(blocks, fresh))


def trained(path, model=TINY, n_findings=3, seed=7):
    """Write weights as a training leaves them, and return the network."""
    classifier = Classifier(build(model, n_findings, seed), mean=0.4, std=0.3)
    classifier(films(side=model.side) * 255)  # moves the running statistics away from their start
    card = Card(
        model, "single", tuple("abcdefgh"[:n_findings]), Preprocess(side=model.side), 0.4, 0.3
    )
    weights.save(path, classifier.state_dict(), card)
    return classifier.network


@pytest.mark.parametrize(("before", "after"), [("linear", "8-4"), ("flatten", "linear")])
def test_a_model_of_the_run_hands_on_its_backbone_and_not_its_head(before, after, tmp_path):
    path = tmp_path / "w.safetensors"
    start = trained(path, Model(architecture="test_resnet", head=before, side=64))
    model = Model(architecture="test_resnet", head=after, weights="model:first", side=32)
    network, plain = build(model, 5, 1, start=path), build(without(model), 5, 1)
    start, loaded, fresh = (getattr(each, "backbone", each) for each in (start, network, plain))
    state = start.state_dict()
    backbone = [name for name in state if not name.startswith("fc.")]
    taken = loaded.state_dict()
    assert all(torch.equal(taken[name], state[name]) for name in backbone)
    assert not torch.equal(taken["bn1.running_mean"], fresh.state_dict()["bn1.running_mean"])
    heads = [
        each.head.state_dict() if hasattr(each, "head") else each.fc.state_dict()
        for each in (network, plain)
    ]
    assert all(equal(*heads))


def without(model):
    return model.model_copy(update={"weights": "none"})


def test_what_a_training_starts_from_is_logged(tmp_path, caplog):
    path = tmp_path / "w.safetensors"
    trained(path)
    with caplog.at_level(logging.INFO):
        build(TINY.model_copy(update={"weights": str(path)}), 2, 0)
    assert f"starts from {path} of test_resnet; the head is new" in caplog.messages


def test_vgg_hands_its_features_to_another_head_but_cannot_get_its_large_layers_from_it(tmp_path):
    path = tmp_path / "w.safetensors"
    small = {"mlp_ratio": 0.01}
    pooled = Model(architecture="vgg11", head="pool", side=32, options=small)
    whole = Model(architecture="vgg11", side=32, weights="model:first", options=small)
    start = trained(path, pooled)
    with pytest.raises(UserError, match=r"w\.safetensors of vgg11' do not fit: pre_logits\.fc1"):
        build(whole, 2, 0, start=path)
    start = trained(path, without(whole))
    network = build(pooled.model_copy(update={"weights": "model:first"}), 2, 0, start=path)
    assert all(equal(network.backbone.features.state_dict(), start.features.state_dict()))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"architecture": "mobilenetv2_050"}, "of test_resnet' do not fit: conv_stem.weight is"),
        (
            {"options": {"layers": (1, 1, 1, 2)}},
            r"do not fit: layer4\.1\.conv1\.weight .*found none",
        ),
    ],
)
def test_weights_of_another_network_are_refused(changed, message, tmp_path):
    trained(tmp_path / "w.safetensors")
    model = TINY.model_copy(update={"weights": "model:first", **changed})
    with pytest.raises(UserError, match=message):
        build(model, 2, 0, start=tmp_path / "w.safetensors")


def test_weights_of_others_are_refused_for_networks_that_only_cxrpipe_has(file):
    with pytest.raises(UserError, match=r"were not written by cxrpipe.*not 'cnn2'"):
        build(Model(architecture="cnn2", weights=str(file), side=32), 2, 0)


class Own(torch.nn.Module):
    """A network of a user, who calls its parts as we call ours."""

    def __init__(self, in_chans, num_classes):
        super().__init__()
        self.backbone = torch.nn.Conv2d(in_chans, 4, 3)
        self.head = torch.nn.Linear(4, num_classes)

    def forward(self, radiographs):
        return self.head(self.backbone(radiographs).mean(dim=(2, 3)))


def test_a_network_of_the_user_goes_on_from_its_own_weights(tmp_path):
    path = tmp_path / "w.safetensors"
    model = Model(architecture=f"{__name__}:Own", side=32)
    start = trained(path, model)
    network = build(model.model_copy(update={"weights": str(path)}), 2, 0)
    assert torch.equal(network.backbone.weight, start.backbone.weight)
    assert torch.equal(network.head.weight, build(model, 2, 0).head.weight)
    assert start_greys(model.model_copy(update={"weights": str(path)}), None) == (0.4, 0.3)


def test_starting_weights_leave_the_global_random_state_as_it_was(file, tmp_path):
    path = tmp_path / "w.safetensors"
    trained(path)
    before = torch.get_rng_state()
    build(Model(architecture="resnet18", weights=str(file)), 3, 0)
    build(TINY.model_copy(update={"weights": "model:first"}), 3, 0, start=path)
    assert torch.equal(torch.get_rng_state(), before)


def test_greys_are_those_of_the_weights_and_without_weights_unknown(file, tmp_path):
    path = tmp_path / "w.safetensors"
    trained(path)
    assert start_greys(TINY, None) is None
    assert start_greys(TINY.model_copy(update={"weights": "model:first"}), path) == (0.4, 0.3)
    published = ((0.485 + 0.456 + 0.406) / 3, (0.229 + 0.224 + 0.225) / 3)
    for weights_of in ("imagenet", str(file)):
        model = Model(architecture="resnet18", weights=weights_of)
        assert start_greys(model, None) == pytest.approx(published)
    inception = Model(architecture="inception_v3", weights="imagenet")
    both = start_greys(Model(architecture="fusion", weights="imagenet"), None)
    xception = start_greys(Model(architecture="xception", weights="imagenet"), None)
    v2 = start_greys(Model(architecture="resnet50v2", weights="imagenet"), None)
    assert xception == (0.5, 0.5)
    assert start_greys(inception, None) == pytest.approx((0.5, 0.5))
    assert both == pytest.approx(tuple((a + b) / 2 for a, b in zip(xception, v2, strict=True)))

"""CAM: linear heads are told by what they compute, and CAM is then Grad-CAM of both signs."""

import pytest
import torch
from torch import nn

from cxrpipe.config import Model
from cxrpipe.explanation.attribution.cam import METHODS, explain
from cxrpipe.explanation.attribution.linear import is_pool_linear
from cxrpipe.models.zoo import Classifier, build, feature_layer
from cxrpipe.runtime import UserError

SIDE = 64


def untrained(architecture, **said):
    model = Model(architecture=architecture, side=SIDE, **said)
    classifier = Classifier(build(model, 3, seed=0), 0.5, 0.25).eval()
    return classifier, "network." + feature_layer(classifier.network, model, 0)


def test_cam_is_grad_cam_up_to_scale(noise):
    """The gradient of a mean is one over the number of cells, here 2 x 2."""
    classifier, layer = untrained("resnet18")
    films, findings = noise(3, SIDE), torch.arange(3)
    cam, gradcam = (
        METHODS[name](classifier, layer, films, findings) for name in ("cam", "gradcam")
    )
    torch.testing.assert_close(cam, 4 * gradcam, rtol=1e-4, atol=1e-6)
    assert float(cam.min()) < 0 < float(cam.max())


def test_the_mean_of_cam_is_the_logit_without_its_bias(noise):
    classifier, layer = untrained("resnet18")
    classifier.network.fc.bias.data.copy_(torch.tensor([1.0, 2.0, 3.0]))
    films = noise(3, SIDE)
    with torch.no_grad():
        logits = classifier(films).diagonal() - torch.tensor([1.0, 2.0, 3.0])
    maps = METHODS["cam"](classifier, layer, films, torch.arange(3))
    torch.testing.assert_close(maps.mean(dim=(1, 2)), logits, rtol=1e-4, atol=1e-6)


def test_cam_shows_what_speaks_against_a_class_as_negative(noise):
    classifier, layer = untrained("resnet18")
    maps = explain(classifier, "cam", layer, noise(4, SIDE), torch.arange(4) % 3)
    assert maps.abs().amax(dim=(1, 2)).tolist() == [1, 1, 1, 1]
    assert float(maps.min()) < 0


@pytest.mark.parametrize(
    ("architecture", "said", "is_linear"),
    [
        ("resnetv2_18", {}, True),  # its last layer is a convolution of one pixel
        ("mobilenetv2_050", {}, True),
        ("mobilenetv2_050", {"head": "pool"}, True),
        ("test_resnet", {"head": "pool"}, False),  # its named map is not that of the head
        ("resnet18", {"head": "16"}, False),
        ("resnet18", {"head": "flatten"}, False),
        ("cnn1", {}, False),
    ],
)
def test_pool_linear_heads_are_told_from_others(architecture, said, is_linear):
    classifier, layer = untrained(architecture, **said)
    if architecture == "test_resnet":
        layer = "network.backbone.layer3"
    assert is_pool_linear(classifier, layer, SIDE) == is_linear


def test_a_head_that_does_more_cannot_be_explained_by_cam(noise):
    classifier, layer = untrained("resnet18", head="16")
    with pytest.raises(UserError, match=r"more with network\.backbone\.layer4 .* leave cam out"):
        explain(classifier, "cam", layer, noise(1, SIDE), torch.tensor([0]))


def test_a_head_that_is_no_longer_linear_after_its_last_layer_is_told(hand):
    linear = hand.forward
    assert is_pool_linear(hand, "conv", 8)
    hand.forward = lambda films: linear(films).sigmoid()
    assert not is_pool_linear(hand, "conv", 8)
    assert not is_pool_linear(nn.Sequential(hand.conv, nn.Flatten()), "0", 8)

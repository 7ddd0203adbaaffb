"""Beside pytorch-grad-cam: the same maps of networks of every kind in the zoo."""

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, HiResCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from cxrpipe.config import Model
from cxrpipe.explanation.attribution.cam import METHODS, explain
from cxrpipe.models.zoo import Classifier, build, feature_layer

THEIRS = {"gradcam": GradCAM, "gradcam++": GradCAMPlusPlus, "hirescam": HiResCAM}
MODELS = {
    "ResNet-18": Model(architecture="resnet18", side=96),
    "DenseNet-121": Model(architecture="densenet121", side=96),
    "VGG-16": Model(architecture="vgg16", side=64, head="16"),
    "fusion": Model(architecture="fusion", side=64, head="16", options={"width": 64}),
    "scratch": Model(architecture="cnn2", side=96),
}
N_FINDINGS = 3


@pytest.fixture(scope="module", params=MODELS)
def untrained(request):
    """A network of random weights, the name of its last map, and the side of its films."""
    model = MODELS[request.param]
    classifier = Classifier(build(model, N_FINDINGS, seed=0), 0.5, 0.25).eval()
    return classifier, "network." + feature_layer(classifier.network, model, 0), model.side


@pytest.mark.parametrize("method", THEIRS)
def test_maps_are_those_of_pytorch_grad_cam(method, untrained, noise):
    """Raw maps in its scaling, and ours; it puts the lowest place of a map to zero, we do not."""
    classifier, layer, side = untrained
    films, findings = noise(3, side).float(), torch.arange(3)
    with THEIRS[method](classifier, [classifier.get_submodule(layer)]) as library:
        theirs = library(films, [ClassifierOutputTarget(int(finding)) for finding in findings])
    assert theirs.max(axis=(1, 2)).max() == pytest.approx(1, abs=1e-4)
    raw = METHODS[method](classifier, layer, films, findings).relu().numpy()
    scaled = scale_cam_image(scale_cam_image(raw, (side, side)))
    np.testing.assert_allclose(scaled, theirs, rtol=0, atol=1e-4)
    ours = explain(classifier, method, layer, films, findings).numpy()
    np.testing.assert_allclose(scale_cam_image(ours), theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("method", THEIRS)
def test_maps_with_a_place_at_zero_need_no_scaling(method, hand):
    """There, ours are those of pytorch-grad-cam as they are."""
    films = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    films[:, :, 0, 0], films[:, :, 7, 7] = 0, 1
    findings = torch.arange(6) % 2
    with THEIRS[method](hand, [hand.conv]) as library:
        theirs = library(films, [ClassifierOutputTarget(int(finding)) for finding in findings])
    ours = explain(hand, method, "conv", films, findings).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)

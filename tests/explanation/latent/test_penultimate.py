"""Penultimate features: those of networks computed by hand, and of every kind of head."""

import numpy as np
import pytest
import torch
from torch import nn

from cxrpipe.config import Model
from cxrpipe.explanation.latent import penultimate
from cxrpipe.explanation.latent.penultimate import (
    choose_projection,
    count_inputs,
    find_last_layer,
    gather_features,
)
from cxrpipe.models.fusion import Fusion
from cxrpipe.models.heads import make_head
from cxrpipe.models.parts import Headed
from cxrpipe.models.zoo import Classifier, build
from cxrpipe.runtime import UserError

CPU = torch.device("cpu")


def films(n=3, side=32, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side), dtype=np.uint8)


def as_is(network):
    """Return a classifier that hands greys from 0 to 255 on as they are."""
    return Classifier(network, 0, 1 / 255)


def gather(classifier, grey, layer=None, projection=None, batch=128):
    layer = layer or find_last_layer(classifier, grey.shape[-1])
    batches = [grey[first : first + batch] for first in range(0, len(grey), batch)]
    return np.concatenate(list(gather_features(classifier, layer, batches, CPU, projection)))


class HandMade(nn.Module):
    """Two features of a film of 2 x 2: the sum of its greys, and twice the first grey less 5.

    The last layer stands first, and its input is overwritten after use.
    """

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(2, 3)
        self.first = nn.Linear(4, 2)
        with torch.no_grad():
            self.first.weight.copy_(torch.tensor([[1.0, 1, 1, 1], [2, 0, 0, 0]]))
            self.first.bias.copy_(torch.tensor([0.0, -5]))

    def forward(self, films):
        features = self.first(films.flatten(1)).relu()
        logits = self.last(features)
        features.zero_()
        return logits


def test_features_of_a_network_computed_by_hand():
    grey = np.array([[[1, 2], [3, 4]], [[10, 0], [0, 0]]], dtype=np.uint8)
    classifier = as_is(HandMade())
    assert find_last_layer(classifier, 2) == "network.last"
    features = gather(classifier, grey)
    np.testing.assert_allclose(features, [[10, 0], [10, 15]], rtol=1e-5)
    assert features.dtype == np.float32


def test_of_a_last_convolution_the_map_is_averaged():
    """The channels are the greys and three times the greys."""
    widen = nn.Conv2d(1, 2, 1, bias=False)
    nn.init.ones_(widen.weight)
    widen.weight.data[1] = 3
    network = nn.Sequential(widen, nn.Conv2d(2, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    features = gather(as_is(network), films(side=8))
    means = films(side=8).mean(axis=(1, 2))
    np.testing.assert_allclose(features, np.column_stack([means, 3 * means]), rtol=1e-5)


class Tokens(nn.Module):
    """Rows of a film are tokens; the logits are those of the mean token."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 2)

    def forward(self, films):
        return self.head(films[:, 0]).mean(dim=1)


def test_of_a_last_layer_that_takes_tokens_they_are_averaged():
    features = gather(as_is(Tokens()), films(side=8))
    np.testing.assert_allclose(features, films(side=8).mean(axis=1), rtol=1e-5)


def fused():
    backbones = {name: build(Model(architecture=name), 2, seed=0) for name in ("test_resnet",)}
    backbones["second"] = build(Model(architecture="test_resnet"), 2, seed=1)
    fusion = Fusion(backbones, width=8)
    return Headed(fusion, make_head(Model(architecture="fusion", head="6"), 8, 4, 2))


@pytest.mark.parametrize(
    ("architecture", "head", "width"),
    [
        ("test_resnet", "linear", 96),
        ("test_resnet", "pool", 96),
        ("test_resnet", "12-7", 7),
        ("test_resnet", "flatten-9", 9),
        ("test_resnet", "flatten", 96 * 4),
        ("test_vit", "linear", 64),
        ("resnetv2_18", "linear", 512),
        ("cnn2", "linear", 512),
        ("fusion", "6", 6),
    ],
)
def test_the_last_layer_makes_the_logits_of_the_features_of_every_head(architecture, head, width):
    side = {"test_vit": 160, "test_resnet": 64}.get(architecture, 32)
    model = Model(architecture=architecture, head=head, side=side, dropout=0.5 * (head != "linear"))
    network = fused() if architecture == "fusion" else build(model, 2, seed=0)
    classifier = Classifier(network, 0.5, 0.25)
    layer = find_last_layer(classifier, side)
    features = gather(classifier, films(side=side), layer)
    assert features.shape == (3, width)
    assert count_inputs(classifier.get_submodule(layer)) == width
    with torch.no_grad():
        logits = classifier(torch.from_numpy(films(side=side)[:, None]))
        last = classifier.get_submodule(layer)
        cells = (1, 1) if isinstance(last, nn.Conv2d) else ()
        made = last(torch.from_numpy(features).reshape(3, width, *cells)).reshape(3, 2)
    torch.testing.assert_close(made, logits, rtol=1e-4, atol=1e-4)


def test_features_do_not_depend_on_the_batch():
    classifier = Classifier(build(Model(architecture="test_resnet"), 2, seed=0), 0.5, 0.25)
    together = gather(classifier, films(5))
    apart = gather(classifier, films(5), batch=2)
    np.testing.assert_allclose(apart, together, rtol=1e-4, atol=1e-5)


def test_a_batch_is_read_when_the_one_before_it_is_done():
    """Of a hundred thousand films no more than one batch is held."""
    log = []

    def batches():
        for number in range(2):
            log.append(f"read {number}")
            yield films(1, side=2)

    gathered = gather_features(as_is(HandMade()), "network.last", batches(), CPU, None)
    for number, features in enumerate(gathered):
        log.append(f"gave {number}")
        assert features.shape == (1, 2)
    assert log == ["read 0", "gave 0", "read 1", "gave 1"]


def count_hooks(network):
    return sum(
        len(each._forward_pre_hooks) + len(each._forward_hooks) for each in network.modules()
    )


class Failing(HandMade):
    def forward(self, films):
        super().forward(films)
        raise RuntimeError("broken")


def test_no_hook_is_left_also_where_the_network_fails():
    classifier, failing = as_is(HandMade()), as_is(Failing())
    gather(classifier, films(side=2))
    for call in (find_last_layer, gather):
        args = (failing, 2) if call is find_last_layer else (failing, films(side=2), "network.last")
        with pytest.raises(RuntimeError, match="broken"):
            call(*args)
    assert count_hooks(classifier) == count_hooks(failing) == 0


def test_a_network_without_layers_is_refused():
    with pytest.raises(UserError, match=r"Flatten passes no torch\.nn\.Linear or convolution"):
        find_last_layer(as_is(nn.Flatten()), 2)


def test_features_that_are_not_finite_are_refused():
    classifier = as_is(HandMade())
    classifier.network.first.bias.data[0] = torch.inf
    with pytest.raises(UserError, match=r"network\.last takes 3 rows of 3 films, or what is not"):
        gather(classifier, films(side=2))


class Halving(HandMade):
    def forward(self, films):
        return super().forward(films[::2]).repeat(2, 1)


def test_a_layer_that_does_not_take_a_row_a_film_is_refused():
    with pytest.raises(UserError, match="takes 2 rows of 3 films"):
        gather(as_is(Halving()), films(side=2))


def test_many_features_are_brought_to_fewer_that_keep_the_distances(monkeypatch):
    """Of 4,096 features 2,000 are left, and distances are kept to four standard errors."""
    monkeypatch.setattr(penultimate, "WIDEST", 2000)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Flatten(), nn.Linear(4096, 2))
    all_of_them = gather(as_is(network), films(6))
    projection = choose_projection(4096, seed=3)
    fewer = gather(as_is(network), films(6), projection=projection)
    assert fewer.shape == (6, 2000)
    assert fewer.dtype == np.float32
    kept, true = (
        np.linalg.norm(features[:, None] - features, axis=-1)[np.triu_indices(6, 1)]
        for features in (fewer, all_of_them)
    )
    np.testing.assert_allclose(kept / true, 1, atol=4 / np.sqrt(2 * 2000))
    again = choose_projection(4096, seed=3)
    assert (again.components_ != projection.components_).nnz == 0
    assert choose_projection(2000, seed=3) is None


def test_the_global_random_states_are_left_as_they_were():
    classifier = as_is(HandMade())
    of_torch, of_numpy = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    choose_projection(penultimate.WIDEST + 1, seed=0)
    gather(classifier, films(side=2))
    assert torch.equal(torch.get_rng_state(), of_torch)
    np.testing.assert_array_equal(np.random.get_state()[1], of_numpy)  # noqa: NPY002

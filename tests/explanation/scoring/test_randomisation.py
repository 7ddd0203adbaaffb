"""Weights out of order: what stays, what changes, and in which order."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from cxrpipe.config import Model
from cxrpipe.explanation.scoring.randomisation import (
    list_stages,
    measure_statistics,
    randomise,
    resemble,
    shuffle_weights,
)
from cxrpipe.models.zoo import Classifier, build

CPU = torch.device("cpu")
MODEL = Model(architecture="test_resnet", side=32)


def pictures(n=4):
    return np.random.default_rng(0).integers(0, 256, (n, 32, 32), dtype=np.uint8)


@pytest.fixture(scope="module")
def classifier():
    built = Classifier(build(MODEL, 3, seed=0), 0.5, 0.3).eval()
    built.network.fc.weight.data.normal_(generator=torch.Generator().manual_seed(0))
    return built


def state(classifier):
    return {name: value.clone() for name, value in classifier.state_dict().items()}


def weighted(network):
    return [
        name for name, module in network.named_modules() if list(module.parameters(recurse=False))
    ]


@pytest.mark.parametrize(
    ("architecture", "last"),
    [
        ("test_resnet", "fc"),
        ("densenet121", "classifier"),
        ("vgg16", "head.fc"),
        ("cnn3", "head.5"),
    ],
)
def test_the_stages_lead_from_the_logits_to_the_film_and_leave_nothing_out(architecture, last):
    with torch.device("meta"):
        network = build(Model(architecture=architecture, side=64), 3, seed=0)
    stages = list_stages(network)
    assert (stages[0].layer, stages[0].modules) == (last, [last])
    assert [name for stage in stages for name in stage.modules] == weighted(network)[::-1]
    assert [stage.layer for stage in stages] == [stage.modules[-1] for stage in stages]
    sizes = [len(stage.modules) for stage in stages[1:]]
    assert (len(stages), max(sizes) - min(sizes) <= 1) == (5, True)


def test_a_network_of_two_layers_has_two_stages():
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Linear(2, 2))
    assert [tuple(stage) for stage in list_stages(network)] == [("2", ["2"]), ("0", ["0"])]


def test_shuffled_weights_keep_every_value_and_lose_their_places(classifier):
    copy = build(MODEL, 3, seed=0)
    before = {name: weight.clone() for name, weight in copy.named_parameters()}
    shuffle_weights(copy, ["layer3.0.conv1"], torch.Generator().manual_seed(1))
    for name, weight in copy.named_parameters():
        same = torch.equal(weight, before[name])
        assert same == (not name.startswith("layer3.0.conv1."))
        assert torch.equal(weight.flatten().sort().values, before[name].flatten().sort().values)


def test_shuffling_does_not_mind_how_weights_lie_in_memory():
    networks = [build(MODEL, 3, seed=0) for _ in range(2)]
    networks[1].to(memory_format=torch.channels_last)
    for network in networks:
        shuffle_weights(network, weighted(network), torch.Generator().manual_seed(1))
    pairs = zip(networks[0].parameters(), networks[1].parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


def test_batch_norms_divide_by_what_the_films_give_them():
    """What the last norm takes is caught, and has mean and variance by channel."""
    classifier = Classifier(build(MODEL, 3, seed=0), 0.5, 0.3).eval()
    shuffle_weights(classifier.network, ["conv1.0"], torch.Generator().manual_seed(1))
    films = torch.from_numpy(pictures(8)).unsqueeze(1)
    names = weighted(classifier.network)
    measure_statistics(classifier, names, films)
    assert not any(module.training for module in classifier.modules())
    norm, taken = classifier.network.layer4[-1].bn2, []
    hook = norm.register_forward_hook(lambda module, inputs, output: taken.append(inputs[0]))
    measure_statistics(classifier, names, films)
    hook.remove()
    np.testing.assert_allclose(norm.running_mean, taken[0].mean(dim=(0, 2, 3)).detach(), atol=1e-5)
    np.testing.assert_allclose(norm.running_var, taken[0].var(dim=(0, 2, 3)).detach(), rtol=1e-4)


def test_the_stages_add_up_and_the_classifier_stays_as_it_is(classifier):
    before, grey = state(classifier), pictures()
    untouched = set(weighted(classifier.network))
    for stage, copy in randomise(classifier, grey, 0, CPU):
        untouched -= set(stage.modules)
        assert not copy.training
        for name in weighted(classifier.network):
            kept = all(
                torch.equal(weight, before[f"network.{name}.{key}"])
                for key, weight in copy.network.get_submodule(name).state_dict().items()
            )
            assert kept == (name in untouched), name
    assert not untouched
    assert all(torch.equal(value, before[name]) for name, value in classifier.state_dict().items())


def test_random_weights_give_numbers_of_a_usual_size(classifier):
    """Without new statistics of the batch norms they grow or vanish from layer to layer."""
    films = torch.from_numpy(pictures()).unsqueeze(1)
    for _, copy in randomise(classifier, pictures(), 0, CPU):
        with torch.no_grad():
            spread = float(copy.network.forward_features((films / 255 - 0.5) / 0.3).std())
        assert 0.01 < spread < 100


def test_the_seed_decides_and_the_global_random_state_does_not(classifier):
    def last(seed):
        *_, (_, copy) = randomise(classifier, pictures(), seed, CPU)
        return copy.network.conv1[0].weight.detach().clone()

    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    first = last(1)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(last(1), first)
    assert not torch.equal(last(2), first)


def test_two_films_are_enough_for_norms_that_refuse_one():
    """Its batch norm of single numbers refuses one film in training."""
    network = torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Linear(32 * 32, 8),
        torch.nn.BatchNorm1d(8),
        torch.nn.Linear(8, 2),
    )
    copies = list(randomise(Classifier(network, 0.5, 0.3).eval(), pictures(2), 0, CPU))
    with torch.no_grad():
        assert torch.isfinite(copies[-1][1](torch.from_numpy(pictures(1)).unsqueeze(1))).all()


def test_resemblance_is_spearmans_with_ties():
    random = np.random.default_rng(0)
    heatmaps = np.maximum(random.normal(size=(5, 6, 6)), 0).astype(np.float32)
    others = (heatmaps + random.normal(size=(5, 6, 6))).astype(np.float32)
    expected = [
        spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(heatmaps, others, strict=True)
    ]
    np.testing.assert_allclose(resemble(heatmaps, others), expected, atol=1e-12)
    np.testing.assert_allclose(resemble(heatmaps, heatmaps**2), 1)


def test_a_heatmap_of_one_value_resembles_none():
    heatmaps = np.stack([np.zeros((4, 4)), np.eye(4)]).astype(np.float32)
    assert resemble(heatmaps, np.stack([np.eye(4)] * 2).astype(np.float32)).tolist() == [0, 1]

"""Ablation-CAM: every channel is left out by itself, however many films go up to the layer."""

import pytest
import torch
from torch import nn

from cxrpipe.explanation.attribution import ablation
from cxrpipe.explanation.attribution.ablation import ablation_cam, repeats_itself


class Beside(nn.Module):
    """The film is put beside the layer's maps, so that both must have as many copies."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(1, 5, 3, stride=2)
        self.last = nn.Conv2d(6, 4, 3)
        self.fc = nn.Linear(4, 3)

    def forward(self, films):
        maps = self.layer(films / 255)
        small = nn.functional.interpolate(films / 255, maps.shape[-2:])
        return self.fc(self.last(torch.cat([maps, small], dim=1).tanh()).amax(dim=(2, 3)))


class Without(nn.Module):
    """Sets one channel to zero; the oracle."""

    def __init__(self, layer, channel):
        super().__init__()
        self.layer = layer
        self.channel = channel

    def forward(self, maps):
        maps = self.layer(maps).clone()
        maps[:, self.channel] = 0
        return maps


@torch.no_grad()
def by_force(network, name, films, findings):
    """Replace the layer for each channel, and send all films through all of the network."""
    parent, _, child = name.rpartition(".")
    layer = network.get_submodule(name)
    seen = []
    layer.register_forward_hook(lambda module, inputs, output: seen.append(output.clone()))
    logits = network(films)
    maps = torch.zeros_like(seen[0][:, 0])
    for channel in range(seen[0].shape[1]):
        setattr(network.get_submodule(parent), child, Without(layer, channel))
        falls = (logits - network(films)).gather(1, findings.view(-1, 1))
        maps += falls.view(-1, 1, 1) * seen[0][:, channel]
    setattr(network.get_submodule(parent), child, layer)
    layer._forward_hooks.clear()
    return maps


def beside():
    torch.manual_seed(0)
    return Beside().eval()


@pytest.mark.parametrize("most", [2**25, 1500, 1])
@pytest.mark.parametrize("layer", ["network.layer2", "network.layer2.0.conv1"])
def test_channels_are_left_out_as_by_full_repetition(layer, most, classifier, noise, monkeypatch):
    """However few numbers may be held at once; inside a block the rest goes around the layer."""
    monkeypatch.setattr(ablation, "MOST_NUMBERS", most)
    films, findings = noise(2), torch.tensor([0, 2])
    assert repeats_itself(classifier, layer, films[:1])
    expected = by_force(classifier, layer, films, findings)
    maps = ablation_cam(classifier, layer, films, findings)
    torch.testing.assert_close(maps, expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("batch", [32, 2])
def test_the_whole_film_is_repeated_where_it_goes_around_the_layer(batch, noise, monkeypatch):
    monkeypatch.setattr(ablation, "BATCH", batch)
    with torch.random.fork_rng(devices=[]):
        network = beside()
    films, findings = noise(3), torch.tensor([0, 2, 1])
    assert not repeats_itself(network, "layer", films[:1].float())
    expected = by_force(network, "layer", films.float(), findings)
    maps = ablation_cam(network, "layer", films, findings)
    torch.testing.assert_close(maps, expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max()))


def test_a_memory_that_is_too_small_is_no_other_size(noise):
    """Else one film at a time would be tried on a GPU that is full, and take ten times as long."""

    class Filling(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Identity()

        def forward(self, films):
            maps = self.layer(films)
            if len(maps) > 1:
                raise torch.OutOfMemoryError
            return maps.mean(dim=(2, 3))

    with pytest.raises(torch.OutOfMemoryError):
        repeats_itself(Filling(), "layer", noise(1).float())


def test_a_negative_logit_turns_no_sign(hand):
    """Class 0 is 2 x - 1 on average: negative on a dark film, where x still speaks for it."""
    film = torch.full((1, 1, 2, 2), 0.25)
    assert float(hand(film)[0, 0].detach()) == -0.5
    # Without x the logit is -0.75, without 1 - x it is 0.25: 0.25 x - 0.75 (1 - x)
    maps = ablation_cam(hand, "conv", film, torch.tensor([0]))
    torch.testing.assert_close(maps, torch.full((1, 2, 2), 0.25 * 0.25 - 0.75 * 0.75))


def test_a_channel_that_is_not_heeded_is_not_seen_by_rounding(classifier, noise):
    """A block whose last batch norm is zero changes nothing, to the last bits of the logits."""
    norm = classifier.network.layer2[0].bn2.weight.data
    norm.zero_()
    films, findings = noise(2), torch.tensor([0, 2])
    maps = ablation_cam(classifier, "network.layer2.0.conv1", films, findings)
    norm.fill_(1)
    assert float(maps.abs().max()) == 0

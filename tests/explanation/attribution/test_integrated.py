"""Integrated gradients: what pixels bring adds up to the logit, and is blurred to be seen."""

import pytest
import torch
from scipy import ndimage
from torch import nn

from cxrpipe.explanation.attribution import integrated
from cxrpipe.explanation.attribution.cam import explain
from cxrpipe.explanation.attribution.integrated import blur, integrate, integrated_gradients


class Squares(nn.Module):
    """The sum of squared greys, and twice the sum of greys."""

    def forward(self, films):
        flat = films.flatten(1)
        return torch.stack([flat.square().sum(dim=1), 2 * flat.sum(dim=1)], dim=1)


def test_what_pixels_bring_is_exact_for_squares_and_sums():
    """The slope on the way is linear in it, for which the midpoint rule makes no error.

    Over an empty film of 1, what is black lowers them, by 1 and by 2.
    """
    film = torch.tensor([[0.0, 1.0], [2.0, 3.0]]).expand(2, 1, 2, 2)
    brought = integrate(Squares(), film, torch.tensor([0, 1]), blank=1)
    torch.testing.assert_close(brought[0], torch.tensor([[-1.0, 0.0], [3.0, 8.0]]))
    torch.testing.assert_close(brought[1], torch.tensor([[-2.0, 0.0], [2.0, 4.0]]))


def test_pixels_add_up_to_the_rise_over_an_empty_film(classifier, noise):
    """With the steps that are taken to a hundredth of all that is moved, and better with more."""
    films, findings = noise(3), torch.tensor([0, 1, 2])
    with torch.no_grad():
        rise = (classifier(films) - classifier(torch.full_like(films, 60))).diagonal()

    def error(steps):
        brought = integrate(classifier, films, findings, 60, steps)
        moved = brought.abs().sum(dim=(1, 2))
        return float(((brought.sum(dim=(1, 2)) - rise).abs() / moved).max())

    assert error(integrated.STEPS) < 0.01
    assert error(8 * integrated.STEPS) < error(2) / 10


@pytest.mark.parametrize("batch", [1, 5])
def test_the_steps_may_be_taken_in_any_batches(batch, noise, monkeypatch):
    films, findings = noise(2) / 255, torch.tensor([0, 1])
    together = integrate(Squares(), films, findings, 0.5)
    monkeypatch.setattr(integrated, "BATCH", batch)
    torch.testing.assert_close(integrate(Squares(), films, findings, 0.5), together)


def test_the_blur_is_that_of_scipy():
    maps = torch.rand(2, 20, 20, generator=torch.Generator().manual_seed(0))
    expected = ndimage.gaussian_filter(maps.numpy(), (0, 1.5, 1.5), mode="nearest", truncate=10 / 3)
    torch.testing.assert_close(blur(maps, 1.5), torch.from_numpy(expected), rtol=0, atol=1e-6)


class Sides(nn.Module):
    """The last column raises the logit as much as the first lowers it; between, nothing does."""

    mean = 0.5 / 255

    def forward(self, films):
        return (films[..., -1].sum(dim=-1) - films[..., 0].sum(dim=-1)).view(-1, 1)


def test_what_speaks_against_a_class_is_negative_and_not_shown():
    film, first = torch.ones(1, 1, 32, 32), torch.tensor([0])
    brought = integrated_gradients(Sides(), "", film, first)[0]
    torch.testing.assert_close(brought[:, 0], -brought[:, -1])
    assert float(brought[0, 0]) < 0
    maps = explain(Sides(), "integrated", "", film, first)
    assert float(maps[0, :, :24].max()) == 0
    torch.testing.assert_close(maps[0, :, -1], torch.ones(32))


def test_what_is_darker_than_films_are_on_average_can_speak_for_a_class():
    """Black where the logit falls with grey; over a black film it would bring nothing."""
    film = torch.ones(1, 1, 32, 32)
    film[..., 0] = 0
    maps = explain(Sides(), "integrated", "", film, torch.tensor([0]))
    torch.testing.assert_close(maps[0, :, 0], torch.ones(32))

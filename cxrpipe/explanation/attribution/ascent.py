"""Activation maximisation: the pictures that move chosen filters of a network most."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from cxrpipe.explanation.attribution.convolutions import respond

MIDDLE = 127.5  # of the grey scale
STRIDE = 24.0  # grey levels by which a picture changes in the first step, root mean square
CONTRAST = 60.0  # grey levels around the middle of the scale, likewise, that it has at most
JITTER = 4  # pixels by which it is shifted at most, differently in every step
SMOOTHING = 0.1  # weight of the neighbours' mean in a picture, after every step
NOISES = 16  # pictures of noise that tell what a filter usually answers
NOISE = 25.0  # grey levels around the middle of the scale that they reach


def draw_noise(side: int, seed: int) -> torch.Tensor:
    """Draw pictures of noise (NOISES, 1, side, side) float32 around the middle of 0 to 255."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(NOISES, 1, side, side, generator=generator)
    return MIDDLE + NOISE * (2 * drawn - 1)


class Filters(NamedTuple):
    """Filters of one layer, and what they answer to noise: the scale of their responses.

    Attributes
    ----------
    network
        In evaluation mode; takes (n, 1, side, side) grey levels from 0 to 255.
    channels
        (n,) places of the filters in the layer's output.
    mean, std
        (n,) of the responses of each filter to noise.
    """

    network: nn.Module
    layer: str
    channels: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor


@torch.no_grad()
def gauge(network: nn.Module, layer: str, channels: Sequence[int], noise: torch.Tensor) -> Filters:
    """Measure what filters answer to noise (m, 1, side, side), so that networks can be compared."""
    answers = respond(network, layer, noise)[:, list(channels)].double()
    spread = answers.std(dim=(0, 2, 3), correction=0).clamp_min(torch.finfo(torch.float32).tiny)
    places = torch.tensor(list(channels), device=noise.device)
    return Filters(network, layer, places, answers.mean(dim=(0, 2, 3)).float(), spread.float())


def standardise(filters: Filters, films: torch.Tensor) -> torch.Tensor:
    """Return what each filter answers to its own film (n, 1, side, side), in units of noise.

    Returns
    -------
    (n, height, width): standard deviations above the mean of what noise gives.
    """
    answers = respond(filters.network, filters.layer, films)
    own = answers[torch.arange(len(films), device=films.device), filters.channels]
    return (own - filters.mean[:, None, None]) / filters.std[:, None, None]


@torch.no_grad()
def excitement(filters: Filters, films: torch.Tensor) -> torch.Tensor:
    """Return (n,) the root mean square, over the map, of the positive responses to films.

    In units of noise, as ``standardise``: noise itself gives about 0.7.
    """
    return standardise(filters, films).relu().square().mean(dim=(1, 2)).sqrt()


def climb(
    filters: Filters, start: torch.Tensor, steps: int, seed: int, jitter: int = JITTER
) -> torch.Tensor:
    """Find the picture that excites each filter most, by gradient ascent in grey levels.

    Erhan et al. 2009, Visualizing higher-layer features of a deep network: of all pictures of at
    most one contrast. Seeded shifts and smoothing are of Olah et al. 2017,
    doi:10.23915/distill.00007. All filters climb at once from one picture, by steps whose length is
    the same for all and shrinks evenly to nothing. What rises is the mean square of the responses,
    negative ones taken softly for zero, so that a filter which is silent at first climbs too.

    Parameters
    ----------
    start
        (1, 1, side, side) grey levels.
    seed
        Of the shifts, which are of ``jitter`` pixels at most.

    Returns
    -------
    (n, 1, side, side) whole grey levels from 0 to 255.
    """
    generator = torch.Generator().manual_seed(seed)
    films = start.repeat(len(filters.channels), 1, 1, 1)
    for step in range(steps):
        down, right = torch.randint(-jitter, jitter + 1, (2,), generator=generator).tolist()
        with torch.enable_grad():
            risen = standardise(filters, films.requires_grad_().roll((down, right), dims=(2, 3)))
            height = functional.softplus(risen).square().mean(dim=(1, 2)).sum()
            (slope,) = torch.autograd.grad(height, films)
        length = STRIDE * (1 - step / steps)
        films = smooth(bound(films.detach() + length * of_one_length(slope)))
    return films.round()


def of_one_length(slopes: torch.Tensor) -> torch.Tensor:
    """Scale slopes (n, 1, side, side) to a root mean square of one; a level one stays zero."""
    length = slopes.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return slopes / length.clamp_min(torch.finfo(slopes.dtype).tiny)


def bound(films: torch.Tensor) -> torch.Tensor:
    """Bring films (n, 1, side, side) back to the contrast that they may have, and into 0 to 255."""
    beside = films - MIDDLE
    contrast = beside.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return (MIDDLE + beside * (CONTRAST / contrast.clamp_min(CONTRAST))).clamp(0, 255)


def smooth(films: torch.Tensor) -> torch.Tensor:
    """Draw every pixel of films a little towards the mean of its square of nine."""
    around = functional.avg_pool2d(functional.pad(films, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return (1 - SMOOTHING) * films + SMOOTHING * around

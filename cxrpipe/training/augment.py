"""Random changes of a whole batch of training radiographs at once, on its device.

All amounts are drawn on the CPU, so that every device gets the same ones: always those of the
moves, contrast and brightness, in this order, and then those of gamma, noise and erasing if they
are set. A change whose setting is zero is not computed.
"""

import math

import torch
from torch.nn import functional

from cxrpipe.config import Augmentation

# Of an erased rectangle, as in Zhong et al. 2020, arXiv:1708.04896, whose largest area is 0.4.
LEAST_AREA, MOST_AREA = 0.02, 0.2  # share of the film
FLATTEST, STEEPEST = 0.3, 3.3  # height over width


def augment(
    radiographs: torch.Tensor, settings: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Change every radiograph of a batch by its own random amounts.

    It is moved (with one resampling), then its contrast and brightness, gamma and noise are
    changed, and a rectangle is erased.

    Parameters
    ----------
    radiographs
        (n, 1, side, side) grey levels from 0 to 255, any dtype; they are left as they are.
    generator
        Source of all randomness, on the CPU. The pixels of noise are drawn on the device from a
        seed of this generator, and so differ between kinds of devices.

    Returns
    -------
    (n, 1, side, side) float32 from 0 to 255; what comes from outside the film is black.
    """
    changed = _move(radiographs, settings, generator)
    changed = _change_grey(changed, settings, generator)
    changed = _bend_grey(changed, settings, generator)
    changed = _add_noise(changed, settings, generator)
    return _erase(changed, settings, generator)


def _even(n: int, bound: float, generator: torch.Generator) -> torch.Tensor:
    """Draw (n,) numbers evenly between minus and plus bound."""
    return (torch.rand(n, generator=generator) * 2 - 1) * bound


def _send(amounts: torch.Tensor, films: torch.Tensor) -> torch.Tensor:
    """Bring (n,) amounts to the device of (n, 1, side, side) films, without waiting for it."""
    return amounts.view(-1, 1, 1, 1).to(films.device, non_blocking=True)


def affine_maps(n: int, settings: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """Draw (n, 2, 3) maps from places of the new to places of the old radiograph.

    Places run from -1 to 1 on both axes, x before y, as ``grid_sample`` wants them.
    """
    angle = _even(n, math.radians(settings.rotation), generator)
    scale = 1 + _even(n, settings.zoom, generator)
    mirror = 1 - 2 * (torch.rand(n, generator=generator) < settings.flip).float()
    shift = _even(2 * n, 2 * settings.translation, generator).view(n, 2, 1)
    cosine, sine = torch.cos(angle) / scale, torch.sin(angle) / scale
    turn = torch.stack([mirror * cosine, -mirror * sine, sine, cosine], dim=1).view(n, 2, 2)
    return torch.cat([turn, shift], dim=2)


def _move(
    radiographs: torch.Tensor, settings: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    maps = affine_maps(len(radiographs), settings, generator)
    if settings.rotation or settings.translation or settings.zoom:
        places = map_places(maps.to(radiographs.device, non_blocking=True), radiographs.shape[-1])
        return functional.grid_sample(radiographs.float(), places, align_corners=False)
    if settings.flip:
        is_mirrored = _send(maps[:, 0, 0] < 0, radiographs)
        radiographs = torch.where(is_mirrored, radiographs.flip(3), radiographs)
    return radiographs.float()


def map_places(maps: torch.Tensor, side: int) -> torch.Tensor:
    """Return (n, side, side, 2) places in the old radiographs of all pixels of the new ones.

    It equals ``affine_grid``, which multiplies matrices and took two thirds of the augmentation's
    time on a CPU; here rows and columns are mapped apart and added.
    """
    centres = (torch.arange(side, device=maps.device) * 2 + 1) / side - 1
    columns = maps[:, :, 0, None] * centres + maps[:, :, 2, None]
    rows = maps[:, :, 1, None] * centres
    return (rows[:, :, :, None] + columns[:, :, None, :]).permute(0, 2, 3, 1)


def _change_grey(
    films: torch.Tensor, settings: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Stretch the contrast around each film's mean and add brightness."""
    stretch = 1 + _even(len(films), settings.contrast, generator)
    brighter = 255 * _even(len(films), settings.brightness, generator)
    if not settings.contrast and not settings.brightness:
        return films
    contrast, brightness = _send(stretch, films), _send(brighter, films)
    mean = films.mean(dim=(1, 2, 3), keepdim=True)
    return (films * contrast).add_(mean * (1 - contrast) + brightness).clamp_(0, 255)


def _bend_grey(
    films: torch.Tensor, settings: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Raise grey levels to a power; black and white stay."""
    if not settings.gamma:
        return films
    exponent = _send(torch.exp(_even(len(films), settings.gamma, generator)), films)
    return (films / 255).log_().mul_(exponent).exp_().mul_(255)  # faster than a power on a CPU


def _add_noise(
    films: torch.Tensor, settings: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Add Gaussian noise, whose deviation is each film's own, from zero to the setting."""
    if not settings.noise:
        return films
    deviation = _send(255 * settings.noise * torch.rand(len(films), generator=generator), films)
    seed = int(torch.randint(2**62, (1,), generator=generator))
    source = torch.Generator(films.device).manual_seed(seed)
    noise = torch.randn(films.shape, generator=source, device=films.device)
    return noise.mul_(deviation).add_(films).clamp_(0, 255)


def draw_rectangles(n: int, probability: float, generator: torch.Generator) -> torch.Tensor:
    """Draw (n, 4) rectangles inside films: top, left, bottom, right, as shares of the side.

    Areas are drawn evenly, heights over widths so that lying is as likely as upright. A film that
    is spared has an empty one.
    """
    draws = torch.rand(5 * n, generator=generator).view(5, n)
    chance, area, shape, top, left = draws.unbind()
    area = LEAST_AREA + (MOST_AREA - LEAST_AREA) * area
    shape = FLATTEST * torch.exp(shape * math.log(STEEPEST / FLATTEST))
    height, width = (area * shape).sqrt(), (area / shape).sqrt()
    top, left = top * (1 - height), left * (1 - width)
    rectangles = torch.stack([top, left, top + height, left + width], dim=1)
    return rectangles * (chance < probability).unsqueeze(1)


def _erase(films: torch.Tensor, settings: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """Fill rectangles with the mean grey of their film."""
    if not settings.erase:
        return films
    rectangles = draw_rectangles(len(films), settings.erase, generator)
    top, left, bottom, right = (_send(edge, films) for edge in rectangles.unbind(dim=1))
    centres = (torch.arange(films.shape[-1], device=films.device) + 0.5) / films.shape[-1]
    rows = ((centres >= top) & (centres < bottom)).float().transpose(2, 3)
    columns = ((centres >= left) & (centres < right)).float()
    mean = films.mean(dim=(1, 2, 3), keepdim=True)
    return films.lerp(mean, rows * columns)  # exact at 0 and 1, and faster than where

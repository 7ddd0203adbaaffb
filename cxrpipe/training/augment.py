"""Random changes of a whole batch at once, on its device, with one resampling."""

import math

import torch
from torch.nn import functional

from cxrpipe.config import Augmentation


def augment(
    radiographs: torch.Tensor, settings: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Change every radiograph of a batch by its own random amounts.

    Parameters
    ----------
    radiographs
        (n, 1, side, side) grey levels from 0 to 255, any dtype.
    generator
        Source of all randomness; on the CPU, so that every device gets the same amounts.

    Returns
    -------
    (n, 1, side, side) float32 from 0 to 255; what comes from outside the film is black.
    """
    moved = _move(radiographs.float(), settings, generator)
    return _change_grey(moved, settings, generator)


def _even(n: int, bound: float, generator: torch.Generator) -> torch.Tensor:
    """Draw (n,) numbers evenly between minus and plus bound."""
    return (torch.rand(n, generator=generator) * 2 - 1) * bound


def affine_maps(n: int, settings: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """Draw (n, 2, 3) maps from places of the new to places of the old radiograph.

    Places run from -1 to 1 on both axes, x before y, as ``affine_grid`` wants them.
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
    maps = affine_maps(len(radiographs), settings, generator).to(radiographs.device)
    grid = functional.affine_grid(maps, list(radiographs.shape), align_corners=False)
    return functional.grid_sample(radiographs, grid, align_corners=False)


def _change_grey(
    radiographs: torch.Tensor, settings: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    n = len(radiographs)
    contrast = 1 + _even(n, settings.contrast, generator).view(n, 1, 1, 1)
    brightness = 255 * _even(n, settings.brightness, generator).view(n, 1, 1, 1)
    mean = radiographs.mean(dim=(1, 2, 3), keepdim=True)
    changed = (radiographs - mean) * contrast.to(mean.device) + mean
    return (changed + brightness.to(mean.device)).clamp(0, 255)

"""The fusion of two backbones: their last maps side by side, then residual blocks (system O)."""

from typing import Any

import torch
from torch import nn


class Bottleneck(nn.Module):
    """A residual block of three convolutions (He et al. 2016, doi:10.1109/CVPR.2016.90).

    Its shortcut is the identity, or a convolution where the number of channels changes.
    """

    def __init__(self, n_in: int, n_inner: int, n_out: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *_convolve(n_in, n_inner, 1),
            nn.ReLU(),
            *_convolve(n_inner, n_inner, 3),
            nn.ReLU(),
            *_convolve(n_inner, n_out, 1),
        )
        self.shortcut = (
            nn.Identity() if n_in == n_out else nn.Sequential(*_convolve(n_in, n_out, 1))
        )
        self.activation = nn.ReLU()

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of as many places."""
        added: torch.Tensor = self.activation(self.convolutions(maps) + self.shortcut(maps))
        return added


def _convolve(n_in: int, n_out: int, kernel: int) -> tuple[nn.Module, nn.Module]:
    return (
        nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(n_out),
    )


def n_features(backbone: Any) -> int:  # noqa: ANN401 - a network of timm
    """Return the channels of a backbone's last map."""
    return int(backbone.num_features)


class Fusion(nn.Module):
    """Concatenated maps of backbones, one convolutional and three identity residual blocks.

    Parameters
    ----------
    backbones
        Each has ``forward_features`` and ``num_features``.
    width
        Channels of the map that comes out; a quarter of them inside a block.
    """

    def __init__(self, backbones: dict[str, nn.Module], width: int = 1024) -> None:
        super().__init__()
        self.backbones = nn.ModuleDict(backbones)
        n_in = sum(n_features(backbone) for backbone in backbones.values())
        blocks = [Bottleneck(n, width // 4, width) for n in (n_in, width, width, width)]
        self.blocks = nn.Sequential(*blocks)
        self.num_features = width

    def forward_features(self, films: torch.Tensor) -> torch.Tensor:
        """Return the fused map (n, width, h, w), in the cells that all backbones have."""
        maps = [backbone.forward_features(films) for backbone in self.backbones.values()]  # type: ignore[operator]
        height, width = (min(part.shape[axis] for part in maps) for axis in (2, 3))
        maps = [part[:, :, :height, :width] for part in maps]  # at some sides a cell more
        fused: torch.Tensor = self.blocks(torch.cat(maps, dim=1))
        return fused

"""Three small convolutional networks that are trained from scratch: those of system F.

Convolutions keep the size ("same" padding) and every block halves it. Without another head they
end in the published one, which flattens the map: the side of the films is then fixed.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

from cxrpipe.runtime import UserError

Layers = list[nn.Module]
Initialise = Callable[[torch.Tensor], torch.Tensor]
HIDDEN = 512


def he_normal(weight: torch.Tensor) -> torch.Tensor:
    """Fill from a normal distribution of variance 2 / fan in (He et al. 2015, arXiv:1502.01852)."""
    return nn.init.kaiming_normal_(weight, nonlinearity="relu")


def lecun_normal(weight: torch.Tensor) -> torch.Tensor:
    """Fill from a normal distribution of variance 1 / fan in (LeCun et al. 1998)."""
    return nn.init.kaiming_normal_(weight, nonlinearity="linear")


def glorot_normal(weight: torch.Tensor) -> torch.Tensor:
    """Fill from a normal distribution of variance 2 / (fan in + fan out) (Glorot, Bengio 2010)."""
    return nn.init.xavier_normal_(weight)


def set_start(layer: nn.Conv2d | nn.Linear, initialise: Initialise) -> nn.Conv2d | nn.Linear:
    """Give a layer its starting weights, and biases of zero."""
    initialise(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def convolve(n_in: int, n_out: int, kernel: int, initialise: Initialise) -> nn.Module:
    """Return a convolution that keeps the size."""
    return set_start(nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2), initialise)


class ScratchCNN(nn.Module):
    """Blocks of convolutions, then a head; both by the three functions below."""

    def __init__(self, features: nn.Sequential, head: nn.Sequential) -> None:
        super().__init__()
        self.features = features
        self.head = head

    def forward_features(self, films: torch.Tensor) -> torch.Tensor:
        """Return the last map."""
        maps: torch.Tensor = self.features(films)
        return maps

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        logits: torch.Tensor = self.head(self.features(films))
        return logits


def cnn1(in_chans: int, num_classes: int, side: int, dropout: float = 0.0) -> ScratchCNN:
    """Six blocks of one convolution: 14,678,851 parameters at 256 px, 3 channels, 3 findings."""
    widths = [in_chans, 32, 64, 128, 256, 512, 1024]
    blocks = [
        [convolve(n_in, n_out, 3, glorot_normal), nn.ReLU(), nn.MaxPool2d(2)]
        for n_in, n_out in pairwise(widths)
    ]
    return _assemble(blocks, widths, [nn.ReLU()], glorot_normal, num_classes, side, dropout)


def cnn2(in_chans: int, num_classes: int, side: int, dropout: float = 0.0) -> ScratchCNN:
    """Five blocks of two convolutions with GELU: 27,078,435 parameters at 256 px, 3, 3."""
    widths = [in_chans, 32, 64, 128, 256, 512]
    blocks = [
        [
            *(convolve(n_in, n_out, 3, he_normal), nn.GELU()),
            *(convolve(n_out, n_out, 5, he_normal), nn.GELU()),
            *(nn.MaxPool2d(2), nn.Dropout(0.2)),
        ]
        for n_in, n_out in pairwise(widths)
    ]
    return _assemble(blocks, widths, [nn.GELU()], he_normal, num_classes, side, dropout)


def cnn3(in_chans: int, num_classes: int, side: int, dropout: float = 0.0) -> ScratchCNN:
    """Six blocks of two convolutions, batch norms and Swish: 49,643,043 numbers at 256 px, 3, 3.

    They count the running statistics of the batch norms.
    """
    widths = [in_chans, 32, 64, 128, 256, 512, 1024]
    blocks = [
        [
            *(convolve(n_in, n_out, 3, lecun_normal), nn.BatchNorm2d(n_out), nn.SiLU()),
            *(convolve(n_out, n_out, 5, lecun_normal), nn.BatchNorm2d(n_out), nn.SiLU()),
            *(nn.MaxPool2d(2), nn.Dropout(0.2)),
        ]
        for n_in, n_out in pairwise(widths)
    ]
    after = [nn.BatchNorm1d(HIDDEN), nn.SiLU()]
    return _assemble(blocks, widths, after, glorot_normal, num_classes, side, dropout)


def _assemble(
    blocks: list[Layers],
    widths: list[int],
    after: Layers,
    initialise: Initialise,
    n_findings: int,
    side: int,
    dropout: float,
) -> ScratchCNN:
    """Put blocks and the published head together; ``after`` follows its hidden layer."""
    smallest = 2 ** len(blocks)
    if side < smallest:
        raise UserError(
            f"models: side {side} is halved {len(blocks)} times; give {smallest} or more"
        )
    features = nn.Sequential(*(layer for block in blocks for layer in block))
    n_inputs = widths[-1] * (side // smallest) ** 2
    head = nn.Sequential(
        nn.Flatten(),
        set_start(nn.Linear(n_inputs, HIDDEN), initialise),
        *after,
        nn.Dropout(dropout),
        set_start(nn.Linear(HIDDEN, n_findings), glorot_normal),
    )
    return ScratchCNN(features, head)


SCRATCH: dict[str, Callable[..., ScratchCNN]] = {"cnn1": cnn1, "cnn2": cnn2, "cnn3": cnn3}

"""How weights follow their gradients, and how fast at every step."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from cxrpipe.config import Training

OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
}


def make_optimiser(network: nn.Module, settings: Training) -> torch.optim.Optimizer:
    """Return the optimiser of all weights of a network, also of those that are frozen now.

    Weight decay is for weights of several dimensions, not for biases and norms: of Adam and SGD it
    is L2 in the gradient, of AdamW it is apart from it (Loshchilov and Hutter, arXiv:1711.05101).
    A weight without a gradient is left as it is.
    """
    matrices = [weight for weight in network.parameters() if weight.ndim > 1]
    vectors = [weight for weight in network.parameters() if weight.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    make = OPTIMISERS[settings.optimiser]
    if settings.optimiser == "sgd":
        make = partial(make, momentum=settings.momentum)
    return make(groups, lr=settings.learning_rate, fused=True)  # torch has it for CPU and GPU


def learning_rate(settings: Training, step: int, n_batches: int, scores: Sequence[float]) -> float:
    """Return the learning rate of a step; it depends on nothing but the arguments.

    It rises evenly over the steps of the warm-up. ``cosine`` then falls to zero over the steps that
    are left, as torch's CosineAnnealingLR; ``plateau`` is multiplied by its factor after every
    plateau, as by torch's ReduceLROnPlateau.

    Parameters
    ----------
    step
        Counted over all epochs, from 0.
    n_batches
        Steps of an epoch.
    scores
        Of the finished epochs, on validation; larger is better. Those of epochs that train the head
        alone count for no plateau.
    """
    warm = round(settings.warm_up * n_batches)
    if step < warm:
        share = (step + 1) / (warm + 1)
    elif settings.schedule == "cosine":
        share = (1 + math.cos(math.pi * (step - warm) / (settings.epochs * n_batches - warm))) / 2
    else:
        share = 1.0
    if settings.schedule == "plateau":
        finished = scores[settings.head_epochs : step // n_batches]
        share *= settings.plateau_factor ** count_plateaus(finished, settings.plateau_patience)
    return settings.learning_rate * share


def count_plateaus(scores: Sequence[float], patience: int) -> int:
    """Count how often more than ``patience`` epochs in a row were no better than the best before.

    A plateau that goes on is counted again after as many epochs.
    """
    best, n_stale, n_plateaus = -math.inf, 0, 0
    for score in scores:
        n_stale = 0 if score > best else n_stale + 1
        best = max(best, score)
        if n_stale > patience:
            n_stale, n_plateaus = 0, n_plateaus + 1
    return n_plateaus

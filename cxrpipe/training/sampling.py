"""The order in which an epoch shows the training films."""

from collections.abc import Iterator
from typing import Literal

import torch


def count_batches(n_films: int, batch: int) -> int:
    """Return how many full batches an epoch has; at least one."""
    return max(1, n_films // batch)


def draw_batches(
    labels: torch.Tensor,
    batch: int,
    sampler: Literal["weighted", "shuffle"],
    generator: torch.Generator,
) -> Iterator[torch.Tensor]:
    """Draw the batches of one epoch.

    Parameters
    ----------
    labels
        (n,) class of every training film.
    sampler
        ``weighted`` draws with replacement, every class equally often on average; ``shuffle``
        shows every film once.

    Yields
    ------
    (batch,) places of films. Only full batches, so that batch normalisation sees equal numbers;
    one batch of all films if there are fewer.
    """
    n = len(labels)
    if sampler == "weighted":
        weights = 1 / torch.bincount(labels)[labels].double()
        order = torch.multinomial(weights, n, replacement=True, generator=generator)
    else:
        order = torch.randperm(n, generator=generator)
    batch = min(batch, n)
    yield from torch.split(order[: n - n % batch], batch)

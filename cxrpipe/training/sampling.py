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
        Of every training film, on any device: (n,) int64 places of its one finding, or
        (n, n_findings) of 0 and 1.
    sampler
        ``weighted`` draws with replacement, with the weights of ``weigh_films``: if every film has
        one finding, all findings come equally often on average. ``shuffle`` shows every film once.
    generator
        On the CPU; the order depends on it and the labels alone.

    Yields
    ------
    (batch,) places of films, on the CPU. Only full batches, so that batch normalisation sees equal
    numbers; one batch of all films if there are fewer.
    """
    n = len(labels)
    if sampler == "weighted":
        weights = weigh_films(labels.cpu())
        order = torch.multinomial(weights, n, replacement=True, generator=generator)
    else:
        order = torch.randperm(n, generator=generator)
    batch = min(batch, n)
    yield from torch.split(order[: n - n % batch], batch)


def weigh_films(labels: torch.Tensor) -> torch.Tensor:
    """Weigh every film by one over the number of films that have its finding.

    Of several findings the rarest counts; films of none count as one more finding.

    Parameters
    ----------
    labels
        (n,) int64 places, or (n, n_findings) of 0 and 1.

    Returns
    -------
    (n,) float64.
    """
    if labels.ndim == 1:
        return 1 / torch.bincount(labels)[labels].double()
    shown = labels.bool()
    kinds = torch.cat([shown, ~shown.any(dim=1, keepdim=True)], dim=1)
    rarity = 1 / kinds.sum(dim=0).clamp(min=1).double()
    return torch.where(kinds, rarity, 0.0).amax(dim=1)

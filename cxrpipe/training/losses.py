"""The loss that is trained: cross entropy or focal, weighted and smoothed."""

from collections.abc import Callable
from functools import partial

import torch
from torch.nn import functional

from cxrpipe.config import Training

Criterion = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def make_criterion(settings: Training, labels: torch.Tensor) -> Criterion:
    """Return the mean loss of a batch, in nats, as a function of its logits and labels.

    It is the plain mean over films, or over films and findings; of weighted losses too, so that
    parts of a batch add up to the whole. The focal loss (Lin et al. 2017, arXiv:1708.02002, without
    its alpha) multiplies each loss, weighted and smoothed or not, by (1 - p)^gamma, where p is
    the probability of the true answer.

    Parameters
    ----------
    labels
        Of all training films. (n,) int64 places of their one finding, for a softmax over
        findings; or (n, n_findings) of 0 and 1, for a sigmoid of each.

    Returns
    -------
    Takes logits (n, n_findings) float32, and labels of the kind given.
    """
    compute, weigh = (_of_one, weigh_classes) if labels.ndim == 1 else (_of_each, weigh_positives)
    weights = weigh(labels) if settings.class_weights else None
    weighted = partial(compute, weights=weights, smoothing=settings.label_smoothing)

    def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the mean of all losses."""
        return weighted(logits, labels).mean()

    def focal(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the mean of losses that count the less, the surer the true answer is."""
        missed = -torch.expm1(-compute(logits, labels))
        # A power below one has no finite slope at zero, and zero times infinity is no number.
        missed = missed.clamp(min=torch.finfo(missed.dtype).tiny)
        return (missed**settings.focal_gamma * weighted(logits, labels)).mean()

    return {"cross_entropy": cross_entropy, "focal": focal}[settings.loss]


def weigh_classes(labels: torch.Tensor) -> torch.Tensor:
    """Weigh findings so that each counts equally: n / (k n_c), with k findings that occur.

    Parameters
    ----------
    labels
        (n,) places of the one finding of each film.

    Returns
    -------
    (largest place + 1,) float32, on the CPU. Their mean over the films is 1; a finding without
    films gets 1.
    """
    counts = torch.bincount(labels.cpu())
    weights = len(labels) / (counts.count_nonzero() * counts.clamp(min=1))
    return torch.where(counts > 0, weights, 1.0)


def weigh_positives(labels: torch.Tensor) -> torch.Tensor:
    """Weigh positives so that they count as much as negatives: negatives over positives.

    Parameters
    ----------
    labels
        (n, n_findings) of 0 and 1.

    Returns
    -------
    (n_findings,) float32, on the CPU; 1 for a finding without positives or without negatives.
    """
    positives = labels.cpu().sum(dim=0)
    negatives = len(labels) - positives
    has_both = (positives > 0) & (negatives > 0)
    return torch.where(has_both, negatives / positives.clamp(min=1), 1.0)


def _of_one(
    logits: torch.Tensor,
    labels: torch.Tensor,
    weights: torch.Tensor | None = None,
    smoothing: float = 0.0,
) -> torch.Tensor:
    """Return (n,) losses; findings beyond the weights get 1."""
    if weights is not None:
        weights = functional.pad(weights, (0, logits.shape[1] - len(weights)), value=1.0)
        weights = weights.to(logits.device, non_blocking=True)
    return functional.cross_entropy(
        logits, labels, weights, label_smoothing=smoothing, reduction="none"
    )


def _of_each(
    logits: torch.Tensor,
    labels: torch.Tensor,
    weights: torch.Tensor | None = None,
    smoothing: float = 0.0,
) -> torch.Tensor:
    """Return (n, n_findings) losses; smoothing draws answers towards 1/2."""
    answers = labels.to(logits.dtype) * (1 - smoothing) + smoothing / 2
    if weights is not None:
        weights = weights.to(logits.device, non_blocking=True)
    return functional.binary_cross_entropy_with_logits(
        logits, answers, pos_weight=weights, reduction="none"
    )

"""One step of a training: forward, backward, and an optimiser that may need several parts."""

import logging
from collections.abc import Callable

import torch
from torch import nn

from cxrpipe.config import Training
from cxrpipe.models.device import autocast, is_out_of_memory
from cxrpipe.training.losses import Criterion

log = logging.getLogger(__name__)


class Stepper:
    """Takes the steps of one training.

    If the memory is too small for a batch and ``halve_batch`` allows it, the batch is computed in
    two, four, ... parts whose gradients are added up. Batch normalisation then sees parts.

    Parameters
    ----------
    classifier
        Takes grey levels (n, 1, side, side) from 0 to 255 and returns logits (n, n_findings).
    """

    def __init__(
        self,
        classifier: nn.Module,
        optimiser: torch.optim.Optimizer,
        criterion: Criterion,
        settings: Training,
    ) -> None:
        self.weights = list(classifier.parameters())
        self.forward: Callable[[torch.Tensor], torch.Tensor] = classifier
        if settings.compile:
            self.forward = torch.compile(classifier)
        self.optimiser = optimiser
        self.criterion = criterion
        self.settings = settings
        self.buffers = list(classifier.buffers())
        self.n_parts = 1

    def __call__(
        self, grey: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take one step; return its mean loss and share of right answers, as scalars.

        Raises
        ------
        torch.OutOfMemoryError
            If the memory is too small and the batch may not be halved, or not any more.
        """
        if not self.settings.halve_batch:
            return self._step(grey, labels)
        before, random = [buffer.clone() for buffer in self.buffers], torch.get_rng_state()
        while True:
            try:
                return self._step(grey, labels)
            except RuntimeError as error:
                if not is_out_of_memory(error) or 4 * self.n_parts > len(labels):
                    raise
            self.n_parts *= 2
            torch.set_rng_state(random)  # as if the batch had not been tried
            for buffer, value in zip(self.buffers, before, strict=True):
                buffer.copy_(value)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            log.warning(f"memory is short: batches of {len(labels)} in {self.n_parts} parts")

    def _step(self, grey: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self.optimiser.zero_grad(set_to_none=True)
        total = torch.zeros((), device=labels.device)
        n_right = torch.zeros((), device=labels.device)
        pairs = zip(*(whole.tensor_split(self.n_parts) for whole in (grey, labels)), strict=True)
        for part, answers in pairs:
            with autocast(part.device, self.settings.precision):
                logits = self.forward(lay_out(part, self.settings)).float()
            loss = self.criterion(logits, answers) * (len(answers) / len(labels))
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
            n_right += count_right(logits, answers)
        if self.settings.clip_norm:
            nn.utils.clip_grad_norm_(self.weights, self.settings.clip_norm)
        self.optimiser.step()
        return total, n_right / labels.numel()


def lay_out(grey: torch.Tensor, settings: Training) -> torch.Tensor:
    """Lay films out in memory as the network computes fastest."""
    channels_last = settings.channels_last
    return grey.contiguous(
        memory_format=torch.channels_last if channels_last else torch.contiguous_format
    )


def count_right(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Count right answers: findings of (n,) labels, or every yes and no of (n, n_findings)."""
    if labels.ndim == 1:
        return (logits.argmax(dim=1) == labels).sum()
    return ((logits > 0) == labels.bool()).sum()

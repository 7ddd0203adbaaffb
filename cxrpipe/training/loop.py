"""The training loop: epochs of augmented batches, validation, early stopping, the best epoch."""

import copy
import logging
import time
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from cxrpipe.config import Training
from cxrpipe.models.device import autocast
from cxrpipe.runtime import clock, derive_seed, progress
from cxrpipe.training.augment import augment
from cxrpipe.training.sampling import count_batches, draw_batches

EVALUATION_BATCH = 256
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Films:
    """Films in memory: ``grey`` (n, 1, side, side) uint8 and ``labels`` (n,) int64."""

    grey: torch.Tensor
    labels: torch.Tensor

    def to(self, device: torch.device) -> "Films":
        """Move the films to a device."""
        return Films(self.grey.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Epoch:
    """One row of the history; losses are mean cross entropies in nats."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True)
class Trained:
    """The best epoch's weights, all epochs, and the time the training steps took."""

    state: dict[str, torch.Tensor]
    history: list[Epoch]
    best_epoch: int
    seconds_per_epoch: float


def make_schedule(
    optimiser: torch.optim.Optimizer, settings: Training, n_batches: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """Return the schedule of the learning rate over all batches of all epochs."""
    if settings.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1)
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs * n_batches)


def train_epoch(
    classifier: nn.Module,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    films: Films,
    settings: Training,
    generator: torch.Generator,
) -> tuple[float, float]:
    """Take one step for every batch of an epoch.

    Returns
    -------
    Mean loss and accuracy over the augmented batches, as the network stood at each step.
    """
    classifier.train()
    device = films.grey.device
    n_batches = count_batches(len(films.labels), settings.batch)
    losses, hits, n = [], [], 0
    batches = draw_batches(films.labels.cpu(), settings.batch, settings.sampler, generator)
    for places in progress(batches, n_batches, "batches"):
        chosen = places.to(device)
        grey = augment(films.grey[chosen], settings.augmentation, generator)
        labels = films.labels[chosen]
        with autocast(device, settings.precision):
            logits = classifier(grey.contiguous(memory_format=torch.channels_last))
            loss = functional.cross_entropy(logits.float(), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        losses.append(loss.detach())
        hits.append((logits.argmax(dim=1) == labels).sum())
        n += len(places)
    return float(torch.stack(losses).mean()), float(torch.stack(hits).sum()) / n


@torch.inference_mode()
def compute_logits(classifier: nn.Module, grey: torch.Tensor, precision: str) -> torch.Tensor:
    """Return logits (n, n_findings) float32 of films (n, 1, side, side), without augmentation."""
    classifier.eval()
    with autocast(grey.device, precision):
        parts = [
            classifier(part.contiguous(memory_format=torch.channels_last)).float()
            for part in torch.split(grey, EVALUATION_BATCH)
        ]
    return torch.cat(parts)


def fit(
    classifier: nn.Module, train: Films, validation: Films, settings: Training, seed: int
) -> Trained:
    """Train until the epochs are over or the validation loss has not fallen for ``patience``.

    The weights of the epoch of lowest validation loss are kept. Sampling and augmentation
    depend on the seed; the global random state is left as it was.

    Raises
    ------
    FloatingPointError
        If the loss is not finite.
    """
    optimiser = torch.optim.Adam(
        classifier.parameters(),
        settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    n_batches = count_batches(len(train.labels), settings.batch)
    schedule = make_schedule(optimiser, settings, n_batches)
    generator = torch.Generator().manual_seed(derive_seed(seed, "sampling"))
    history: list[Epoch] = []
    best, state, seconds = -1, {}, 0.0
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(seed, "dropout"))
        for number in range(settings.epochs):
            start = time.monotonic()
            train_loss, train_accuracy = train_epoch(
                classifier, optimiser, schedule, train, settings, generator
            )
            seconds += time.monotonic() - start
            logits = compute_logits(classifier, validation.grey, settings.precision)
            loss = float(functional.cross_entropy(logits, validation.labels))
            accuracy = float((logits.argmax(dim=1) == validation.labels).float().mean())
            if not torch.isfinite(torch.tensor([train_loss, loss])).all():
                raise FloatingPointError(f"loss is not finite in epoch {number + 1}")
            history.append(Epoch(number + 1, train_loss, train_accuracy, loss, accuracy))
            if best < 0 or loss < history[best].validation_loss:
                best, state = number, copy.deepcopy(classifier.state_dict())
            _tell(history, best, seconds, len(train.labels), settings)
            if number - best >= settings.patience:
                break
    return Trained(state, history, best + 1, seconds / len(history))


def _tell(
    history: list[Epoch], best: int, seconds: float, n_films: int, settings: Training
) -> None:
    last, done = history[-1], len(history)
    log.info(
        f"epoch {done}/{settings.epochs}: loss {last.train_loss:.3f}, validation "
        f"{last.validation_loss:.3f} (best {history[best].validation_loss:.3f}), accuracy "
        f"{last.validation_accuracy:.3f}, {n_films * done / seconds:.0f} films/s, at most "
        f"{clock(seconds / done * (settings.epochs - done))} left"
    )

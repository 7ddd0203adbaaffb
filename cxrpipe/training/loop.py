"""The training loop: epochs of augmented batches, validation, and which epoch is kept."""

import math
import time
from dataclasses import dataclass

import torch
from torch import nn

from cxrpipe.config import Training
from cxrpipe.models.device import autocast, fit_batch, most_at_once
from cxrpipe.models.parts import Part, train_part
from cxrpipe.runtime import UserError, derive_seed, progress
from cxrpipe.training.augment import augment
from cxrpipe.training.checkpoint import Checkpoint
from cxrpipe.training.course import Course, begin
from cxrpipe.training.films import Films
from cxrpipe.training.losses import Criterion, make_criterion
from cxrpipe.training.optimisation import learning_rate
from cxrpipe.training.sampling import count_batches, draw_batches
from cxrpipe.training.scores import Scores, score
from cxrpipe.training.stepping import Stepper, lay_out
from cxrpipe.training.watching import Epoch, Watch, tell


@dataclass(frozen=True)
class Trained:
    """The weights kept, all epochs, the best one and the one kept, and the time of an epoch."""

    state: dict[str, torch.Tensor]
    history: list[Epoch]
    best_epoch: int
    kept_epoch: int
    seconds_per_epoch: float


def fit(
    classifier: nn.Module,
    train: Films,
    validation: Films,
    settings: Training,
    seed: int,
    part: Part = "all",
    checkpoint: Checkpoint | None = None,
    watch: Watch | None = None,
) -> Trained:
    """Train until the epochs are over or the monitored score has not risen for ``patience``.

    The weights of the epoch with the best monitored validation score are kept, or of the last.
    Everything random depends on the seed; the global random state is left as it was. A training
    that was killed goes on from its checkpoint and ends with the same weights.

    Parameters
    ----------
    part
        Of the network, that is trained; the settings may begin with epochs of the head alone.

    Raises
    ------
    FloatingPointError
        If a loss is not finite; names the epoch.
    UserError
        If the monitored score cannot be estimated from the validation films.
    """
    course = begin(classifier, settings)
    if checkpoint and (state := checkpoint.load()):
        course.go_on(state)
    criterion = make_criterion(settings, train.labels)
    step = Stepper(classifier, course.optimiser, criterion, settings)
    n_films = count_batches(len(train.labels), settings.batch) * settings.batch
    device = next(classifier.parameters()).device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        step.n_parts = course.n_parts
        while not course.is_over(settings):
            start = time.monotonic()
            rate, loss, accuracy = train_epoch(course, step, train, settings, seed, part)
            scores = validate(course.shown, validation, criterion, settings)
            if not math.isfinite(loss + scores.loss):
                raise FloatingPointError(f"loss is not finite in epoch {len(course.history) + 1}")
            if math.isnan(getattr(scores, settings.monitor)):
                raise UserError(
                    f"training.monitor: {settings.monitor} cannot be estimated, since validation "
                    "films lack the findings; use loss, or give validation more films"
                )
            course.n_parts = step.n_parts
            course.elapsed += time.monotonic() - start
            epoch = Epoch(len(course.history) + 1, rate, loss, accuracy, scores)
            course.add(epoch, settings)
            tell(course.history, course.best, course.seconds, course.elapsed, n_films, settings)
            if watch:
                watch(epoch)
            if checkpoint and not course.is_over(settings):
                checkpoint.save(course.state)
    kept = course.best + 1 if settings.keep == "best" else len(course.history)
    pace = course.seconds / len(course.history)
    return Trained(course.kept, course.history, course.best + 1, kept, pace)


def train_epoch(
    course: Course, step: Stepper, films: Films, settings: Training, seed: int, part: Part
) -> tuple[float, float, float]:
    """Take one step for every batch of the next epoch.

    Returns
    -------
    The learning rate of the last step; mean loss and share of right answers over the augmented
    batches, as the network stood at each step.
    """
    start = time.monotonic()
    number = len(course.history)
    train_part(course.classifier, "head" if number < settings.head_epochs else part)
    generator = torch.Generator().manual_seed(derive_seed(seed, "sampling", number))
    torch.manual_seed(derive_seed(seed, "dropout", number))
    n_batches = count_batches(len(films.labels), settings.batch)
    merits = course.merits(settings)
    batches = draw_batches(films.labels.cpu(), settings.batch, settings.sampler, generator)
    device = next(course.classifier.parameters()).device
    losses, shares = [], []
    for place, places in enumerate(progress(batches, n_batches, "batches")):
        rate = learning_rate(settings, number * n_batches + place, n_batches, merits)
        for group in course.optimiser.param_groups:
            group["lr"] = rate
        batch = films.take(places, device)
        loss, share = step(augment(batch.grey, settings.augmentation, generator), batch.labels)
        if course.average:
            course.average.update_parameters(course.classifier)
        losses.append(loss)
        shares.append(share)
    totals = float(torch.stack(losses).mean()), float(torch.stack(shares).mean())
    course.seconds += time.monotonic() - start
    return rate, *totals


def validate(
    classifier: nn.Module, films: Films, criterion: Criterion, settings: Training
) -> Scores:
    """Score a classifier on films without augmentation; the loss is the one that is trained."""
    logits = compute_logits(classifier, films, settings)
    labels = films.labels.to(logits.device)
    return score(logits, labels, float(criterion(logits, labels)))


@torch.inference_mode()
def compute_logits(classifier: nn.Module, films: Films, settings: Training) -> torch.Tensor:
    """Return logits (n, n_findings) float32 of films, without augmentation."""
    classifier.eval()
    device = next(classifier.parameters()).device
    n_at_once = fit_batch(most_at_once(device), films.grey.shape[-1])
    with autocast(device, settings.precision):
        parts = [
            classifier(lay_out(films.take(places, device).grey, settings)).float()
            for places in torch.split(torch.arange(len(films.labels)), n_at_once)
        ]
    return torch.cat(parts)

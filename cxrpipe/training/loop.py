"""The training loop: epochs of augmented batches, validation, and which epoch is kept."""

import copy
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cxrpipe.config import Training
from cxrpipe.models.device import autocast
from cxrpipe.models.parts import Part, train_part
from cxrpipe.runtime import derive_seed, progress
from cxrpipe.training.augment import augment
from cxrpipe.training.checkpoint import Checkpoint
from cxrpipe.training.films import Films
from cxrpipe.training.losses import Criterion, make_criterion
from cxrpipe.training.optimisation import learning_rate, make_optimiser
from cxrpipe.training.sampling import count_batches, draw_batches
from cxrpipe.training.scores import Scores, merit, score
from cxrpipe.training.stepping import Stepper, lay_out
from cxrpipe.training.watching import Epoch, Watch, tell

EVALUATION_BATCH = 256


@dataclass
class Course:
    """All that changes while a model is trained, so that a killed training can go on from it.

    The order of the films, their augmentation and dropout are drawn anew from the seed and the
    number of the epoch, and the learning rate follows from the history: they need no state.

    Attributes
    ----------
    average
        Of the classifier's weights over the steps, if the settings want it.
    best
        Place of the best epoch in the history; -1 before the first.
    kept
        Weights of the epoch to keep.
    seconds
        That all training steps took.
    """

    classifier: nn.Module
    optimiser: torch.optim.Optimizer
    average: AveragedModel | None
    history: list[Epoch] = field(default_factory=list)
    best: int = -1
    kept: dict[str, torch.Tensor] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def shown(self) -> nn.Module:
        """The network that is validated and kept: the average, if there is one."""
        return self.average.module if self.average else self.classifier

    def state(self) -> dict[str, Any]:
        """Return all of it as torch can save it."""
        return {
            "classifier": self.classifier.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.state_dict() if self.average else {},
            "history": [epoch.as_row() for epoch in self.history],
            "best": self.best,
            "kept": self.kept,
            "seconds": self.seconds,
        }

    def go_on(self, state: Mapping[str, Any]) -> None:
        """Take over a state that was saved."""
        self.classifier.load_state_dict(state["classifier"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.average:
            self.average.load_state_dict(state["average"])
        self.history = [Epoch.from_row(row) for row in state["history"]]
        self.best, self.kept, self.seconds = state["best"], state["kept"], state["seconds"]

    def merits(self, settings: Training) -> list[float]:
        """Return the monitored score of every epoch; larger is better."""
        return [merit(epoch.validation, settings.monitor) for epoch in self.history]

    def is_over(self, settings: Training) -> bool:
        """Tell whether all epochs are done, or none was better for too long.

        The epochs that train the head alone do not count as a lack of progress.
        """
        done = len(self.history)
        stale = done - max(self.best + 1, min(settings.head_epochs, done))
        return done == settings.epochs or (done > 0 and stale >= settings.patience)


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
    """
    course = begin(classifier, settings)
    if checkpoint and (state := checkpoint.load()):
        course.go_on(state)
    criterion = make_criterion(settings, train.labels)
    step = Stepper(classifier, course.optimiser, criterion, settings)
    with torch.random.fork_rng():
        while not course.is_over(settings):
            rate, loss, accuracy = train_epoch(course, step, train, settings, seed, part)
            scores = validate(course.shown, validation, criterion, settings)
            if not math.isfinite(loss + scores.loss):
                raise FloatingPointError(f"loss is not finite in epoch {len(course.history) + 1}")
            course.history.append(Epoch(len(course.history) + 1, rate, loss, accuracy, scores))
            choose(course, settings)
            tell(course.history, course.best, course.seconds, len(train.labels), settings)
            if watch:
                watch(course.history[-1])
            if checkpoint and not course.is_over(settings):
                checkpoint.save(course.state)
    kept = course.best + 1 if settings.keep == "best" else len(course.history)
    pace = course.seconds / len(course.history)
    return Trained(course.kept, course.history, course.best + 1, kept, pace)


def begin(classifier: nn.Module, settings: Training) -> Course:
    """Return a training of which nothing is done yet."""
    average = None
    if settings.ema:
        decay = get_ema_multi_avg_fn(settings.ema)  # type: ignore[no-untyped-call]
        average = AveragedModel(classifier, multi_avg_fn=decay, use_buffers=True)
    return Course(classifier, make_optimiser(classifier, settings), average)


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


def choose(course: Course, settings: Training) -> None:
    """Note whether the last epoch is the best so far, and keep its weights if they are wanted."""
    merits = course.merits(settings)
    is_best = len(merits) == 1 or merits[-1] > merits[course.best]
    if is_best:
        course.best = len(merits) - 1
    if is_best or settings.keep == "last":
        course.kept = copy.deepcopy(course.shown.state_dict())


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
    with autocast(device, settings.precision):
        parts = [
            classifier(lay_out(films.take(places, device).grey, settings)).float()
            for places in torch.split(torch.arange(len(films.labels)), EVALUATION_BATCH)
        ]
    return torch.cat(parts)

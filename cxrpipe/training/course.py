"""The course of a training: all that changes, what is best so far, and when it is over."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cxrpipe.config import Training
from cxrpipe.training.optimisation import make_optimiser
from cxrpipe.training.scores import merit
from cxrpipe.training.watching import Epoch


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
    seconds, elapsed
        That all training steps took, and with validation.
    n_parts
        In which a batch is computed, where memory is short.
    """

    classifier: nn.Module
    optimiser: torch.optim.Optimizer
    average: AveragedModel | None
    history: list[Epoch] = field(default_factory=list)
    best: int = -1
    kept: dict[str, torch.Tensor] = field(default_factory=dict)
    seconds: float = 0.0
    elapsed: float = 0.0
    n_parts: int = 1

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
            "elapsed": self.elapsed,
            "n_parts": self.n_parts,
        }

    def go_on(self, state: Mapping[str, Any]) -> None:
        """Take over a state that was saved."""
        self.classifier.load_state_dict(state["classifier"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.average:
            self.average.load_state_dict(state["average"])
        self.history = [Epoch.from_row(row) for row in state["history"]]
        for name in ("best", "kept", "seconds", "elapsed", "n_parts"):
            setattr(self, name, state[name])

    def merits(self, settings: Training) -> list[float]:
        """Return the monitored score of every epoch; larger is better."""
        return [merit(epoch.validation, settings.monitor) for epoch in self.history]

    def add(self, epoch: Epoch, settings: Training) -> None:
        """Add a finished epoch, and keep its weights if it is the best or the last is wanted."""
        self.history.append(epoch)
        merits = self.merits(settings)
        is_best = len(merits) == 1 or merits[-1] > merits[self.best]
        if is_best:
            self.best = len(merits) - 1
        if is_best or settings.keep == "last":
            self.kept = copy.deepcopy(self.shown.state_dict())

    def is_over(self, settings: Training) -> bool:
        """Tell whether all epochs are done, or none was better for too long.

        The epochs that train the head alone do not count as a lack of progress.
        """
        done = len(self.history)
        stale = done - max(self.best + 1, min(settings.head_epochs, done))
        return done == settings.epochs or (done > 0 and stale >= settings.patience)


def begin(classifier: nn.Module, settings: Training) -> Course:
    """Return a training of which nothing is done yet."""
    average = None
    if settings.ema:
        decay = get_ema_multi_avg_fn(settings.ema)  # type: ignore[no-untyped-call]
        average = AveragedModel(classifier, multi_avg_fn=decay, use_buffers=True)
    return Course(classifier, make_optimiser(classifier, settings), average)

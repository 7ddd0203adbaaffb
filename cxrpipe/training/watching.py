"""What a person sees of a training while it goes on: a line for every epoch, and TensorBoard."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cxrpipe.config import Training
from cxrpipe.runtime import UserError, clock
from cxrpipe.training.scores import Scores

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Epoch:
    """One epoch of a training.

    Losses are means of the loss that is trained, in nats. Those of training are over augmented
    films, as the network stood at each step.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    validation: Scores

    def as_row(self) -> dict[str, Any]:
        """Return the epoch as a row of ``tables.HISTORY``, but for ``best``."""
        row = asdict(self)
        scores = row.pop("validation")
        return row | {f"validation_{name}": value for name, value in scores.items()}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Epoch":
        """Return the epoch of a row."""
        own = {key: value for key, value in row.items() if not key.startswith("validation_")}
        names = (score.name for score in fields(Scores))
        return cls(**own, validation=Scores(**{name: row[f"validation_{name}"] for name in names}))


Watch = Callable[[Epoch], None]


def tell(
    history: list[Epoch],
    best: int,
    seconds: float,
    elapsed: float,
    n_films: int,
    settings: Training,
) -> None:
    """Log the last epoch: losses, the monitored score, speed and the time left.

    Parameters
    ----------
    best
        Place of the best epoch in the history.
    seconds, elapsed
        That all training steps so far took, and with validation.
    n_films
        That an epoch shows.
    """
    last, done = history[-1], len(history)
    monitor, epochs = settings.monitor, settings.epochs
    score = getattr(last.validation, monitor)
    best_score = getattr(history[best].validation, monitor)
    shown = f"accuracy {last.validation.accuracy:.3f}"
    if monitor not in ("loss", "accuracy"):
        shown += f", {monitor} {score:.3f}"
    log.info(
        f"epoch {done}/{epochs}: loss {last.train_loss:.3f}, validation "
        f"{last.validation.loss:.3f}, {shown}, best {monitor} {best_score:.3f} in epoch "
        f"{best + 1}, {seconds / done:.1f} s, {n_films * done / seconds:.0f} films/s, at most "
        f"{clock(elapsed / done * (epochs - done))} left"
    )


@contextmanager
def tensorboard(folder: Path) -> Iterator[Watch]:
    """Give a function that writes every epoch into TensorBoard files of a folder.

    Of a training that goes on after a kill, the epochs that it repeats replace the earlier ones.

    Raises
    ------
    UserError
        If TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UserError(
            "training.tensorboard: the package is not installed; pip install tensorboard, or set "
            "it to false"
        ) from error
    with ExitStack() as stack:
        writers: list[SummaryWriter] = []

        def write(epoch: Epoch) -> None:
            """Write one epoch."""
            if not writers:
                writer = SummaryWriter(folder, purge_step=epoch.epoch)
                writers.append(stack.enter_context(writer))
            for name, value in epoch.as_row().items():
                writers[0].add_scalar(name, value, epoch.epoch)
            writers[0].flush()

        yield write

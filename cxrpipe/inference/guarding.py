"""What a model may answer to: radiographs like those that it was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrpipe.data.films.film import UnusableFilmError
from cxrpipe.inference.films import Ready
from cxrpipe.inference.network import Matrix
from cxrpipe.runtime import write_json


@dataclass(frozen=True)
class Guard:
    """What was fixed on validation films; in the making, so that it doubts nothing yet."""

    weights: str

    def doubt(self, films: Sequence[Ready], features: Matrix) -> list[UnusableFilmError | None]:
        """Return why each film is doubted, or None."""
        return [None] * len(films)

    def refuse_others(self, weights: str, path: Path) -> None:
        """Raise a UserError if the guard was fitted with other weights."""


def write_guard(path: Path, guard: Guard) -> None:
    """Write a guard."""
    write_json(path, {"weights": guard.weights})


def read_guard(path: Path) -> Guard:
    """Read a guard."""
    return Guard("")

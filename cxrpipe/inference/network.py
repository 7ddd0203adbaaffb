"""What a network must do to answer, whatever computes it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from cxrpipe.data.films.film import Grey
from cxrpipe.evaluation.statistics.metrics import Floats
from cxrpipe.models.card import Card

Matrix = npt.NDArray[np.float32]


class Computed(NamedTuple):
    """What a network makes of films: logits (n, n_findings), penultimate features (n, d)."""

    logits: Floats
    features: Matrix


class Network(Protocol):
    """A trained network with the card of its weights.

    Attributes
    ----------
    n_at_once
        Films that it takes at once.
    """

    card: Card
    n_at_once: int

    def compute(self, grey: Grey) -> Computed:
        """Send prepared films (n, side, side) uint8 through, in fp32; several threads may."""

    def divide(self, n_workers: int) -> AbstractContextManager[Callable[[], object]]:
        """Give what each of so many threads calls first, so that they share the cores."""

"""A trained model as others use it: from a film to an answer, in three lines of Python."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np

from cxrpipe.data.films.film import UnusableFilmError
from cxrpipe.evaluation.statistics.calibration import Calibration
from cxrpipe.inference.answers import Answer, Refusal, answer
from cxrpipe.inference.films import Ready, prepare_film
from cxrpipe.inference.guarding import Guard
from cxrpipe.inference.loading import load_model
from cxrpipe.inference.network import Network
from cxrpipe.runtime import UserError

AHEAD = 4  # batches of films that are decoded while the network computes
Batch = list[tuple[str, Ready | Refusal]]


class Classifier:
    """A trained model with what validation fixed for it.

    For research only. Not a medical device; not for diagnosis or treatment.

    Parameters
    ----------
    network
        That computes, with the card of its weights.
    calibration
        Fitted with these weights.
    guard
        Fitted with these weights: tells what is not like the films that they know.
    """

    def __init__(self, network: Network, calibration: Calibration, guard: Guard) -> None:
        self.network = network
        self.calibration = calibration
        self.guard = guard

    @classmethod
    def load(cls, place: str | Path, fold: int = 0) -> "Classifier":
        """Load a model of a run, or one that was exported.

        Parameters
        ----------
        place
            Folder of the model, as ``results/open/models/resnet18``; the weights of one fold with
            what validation fixed beside them; or an ONNX file that ``cxrpipe export`` wrote, for
            which torch is not needed.
        fold
            Of a folder of a model.

        Raises
        ------
        UserError
            If there are no such weights, or what belongs to them is missing or of others. Nothing
            is unpickled: weights are safetensors or ONNX alone.
        """
        return cls(*load_model(Path(place), fold))

    @property
    def findings(self) -> tuple[str, ...]:
        """What it tells apart, or answers yes or no to."""
        return self.network.card.findings

    def classify(self, film: str | Path, force: bool = False) -> Answer:
        """Answer to one film: a picture or a DICOM file.

        Parameters
        ----------
        force
            Answer also to what is not like the films that the model knows; the answer then holds
            the doubt.

        Raises
        ------
        UserError
            If the file is no film that can be read, or is refused.
        """
        [answered] = self.classify_each([film], force)
        if isinstance(answered, Refusal):
            raise UserError(f"{answered.film}: {answered.reason}: {answered.detail}")
        return answered

    def classify_each(
        self, films: Iterable[str | Path], force: bool = False, cores: int = 2
    ) -> Iterator[Answer | Refusal]:
        """Answer to films one after the other, in their order; what cannot be answered is refused.

        However many there are, no more than a few batches are in memory.

        Parameters
        ----------
        force
            As of ``classify``.
        cores
            That decode films while the network computes.
        """
        n_at_once = self.network.n_at_once
        waiting: deque[tuple[str, Future[Ready | Refusal]]] = deque()
        names = (str(film) for film in films)
        with ThreadPoolExecutor(cores) as pool:
            try:
                while True:
                    for name in islice(names, AHEAD * n_at_once - len(waiting)):
                        waiting.append((name, pool.submit(self._prepare, name)))
                    batch = [waiting.popleft() for _ in range(min(n_at_once, len(waiting)))]
                    if not batch:
                        return
                    yield from self.answer([(name, it.result()) for name, it in batch], force)
            finally:
                pool.shutdown(cancel_futures=True)

    def _prepare(self, name: str) -> Ready | Refusal:
        try:
            return prepare_film(Path(name), self.network.card.preprocess)
        except UnusableFilmError as error:
            return Refusal(name, error.reason, error.detail)
        except OSError as error:
            return Refusal(name, "unreadable", error.strerror or str(error))

    def answer(self, batch: Batch, force: bool = False) -> Iterator[Answer | Refusal]:
        """Answer to a batch of named films that are prepared; refusals pass through."""
        ready = [film for _, film in batch if not isinstance(film, Refusal)]
        if not ready:
            yield from (film for _, film in batch if isinstance(film, Refusal))
            return
        logits, features = self.network.compute(np.stack([film.square for film in ready]))
        doubts = self.guard.doubt(ready, features)
        judged = zip(logits, doubts, strict=True)
        for name, film in batch:
            if isinstance(film, Refusal):
                yield film
                continue
            of_film, doubt = next(judged)
            if doubt and not force:
                yield Refusal(name, doubt.reason, doubt.detail)
            else:
                yield answer(name, of_film, self.calibration, str(doubt or ""))

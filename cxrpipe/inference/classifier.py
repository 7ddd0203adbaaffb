"""A trained model as others use it: from a film to an answer, in three lines of Python."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from cxrpipe.data.films.film import UnusableFilmError
from cxrpipe.evaluation.statistics.calibration import Calibration
from cxrpipe.inference.ahead import Names, work_ahead
from cxrpipe.inference.answers import Answer, Refusal, answer
from cxrpipe.inference.films import Ready, prepare_film
from cxrpipe.inference.guarding import Guard
from cxrpipe.inference.loading import load_model
from cxrpipe.inference.network import Network
from cxrpipe.runtime import UserError

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
            On which films are decoded and answered to side by side.
        """
        if isinstance(films, str):
            raise TypeError("give several films; one has classify")

        def work(names: Names) -> list[Answer | Refusal]:
            """Answer to a batch."""
            return list(self.answer([(name, self.prepare(name)) for name in names], force))

        n_at_once = self.network.n_at_once
        yield from work_ahead(films, work, n_at_once, cores, self.network.divide)

    def prepare(self, film: str) -> Ready | Refusal:
        """Prepare a film as the network takes it, or tell why it cannot be read."""
        try:
            return prepare_film(Path(film), self.network.card.preprocess, self.guard.index)
        except UnusableFilmError as error:
            return Refusal(film, error.reason, error.detail)

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

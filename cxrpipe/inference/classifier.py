"""A trained model as others use it: from a film to an answer, in three lines of Python."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from cxrpipe.data.films.film import Grey, UnusableFilmError
from cxrpipe.evaluation.statistics.calibration import Calibration, read_calibration, refuse_others
from cxrpipe.evaluation.statistics.metrics import Floats
from cxrpipe.inference.answers import Answer, Refusal, answer
from cxrpipe.inference.films import prepare_film
from cxrpipe.models.device import fit_batch, most_at_once
from cxrpipe.models.weights import Card
from cxrpipe.models.zoo import Classifier as Network
from cxrpipe.models.zoo import load_classifier
from cxrpipe.runtime import UserError

WEIGHTS, CALIBRATION = "weights.safetensors", "calibration.json"
AHEAD = 4  # batches of films that are decoded while the network computes


class Classifier:
    """A trained model with what validation fixed for it.

    For research only. Not a medical device; not for diagnosis or treatment.

    Parameters
    ----------
    network
        Takes grey levels (n, 1, side, side) and gives logits (n, n_findings).
    card
        What its weights are.
    calibration
        Fitted with these weights.
    device
        That computes.
    """

    def __init__(
        self, network: Network, card: Card, calibration: Calibration, device: torch.device
    ) -> None:
        self.network = network.eval().to(device).to(memory_format=torch.channels_last)
        self.card = card
        self.calibration = calibration
        self.device = device

    @classmethod
    def load(cls, place: str | Path, fold: int = 0) -> "Classifier":
        """Load a model of a run.

        Parameters
        ----------
        place
            Folder of the model, as ``results/open/models/resnet18``, or the weights of one fold
            with their ``calibration.json`` beside them.
        fold
            Of a folder of a model.

        Raises
        ------
        UserError
            If there are no such weights or no calibration, or if they do not belong together.
            Nothing is unpickled: weights are safetensors alone.
        """
        weights = find_weights(Path(place), fold)
        network, card = load_classifier(weights)
        calibration = read_calibration(weights.with_name(CALIBRATION))
        refuse_others(calibration, weights, weights.with_name(CALIBRATION))
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return cls(network, card, calibration, device)

    @property
    def findings(self) -> tuple[str, ...]:
        """What it tells apart, or answers yes or no to."""
        return self.card.findings

    def classify(self, film: str | Path) -> Answer:
        """Answer to one film: a picture or a DICOM file.

        Raises
        ------
        UserError
            If the file is no film that can be read.
        """
        [answered] = self.classify_each([film])
        if isinstance(answered, Refusal):
            raise UserError(f"{answered.film}: {answered.reason}: {answered.detail}")
        return answered

    def classify_each(
        self, films: Iterable[str | Path], cores: int = 2
    ) -> Iterator[Answer | Refusal]:
        """Answer to films one after the other, in their order; a broken one is refused.

        However many there are, no more than a few batches are in memory.

        Parameters
        ----------
        cores
            That decode films while the network computes.
        """
        n_at_once = fit_batch(most_at_once(self.device), self.card.side)
        waiting: deque[tuple[str, Future[Grey | Refusal]]] = deque()
        names = (str(film) for film in films)
        with ThreadPoolExecutor(cores) as pool:
            try:
                while True:
                    for name in islice(names, AHEAD * n_at_once - len(waiting)):
                        waiting.append((name, pool.submit(self._prepare, name)))
                    batch = [waiting.popleft() for _ in range(min(n_at_once, len(waiting)))]
                    if not batch:
                        return
                    yield from self._answer([(name, ready.result()) for name, ready in batch])
            finally:
                pool.shutdown(cancel_futures=True)

    def _prepare(self, name: str) -> Grey | Refusal:
        try:
            return prepare_film(Path(name), self.card.preprocess)
        except UnusableFilmError as error:
            return Refusal(name, error.reason, error.detail)
        except OSError as error:
            return Refusal(name, "unreadable", error.strerror or str(error))

    def _answer(self, batch: list[tuple[str, Grey | Refusal]]) -> Iterator[Answer | Refusal]:
        squares = [ready for _, ready in batch if not isinstance(ready, Refusal)]
        logits = iter(self.compute_logits(np.stack(squares)) if squares else ())
        for name, ready in batch:
            yield (
                ready
                if isinstance(ready, Refusal)
                else answer(name, next(logits), self.calibration)
            )

    @torch.inference_mode()
    def compute_logits(self, grey: Grey) -> Floats:
        """Return logits (n, n_findings) of prepared films (n, side, side) uint8, in fp32."""
        films = torch.from_numpy(grey).unsqueeze(1).to(self.device)
        return np.asarray(self.network(films).cpu().double().numpy())


def find_weights(place: Path, fold: int) -> Path:
    """Find the weights of a model: a file, or a folder of one fold, or of a model."""
    candidates = (place, place / WEIGHTS, place / f"fold-{fold}" / WEIGHTS)
    for path in candidates:
        if path.is_file():
            return path
    inside = sorted(path.parent.parent.name for path in place.glob(f"models/*/fold-*/{WEIGHTS}"))
    models = f"; its models: {', '.join(dict.fromkeys(inside))}" if inside else ""
    raise UserError(
        f"{place}: no weights here{models}; give the folder of a model, as "
        "results/<recipe>/models/<model>"
    )

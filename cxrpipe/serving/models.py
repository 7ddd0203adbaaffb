"""The models that the page offers, each loaded at its first use and kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cxrpipe.config import nearest
from cxrpipe.inference.classifier import Classifier
from cxrpipe.inference.runs import find_best
from cxrpipe.runtime import UserError

if TYPE_CHECKING:
    from cxrpipe.inference.explaining import Explainer


class Models:
    """Models by name, in the order of the choice; the best of the run is marked and comes first.

    Parameters
    ----------
    places
        Where each is, as ``Classifier.load`` takes it.
    best
        Name of the best; empty where none is known as such.
    fold
        Of models with several.
    """

    def __init__(self, places: Mapping[str, Path], best: str = "", fold: int = 0) -> None:
        self.places = dict(sorted(places.items(), key=lambda item: item[0] != best))
        self.best = best
        self._fold = fold
        self._classifiers: dict[str, Classifier] = {}
        self._explainers: dict[tuple[str, str], Explainer] = {}

    def classifier(self, name: str) -> Classifier:
        """Return a model.

        Raises
        ------
        UserError
            If the page offers no such model, or it cannot be loaded.
        """
        if name not in self.places:
            raise UserError(f"no model '{name}'; {nearest(name, self.places)}")
        if name not in self._classifiers:
            self._classifiers[name] = Classifier.load(self.places[name], self._fold)
        return self._classifiers[name]

    def explainer(self, name: str, method: str) -> "Explainer":
        """Return what draws the heatmaps of a model by a method.

        Raises
        ------
        UserError
            As of ``classifier``; if the model gives no heatmaps, or the method is unknown.
        """
        from cxrpipe.inference.explaining import Explainer  # torch, which an ONNX file does without

        if (name, method) not in self._explainers:
            self._explainers[name, method] = Explainer(self.classifier(name), method)
        return self._explainers[name, method]


def best_of(run: Path) -> str:
    """Return the name of the best model of a run; empty where none is known as best of all."""
    try:
        return find_best(run).name
    except UserError:
        return ""

"""Where a model looks on a new film, laid over it at its own resolution."""

from copy import deepcopy
from pathlib import Path

import numpy as np
from PIL import Image

from cxrpipe.config import nearest
from cxrpipe.data.films.film import Grey, UnusableFilmError, read_film
from cxrpipe.explanation.attribution.cam import METHODS, measure_offset
from cxrpipe.explanation.attribution.drawing import draw_heatmaps
from cxrpipe.explanation.attribution.layers import find_layer
from cxrpipe.explanation.heatmaps import Heatmaps
from cxrpipe.inference.answers import Answer
from cxrpipe.inference.classifier import Classifier
from cxrpipe.inference.films import prepare_film
from cxrpipe.inference.torch_network import TorchNetwork
from cxrpipe.reporting.drawing.own_size import Picture, draw_overlay
from cxrpipe.reporting.drawing.style import readable
from cxrpipe.runtime import UserError, whole


class Explainer:
    """Draws heatmaps of one model by one method at one layer.

    Parameters
    ----------
    classifier
        Whose network torch computes: an ONNX file gives no gradients.
    method
        One of ``METHODS``.
    layer
        Module of the network by its dotted name; empty: the last feature map.

    Raises
    ------
    UserError
        If the network is an ONNX file, or knows no such layer, or the method is unknown.
    """

    def __init__(self, classifier: Classifier, method: str = "gradcam", layer: str = "") -> None:
        network = classifier.network
        if not isinstance(network, TorchNetwork):
            raise UserError("an ONNX file gives no heatmaps; give the folder of its model")
        if method not in METHODS:
            raise UserError(f"no method '{method}'; {nearest(method, METHODS)}")
        self.classifier = classifier
        self.network = network
        self.method = method
        card = network.card
        # Its own: heatmaps note what passes a layer, while other films may pass the classifier's.
        self.module = deepcopy(network.module)
        self.layer = find_layer(self.module, card.model, card.side, layer, 0)
        self.offset = measure_offset(self.module, self.layer, card.side)

    def draw(self, square: Grey, finding: str) -> Heatmaps:
        """Draw the heatmap of a finding on a prepared film (side, side).

        Returns
        -------
        (side, side) from 0 to 1, of ``cam`` from -1 to 1.
        """
        [heatmap] = draw_heatmaps(
            self.module,
            self.layer,
            square[None],
            [find_finding(self.classifier.findings, finding)],
            self.network.device,
            self.method,
            self.offset,
        )
        return np.asarray(heatmap)

    def overlay(self, film: Path, finding: str, said: Answer) -> Picture:
        """Draw a film at its own resolution with the heatmap of a finding over it.

        Returns
        -------
        (height, width, 3) uint8, a strip below it that says what it shows.
        """
        index = self.classifier.guard.index
        square = prepare_film(film, self.network.card.preprocess, index).square
        heatmap = np.clip(self.draw(square, finding), 0, 1)
        lines = [
            f"explained: {readable(finding)}, probability {said.probabilities[finding]:.1%}",
            f"{self.method}, {self.layer.removeprefix('network.')}",
        ]
        fit = self.network.card.preprocess.fit
        return draw_overlay(
            decode(film, index.max_megapixels), heatmap, fit, [*lines, *filter(None, [said.doubt])]
        )


def write_overlay(
    explainer: Explainer, said: Answer, finding: str | None, folder: Path, number: int
) -> Path:
    """Write the heatmap over a film, of the finding that is named if none is asked for.

    Parameters
    ----------
    number
        Of the film among those that are classified, so that no two overlays have one name.

    Returns
    -------
    ``<number>-<film>-<finding>.png`` in the folder.
    """
    surest = max(said.probabilities, key=lambda name: said.probabilities[name])
    explained = finding or said.finding or surest
    film = Path(said.film)
    picture = explainer.overlay(film, explained, said)
    path = folder / f"{number + 1:04}-{film.stem[:100]}-{explained}.png"
    with whole(path) as partial:
        Image.fromarray(picture).save(partial, format="png")
    return path


def find_finding(findings: tuple[str, ...], finding: str) -> int:
    """Return the place of a finding.

    Raises
    ------
    UserError
        If the model knows no such finding; names those that it knows.
    """
    if finding not in findings:
        raise UserError(f"no finding '{finding}'; {nearest(finding, findings)}")
    return findings.index(finding)


def decode(film: Path, max_megapixels: float) -> Grey:
    """Decode a film at its own resolution.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    try:
        return read_film(film, max_megapixels, tint=False).pixels
    except UnusableFilmError as error:
        raise UserError(f"{film}: {error}") from error

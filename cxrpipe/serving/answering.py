"""From the bytes of a film to what the page shows of it; nothing is written to disk."""

import math
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from PIL import Image

from cxrpipe.data.films.film import read_film
from cxrpipe.evaluation.statistics.calibration import Calibration
from cxrpipe.inference.answers import Answer, Refusal
from cxrpipe.inference.classifier import Classifier
from cxrpipe.inference.films import prepare_film
from cxrpipe.preprocessing.radiograph import Size, resample

if TYPE_CHECKING:
    from cxrpipe.inference.explaining import Explainer

MOST_SIDE = 1024  # pixels of the film on the page
# What a conformal set says of one finding that is answered with yes or no.
YES_OR_NO = {
    (True, True): "yes or no",
    (True, False): "yes",
    (False, True): "no",
    (False, False): "neither",
}


def show(film: bytes) -> bytes:
    """Return a film as a PNG that a browser can show, its longer side at most ``MOST_SIDE``.

    Raises
    ------
    UnusableFilmError
        If it is no film that can be read; so do the others.
    """
    pixels = read_film(film, side=lambda *size: min(_fit(size)), tint=False).pixels
    return _png(resample(pixels, _fit(pixels.shape)))


def _fit(size: tuple[int, ...]) -> Size:
    scale = min(1.0, MOST_SIDE / max(size))
    height, width = (max(1, round(pixels * scale)) for pixels in size)
    return height, width


def classify(classifier: Classifier, film: bytes, force: bool) -> dict[str, object]:
    """Return what a model answers to a film, or why it is ``refused``, for the page."""
    ready = prepare_film(film, classifier.network.card.preprocess, classifier.guard.index)
    [answered] = classifier.answer([("", ready)], force)
    if isinstance(answered, Refusal):
        return {"refused": f"{answered.reason}: {answered.detail}"}
    return describe(answered, classifier.calibration)


def describe(answered: Answer, calibration: Calibration) -> dict[str, object]:
    """Describe an answer: the verdict in sentences, and every finding with its bar."""
    shares = answered.probabilities
    return {
        "verdict": _judge(answered, calibration),
        "doubt": answered.doubt,
        "explained": answered.finding or max(shares, key=lambda name: shares[name]),
        "findings": [
            {
                "name": name,
                "probability": shares[name],
                "threshold": None if math.isnan(threshold) else threshold,
                "above": name in answered.above,
                "set": _tell_set(name, answered, calibration.kind),
            }
            for name, threshold in zip(calibration.findings, calibration.thresholds, strict=True)
        ],
    }


def _judge(answered: Answer, calibration: Calibration) -> list[str]:
    """Say the verdict in sentences, the first of them the shortest."""
    above = ", ".join(answered.above)
    reached = f"reaches its threshold: {above}" if above else "no finding reaches its threshold"
    covered = f"at {calibration.coverage:.0%} coverage"
    if calibration.kind == "single":
        held = ", ".join(answered.conformal)
        left = f"not ruled out {covered}: {held}" if held else f"like none of them {covered}"
        return [f"{answered.finding} is likeliest", reached, left]
    told = {name: _tell_set(name, answered, calibration.kind) for name in answered.probabilities}
    open_ = ", ".join(name for name, said in told.items() if said == YES_OR_NO[True, True])
    return [reached, f"undecided {covered}: {open_}" if open_ else f"all decided {covered}"]


def _tell_set(name: str, answered: Answer, kind: str) -> str:
    """Say what the conformal set holds of a finding."""
    yes, no = (said in answered.conformal for said in (name, f"no {name}"))
    if kind == "single":
        return "not ruled out" if yes else ""
    return YES_OR_NO[yes, no]


def explain(explainer: "Explainer", film: bytes, finding: str) -> bytes | None:
    """Draw the heatmap of a finding, to be laid over the film.

    Returns
    -------
    A PNG with colours in proportion to the heatmap, which is their alpha: at an opacity of x on the
    page, a place is coloured by x times its value. None if nothing raised the score.
    """
    index = explainer.classifier.guard.index
    ready = prepare_film(film, explainer.network.card.preprocess, index)
    heatmap = np.clip(explainer.draw(ready.square, finding), 0, 1)
    place = ready.place
    rows = slice(place.top, place.top + place.height)
    columns = slice(place.left, place.left + place.width)
    of_film = heatmap[rows, columns]
    if not of_film.any():
        return None
    colours = colormaps["inferno"](of_film, bytes=True)
    colours[..., 3] = np.round(255 * of_film)
    return _png(colours)


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    content = BytesIO()
    Image.fromarray(pixels).save(content, format="png")
    return content.getvalue()

"""Finding a trained model on disk, with all that belongs to it."""

from pathlib import Path

from safetensors import SafetensorError, safe_open

from cxrpipe.evaluation.statistics.calibration import Calibration, read_calibration, refuse_others
from cxrpipe.inference.guarding import Guard, read_guard
from cxrpipe.inference.network import Network
from cxrpipe.models.card import KEY, Card, read_card
from cxrpipe.runtime import UserError

WEIGHTS, CALIBRATION, GUARD = "weights.safetensors", "calibration.json", "guard.safetensors"
AS = "as results/<recipe>/models/<model>"


def load_model(place: Path, fold: int) -> tuple[Network, Calibration, Guard]:
    """Load a network with its calibration and its guard; see ``Classifier.load``.

    What is wrong with the files is found before torch is imported, which takes seconds.
    """
    if place.suffix == ".onnx":
        from cxrpipe.inference.onnx_network import load_onnx  # needs no torch

        return load_onnx(place)
    weights = find_weights(place, fold)
    read_card_of(weights)
    calibration = read_calibration(weights.with_name(CALIBRATION))
    refuse_others(calibration, weights, weights.with_name(CALIBRATION))
    guard = read_guard(weights.with_name(GUARD))
    guard.refuse_others(calibration.weights, weights.with_name(GUARD))
    from cxrpipe.inference.torch_network import load_network

    return load_network(weights), calibration, guard


def find_weights(place: Path, fold: int = 0) -> Path:
    """Find the weights of a model: a file, or a folder of one fold, or of a model.

    Raises
    ------
    UserError
        If there are none; names the folds or the models that are there.
    """
    for path in (place, place / WEIGHTS, place / f"fold-{fold}" / WEIGHTS):
        if path.is_file():
            return path
    if not place.exists():
        raise UserError(f"{place}: no such file or folder; give the folder of a model, {AS}")
    folds = sorted(path.parent.name for path in place.glob(f"fold-*/{WEIGHTS}"))
    if folds:
        raise UserError(f"{place}: has no fold-{fold}; there are: {', '.join(folds)}")
    inside = sorted(path.parent.parent.name for path in place.glob(f"models/*/fold-*/{WEIGHTS}"))
    models = f"; its models: {', '.join(dict.fromkeys(inside))}" if inside else ""
    raise UserError(f"{place}: no weights here{models}; give the folder of a model, {AS}")


def read_card_of(weights: Path) -> Card:
    """Read the card of a weights file, without torch and without the weights.

    Raises
    ------
    UserError
        If the file is not safetensors, or was not written by this version of cxrpipe.
    """
    try:
        with safe_open(weights, "np") as file:
            described = (file.metadata() or {}).get(KEY)
    except (OSError, SafetensorError) as error:
        told = f"not readable as safetensors ({error})"
        raise UserError(f"{weights}: {told}; get it or train it anew") from error
    return read_card(described, weights)

"""Finding a trained model on disk, with all that belongs to it."""

from pathlib import Path

from cxrpipe.evaluation.statistics.calibration import Calibration, read_calibration, refuse_others
from cxrpipe.inference.guarding import Guard, read_guard
from cxrpipe.inference.network import Network
from cxrpipe.runtime import UserError

WEIGHTS, CALIBRATION, GUARD = "weights.safetensors", "calibration.json", "guard.safetensors"


def load_model(place: Path, fold: int) -> tuple[Network, Calibration, Guard]:
    """Load a network with its calibration and its guard; see ``Classifier.load``."""
    if place.suffix == ".onnx":
        from cxrpipe.inference.onnx_network import load_onnx  # needs no torch

        return load_onnx(place)
    from cxrpipe.inference.torch_network import load_network  # takes seconds

    weights = find_weights(place, fold)
    network = load_network(weights)
    calibration = read_calibration(weights.with_name(CALIBRATION))
    refuse_others(calibration, weights, weights.with_name(CALIBRATION))
    guard = read_guard(weights.with_name(GUARD))
    guard.refuse_others(calibration.weights, weights.with_name(GUARD))
    return network, calibration, guard


def find_weights(place: Path, fold: int = 0) -> Path:
    """Find the weights of a model: a file, or a folder of one fold, or of a model."""
    for path in (place, place / WEIGHTS, place / f"fold-{fold}" / WEIGHTS):
        if path.is_file():
            return path
    if not place.exists():
        raise UserError(f"{place}: no such file or folder; give the folder of a model, {AS}")
    inside = sorted(path.parent.parent.name for path in place.glob(f"models/*/fold-*/{WEIGHTS}"))
    models = f"; its models: {', '.join(dict.fromkeys(inside))}" if inside else ""
    raise UserError(f"{place}: no weights here{models}; give the folder of a model, {AS}")


AS = "as results/<recipe>/models/<model>"

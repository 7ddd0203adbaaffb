"""A network in an ONNX file with all that belongs to it; onnxruntime computes it, without torch."""

import base64
import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from cxrpipe.data.films.film import Grey
from cxrpipe.evaluation.statistics.calibration import Calibration
from cxrpipe.inference.guarding import Guard, parse_guard
from cxrpipe.inference.network import Computed
from cxrpipe.models.card import KEY, Card, read_card
from cxrpipe.runtime import UserError, count_cores

# The last entry of a file's metadata_props (field 14 of a model in protobuf): the key, and the
# length of the value that ends the file.
SEAL = b"\x72\x4a\x0a\x06sha256\x12\x40"
N_DIGITS = 64
EXPORT = "write it with cxrpipe export"


class OnnxNetwork:
    """A network that onnxruntime computes on all cores.

    Attributes
    ----------
    card
        What its weights are.
    n_at_once
        Films that go through at once.
    """

    def __init__(self, session: Any, card: Card) -> None:  # noqa: ANN401 - of onnxruntime
        self.card = card
        self.n_at_once = 16  # on cores, larger batches are hardly faster
        self._session = session

    def compute(self, grey: Grey) -> Computed:
        """Send prepared films (n, side, side) uint8 through, in fp32."""
        logits, features = self._session.run(["logits", "features"], {"films": grey[:, None]})
        return Computed(logits.astype(np.float64), features)

    def divide(self, n_workers: int) -> AbstractContextManager[Callable[[], object]]:
        """Give what each of so many threads calls first: nothing, since they share a session."""
        return nullcontext(lambda: None)


def load_onnx(path: Path) -> tuple[OnnxNetwork, Calibration, Guard]:
    """Load a file that ``cxrpipe export`` wrote; nothing else is needed, and nothing unpickled.

    Raises
    ------
    UserError
        If it is no such file, not whole, or of another version of cxrpipe.
    """
    session = start(read_sealed(path), path)
    told = session.get_modelmeta().custom_metadata_map
    card = read_card(told.get(KEY), path)
    try:
        calibration = _read_calibration(told["calibration"])
        guard = base64.b64decode(told["guard"], validate=True)
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path}: was written by another version of cxrpipe; {EXPORT}") from error
    found = parse_guard(guard, path)
    found.refuse_others(calibration.weights, path)
    return OnnxNetwork(session, card), calibration, found


def _read_calibration(described: str) -> Calibration:
    values: dict[str, Any] = json.loads(described)
    for name in ("findings", "thresholds", "quantiles"):
        values[name] = tuple(values[name])
    return Calibration(**values)


def start(content: bytes, path: Path) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Start onnxruntime on the content of a file, with all cores.

    Raises
    ------
    UserError
        If onnxruntime is missing, or cannot run it.
    """
    onnxruntime = need("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = count_cores()
    options.log_severity_level = 3  # errors; they are raised as well
    try:
        return onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    except Exception as error:  # its errors have no class in common
        told = f"onnxruntime {onnxruntime.__version__} cannot run it"
        raise UserError(f"{path}: {told}; pip install --upgrade onnxruntime") from error


def need(package: str) -> Any:  # noqa: ANN401 - a module
    """Import a package that only ONNX files need.

    Raises
    ------
    UserError
        If it is not installed.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise UserError(f"{package}: not installed; pip install 'cxrpipe[onnx]'") from error


def seal(content: bytes) -> bytes:
    """Append the SHA-256 of a model to it, as one more entry of its metadata."""
    return content + SEAL + _digest(content)


def _digest(content: bytes | memoryview) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def read_sealed(path: Path) -> bytes:
    """Read a file that is sealed.

    Raises
    ------
    UserError
        If there is none, or a byte of it is not as it was written.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; give an ONNX file, or {EXPORT}") from error
    n = max(0, len(content) - N_DIGITS - len(SEAL))
    if content[n:-N_DIGITS] != SEAL:
        raise UserError(f"{path}: no ONNX file of cxrpipe, or cut short; {EXPORT}")
    if content[-N_DIGITS:] != _digest(memoryview(content)[:n]):
        raise UserError(f"{path}: damaged or changed since it was written; {EXPORT}")
    return content

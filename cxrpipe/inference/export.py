"""A model as one file for others: films go in, calibrated probabilities come out."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cxrpipe.data.films.film import Grey
from cxrpipe.inference.classifier import Classifier
from cxrpipe.inference.graph import Graph, draw_films, trace
from cxrpipe.inference.guarding import pack_guard
from cxrpipe.inference.network import Matrix
from cxrpipe.inference.onnx_network import need, seal, start
from cxrpipe.inference.squares import say_sizes
from cxrpipe.inference.torch_network import TorchNetwork
from cxrpipe.models.card import KEY, write_card
from cxrpipe.runtime import RESEARCH_USE, UserError, whole

TOLERANCE = 1e-4
OUTPUTS = ["logits", "probabilities", "features"]
Run = Callable[[Grey], Sequence[Matrix]]


def export(classifier: Classifier, path: Path, form: str) -> float:
    """Write a model as one file, once it answers as torch does.

    Parameters
    ----------
    form
        One of ``FORMATS``.

    Returns
    -------
    Largest difference between what the file and torch make of films; see ``differ``.

    Raises
    ------
    UserError
        If the packages of the format are not installed, the network is an ONNX file already, or the
        written one answers otherwise than torch: then nothing is left.
    """
    if not isinstance(classifier.network, TorchNetwork):
        raise UserError("an ONNX file is exported already; give the folder of its model")
    write, run = FORMATS[form]
    module = deepcopy(classifier.network.module).cpu().to(memory_format=torch.contiguous_format)
    graph = Graph(module, classifier.network.card, classifier.calibration).eval()
    with whole(path) as partial, torch.inference_mode():
        write(graph, describe(classifier), partial)
        difference = differ(graph, run(partial), draw_films(graph.settings))
        if not difference < TOLERANCE:
            told = f"its outputs differ from torch's by {difference:.1e}, {TOLERANCE:g} is allowed"
            raise UserError(f"{path}: not written: {told}; give another model or format")
    return difference


def describe(classifier: Classifier) -> dict[str, str]:
    """Return what travels with a network, as text."""
    card = classifier.network.card
    return {
        KEY: write_card(card),
        "calibration": json.dumps(asdict(classifier.calibration)),
        "guard": base64.b64encode(pack_guard(classifier.guard)).decode(),
        "films": say_sizes(card.preprocess),
        "use": RESEARCH_USE,
    }


def write_onnx(graph: Graph, told: Mapping[str, str], path: Path) -> None:
    """Write a sealed ONNX file."""
    onnx, *_ = (need(package) for package in ("onnx", "onnxscript", "onnxruntime"))
    program, shapes = trace(graph)
    converted: Any = torch.onnx.export(
        program,
        input_names=["films"],
        output_names=OUTPUTS,
        dynamic_shapes=shapes,
        verbose=False,
    )
    proto = converted.model_proto
    onnx.helper.set_model_props(proto, dict(told))
    path.write_bytes(seal(proto.SerializeToString()))


def write_pt2(graph: Graph, told: Mapping[str, str], path: Path) -> None:
    """Write a file of torch.export."""
    content = BytesIO()  # the archive would bear the name of the path
    torch.export.save(trace(graph).program, content, extra_files=dict(told))
    path.write_bytes(content.getbuffer())


def run_onnx(path: Path) -> Run:
    """Return what makes the outputs of an ONNX file."""
    session = start(path.read_bytes(), path)
    return lambda films: list(session.run(OUTPUTS, {"films": films}))


def run_pt2(path: Path) -> Run:
    """Return what makes the outputs of a file of torch.export that was just written."""
    module = torch.export.load(path).module()
    return lambda films: [output.numpy() for output in module(torch.from_numpy(films))]


FORMATS = {"onnx": (write_onnx, run_onnx), "pt2": (write_pt2, run_pt2)}


def differ(graph: Graph, run: Run, batches: Sequence[Grey]) -> float:
    """Return the largest difference of outputs on films.

    It is absolute; of a film whose largest output, of logits or features, is above 1 it is relative
    to that.
    """
    found = []
    for films in batches:
        expected = [output.numpy() for output in graph(torch.from_numpy(films))]
        for ours, theirs in zip(expected, run(films), strict=True):
            scale = np.abs(ours).max(axis=1, keepdims=True).clip(min=1)
            found.append((np.abs(ours - theirs) / scale).max())
    return float(np.max(found))

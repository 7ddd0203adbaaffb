"""What an exported file computes: preparation, network and calibration in one graph."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from cxrpipe.config import Preprocess
from cxrpipe.data.films.film import Grey
from cxrpipe.evaluation.statistics.calibration import Calibration
from cxrpipe.explanation.latent.penultimate import find_last_layer, noting
from cxrpipe.inference.squares import fit_squares, takes_any_size
from cxrpipe.models.card import Card
from cxrpipe.models.zoo import Classifier as Module


class Graph(nn.Module):
    """From films to probabilities.

    A film that is a square of the network's side passes the preparation unchanged. Where the recipe
    has blur or CLAHE, which no graph has, only such films are taken.
    """

    def __init__(self, module: Module, card: Card, calibration: Calibration) -> None:
        super().__init__()
        self.module = module
        self.settings = card.preprocess
        self.is_single = card.kind == "single"
        self.temperature = calibration.temperature
        self.last = find_last_layer(module, card.side)

    def forward(self, films: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Answer to films (n, 1, height, width) uint8.

        Returns
        -------
        Logits and calibrated probabilities (n, n_findings), penultimate features (n, d).
        """
        squares = fit_squares(films, self.settings) if takes_any_size(self.settings) else films
        with noting(self.module.get_submodule(self.last)) as noted:
            logits = self.module(squares)
        scaled = logits / self.temperature
        probabilities = scaled.softmax(dim=1) if self.is_single else scaled.sigmoid()
        return logits, probabilities, noted[-1]


class Traced(NamedTuple):
    """A program, and which axes of its input may have any length."""

    program: ExportedProgram
    shapes: tuple[dict[int, Any]]


def trace(graph: Graph) -> Traced:
    """Trace a module for any number of films, of any size where its preparation takes them."""
    [films] = draw_films(graph.settings)[-1:]
    axes = {0: Dim("n")}
    if takes_any_size(graph.settings):
        axes |= {2: Dim("height"), 3: Dim("width")}
    program = torch.export.export(graph, (torch.from_numpy(films),), dynamic_shapes=(axes,))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # names folders of this machine
    return Traced(program, (axes,))


def draw_films(settings: Preprocess) -> list[Grey]:
    """Draw films (n, 1, height, width) of noise: squares, and if they are taken others."""
    sizes = [(7, 1, settings.side, settings.side)]
    if takes_any_size(settings):
        sizes.append((2, 1, settings.side * 3 // 2, settings.side * 5 // 2))
    random = np.random.default_rng(0)
    return [random.integers(0, 256, size, dtype=np.uint8) for size in sizes]

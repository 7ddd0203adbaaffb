"""The layers of a network from shallow to deep, at which its belief can be looked at."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from cxrpipe.config import Model, nearest
from cxrpipe.models.zoo import Classifier, feature_layer
from cxrpipe.runtime import UserError


class Seen(NamedTuple):
    """Heights of the map that a module was given and of the one that it gave; 0 of what is none."""

    given: int
    gave: int


def list_layers(classifier: Classifier, model: Model, side: int, most: int) -> list[str]:
    """Name layers shallow to deep, the last of every stride; the deepest is the last map.

    A layer is a whole piece of the network, such as a stage of blocks: what lies inside one is
    looked at only if it makes its map less than a third as high. Where there are fewer strides than
    layers asked for, as in dilated networks, further stages of the same strides are named too, the
    deep ones first, before a stem of several modules. Of a fusion of backbones side by side, that
    which computes last stands for its strides.

    Parameters
    ----------
    classifier
        In evaluation mode.
    side
        Pixels of its films.
    most
        Layers at most; of more, those are named that are evenly spread, the deepest always.

    Returns
    -------
    Dotted names of modules of the classifier.
    """
    deepest = "network." + feature_layer(classifier.network, model, 0)
    seen = _watch(classifier, side)
    pieces = [name for name in list(seen)[: list(seen).index(deepest)] if _is_piece(name, seen)]
    layers = {_halvings(seen[name].gave, side): name for name in [*pieces, deepest]}
    stages = [
        name
        for name in pieces
        if name not in layers.values() and any(classifier.get_submodule(name).children())
    ]
    missing = max(0, most - len(layers))
    further = stages[max(0, len(stages) - missing) :]
    names = sorted({*layers.values(), *further}, key=list(seen).index)
    places = np.linspace(len(names) - 1, 0, min(most, len(names))).round().astype(int)
    return [names[place] for place in places[::-1]]


def find_layer(classifier: Classifier, model: Model, side: int, name: str, stride: int) -> str:
    """Name the layer to explain: the one that is asked for, or the last map of a stride.

    Parameters
    ----------
    name
        Of a module, within the network; empty: that of the stride counts.
    stride
        As ``feature_layer`` takes it.

    Returns
    -------
    Dotted name of a module of the classifier.

    Raises
    ------
    UserError
        If there is no such layer, or it gives no map.
    """
    if not name:
        return "network." + feature_layer(classifier.network, model, stride)
    seen = {
        layer.removeprefix("network."): heights
        for layer, heights in _watch(classifier, side).items()
    }
    if name not in seen:
        maps = [layer for layer, heights in seen.items() if heights.gave]
        near = [layer for layer in maps if layer.count(".") <= name.count(".") + 1]
        raise UserError(f"gradcam.layer: a film passes no module {name}; {nearest(name, near)}")
    if not seen[name].gave:
        raise UserError(
            f"gradcam.layer: {name} gives no map (n, channels, height, width); give another layer"
        )
    return f"network.{name}"


@torch.no_grad()
def _watch(classifier: Classifier, side: int) -> dict[str, Seen]:
    """Send a film through and return what every module was given and gave, in order of use."""
    seen: dict[str, Seen] = {}

    def note(name: str, module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        """Note the first use of a module."""
        seen.setdefault(name, Seen(_height(inputs[0] if inputs else None), _height(output)))

    hooks = [
        module.register_forward_hook(partial(note, name))
        for name, module in classifier.named_modules()
        if name
    ]
    try:
        classifier(torch.zeros(1, 1, side, side, device=next(classifier.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def _height(output: object) -> int:
    """Return the cells of a map's height, and 0 of what is no map."""
    return output.shape[2] if isinstance(output, torch.Tensor) and output.ndim == 4 else 0


def _is_piece(name: str, seen: dict[str, Seen]) -> bool:
    """Tell whether a module is one piece, and not inside of one."""
    above = [".".join(name.split(".")[:n]) for n in range(1, name.count(".") + 1)]
    return _keeps(seen[name]) and not any(_keeps(seen.get(part, Seen(0, 0))) for part in above)


def _keeps(seen: Seen) -> bool:
    """Tell whether a module gives a map that is not much lower than the one it was given.

    A stride of two without padding gives a bit less than half of the cells.
    """
    return seen.gave > 0 and 3 * seen.gave >= seen.given


def _halvings(height: int, side: int) -> int:
    return round(math.log2(side / height))

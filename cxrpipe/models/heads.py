"""Heads: from the last feature map of a network to the logits of the findings."""

from itertools import pairwise

from torch import nn

from cxrpipe.config import Model


def make_head(model: Model, channels: int, cells: int, n_findings: int) -> nn.Sequential:
    """Make the head that a model names; it maps (n, channels, h, w) to logits (n, n_findings).

    ``128-32`` averages the map and puts dense layers of 128 and 32 units with ReLU before the last
    layer; ``flatten-1024`` takes every cell of the map as it is; ``pool`` and ``flatten`` have no
    hidden layer.

    Parameters
    ----------
    channels, cells
        Of the map at ``model.side``; a flattening head works at this side alone.
    """
    shape, *units = [word for word in model.head.split("-") if word]
    if shape.isdigit():
        shape, units = "pool", [shape, *units]
    pooled = shape == "pool"
    first = [nn.AdaptiveAvgPool2d(1), nn.Flatten()] if pooled else [nn.Flatten()]
    widths = [channels if pooled else channels * cells, *map(int, units), n_findings]
    layers: list[nn.Module] = [*first]
    for place, (n_in, n_out) in enumerate(pairwise(widths)):
        is_last = place == len(widths) - 2
        if model.dropout and is_dropped(model, place, is_last):
            layers.append(nn.Dropout(model.dropout))
        layers.append(nn.Linear(n_in, n_out, bias=model.bias or not is_last))
        if not is_last:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def is_dropped(model: Model, place: int, is_last: bool) -> bool:
    """Tell whether dropout stands before a layer of the head."""
    return {"first": place == 0, "last": is_last, "all": True}[model.dropout_at]

"""Hooks on one layer of a network that are gone once the work with it is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from cxrpipe.runtime import UserError


@contextmanager
def changed(
    network: nn.Module, layer: str, change: Callable[[torch.Tensor], torch.Tensor]
) -> Iterator[None]:
    """Pass the first output of a layer through a function; the hook is gone afterwards.

    A layer that is used several times in one pass is changed where it is used first.

    Parameters
    ----------
    layer
        Dotted name of a module.

    Raises
    ------
    UserError
        If what the layer gives is no map (n, channels, height, width).
    """

    def pass_on(module: nn.Module, inputs: object, output: object) -> torch.Tensor:
        """Change the first output and leave."""
        hook.remove()
        return change(as_map(output, layer))

    hook = network.get_submodule(layer).register_forward_hook(pass_on)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def captured(network: nn.Module, layer: str) -> Iterator[list[torch.Tensor]]:
    """Collect the outputs of a layer while the context lasts; the hook is gone afterwards.

    The output is passed on as a copy, so that a following in-place operation cannot change it.

    Raises
    ------
    UserError
        If what the layer gives is no map (n, channels, height, width).
    """
    outputs: list[torch.Tensor] = []

    def keep(module: nn.Module, inputs: object, output: object) -> torch.Tensor:
        """Keep the output and pass a copy on."""
        outputs.append(as_map(output, layer))
        return outputs[-1].clone()

    hook = network.get_submodule(layer).register_forward_hook(keep)
    try:
        yield outputs
    finally:
        hook.remove()


def as_map(output: object, layer: str) -> torch.Tensor:
    """Return a layer's output, or raise a UserError if it is no map."""
    if isinstance(output, torch.Tensor) and output.ndim == 4:
        return output
    found = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
    raise UserError(
        f"gradcam: {layer} gives {found} and no map (n, channels, height, width); explain "
        "another layer"
    )

"""The filters of a network: where they are, which of them changed, and what they answer."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn


class _ReachedError(Exception):
    """A layer has answered; what lies behind it need not be computed."""


def respond(network: nn.Module, layer: str, films: torch.Tensor) -> torch.Tensor:
    """Return what a layer answers to films, and compute nothing behind it.

    So a head that is made for one side minds no other. The hook is gone afterwards.

    Parameters
    ----------
    films
        (n, 1, side, side) grey levels.

    Returns
    -------
    (n, channels, height, width).
    """
    answers: list[torch.Tensor] = []

    def stop(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
        """Keep the answer and go no further."""
        answers.append(output)
        raise _ReachedError

    hook = network.get_submodule(layer).register_forward_hook(stop)
    try:
        network(films)
    except _ReachedError:
        pass
    finally:
        hook.remove()
    return answers[0]


@torch.no_grad()
def find_convolutions(network: nn.Module, layers: Sequence[str], film: torch.Tensor) -> list[str]:
    """Find the last convolution that each of some layers computes: its filters are the layer's.

    Convolutions of single pixels see no shape; they mix or weigh channels, and are passed over.

    Parameters
    ----------
    layers
        Dotted names of modules.
    film
        (1, 1, side, side), of a side that the whole network takes.

    Returns
    -------
    Dotted names, in the order of the layers, each once; none for what no convolution precedes.
    """
    done: list[str] = []
    last: dict[str, str] = {}

    def note(name: str, module: nn.Module, inputs: object, output: object) -> None:
        """Note a convolution, and which was the last when a layer is done."""
        if isinstance(module, nn.Conv2d) and max(module.kernel_size) > 1:
            done.append(name)
        if name in layers and done:
            last.setdefault(name, done[-1])

    hooks = [
        module.register_forward_hook(partial(note, name))
        for name, module in network.named_modules()
        if name in layers or isinstance(module, nn.Conv2d)
    ]
    try:
        network(film)
    finally:
        for hook in hooks:
            hook.remove()
    return list(dict.fromkeys(last[layer] for layer in layers if layer in last))


@torch.no_grad()
def find_changed(before: torch.Tensor, after: torch.Tensor, n: int) -> list[int]:
    """Find the ``n`` filters whose weights (filters, ...) changed most, in their order.

    The change is the length of the difference. Of equal ones the first are taken, so that a layer
    which did not learn shows its first filters.
    """
    change = (after - before).double().flatten(1).norm(dim=1)
    return sorted(change.argsort(descending=True, stable=True)[:n].tolist())

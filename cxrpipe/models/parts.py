"""The parts of a network: its head and the rest, which of them learns, how large they are."""

from typing import Any, Literal

import torch
from torch import nn

from cxrpipe.runtime import UserError

Part = Literal["all", "head"]


class Headed(nn.Module):
    """A backbone and a head of our own.

    Parameters
    ----------
    backbone
        Its ``forward_features`` returns a map (n, channels, h, w).
    head
        Takes the map and returns logits.
    """

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        logits: torch.Tensor = self.head(self.backbone.forward_features(films))  # type: ignore[operator]
        return logits


def head_of(network: nn.Module) -> nn.Module:
    """Return the head of a network: that of ours, the classifier of timm's, or what is named so.

    Raises
    ------
    UserError
        If nothing tells which of its modules it is.
    """
    if hasattr(network, "get_classifier"):
        classifier: Any = network.get_classifier
        head = classifier()
        return nn.ModuleList(head) if isinstance(head, tuple) else head
    for name in ("head", "fc", "classifier"):
        if isinstance(getattr(network, name, None), nn.Module):
            return network.get_submodule(name)
    raise UserError(
        f"models: {type(network).__name__} has no module named head, fc or classifier; name its "
        "last layers so, or train all of it from the start"
    )


def head_names(network: nn.Module) -> set[str]:
    """Return the names of all tensors of a network's head."""
    head = head_of(network)
    inside = {id(tensor) for tensor in (*head.parameters(), *head.buffers())}
    named = (*network.named_parameters(), *network.named_buffers())
    return {name for name, tensor in named if id(tensor) in inside}


def train_part(classifier: nn.Module, part: Part) -> None:
    """Make a classifier learn, all of it or its head alone.

    A backbone that does not learn computes as in use: without dropout, and its batch norms with
    the statistics that they have. Dropout before the last layer is the head's.

    Parameters
    ----------
    classifier
        Has a ``network`` with a head.
    """
    classifier.train(part == "all")
    classifier.requires_grad_(part == "all")
    if part == "head":
        network = classifier.get_submodule("network")
        head_of(network).train().requires_grad_()
        _drop_before_head(network)


def _drop_before_head(network: nn.Module) -> None:
    """Let the dropout before the last layer of a network of timm work, though the rest rests.

    It is a module of its own, or a function that heeds whether the network itself, not what is in
    it, is in training.
    """
    if getattr(network, "drop_rate", 0):
        network.training = True
    for name, module in network.named_modules():
        if name in ("head_drop", "head.drop"):
            module.train()


def count_parameters(network: nn.Module) -> tuple[int, int]:
    """Return the numbers of all and of the trainable parameters."""
    sizes = [(weight.numel(), weight.requires_grad) for weight in network.parameters()]
    return sum(n for n, _ in sizes), sum(n for n, trainable in sizes if trainable)


def count_statistics(network: nn.Module) -> int:
    """Return how many running means and variances there are; Keras counts them as parameters."""
    named = network.named_buffers()
    return sum(buffer.numel() for name, buffer in named if not name.endswith("_tracked"))

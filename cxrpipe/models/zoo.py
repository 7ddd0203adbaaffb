"""Networks by name: built, given their starting weights, and rebuilt from their files."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from cxrpipe.config import Model
from cxrpipe.models import weights
from cxrpipe.models.card import Card
from cxrpipe.models.creation import create
from cxrpipe.models.entries import ZOO, find_entry
from cxrpipe.models.parts import Headed
from cxrpipe.models.starts import load_start
from cxrpipe.runtime import UserError


def build(
    model: Model,
    n_findings: int,
    seed: int,
    start: Path | None = None,
    weights_folder: Path | None = None,
    in_chans: int = 1,
) -> nn.Module:
    """Build the network of a model, with its starting weights.

    It maps normalised ``radiographs (n, in_chans, side, side)`` float to ``logits (n,
    n_findings)``. Random weights depend on the seed; the global random state is left as it was.

    Parameters
    ----------
    start
        Safetensors to start from, if the model's ``weights`` are a file or those of another model.
        Everything but the head is taken over; the head is always new.
    weights_folder
        Holds the pretrained weights of ``imagenet``; without it timm fetches them.

    Raises
    ------
    UserError
        If the architecture is unknown, or weights that were asked for cannot be had. Nothing is
        ever trained from scratch instead.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = create(model, n_findings, in_chans)
    if model.weights != "none":
        load_start(network, model, start, weights_folder, in_chans)
    return network


def start_greys(model: Model, start: Path | None) -> tuple[float, float] | None:
    """Return mean and standard deviation of greys, from 0 to 1, that starting weights expect.

    None if there are none that expect any: the training films then tell them.
    """
    if model.weights == "none":
        return None
    path = start or Path(model.weights)
    if model.weights != "imagenet" and weights.has_card(path):
        _, card = weights.load(path)
        return card.mean, card.std
    entry = find_entry(model.architecture)
    return entry.mean, entry.std


def feature_layer(network: nn.Module, model: Model, stride: int) -> str:
    """Name the module whose output is the deepest feature map of a stride.

    Parameters
    ----------
    stride
        Pixels of the radiograph that one cell of the map covers; 0 for the last map, the one
        that the head takes.

    Raises
    ------
    UserError
        If the network has no such map; names the strides that it has.
    """
    prefix = "backbone." if isinstance(network, Headed) else ""
    if not stride:
        known = ZOO.get(model.architecture)
        return prefix + known.feature_map if known else last_map(network, model)
    features: Any = getattr(network.get_submodule(prefix.rstrip(".")), "feature_info", [])
    layers = {int(layer["reduction"]): prefix + str(layer["module"]) for layer in features}
    if stride not in layers:
        raise UserError(f"gradcam.stride: no map of stride {stride}; valid: {sorted(layers)}")
    return layers[stride]


@torch.no_grad()
def last_map(network: nn.Module, model: Model) -> str:
    """Find the last module whose output is a map of several cells, by sending a film through.

    Raises
    ------
    UserError
        If no output is a map.
    """
    maps: list[str] = []

    def note(name: str, output: object) -> None:
        """Note the name of a module that gives a map."""
        if isinstance(output, torch.Tensor) and output.ndim == 4 and output.shape[-1] > 1:
            maps.append(name)

    hooks = [
        module.register_forward_hook(lambda module, inputs, output, name=name: note(name, output))
        for name, module in network.named_modules()
        if name
    ]
    was_training = network.training
    first = next(network.parameters())
    kernels = (weight for weight in network.parameters() if weight.ndim == 4)
    n_channels = next((kernel.shape[1] for kernel in kernels), 1)
    side = model.side or (224 if ":" in model.architecture else find_entry(model.architecture).side)
    try:
        network.eval()(torch.zeros(1, n_channels, side, side, device=first.device))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    if not maps:
        raise UserError(f"gradcam: {model.architecture} has no map of several cells at side {side}")
    return maps[-1]


class Classifier(nn.Module):
    """A network that takes raw grey levels and normalises them itself.

    Parameters
    ----------
    network
        Takes (n, 1, h, w) normalised.
    mean, std
        Of grey levels from 0 to 1.
    """

    def __init__(self, network: nn.Module, mean: float, std: float) -> None:
        super().__init__()
        self.network = network
        self.mean = mean
        self.std = std

    def forward(self, grey: torch.Tensor) -> torch.Tensor:
        """Return logits (n, n_findings) of grey levels (n, 1, h, w) from 0 to 255."""
        logits: torch.Tensor = self.network((grey.float() / 255 - self.mean) / self.std)
        return logits


def load_classifier(path: Path) -> tuple[Classifier, Card]:
    """Rebuild a trained classifier, ready to predict, from its weights file."""
    state, card = weights.load(path)
    model = card.model.model_copy(update={"weights": "none"})
    classifier = Classifier(build(model, len(card.findings), seed=0), card.mean, card.std)
    try:
        classifier.load_state_dict(state)
    except RuntimeError as error:
        told = f"does not fit {card.model.architecture} as it is built by this version"
        raise UserError(f"{path}: {told}; train it anew") from error
    return classifier.eval(), card

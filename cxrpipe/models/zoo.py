"""Networks by name: backbones of timm with one grey input channel and a linear head."""

from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from torch import nn

from cxrpipe.config import Model, nearest
from cxrpipe.models import weights
from cxrpipe.runtime import UserError


def build(model: Model, n_findings: int, seed: int) -> nn.Module:
    """Build the network of a model, with its starting weights.

    It maps normalised ``radiographs (n, 1, h, w)`` float to ``logits (n, n_findings)``. Random
    weights depend on the seed; the global random state is left as it was.

    Raises
    ------
    UserError
        If the architecture is unknown, or weights that were asked for cannot be had. Nothing is
        ever trained from scratch instead.
    """
    if not timm.is_model(model.architecture):
        hint = nearest(model.architecture, timm.list_models())[:200]
        raise UserError(f"models: timm has no architecture '{model.architecture}'; {hint}")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = _create(model, n_findings)
    if model.weights != "none":
        plain = model.model_copy(update={"weights": "none"})
        _check_that_all_is_loaded(network, build(plain, n_findings, seed), model)
    return network


def _check_that_all_is_loaded(network: nn.Module, fresh: nn.Module, model: Model) -> None:
    """Refuse weights that leave a matrix outside the head as the seed made it."""
    expected: Any = network.pretrained_cfg
    head = expected["classifier"]
    heads = (head,) if isinstance(head, str) else tuple(head)
    for name, weight in network.named_parameters():
        in_head = any(name.startswith(f"{part}.") for part in heads)
        if weight.ndim > 1 and not in_head and torch.equal(weight, fresh.get_parameter(name)):
            raise UserError(
                f"models: weights '{model.weights}' lack {name} of {model.architecture}; use others"
            )


def _create(model: Model, n_findings: int) -> nn.Module:
    overlay: dict[str, Any] = {}
    if model.weights not in ("none", "imagenet"):
        path = Path(model.weights)
        if path.suffix != ".safetensors" or not path.is_file():
            raise UserError(
                f"models: weights '{model.weights}' is no safetensors file here; give none, "
                "imagenet, or the path of one"
            )
        overlay = {"file": str(path)}
    options: dict[str, Any] = dict(model.options)
    try:
        network: nn.Module = timm.create_model(
            model.architecture,
            pretrained=model.weights != "none",
            pretrained_cfg_overlay=overlay or None,
            in_chans=1,
            num_classes=n_findings,
            **options,
        )
    except TypeError as error:
        raise UserError(f"models: options of {model.architecture}: {error}") from error
    except (OSError, RuntimeError, SafetensorError) as error:
        if model.weights == "none":
            raise
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"models: weights '{model.weights}' of {model.architecture} cannot be loaded "
            f"({reason}); connect to the network once, or give the path of a safetensors file"
        ) from error
    return network


def pretrained_greys(network: nn.Module) -> tuple[float, float]:
    """Return mean and standard deviation, from 0 to 1, that pretrained weights expect.

    They are the averages over the three colours, since timm adds the first layer's colours up.
    """
    expected: Any = network.pretrained_cfg
    mean, std = expected["mean"], expected["std"]
    return sum(mean) / len(mean), sum(std) / len(std)


def count_parameters(network: nn.Module) -> tuple[int, int]:
    """Return the numbers of all and of the trainable parameters."""
    sizes = [(weight.numel(), weight.requires_grad) for weight in network.parameters()]
    return sum(n for n, _ in sizes), sum(n for n, trainable in sizes if trainable)


def feature_layer(network: nn.Module, stride: int) -> str:
    """Name the module whose output is the deepest feature map of a stride.

    Parameters
    ----------
    stride
        Pixels of the radiograph that one cell of the map covers; 0 for the last map, the one
        that the head pools.

    Raises
    ------
    UserError
        If the network has no such map; names the strides that it has.
    """
    if not stride:
        return _last_map(network)
    features: Any = network.feature_info
    layers = {int(layer["reduction"]): str(layer["module"]) for layer in features}
    if stride not in layers:
        raise UserError(f"gradcam.stride: no map of stride {stride}; valid: {sorted(layers)}")
    return layers[stride]


@torch.no_grad()
def _last_map(network: nn.Module) -> str:
    """Find the last module whose output is a map, by sending an empty film through."""
    maps: list[str] = []
    hooks = [
        module.register_forward_hook(
            lambda module, inputs, output, name=name: (
                maps.append(name) if output.ndim == 4 and output.shape[-1] > 1 else None
            )
        )
        for name, module in network.named_modules()
        if name
    ]
    was_training = network.training
    try:
        network.eval()(torch.zeros(1, 1, 224, 224, device=next(network.parameters()).device))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
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


def load_classifier(path: Path) -> tuple[Classifier, weights.Card]:
    """Rebuild a trained classifier, ready to predict, from its weights file."""
    state, card = weights.load(path)
    model = card.model.model_copy(update={"weights": "none"})
    classifier = Classifier(build(model, len(card.findings), seed=0), card.mean, card.std)
    classifier.load_state_dict(state)
    return classifier.eval(), card

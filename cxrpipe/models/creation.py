"""Making a network with random weights: of timm, our own, or a class of the user."""

import importlib
import inspect
from typing import Any

import timm
import torch
from timm.models.vgg import VGG
from torch import nn

from cxrpipe.config import Model
from cxrpipe.models.entries import Entry, find_entry
from cxrpipe.models.heads import make_head
from cxrpipe.models.parts import Headed, head_of
from cxrpipe.runtime import UserError


def create(model: Model, n_findings: int, in_chans: int) -> nn.Module:
    """Create a network with random weights, and see that it takes films of the model's side.

    Raises
    ------
    UserError
        If architecture, options, head or side do not fit each other.
    """
    if ":" in model.architecture:
        return _create_own(model, n_findings, in_chans)
    entry = find_entry(model.architecture)
    sized = model if model.side else model.model_copy(update={"side": entry.side})
    try:
        if model.head == "linear" and entry.name != "fusion":
            network = _create_whole(entry, sized, n_findings, in_chans)
            if model.side:
                _try_out(network, model, in_chans)
        else:
            backbone = _create_backbone(entry, sized, in_chans)
            channels, cells = _measure_map(backbone, sized, in_chans)
            network = Headed(backbone, make_head(sized, channels, cells, n_findings))
    except TypeError as error:
        raise UserError(f"models: options of {model.architecture}: {error}") from error
    if not model.bias:
        last = [layer for layer in head_of(network).modules() if hasattr(layer, "bias")][-1]
        last.register_parameter("bias", None)
    return network


def _create_whole(entry: Entry, model: Model, n_findings: int, in_chans: int) -> nn.Module:
    """Create an architecture with its own head."""
    options: dict[str, Any] = dict(model.options)
    if entry.make:
        return entry.make(in_chans, n_findings, model.side, dropout=model.dropout, **options)
    dropout: dict[str, Any] = {"drop_rate": model.dropout} if model.dropout else {}
    network: nn.Module = timm.create_model(
        entry.backbones[0], in_chans=in_chans, num_classes=n_findings, **dropout, **options
    )
    if isinstance(network, VGG) and model.dropout_at != "all":  # the one head with two places
        none: Any = network.pre_logits if model.dropout_at == "last" else network.head
        none.drop.p = 0.0
    return network


def _create_backbone(entry: Entry, model: Model, in_chans: int) -> nn.Module:
    """Create an architecture without a head."""
    options: dict[str, Any] = dict(model.options)
    if entry.name == "fusion" and entry.make:
        parts = {
            name.split(".")[0]: timm.create_model(name, in_chans=in_chans, num_classes=0)
            for name in entry.backbones
        }
        return entry.make(parts, **options)
    if entry.make:
        return entry.make(in_chans, 1, model.side, **options)
    backbone: nn.Module = timm.create_model(
        entry.backbones[0], in_chans=in_chans, num_classes=0, **options
    )
    return backbone


@torch.no_grad()
def _try_out(network: Any, model: Model, in_chans: int, call: str = "forward") -> torch.Tensor:  # noqa: ANN401
    """Return what a network makes of two empty films of the model's side.

    Raises
    ------
    UserError
        If it cannot take films of this side: it may be too small, or the architecture made for one.
    """
    films = torch.zeros(2, in_chans, model.side, model.side)
    try:
        made: torch.Tensor = getattr(network.eval(), call)(films)
    except (RuntimeError, AssertionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"models: {model.architecture} cannot take films of side {model.side} ({reason}); "
            "give another side"
        ) from error
    network.train()
    return made


def _measure_map(backbone: nn.Module, model: Model, in_chans: int) -> tuple[int, int]:
    """Return channels and cells of a backbone's last map, and take away what lies behind it.

    That are the layers of its own head, such as VGG's of 4096 units.
    """
    used: set[nn.Module] = set()
    hooks = [
        module.register_forward_hook(lambda module, inputs, output: used.add(module))
        for module in backbone.modules()
    ]
    maps = _try_out(backbone, model, in_chans, "forward_features")
    for hook in hooks:
        hook.remove()
    channels = getattr(backbone, "num_features", maps.shape[1])
    if maps.ndim != 4 or maps.shape[1] != channels:
        raise UserError(
            f"models: {model.architecture} ends in no map, so that head: {model.head} cannot "
            "follow it; give linear"
        )
    for name, child in backbone.named_children():
        if used.isdisjoint(child.modules()) and any(True for _ in child.parameters()):
            setattr(backbone, name, nn.Identity())
    return channels, maps.shape[2] * maps.shape[3]


def _create_own(model: Model, n_findings: int, in_chans: int) -> nn.Module:
    """Create a network of the user's own class, named as ``package.module:Class``."""
    module, _, name = model.architecture.partition(":")
    try:
        own = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"models: architecture '{model.architecture}': {error}; give package.module:Class as "
            "python imports it from the folder of the Snakefile"
        ) from error
    if not (inspect.isclass(own) and issubclass(own, nn.Module)):
        raise UserError(f"models: architecture '{model.architecture}' is no torch.nn.Module")
    if model.head != "linear" or model.dropout or not model.bias:
        raise UserError(
            f"models: '{model.architecture}' has a head of its own; give its settings as options, "
            "not as head, dropout or bias"
        )
    try:
        inspect.signature(own).bind(in_chans=in_chans, num_classes=n_findings, **model.options)
    except TypeError as error:
        raise UserError(
            f"models: options of {model.architecture}: {error}; it is called with in_chans, "
            "num_classes and the options"
        ) from error
    network: nn.Module = own(in_chans=in_chans, num_classes=n_findings, **model.options)
    side = model.side or 224
    try:
        with torch.no_grad():
            logits = network.eval()(torch.zeros(2, in_chans, side, side))
    except RuntimeError as error:
        raise UserError(
            f"models: '{model.architecture}' cannot take films (2, {in_chans}, {side}, {side}): "
            f"{' '.join(str(error).split())[:200]}"
        ) from error
    if getattr(logits, "shape", None) != (2, n_findings):
        found = tuple(logits.shape) if hasattr(logits, "shape") else type(logits).__name__
        raise UserError(
            f"models: '{model.architecture}' gives {found} for 2 films; expected logits "
            f"(2, {n_findings})"
        )
    return network.train()

"""Starting points: pretrained weights of timm, and files that cxrpipe or others wrote.

The head is never taken over: it is always new.
"""

import logging
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from torch import nn

from cxrpipe.config import Model
from cxrpipe.models import weights
from cxrpipe.models.entries import Entry, find_entry, known_of
from cxrpipe.models.parts import Headed, head_names
from cxrpipe.runtime import UserError

State = dict[str, torch.Tensor]
log = logging.getLogger(__name__)


def load_start(
    network: nn.Module, model: Model, start: Path | None, folder: Path | None, in_chans: int
) -> None:
    """Fill a network, but for its head, with the weights that its model starts from.

    Parameters
    ----------
    start
        File of weights, if they are not those of ImageNet.
    folder
        Holds ImageNet weights under timm's names; without it timm fetches them.

    Raises
    ------
    UserError
        If the weights cannot be had, or leave a matrix of the backbone as it was.
    """
    if model.weights == "imagenet":
        load_imagenet(network, model, folder, in_chans)
        return
    path = start or Path(model.weights)
    if path.suffix != ".safetensors" or not path.is_file():
        raise UserError(
            f"models: weights '{model.weights}' is no safetensors file here; give none, imagenet, "
            "model:NAME of this recipe, or the path of one"
        )
    if weights.has_card(path):
        state, card = weights.load(path)
        name = f"{path} of {card.model.architecture}"
        fill(_body(network), _of_backbone(state, card.model), name, _own_head(network))
        return
    backbones = () if ":" in model.architecture else find_entry(model.architecture).backbones
    if len(backbones) != 1:
        raise UserError(
            f"models: weights '{path}' were not written by cxrpipe, and those of others fit a "
            f"network of timm alone, not '{model.architecture}'; give weights that cxrpipe trained"
        )
    state = fetch(backbones[0], model, path, in_chans)
    fill(_body(network), state, str(path), _own_head(network))


def load_imagenet(network: nn.Module, model: Model, folder: Path | None, in_chans: int) -> None:
    """Fill every backbone of a network with its ImageNet weights."""
    entry = None if ":" in model.architecture else find_entry(model.architecture)
    if entry is None or not entry.is_pretrained:
        near = _list_others(entry.backbones[0]) if entry and entry.backbones else []
        hint = f", or an architecture that has them: {', '.join(near)}" if near else ""
        raise UserError(
            f"models: there are no imagenet weights of '{model.architecture}'; give none or a "
            f"file{hint}"
        )
    for name, part in zip(entry.backbones, _backbones(network, entry), strict=True):
        file = folder / f"{full_name(name)}.safetensors" if folder else None
        if file and not file.is_file():
            raise UserError(
                f"weights_folder: {folder} lacks {file.name}; fetch timm/{full_name(name)} from "
                "the Hugging Face hub and put its model.safetensors there under this name"
            )
        state = fetch(name, model, file, in_chans)
        fill(part, state, str(file or full_name(name)), _own_head(network))


def _list_others(backbone: str) -> list[str]:
    """List the other sizes of an architecture that have ImageNet weights, with their tags."""
    family = backbone.split(".")[0].rstrip("0123456789")
    names: list[str] = timm.list_pretrained(f"{family}*in1k")
    return [name for name in names if name.split(".")[0].removeprefix(family).isdigit()]


def full_name(backbone: str) -> str:
    """Return timm's name of an architecture with the tag of its weights."""
    told = known_of(backbone)
    return f"{told.architecture}.{told.tag}"


def fetch(backbone: str, model: Model, file: Path | None, in_chans: int) -> State:
    """Let timm read pretrained weights, or fetch them if there is no file; without the head.

    It adapts the first layer to the number of channels.
    """
    options: dict[str, Any] = {} if find_entry(model.architecture).make else dict(model.options)
    create = {"in_chans": in_chans, "num_classes": 0, **options}
    overlay = {"file": str(file)} if file else None
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            donor = timm.create_model(
                backbone, pretrained=True, pretrained_cfg_overlay=overlay, **create
            )
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        mend = "give weights of this architecture and these options, as timm names them"
        if not file:
            mend = (
                "connect to the network once, or set weights_folder in params.yaml to a folder "
                f"that holds {full_name(backbone)}.safetensors"
            )
        raise UserError(
            f"models: weights '{file or model.weights}' of {model.architecture} cannot be loaded "
            f"({reason}); {mend}"
        ) from error
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        fresh = timm.create_model(backbone, **create)
    untouched = [
        name
        for name, weight in donor.named_parameters()
        if weight.ndim > 1 and torch.equal(weight, fresh.get_parameter(name))
    ]
    if untouched:
        raise UserError(
            f"models: weights '{file or model.weights}' lack {untouched[0]} of "
            f"{model.architecture}; use others"
        )
    return dict(donor.state_dict())


def fill(network: nn.Module, state: State, name: str, head: set[str]) -> None:
    """Copy a state into a network, but for its head, and refuse one that does not fit.

    Parameters
    ----------
    name
        Of the weights, for the refusal.
    head
        Names of the tensors to leave as they are.
    """
    for tensor_name, tensor in network.state_dict().items():
        if tensor_name in head:
            continue
        given = state.get(tensor_name)
        if given is None or given.shape != tensor.shape:
            found = "none" if given is None else str(tuple(given.shape))
            raise UserError(
                f"models: weights '{name}' do not fit: {tensor_name} is {tuple(tensor.shape)}, "
                f"found {found}; give weights of the same architecture and options"
            )
        tensor.copy_(given)
    log.info(f"starts from {name}; the head is new")


def _of_backbone(state: weights.State, model: Model) -> State:
    """Return a trained state under the names of the backbone; a class of the user keeps its own."""
    plain = {name.removeprefix("network."): tensor for name, tensor in state.items()}
    if ":" in model.architecture:
        return plain
    return {name.removeprefix("backbone."): tensor for name, tensor in plain.items()}


def _body(network: nn.Module) -> nn.Module:
    """Return what stands before a head of ours, or a network with its own head."""
    return network.backbone if isinstance(network, Headed) else network


def _own_head(network: nn.Module) -> set[str]:
    """Return the names of what is new in a network with its own head; a backbone has nothing."""
    return set() if isinstance(network, Headed) else head_names(network)


def _backbones(network: nn.Module, entry: Entry) -> list[nn.Module]:
    body = _body(network)
    if len(entry.backbones) == 1:
        return [body]
    return list(body.get_submodule("backbones").children())

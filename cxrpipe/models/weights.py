"""Weights on disk: safetensors alone, with all that is needed to use them in the metadata."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from cxrpipe.models.card import KEY, Card, read_card, write_card
from cxrpipe.runtime import UserError, whole

State = Mapping[str, torch.Tensor]


def save(path: Path, state: State, card: Card) -> None:
    """Write a state dict with its card; equal weights give equal bytes."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    with whole(path) as partial:
        save_file(tensors, partial, {KEY: write_card(card)})


def has_card(path: Path) -> bool:
    """Tell whether a safetensors file was written by cxrpipe."""
    try:
        with safe_open(path, "pt") as file:
            return KEY in (file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: not readable as safetensors ({error}); get it anew") from error


def load(path: Path) -> tuple[dict[str, torch.Tensor], Card]:
    """Read a state dict and its card.

    Raises
    ------
    UserError
        If the file is not safetensors, or was not written by cxrpipe.
    """
    try:
        with safe_open(path, "pt") as file:
            described = (file.metadata() or {}).get(KEY)
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: not readable as safetensors ({error}); train it anew") from error
    return state, read_card(described, path)

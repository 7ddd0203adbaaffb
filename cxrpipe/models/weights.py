"""Weights on disk: safetensors alone, with all that is needed to use them in the metadata."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from cxrpipe.config import Model, Preprocess
from cxrpipe.runtime import UserError, whole

State = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Card:
    """What weights are: model, kind of task, classes in order, how films are prepared for it.

    ``mean`` and ``std`` refer to grey levels from 0 to 1.
    """

    model: Model
    kind: str
    findings: tuple[str, ...]
    preprocess: Preprocess
    mean: float
    std: float

    @property
    def side(self) -> int:
        """Pixels of the squares that the network takes."""
        return self.preprocess.side


def save(path: Path, state: State, card: Card) -> None:
    """Write a state dict with its card; equal weights give equal bytes."""
    settings = {"model": card.model.model_dump(), "preprocess": card.preprocess.model_dump()}
    described = asdict(card) | settings
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    with whole(path) as partial:
        save_file(tensors, partial, {"cxrpipe": json.dumps(described, sort_keys=True)})


def has_card(path: Path) -> bool:
    """Tell whether a safetensors file was written by cxrpipe."""
    try:
        with safe_open(path, "pt") as file:
            return "cxrpipe" in (file.metadata() or {})
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
            described = (file.metadata() or {}).get("cxrpipe")
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: not readable as safetensors ({error}); train it anew") from error
    if described is None:
        raise UserError(f"{path}: has no card of cxrpipe; give weights that cxrpipe trained")
    try:
        values = json.loads(described)
        model = Model.model_validate(values.pop("model"))
        preprocess = Preprocess.model_validate(values.pop("preprocess"))
        findings = tuple(values.pop("findings"))
        return state, Card(model=model, findings=findings, preprocess=preprocess, **values)
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{path}: was written by another version of cxrpipe; train it anew"
        ) from error

"""What weights may be used for: their own model, task and side."""

from pathlib import Path

from cxrpipe.config import Model, Task
from cxrpipe.models.card import Card
from cxrpipe.runtime import UserError


def refuse_others(card: Card, task: Task, side: int, path: Path) -> None:
    """Raise a UserError if weights are of another task, or of films of another side."""
    theirs, asked = ((of.kind, of.findings) for of in (card, task))
    if theirs != asked:
        raise UserError(f"{path}: trained for {theirs}, and asked for {asked}; train it anew")
    if card.side != side:
        raise UserError(f"{path}: trained at side {card.side}, and films have {side}; give those")


def refuse_other_model(card: Card, model: Model, path: Path) -> None:
    """Raise a UserError if weights are of another model."""
    if card.model != model:
        raise UserError(f"{path}: is of another model than --model; train it anew")

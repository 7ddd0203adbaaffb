"""What weights are: the card that travels in their file, readable without torch."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from cxrpipe.config import Model, Preprocess
from cxrpipe.runtime import UserError

KEY = "cxrpipe"  # of a file's metadata


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


def write_card(card: Card) -> str:
    """Return a card as JSON; equal cards give equal text."""
    settings = {"model": card.model.model_dump(), "preprocess": card.preprocess.model_dump()}
    return json.dumps(asdict(card) | settings, sort_keys=True)


def read_card(described: str | None, path: Path) -> Card:
    """Read the card of a file.

    Raises
    ------
    UserError
        If there is none, or it is of another version of cxrpipe.
    """
    if described is None:
        raise UserError(f"{path}: has no card of cxrpipe; give weights that cxrpipe trained")
    try:
        values = json.loads(described)
        model = Model.model_validate(values.pop("model"))
        preprocess = Preprocess.model_validate(values.pop("preprocess"))
        findings = tuple(values.pop("findings"))
        return Card(model=model, findings=findings, preprocess=preprocess, **values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"{path}: was written by another version of cxrpipe; train it anew"
        ) from error

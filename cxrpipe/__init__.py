"""Chest radiograph classification that comes out the same when it is run again."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cxrpipe.inference.classifier import Classifier

__all__ = ["Classifier"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name is of
    """Import the public names when they are asked for: a command needs none of them."""
    if name == "Classifier":
        from cxrpipe.inference.classifier import Classifier

        return Classifier
    raise AttributeError(f"module 'cxrpipe' has no attribute '{name}'")

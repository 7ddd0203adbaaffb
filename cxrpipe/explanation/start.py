"""A model as it was before its training."""

from pathlib import Path

from cxrpipe.config import Model
from cxrpipe.models.card import Card
from cxrpipe.models.zoo import Classifier, build
from cxrpipe.runtime import derive_seed

STARTS = {"none": "random weights", "imagenet": "weights of ImageNet"}


def build_start(
    card: Card, start: Path | None, weights_folder: Path | None, seed: int, fold: int
) -> Classifier:
    """Build a model as it was before its training: the same weights, from the same seed.

    Parameters
    ----------
    card
        Of the trained weights.
    start, weights_folder
        As ``build`` takes them.
    seed
        Of the recipe.
    """
    of_training = derive_seed(seed, card.model.seed, fold)
    network = build(
        card.model,
        len(card.findings),
        derive_seed(of_training, "weights"),
        start,
        weights_folder,
    )
    return Classifier(network, card.mean, card.std).eval()


def say_start(model: Model) -> str:
    """Say what a model started from."""
    if model.start:
        return f"weights of the model {model.start}"
    return STARTS.get(model.weights) or f"weights of the file {Path(model.weights).name}"

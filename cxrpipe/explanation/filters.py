"""Draw the pictures that excite chosen filters of one model most, before and after training."""

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from cxrpipe.config import Filters, Model, check
from cxrpipe.explanation.attribution.ascent import climb, draw_noise, excitement, gauge
from cxrpipe.explanation.attribution.convolutions import (
    find_changed,
    find_convolutions,
    respond,
)
from cxrpipe.explanation.attribution.layers import list_layers
from cxrpipe.explanation.excited import Excited, write_excited
from cxrpipe.explanation.start import build_start, say_start
from cxrpipe.models.card import Card
from cxrpipe.models.device import claim_device, fit_batch, is_out_of_memory
from cxrpipe.models.refusing import refuse_other_model
from cxrpipe.models.zoo import Classifier, load_classifier
from cxrpipe.runtime import UserError, command, derive_seed, progress

BATCH = 32
Pictures = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
log = logging.getLogger(__name__)


def choose_filters(
    before: Classifier, after: Classifier, card: Card, settings: Filters
) -> dict[str, list[int]]:
    """Choose filters: of convolutions from shallow to deep, those that training changed most.

    Returns
    -------
    Name of a convolution: places of its filters.

    Raises
    ------
    UserError
        If no convolution gives a map.
    """
    layers = list_layers(after, card.model, card.side, settings.layers)
    names = find_convolutions(after, layers, torch.zeros(1, 1, card.side, card.side))
    if not names:
        raise UserError(f"filters: {card.model.architecture} has no convolution that gives a map")
    if len(names) < settings.layers:
        log.info(
            f"{len(names)} layers, not {settings.layers}: no more have a convolution of their own"
        )
    return {name: _find(before, after, name, settings.per_layer) for name in names}


def _find(before: Classifier, after: Classifier, layer: str, n: int) -> list[int]:
    """Find the filters of one convolution that training changed most."""
    untrained, trained = (
        classifier.get_submodule(layer).get_parameter("weight") for classifier in (before, after)
    )
    return find_changed(untrained, trained, n)


def draw_filters(
    classifier: Classifier,
    layer: str,
    channels: Sequence[int],
    noise: torch.Tensor,
    steps: int,
    seed: int,
) -> tuple[Pictures, Floats]:
    """Draw the pictures that excite filters of one layer most.

    Parameters
    ----------
    noise
        (m, 1, side, side) grey levels, the scale; all filters climb from the first of them.

    Returns
    -------
    Pictures (n, side, side), and how much each excites its filter (n,).

    Raises
    ------
    UserError
        If the network answers with what is no number.
    """
    found = []
    for part in torch.split(torch.tensor(channels), fit_batch(BATCH, noise.shape[-1])):
        filters = gauge(classifier, layer, part.tolist(), noise)
        films = climb(filters, noise[:1], steps, seed)
        found.append((films[:, 0].cpu().numpy(), excitement(filters, films).cpu().numpy()))
    pictures, reached = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if not (np.isfinite(pictures).all() and np.isfinite(reached).all()):
        raise UserError(f"filters: {layer} answers with what is no number; train the model anew")
    return pictures.astype(np.uint8), reached


def draw_both(
    before: Classifier,
    after: Classifier,
    chosen: Mapping[str, Sequence[int]],
    settings: Filters,
    seed: int,
) -> tuple[Pictures, Floats]:
    """Draw the pictures of all chosen filters, from the same noise before and after training.

    Returns
    -------
    Pictures (n, 2, side, side), and how much each excites its filter (n, 2).
    """
    device = next(after.parameters()).device
    noise = draw_noise(settings.side, derive_seed(seed, "noise")).to(device)
    climbs = [(classifier, layer) for layer in chosen for classifier in (before, after)]
    found = [
        draw_filters(classifier, layer, chosen[layer], noise, settings.steps, seed)
        for classifier, layer in progress(climbs, len(climbs), "layers, before and after")
    ]
    pictures, reached = (
        np.stack([np.concatenate(parts[stage::2]) for stage in (0, 1)], axis=1)
        for parts in zip(*found, strict=True)
    )
    return pictures, reached


def refuse_side(network: Classifier, layer: str, side: int) -> None:
    """Raise a UserError if a network cannot take pictures of a side as far as to a layer."""
    try:
        with torch.no_grad():
            respond(network, layer, torch.zeros(1, 1, side, side))
    except (RuntimeError, AssertionError) as error:
        if is_out_of_memory(error):
            raise
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"filters.side: the network cannot take pictures of {side} pixels ({reason}); give the "
            "side of its films"
        ) from error


@command
def main() -> None:
    """Draw the filters of one model of one fold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="safetensors to read")
    parser.add_argument("--model", required=True, help="Model, as JSON")
    parser.add_argument("--start", type=Path, help="safetensors that it started from")
    parser.add_argument("--weights-folder", default="", help="of pretrained weights; empty: fetch")
    parser.add_argument("--settings", required=True, help="Filters, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--filters", type=Path, required=True, help="HDF5 to write")
    arguments = parser.parse_args()
    settings = check(Filters, arguments.settings, "--settings")
    model = check(Model, arguments.model, "--model")
    torch.set_num_threads(arguments.cores)

    after, card = load_classifier(arguments.weights)
    refuse_other_model(card, model, arguments.weights)
    pretrained = Path(arguments.weights_folder) if arguments.weights_folder else None
    before = build_start(card, arguments.start, pretrained, arguments.seed, arguments.fold)
    chosen = choose_filters(before, after, card, settings)
    seed = derive_seed(arguments.seed, "filters")
    refuse_side(after, list(chosen)[-1], settings.side)
    with claim_device() as device:
        before, after = (net.requires_grad_(False).to(device) for net in (before, after))
        pictures, reached = draw_both(before, after, chosen, settings, seed)
    layers = [layer.removeprefix("network.") for layer in chosen for _ in chosen[layer]]
    channels = [channel for of_layer in chosen.values() for channel in of_layer]
    excited = Excited(pictures, reached, layers, channels, say_start(model))
    write_excited(arguments.filters, excited)
    log.info(f"{len(layers)} filters of {len(chosen)} layers drawn")


if __name__ == "__main__":
    main()

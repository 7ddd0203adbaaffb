"""Write what the head of one model sees of every film, before and after training."""

import argparse
import logging
from pathlib import Path

import torch

from cxrpipe import tables
from cxrpipe.config import Model, Task, check
from cxrpipe.data.cohort import choose_cohort
from cxrpipe.explanation.features import Features, write_features
from cxrpipe.explanation.latent.penultimate import (
    choose_projection,
    count_inputs,
    find_last_layer,
    gather_features,
)
from cxrpipe.explanation.start import build_start
from cxrpipe.models.device import claim_device
from cxrpipe.models.weights import Card
from cxrpipe.models.zoo import load_classifier
from cxrpipe.preprocessing.store import read_radiographs
from cxrpipe.runtime import UserError, command

log = logging.getLogger(__name__)


def refuse_others(card: Card, model: Model, task: Task, side: int, path: Path) -> None:
    """Raise a UserError if weights are of another model or task, or of films of another side."""
    if card.model != model:
        raise UserError(f"{path}: is of another model than --model; train it anew")
    theirs, asked = ((of.kind, of.findings) for of in (card, task))
    if theirs != asked:
        raise UserError(f"{path}: trained for {theirs}, and asked for {asked}; train it anew")
    if card.side != side:
        raise UserError(f"{path}: trained at side {card.side}, and films have {side}; give those")


@command
def main() -> None:
    """Embed the films of one fold with one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--task", required=True, help="Task, as JSON")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors to read")
    parser.add_argument("--model", required=True, help="Model, as JSON")
    parser.add_argument("--start", type=Path, help="safetensors that it started from")
    parser.add_argument("--weights-folder", default="", help="of pretrained weights; empty: fetch")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--features", type=Path, required=True, help="HDF5 to write")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.cores)
    task = check(Task, arguments.task, "--task")
    model = check(Model, arguments.model, "--model")

    split = tables.read(arguments.split, tables.SPLIT).query(f"fold == {arguments.fold}")
    radiographs = list(choose_cohort(split, task)["radiograph"])
    trained, card = load_classifier(arguments.weights)
    grey = read_radiographs(arguments.radiographs, radiographs)
    refuse_others(card, model, task, grey.shape[-1], arguments.weights)
    pretrained = Path(arguments.weights_folder) if arguments.weights_folder else None
    started = build_start(card, arguments.start, pretrained, arguments.seed, arguments.fold)

    layer = find_last_layer(trained, card.side)
    width = count_inputs(trained.get_submodule(layer))
    projection = choose_projection(width, arguments.seed)
    with claim_device() as device:
        before, after = (
            gather_features(classifier, layer, grey, device, projection, f"batches {when} training")
            for classifier, when in ((started, "before"), (trained, "after"))
        )
    taker = layer.removeprefix("network.")
    write_features(arguments.features, Features(radiographs, before, after, taker, width))
    kept = f", brought to {after.shape[1]:,}" if projection else ""
    log.info(f"{len(radiographs):,} films, {width:,} features that {taker} takes{kept}")


if __name__ == "__main__":
    main()

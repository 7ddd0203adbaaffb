"""Write what the head of one model sees of every film, before and after training."""

import argparse
import logging
from pathlib import Path

import torch

from cxrpipe import tables
from cxrpipe.config import Model, Task, check
from cxrpipe.data.cohort import choose_cohort
from cxrpipe.explanation.features import write_features
from cxrpipe.explanation.latent.penultimate import (
    choose_projection,
    count_inputs,
    find_last_layer,
    gather_features,
)
from cxrpipe.explanation.start import build_start
from cxrpipe.explanation.stored import read_batches, read_side
from cxrpipe.models.device import claim_device, fit_batch, most_at_once
from cxrpipe.models.refusing import refuse_other_model, refuse_others
from cxrpipe.models.zoo import load_classifier
from cxrpipe.runtime import command, progress

log = logging.getLogger(__name__)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
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
    return parser.parse_args()


@command
def main() -> None:
    """Embed the films of one fold with one model."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.cores)
    task = check(Task, arguments.task, "--task")
    model = check(Model, arguments.model, "--model")

    trained, card = load_classifier(arguments.weights)
    side = read_side(arguments.radiographs)
    refuse_others(card, task, side, arguments.weights)
    refuse_other_model(card, model, arguments.weights)
    split = tables.read(arguments.split, tables.SPLIT).query(f"fold == {arguments.fold}")
    radiographs = list(choose_cohort(split, task)["radiograph"])
    pretrained = Path(arguments.weights_folder) if arguments.weights_folder else None
    started = build_start(card, arguments.start, pretrained, arguments.seed, arguments.fold)

    layer = find_last_layer(trained, side)
    width = count_inputs(trained.get_submodule(layer))
    projection = choose_projection(width, arguments.seed)
    n_features = projection.n_components if projection else width
    with claim_device() as device:
        n_at_once = fit_batch(most_at_once(device), side)
        n_batches = -(-len(radiographs) // n_at_once)
        stages = {
            when: gather_features(
                classifier,
                layer,
                progress(
                    read_batches(arguments.radiographs, radiographs, n_at_once),
                    n_batches,
                    f"batches {when} training",
                ),
                device,
                projection,
            )
            for when, classifier in (("before", started), ("after", trained))
        }
        taker = layer.removeprefix("network.")
        write_features(arguments.features, radiographs, stages, n_features, taker, width)
    kept = f", brought to {n_features:,}" if projection else ""
    log.info(f"{len(radiographs):,} films, {width:,} features that {taker} takes{kept}")


if __name__ == "__main__":
    main()

"""Fix on validation films what a model may answer to: films like those that trained it."""

import argparse
import logging
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cxrpipe import tables
from cxrpipe.config import Evaluation, Index, Task, check
from cxrpipe.data.cohort import choose_cohort, films_of
from cxrpipe.evaluation.statistics.calibration import checksum
from cxrpipe.explanation.stored import read_batches, read_side
from cxrpipe.inference.describing import describe_pictures, find_directions
from cxrpipe.inference.fitting import fit_cloud
from cxrpipe.inference.guarding import Guard, write_guard
from cxrpipe.inference.network import Matrix, Network
from cxrpipe.inference.torch_network import TorchNetwork
from cxrpipe.models.device import claim_device
from cxrpipe.models.refusing import refuse_others
from cxrpipe.models.zoo import load_classifier
from cxrpipe.runtime import UserError, command, derive_seed, progress, write_json

MOST = 5000  # training films; more hardly move a Gaussian
Seen = tuple[Matrix, Matrix]  # films as pictures, and as the network sees them: (n, d) each
log = logging.getLogger(__name__)


def see(network: Network, store: Path, radiographs: Sequence[str], what: str) -> Seen | None:
    """Describe films of the store as pictures, and as the network sees them; None without any."""
    if not radiographs:
        return None
    batches = read_batches(store, radiographs, network.n_at_once)
    n_batches = -(-len(radiographs) // network.n_at_once)
    seen = [
        (describe_pictures(grey), find_directions(network.compute(grey).features))
        for grey in progress(batches, n_batches, f"batches of {what}")
    ]
    pictures, features = (np.concatenate(part) for part in zip(*seen, strict=True))
    return pictures, features


def fit_guard(weights: str, index: Index, train: Seen, validation: Seen, refused: float) -> Guard:
    """Fit a guard that refuses a share of films like those of validation at most.

    Half of them for what they are as pictures, half for what the network sees.
    """
    both = zip(train, validation, strict=True)
    pictures, features = (fit_cloud(*each, refused / 2) for each in both)
    return Guard(weights, index, pictures, features)


def count_refused(guard: Guard, seen: Seen | None) -> dict[str, int]:
    """Count films, and those that lie beyond the limits of a guard."""
    if seen is None:
        return dict.fromkeys(("n", "refused", "as_pictures", "by_features"), 0)
    clouds = zip((guard.pictures, guard.features), seen, strict=True)
    pictures, features = (~(cloud.measure(points) <= 1) for cloud, points in clouds)
    return {
        "n": len(pictures),
        "refused": int((pictures | features).sum()),
        "as_pictures": int(pictures.sum()),
        "by_features": int(features.sum()),
    }


@command
def main() -> None:
    """Fit the guard of one model, and count which films of each subset it refuses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--task", required=True, help="Task, as JSON")
    parser.add_argument("--trained-on", default="", help="collection that alone trained the model")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors to read")
    parser.add_argument("--index", required=True, help="Index, as JSON")
    parser.add_argument("--settings", required=True, help="Evaluation, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--guard", type=Path, required=True, help="safetensors to write")
    parser.add_argument("--refused", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args()
    task = check(Task, arguments.task, "--task")
    index = check(Index, arguments.index, "--index")
    settings = check(Evaluation, arguments.settings, "--settings")
    torch.set_num_threads(arguments.cores)

    classifier, card = load_classifier(arguments.weights)
    refuse_others(card, task, read_side(arguments.radiographs), arguments.weights)
    split = tables.read(arguments.split, tables.SPLIT).query(f"fold == {arguments.fold}")
    films = films_of(choose_cohort(split, task), arguments.trained_on)
    random = np.random.default_rng(derive_seed(arguments.seed, "guard"))
    with claim_device() as device:
        network = TorchNetwork(classifier, card, device)
        seen = {
            subset: see(network, arguments.radiographs, _choose(films, subset, random), subset)
            for subset in tables.SUBSETS
        }
    train, validation = seen["train"], seen["validation"]
    if train is None or validation is None:
        raise UserError(f"{arguments.split}: no films of training or of validation; split anew")
    guard = fit_guard(checksum(arguments.weights), index, train, validation, settings.refused)
    write_guard(arguments.guard, guard)
    needed = math.ceil(2 / settings.refused) - 1
    if len(validation[0]) < needed:
        log.info(f"with fewer than {needed} validation films it refuses more than is wanted")
    refused = {subset: count_refused(guard, seen[subset]) for subset in ("validation", "test")}
    write_json(arguments.refused, {"wanted": settings.refused, **refused})
    for subset, counts in refused.items():
        log.info(f"{counts['refused']:,} of {counts['n']:,} {subset} films would be refused")


def _choose(films: pd.DataFrame, subset: str, random: np.random.Generator) -> list[str]:
    """Choose the films of a subset, of very many a sample; in the order of the split."""
    names = films.loc[films["subset"] == subset, "radiograph"]
    if subset == "train" and len(names) > MOST:
        names = names.iloc[np.sort(random.choice(len(names), MOST, replace=False))]
    return list(names)


if __name__ == "__main__":
    main()

"""Train one model on one fold and keep the epoch of lowest validation loss."""

import argparse
import logging
import os
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch

from cxrpipe import tables
from cxrpipe.config import Model, Training, check
from cxrpipe.models import weights
from cxrpipe.models.device import choose_device, describe, uses_bf16
from cxrpipe.models.zoo import Classifier, build, count_parameters, pretrained_greys
from cxrpipe.preprocessing.store import read_radiographs
from cxrpipe.runtime import UserError, command, derive_seed, write_json
from cxrpipe.training.loop import Films, Trained, fit

log = logging.getLogger(__name__)


def read_films(store: Path, split: pd.DataFrame, findings: list[str]) -> Films:
    """Read films of a split into memory, labelled by the place of their finding in the list.

    Raises
    ------
    UserError
        If a film has none or several of them; names the film and what it has.
    """
    strange = split[~split["finding"].isin(findings)]
    if len(strange):
        film = strange.iloc[0]
        raise UserError(
            f"radiograph {film['radiograph']} has the findings '{film['finding']}', and models "
            "learn one finding for each film; set index.several: exclude"
        )
    grey = torch.from_numpy(read_radiographs(store, list(split["radiograph"])))
    labels = split["finding"].map({finding: place for place, finding in enumerate(findings)})
    return Films(grey.unsqueeze(1), torch.tensor(labels.to_numpy(dtype="int64")))


def grey_statistics(films: Films) -> tuple[float, float]:
    """Return mean and standard deviation of the grey levels of films, from 0 to 1."""
    counts = torch.bincount(films.grey.flatten(), minlength=256).double()
    levels = torch.arange(256).double() / 255
    share = counts / counts.sum()
    mean = (share * levels).sum()
    return float(mean), float((share * (levels - mean) ** 2).sum().sqrt())


def history_table(trained: Trained) -> pd.DataFrame:
    """Return the epochs as ``tables.HISTORY`` promises."""
    history = pd.DataFrame([asdict(epoch) for epoch in trained.history])
    return history.assign(best=(history["epoch"] == trained.best_epoch).astype("int64"))


def summarise(
    classifier: Classifier, trained: Trained, model: Model, settings: Training, size_bytes: int
) -> dict[str, object]:
    """Say what was trained, with nothing that another run of it would change."""
    parameters, trainable = count_parameters(classifier)
    return {
        "architecture": model.architecture,
        "weights": model.weights,
        "parameters": parameters,
        "trainable": trainable,
        "batch": settings.batch,
        "epochs": len(trained.history),
        "best_epoch": trained.best_epoch,
        "size_bytes": size_bytes,
    }


def time_taken(
    trained: Trained, n_films: int, device: torch.device, precision: str
) -> dict[str, object]:
    """Say how fast it was, and on what."""
    return {
        "seconds_per_epoch": round(trained.seconds_per_epoch, 2),
        "films_per_second": round(n_films / trained.seconds_per_epoch, 1),
        "device": describe(device),
        "precision": "bf16" if uses_bf16(device, precision) else "fp32",
        "torch": torch.__version__,
    }


@command
def main() -> None:
    """Train one model on one fold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--findings", nargs="+", required=True, help="the classes, in order")
    parser.add_argument("--name", required=True, help="name of the model in the recipe")
    parser.add_argument("--model", required=True, help="Model, as JSON")
    parser.add_argument("--settings", required=True, help="Training, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--weights", type=Path, required=True, help="safetensors to write")
    parser.add_argument("--history", type=Path, required=True, help="table to write")
    parser.add_argument("--summary", type=Path, required=True, help="JSON to write")
    parser.add_argument("--timing", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args()
    model = check(Model, arguments.model, "--model")
    settings = check(Training, arguments.settings, "--settings")
    seed = derive_seed(arguments.seed, arguments.name, arguments.fold)

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # repeatable sums on a GPU
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(arguments.cores)
    device = choose_device()

    split = tables.read(arguments.split, tables.SPLIT).query(f"fold == {arguments.fold}")
    train, validation = (
        read_films(arguments.radiographs, split[split["subset"] == subset], arguments.findings)
        for subset in ("train", "validation")
    )
    network = build(model, len(arguments.findings), derive_seed(seed, "weights"))
    mean, std = grey_statistics(train) if model.weights == "none" else pretrained_greys(network)
    classifier = Classifier(network, mean, std).to(device).to(memory_format=torch.channels_last)
    log.info(f"{arguments.name} on {describe(device)}: {len(train.labels):,} films")
    try:
        trained = fit(classifier, train.to(device), validation.to(device), settings, seed)
    except torch.OutOfMemoryError as error:
        raise UserError(
            f"training.batch: {settings.batch} films of {arguments.name} do not fit into the "
            "memory of the GPU; lower it"
        ) from error
    except FloatingPointError as error:
        raise UserError(
            f"training.learning_rate: {error} at {settings.learning_rate:g}; lower it"
        ) from error

    card = weights.Card(model, tuple(arguments.findings), train.grey.shape[-1], mean, std)
    tables.write(history_table(trained), arguments.history, tables.HISTORY)
    weights.save(arguments.weights, trained.state, card)
    size_bytes = arguments.weights.stat().st_size
    write_json(arguments.summary, summarise(classifier, trained, model, settings, size_bytes))
    write_json(arguments.timing, time_taken(trained, len(train.labels), device, settings.precision))


if __name__ == "__main__":
    main()

"""Train one model on one fold and keep the epoch that is best on validation."""

import argparse
import logging
import os
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import timm
import torch

from cxrpipe import tables
from cxrpipe.config import Model, Task, Training, check
from cxrpipe.data.cohort import choose_cohort, films_of
from cxrpipe.models import weights
from cxrpipe.models.card import Card
from cxrpipe.models.device import claim_device, describe, is_out_of_memory, uses_bf16
from cxrpipe.models.parts import count_parameters, train_part
from cxrpipe.models.zoo import Classifier, build, start_greys
from cxrpipe.preprocessing.store import read_settings
from cxrpipe.runtime import UserError, command, derive_seed, write_json
from cxrpipe.training.checkpoint import Checkpoint, loaded_code, name_training
from cxrpipe.training.films import Films, grey_statistics, load_films
from cxrpipe.training.loop import Trained, fit
from cxrpipe.training.watching import tensorboard

log = logging.getLogger(__name__)


def history_table(trained: Trained) -> pd.DataFrame:
    """Return the epochs as ``tables.HISTORY`` promises; ``best`` marks the one that was kept."""
    history = pd.DataFrame([epoch.as_row() for epoch in trained.history])
    return history.assign(best=(history["epoch"] == trained.kept_epoch).astype("int64"))


def summarise(
    classifier: Classifier, trained: Trained, model: Model, size_bytes: int
) -> dict[str, object]:
    """Say what was trained, with nothing that another run of it would change."""
    train_part(classifier, model.trained)
    parameters, trainable = count_parameters(classifier)
    told = ("architecture", "head", "dropout", "weights", "task", "side", "trained")
    return {key: getattr(model, key) for key in told} | {
        "parameters": parameters,
        "trainable": trainable,
        "batch": model.training.batch,
        "epochs": len(trained.history),
        "best_epoch": trained.best_epoch,
        "kept": model.training.keep,
        "monitor": model.training.monitor,
        "size_bytes": size_bytes,
    }


def time_taken(
    trained: Trained, n_films: int, device: torch.device, settings: Training
) -> dict[str, object]:
    """Say how fast it was, and on what."""
    return {
        "seconds_per_epoch": round(trained.seconds_per_epoch, 2),
        "films_per_second": round(n_films / trained.seconds_per_epoch, 1),
        "device": describe(device),
        "precision": "bf16" if uses_bf16(device, settings.precision) else "fp32",
        "torch": torch.__version__,
    }


def prepare_torch(settings: Training, cores: int) -> None:
    """Set how torch computes: repeatable to the bit, or as fast as it can."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # repeatable sums on a GPU
    torch.use_deterministic_algorithms(settings.deterministic)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not settings.deterministic
    torch.set_num_threads(cores)


def advise(error: Exception, name: str, model: Model) -> UserError | None:
    """Turn an error that other settings mend into one line that names them."""
    settings = model.training
    if isinstance(error, FloatingPointError):
        return UserError(
            f"training.learning_rate: {error} of {name} at {settings.learning_rate:g}; lower it"
        )
    if "deterministic implementation" in str(error):
        return UserError(
            f"training.deterministic: {name} at side {model.side} computes what this GPU cannot "
            "repeat to the bit; set it to false, or take another side or head"
        )
    if is_out_of_memory(error):
        mend = "lower it" if settings.halve_batch else "lower it, or set training.halve_batch"
        return UserError(
            f"training.batch: {settings.batch} films of {name} at side {model.side} do not fit "
            f"into the memory; {mend}"
        )
    return None


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--task", required=True, help="Task, as JSON")
    parser.add_argument("--name", required=True, help="name of the model in the recipe")
    parser.add_argument("--model", required=True, help="Model, as JSON")
    parser.add_argument("--start", type=Path, help="safetensors to start from")
    parser.add_argument("--weights-folder", default="", help="of pretrained weights; empty: fetch")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--checkpoints", type=Path, help="folder to go on from after a kill")
    parser.add_argument("--save-every", type=float, default=30, help="seconds between states")
    parser.add_argument("--tensorboard", default="", help="folder to write to; empty: none")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors to write")
    parser.add_argument("--history", type=Path, required=True, help="table to write")
    parser.add_argument("--summary", type=Path, required=True, help="JSON to write")
    parser.add_argument("--timing", type=Path, required=True, help="JSON to write")
    return parser.parse_args()


def open_checkpoint(
    arguments: argparse.Namespace, train: Films, device: torch.device
) -> Checkpoint | None:
    """Return where this training keeps its state; any change makes it another training."""
    if not arguments.checkpoints:
        return None
    training = name_training(
        loaded_code(Path(__file__).parents[1], Path.cwd()),
        *(arguments.task, arguments.model, str(arguments.seed), str(arguments.fold)),
        *(str(arguments.cores), describe(device), torch.__version__, timm.__version__),
        *(tensor.numpy().ravel().view("u1").data for tensor in (train.grey, train.labels)),
        arguments.start.read_bytes() if arguments.start else "",
    )
    return Checkpoint(arguments.checkpoints, training, arguments.save_every)


@command
def main() -> None:
    """Train one model on one fold."""
    arguments = parse_arguments()
    task = check(Task, arguments.task, "--task")
    model = check(Model, arguments.model, "--model")
    settings = model.training
    seed = derive_seed(arguments.seed, model.seed, arguments.fold)
    prepare_torch(settings, arguments.cores)

    split = tables.read(arguments.split, tables.SPLIT).query(f"fold == {arguments.fold}")
    cohort = films_of(choose_cohort(split, task), model.trained_on)
    train, validation = (
        load_films(arguments.radiographs, cohort, task, subset)
        for subset in ("train", "validation")
    )
    pretrained = Path(arguments.weights_folder) if arguments.weights_folder else None
    network = build(
        model, len(task.findings), derive_seed(seed, "weights"), arguments.start, pretrained
    )
    prepared = read_settings(arguments.radiographs)
    mean, std = start_greys(model, arguments.start) or grey_statistics(train)
    board = arguments.tensorboard
    with claim_device() as device, tensorboard(Path(board)) if board else nullcontext() as watch:
        classifier = Classifier(network, mean, std).to(device)
        if settings.channels_last:
            classifier = classifier.to(memory_format=torch.channels_last)
        checkpoint = open_checkpoint(arguments, train, device)
        log.info(f"{arguments.name} on {describe(device)}: {len(train.labels):,} films")
        try:
            trained = fit(
                classifier,
                train.to(device),
                validation.to(device),
                settings,
                seed,
                model.trained,
                checkpoint,
                watch,
            )
        except (RuntimeError, FloatingPointError) as error:
            if advice := advise(error, arguments.name, model):
                raise advice from error
            raise

    card = Card(model, task.kind, task.findings, prepared, mean, std)
    tables.write(history_table(trained), arguments.history, tables.HISTORY)
    weights.save(arguments.weights, trained.state, card)
    size_bytes = arguments.weights.stat().st_size
    write_json(arguments.summary, summarise(classifier, trained, model, size_bytes))
    write_json(arguments.timing, time_taken(trained, len(train.labels), device, settings))
    if checkpoint:
        checkpoint.remove()


if __name__ == "__main__":
    main()

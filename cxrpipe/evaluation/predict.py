"""Write the logits of one trained model for every film of its task and fold."""

import argparse
import logging
from pathlib import Path

import pandas as pd
import torch

from cxrpipe import tables
from cxrpipe.config import Task, check
from cxrpipe.data.cohort import choose_cohort
from cxrpipe.models.device import claim_device, fit_batch, most_at_once
from cxrpipe.models.refusing import refuse_others
from cxrpipe.models.zoo import Classifier, load_classifier
from cxrpipe.preprocessing.store import read_radiographs
from cxrpipe.runtime import command, progress

log = logging.getLogger(__name__)


@torch.inference_mode()
def predict_logits(
    classifier: Classifier, grey: torch.Tensor, device: torch.device
) -> torch.Tensor:
    """Return logits (n, n_findings) float32 of grey films (n, side, side) uint8, in fp32."""
    classifier = classifier.to(device).to(memory_format=torch.channels_last)
    parts = torch.split(grey.unsqueeze(1), fit_batch(most_at_once(device), grey.shape[-1]))
    return torch.cat(
        [classifier(part.to(device)).cpu() for part in progress(parts, len(parts), "batches")]
    )


@command
def main() -> None:
    """Predict the films of one fold with one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--task", required=True, help="Task, as JSON")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors to read")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--predictions", type=Path, required=True, help="table to write")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.cores)
    task = check(Task, arguments.task, "--task")
    split = tables.read(arguments.split, tables.SPLIT).query(f"fold == {arguments.fold}")
    films = choose_cohort(split, task)
    classifier, card = load_classifier(arguments.weights)
    grey = torch.from_numpy(read_radiographs(arguments.radiographs, list(films["radiograph"])))
    refuse_others(card, task, grey.shape[-1], arguments.weights)
    with claim_device() as device:
        logits = predict_logits(classifier, grey, device)
    predictions = pd.DataFrame(logits.double().numpy(), columns=list(task.findings))
    for place, column in enumerate(("radiograph", "subset")):
        predictions.insert(place, column, films[column].to_numpy())
    tables.write(predictions, arguments.predictions, tables.predictions(task.findings))
    log.info(f"{len(predictions):,} films predicted")


if __name__ == "__main__":
    main()

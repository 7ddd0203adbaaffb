"""Fix on validation films what a model's probabilities mean: temperature, thresholds, sets."""

import argparse
import logging
from pathlib import Path

import numpy as np

from cxrpipe import tables
from cxrpipe.config import Evaluation, Task, check
from cxrpipe.data.cohort import choose_cohort, films_of, label_films
from cxrpipe.evaluation.matching import match
from cxrpipe.evaluation.statistics.calibration import Calibration, checksum, fit_temperature
from cxrpipe.evaluation.statistics.decisions import choose_threshold, fit_quantiles
from cxrpipe.evaluation.statistics.metrics import Floats, Integers, probabilities
from cxrpipe.runtime import command, write_json

log = logging.getLogger(__name__)


def calibrate(
    true: Integers, logits: Floats, task: Task, settings: Evaluation, weights: str
) -> Calibration:
    """Calibrate a model on validation films.

    Parameters
    ----------
    true
        What they show: (n,) places of findings, or (n, n_findings) of 0 and 1.
    logits
        (n, n_findings).
    weights
        Checksum of the model's weights.
    """
    temperature = fit_temperature(true, logits, task.kind)
    probability = probabilities(logits / temperature, task.kind)
    single = task.kind == "single"
    shown = true[:, None] == np.arange(len(task.findings)) if single else true == 1
    pairs = zip(shown.T, probability.T, strict=True)
    return Calibration(
        weights=weights,
        kind=task.kind,
        findings=task.findings,
        n=len(true),
        temperature=temperature,
        sensitivity=settings.sensitivity,
        thresholds=tuple(
            choose_threshold(*of_finding, settings.sensitivity) for of_finding in pairs
        ),
        coverage=settings.coverage,
        quantiles=tuple(fit_quantiles(true, probability, task.kind, settings.coverage).tolist()),
    )


@command
def main() -> None:
    """Calibrate one model on the validation films of its fold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--task", required=True, help="Task, as JSON")
    parser.add_argument("--trained-on", default="", help="collection that alone trained the model")
    parser.add_argument("--predictions", type=Path, required=True, help="table to read")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors to name")
    parser.add_argument("--settings", required=True, help="Evaluation, as JSON")
    parser.add_argument("--calibration", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args()
    task = check(Task, arguments.task, "--task")
    settings = check(Evaluation, arguments.settings, "--settings")
    split = tables.read(arguments.split, tables.SPLIT).query(f"fold == {arguments.fold}")
    predictions = tables.read(arguments.predictions, tables.predictions(task.findings))
    films = films_of(match(choose_cohort(split, task), predictions), arguments.trained_on)
    films = films[films["subset"] == "validation"]
    logits = films[list(task.findings)].to_numpy(dtype=float)
    calibration = calibrate(
        label_films(films, task), logits, task, settings, checksum(arguments.weights)
    )
    write_json(arguments.calibration, calibration.as_json())
    log.info(f"{calibration.n:,} validation films, temperature {calibration.temperature:.3g}")
    for finding, threshold in zip(task.findings, calibration.thresholds, strict=True):
        if np.isnan(threshold):
            log.info(f"{finding}: no validation film shows it, so it has no threshold")


if __name__ == "__main__":
    main()

"""Explain test films of one model with Grad-CAM, and score the heatmaps where lesions are known."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from cxrpipe import tables
from cxrpipe.config import Gradcam, Task, check
from cxrpipe.data.cohort import choose_cohort
from cxrpipe.explanation.attribution.cam import grad_cam, measure_offset
from cxrpipe.explanation.choice import choose_films, choose_found, list_findings
from cxrpipe.explanation.scoring.localisation import points_at, summarise
from cxrpipe.models.device import claim_device, fit_batch
from cxrpipe.models.zoo import Classifier, feature_layer, load_classifier
from cxrpipe.preprocessing.store import read_masks, read_radiographs
from cxrpipe.runtime import UserError, command, derive_seed, progress, whole, write_json

BATCH = 32
log = logging.getLogger(__name__)


def draw_heatmaps(
    classifier: Classifier,
    layer: str,
    grey: npt.NDArray[np.uint8],
    findings: Sequence[int],
    device: torch.device,
) -> npt.NDArray[np.float32]:
    """Return Grad-CAM (n, side, side) from 0 to 1 of films (n, side, side) for their findings."""
    if not len(grey):
        return np.zeros(grey.shape, np.float32)
    classifier = classifier.to(device)
    offset = measure_offset(classifier, layer, grey.shape[-1])
    n_at_once = fit_batch(BATCH, grey.shape[-1])
    batches = torch.split(torch.from_numpy(grey).unsqueeze(1), n_at_once)
    classes = torch.split(torch.tensor(findings), n_at_once)
    maps = [
        grad_cam(classifier, layer, films.to(device), chosen.to(device), offset).cpu()
        for films, chosen in progress(
            zip(batches, classes, strict=True), len(batches), "batches of heatmaps"
        )
    ]
    heatmaps = torch.cat(maps).numpy()
    if not (np.isfinite(heatmaps).all() and 0 <= heatmaps.min() <= heatmaps.max() <= 1):
        raise UserError(f"gradcam: {layer} gives heatmaps outside 0 to 1; choose another stride")
    return np.asarray(heatmaps, dtype=np.float32)


def write_heatmaps(path: Path, films: pd.DataFrame, heatmaps: npt.NDArray[np.float32]) -> None:
    """Write ``heatmaps`` (n, side, side) float32 with ``radiograph`` and ``finding`` (n,)."""
    with whole(path) as partial, h5py.File(partial, "w", libver="latest") as file:
        file["heatmaps"] = heatmaps
        for column in ("radiograph", "finding"):
            file[column] = np.array([name.encode() for name in films[column]], dtype="S")


def localise(
    films: pd.DataFrame, heatmaps: npt.NDArray[np.float32], store: Path
) -> dict[str, object]:
    """Play the pointing game on films whose lesions and lungs are known."""
    if films.empty:
        return {"n": 0}
    lesions, lungs = (
        np.stack([masks[radiograph] for radiograph in films["radiograph"]])
        for masks in (read_masks(store, "lesions"), read_masks(store, "lungs"))
    )
    return summarise(list(films["finding"]), points_at(heatmaps, lesions), lesions, lungs)


@command
def main() -> None:
    """Explain one model of one fold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--task", required=True, help="Task, as JSON")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors to read")
    parser.add_argument("--predictions", type=Path, required=True, help="table to read")
    parser.add_argument("--settings", required=True, help="Gradcam, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--heatmaps", type=Path, required=True, help="HDF5 to write")
    parser.add_argument("--localisation", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args()
    settings = check(Gradcam, arguments.settings, "--settings")
    task = check(Task, arguments.task, "--task")
    torch.set_num_threads(arguments.cores)
    store = arguments.radiographs

    classifier, card = load_classifier(arguments.weights)
    layer = "network." + feature_layer(classifier.network, card.model, settings.stride)
    split = tables.read(arguments.split, tables.SPLIT).query(f"fold == {arguments.fold}")
    films = choose_cohort(split, task)
    shown = list_findings(films[films["subset"] == "test"], task)
    predictions = tables.read(arguments.predictions, tables.predictions(task.findings))

    seed = derive_seed(arguments.seed, "gradcam")
    chosen = choose_films(shown, settings.films_per_finding, seed)
    known = set(read_masks(store, "lesions")) & set(read_masks(store, "lungs"))
    found = choose_found(shown, predictions, task.kind, known)
    with claim_device() as device:
        heatmaps = [
            draw_heatmaps(
                classifier,
                layer,
                read_radiographs(store, list(explained["radiograph"])),
                [task.findings.index(finding) for finding in explained["finding"]],
                device,
            )
            for explained in (chosen, found)
        ]
    write_heatmaps(arguments.heatmaps, chosen, heatmaps[0])
    localisation = localise(found, heatmaps[1], store)
    write_json(arguments.localisation, localisation)
    log.info(f"{len(chosen)} films drawn, {localisation['n']} with known lesions scored")


if __name__ == "__main__":
    main()

"""Explain test films of one model: its answers and its errors, at several depths and by methods."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch

from cxrpipe import tables
from cxrpipe.config import Gradcam, Model, Task, check
from cxrpipe.data.cohort import choose_cohort
from cxrpipe.explanation.attribution.cam import OF_PIXELS
from cxrpipe.explanation.attribution.drawing import draw_explained
from cxrpipe.explanation.attribution.layers import find_layer, list_layers
from cxrpipe.explanation.attribution.linear import is_pool_linear
from cxrpipe.explanation.choice import (
    KEY,
    choose_films,
    choose_right,
    choose_several,
    choose_wrong,
    list_answers,
    list_findings,
)
from cxrpipe.explanation.heatmaps import COLUMNS, write_heatmaps
from cxrpipe.explanation.stored import read_side
from cxrpipe.models.device import claim_device
from cxrpipe.models.refusing import refuse_others
from cxrpipe.models.zoo import Classifier, feature_layer, load_classifier
from cxrpipe.preprocessing.store import read_radiographs
from cxrpipe.runtime import command, derive_seed

MOST_DEEP = 24  # confusions that are explained at several depths
log = logging.getLogger(__name__)


class Ways(NamedTuple):
    """Methods and layers, by which films are explained for one of the purposes."""

    panel: list[tuple[str, str]]
    depth: list[tuple[str, str]]
    methods: list[tuple[str, str]]


def find_ways(classifier: Classifier, model: Model, side: int, settings: Gradcam) -> Ways:
    """Find the layers to explain; CAM is of the last map, if the head takes but its means."""
    layer = find_layer(classifier, model, side, settings.layer, settings.stride)
    last = "network." + feature_layer(classifier.network, model, 0)
    methods = list(settings.methods)
    if "cam" in methods and not is_pool_linear(classifier, last, side):
        methods.remove("cam")
        log.info(f"cam is left out: the head of {model.architecture} takes more than mean maps")
    depths = list_layers(classifier, model, side, settings.depths)
    return Ways(
        panel=[("gradcam", layer)],
        depth=[("gradcam", deep) for deep in depths],
        methods=[(method, last if method == "cam" else layer) for method in methods],
    )


def plan_heatmaps(
    films: pd.DataFrame,
    predictions: pd.DataFrame,
    task: Task,
    settings: Gradcam,
    ways: Ways,
    seed: int,
) -> pd.DataFrame:
    """Plan which heatmaps are drawn of test films.

    Returns
    -------
    Rows with ``heatmaps.COLUMNS``: for every purpose its films, each by all of its ways.
    """
    shown = list_findings(films, task)
    answers = list_answers(list(films["radiograph"]), predictions, task.kind)
    right = choose_right(shown, answers, task.kind)
    wrong = choose_wrong(shown, answers, task.kind)
    if len(wrong) > MOST_DEEP:
        log.info(f"{len(wrong) - MOST_DEEP} of {len(wrong)} confusions, rare ones, are not drawn")
    deep = pd.concat([right, wrong.head(MOST_DEEP)]).drop_duplicates(KEY)
    n = settings.films_per_finding
    planned = [
        _cross("panel", choose_films(shown, n, seed), ways.panel),
        _cross("gallery", right, ways.panel),
        _cross("depth", deep, ways.depth),
        _cross("methods", right, ways.methods),
        _cross("several", choose_several(shown, n, seed), ways.panel),
    ]
    explained = pd.concat(planned, ignore_index=True)
    explained["true"] = explained["radiograph"].map(films.set_index("radiograph")["finding"])
    return explained[list(COLUMNS)]


def _cross(purpose: str, films: pd.DataFrame, ways: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Combine every film with every way, film by film."""
    by = pd.DataFrame(ways, columns=["method", "layer"], dtype="str")
    return films[KEY].merge(by, how="cross").assign(purpose=purpose)


def name_layers(explained: pd.DataFrame) -> pd.DataFrame:
    """Name layers as the network does, and none where pixels are explained."""
    names = explained["layer"].str.removeprefix("network.")
    return explained.assign(layer=names.mask(explained["method"].isin(OF_PIXELS), ""))


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
    arguments = parser.parse_args()
    settings = check(Gradcam, arguments.settings, "--settings")
    task = check(Task, arguments.task, "--task")
    torch.set_num_threads(arguments.cores)

    classifier, card = load_classifier(arguments.weights)
    refuse_others(card, task, read_side(arguments.radiographs), arguments.weights)
    ways = find_ways(classifier, card.model, card.side, settings)
    split = tables.read(arguments.split, tables.SPLIT).query(f"fold == {arguments.fold}")
    films = choose_cohort(split, task).query("subset == 'test'")
    predictions = tables.read(arguments.predictions, tables.predictions(task.findings))
    seed = derive_seed(arguments.seed, "gradcam")
    explained = plan_heatmaps(films, predictions, task, settings, ways, seed)
    grey = read_radiographs(arguments.radiographs, list(explained["radiograph"]))
    with claim_device() as device:
        heatmaps = draw_explained(classifier, explained, grey, task.findings, device)
    write_heatmaps(arguments.heatmaps, name_layers(explained), heatmaps)
    log.info(f"{len(explained)} heatmaps of {explained['radiograph'].nunique()} films drawn")


if __name__ == "__main__":
    main()

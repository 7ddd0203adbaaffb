"""Score the heatmaps of one model beside chance: lesions, lungs, altered films, other weights."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import h5py
import pandas as pd
import torch

from cxrpipe import tables
from cxrpipe.config import Evaluation, Localise, Task, check
from cxrpipe.evaluation.judging.judged import Judged, gather
from cxrpipe.explanation.attribution.cam import measure_offset
from cxrpipe.explanation.choice import choose_found, list_findings
from cxrpipe.explanation.scoring.checking import score_altered, score_randomised
from cxrpipe.explanation.scoring.choosing import draw_films, name_said
from cxrpipe.explanation.scoring.estimates import Scores
from cxrpipe.explanation.scoring.explained import Explained, Explainer
from cxrpipe.explanation.scoring.known import Known
from cxrpipe.explanation.scoring.lungs import tell_lungs
from cxrpipe.explanation.scoring.overlap import tell_overlap
from cxrpipe.explanation.scoring.pointing import Masks, tell_pointing
from cxrpipe.models.device import claim_device
from cxrpipe.models.zoo import feature_layer, load_classifier
from cxrpipe.preprocessing.store import Structure, read_radiographs
from cxrpipe.runtime import command, derive_seed, write_json

log = logging.getLogger(__name__)


def read_known(store: Path, radiographs: Sequence[str]) -> Known:
    """Read the lesions and lungs of some films; a mask without a pixel tells of no place."""
    with h5py.File(store) as file:
        side = int(file["pixels"].shape[-1])
    return Known(
        side, _read_masks(store, "lesions", radiographs), _read_masks(store, "lungs", radiographs)
    )


def _read_masks(store: Path, structure: Structure, radiographs: Sequence[str]) -> dict[str, Masks]:
    """Read no more than these films' masks: a collection may have tens of thousands."""
    with h5py.File(store) as file:
        names = [name.decode() for name in file[structure]["radiograph"][:]]
        wanted = set(radiographs)
        rows = [row for row, name in enumerate(names) if name in wanted]
        masks = file[structure]["pixels"][rows] > 127 if rows else []
    return {names[row]: mask for row, mask in zip(rows, masks, strict=True) if mask.any()}


def explain(explainer: Explainer, store: Path, *chosen: pd.DataFrame) -> list[Explained]:
    """Draw the heatmaps of several tables of films; what stands in two of them is drawn once."""
    pairs = [pd.MultiIndex.from_frame(films[["radiograph", "finding"]]) for films in chosen]
    every = pd.concat(chosen)[["radiograph", "finding"]].drop_duplicates(ignore_index=True)
    grey = read_radiographs(store, list(every["radiograph"]))
    heatmaps = explainer.draw(every, grey)
    rows = [pd.MultiIndex.from_frame(every).get_indexer(wanted) for wanted in pairs]
    return [
        Explained(films.reset_index(drop=True), grey[of], heatmaps[of])
        for films, of in zip(chosen, rows, strict=True)
    ]


def score(
    explainer: Explainer,
    judged: Judged,
    known: Known,
    found: Explained,
    scored: Explained,
    settings: Localise,
    seed: int,
) -> Scores:
    """Score heatmaps, each score beside what chance would give.

    Parameters
    ----------
    found
        The films with a known lesion whose finding the model names, explained for that.
    scored
        Films at random, explained for the finding that the model gives the highest probability.

    Returns
    -------
    The pointing game of ``found`` at the top, then ``lungs``, ``overlap``, ``altered`` and
    ``randomised``, and what the heatmaps are.
    """
    focal = known.list_focal(list_alone(judged, explainer.task))
    lesions, names = known.lesions_of(found.films), list(found.films["radiograph"])
    again = found.part(list(draw_films(found.films, settings.films, seed)["radiograph"]))
    return tell_pointing(judged, known.play(found.films, found.heatmaps), focal) | {
        "lungs": tell_lungs(
            judged, known.stood_in(scored.films), scored.heatmaps, known.lungs_of(scored.films)
        ),
        "overlap": tell_overlap(judged, names, found.heatmaps, lesions),
        "altered": score_altered(explainer, judged, scored, settings, seed),
        "randomised": score_randomised(explainer, judged, scored, again, known, focal, seed),
        "explained_by": "gradcam",
        "layer": explainer.layer.removeprefix("network."),
    }


def list_alone(judged: Judged, task: Task) -> pd.DataFrame:
    """List the test films of a single finding, of which a lesion can be only its own."""
    shown = list_findings(judged.test, task)
    return shown[shown["alone"]]


@command
def main() -> None:
    """Score the heatmaps of one model of one fold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--task", required=True, help="Task, as JSON")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors to read")
    parser.add_argument("--predictions", type=Path, required=True, help="table to read")
    parser.add_argument("--settings", required=True, help="Localise, as JSON")
    parser.add_argument("--stride", type=int, required=True, help="of the map; 0: the last")
    parser.add_argument("--evaluation", required=True, help="Evaluation, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--localisation", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args()
    settings = check(Localise, arguments.settings, "--settings")
    evaluation = check(Evaluation, arguments.evaluation, "--evaluation")
    task = check(Task, arguments.task, "--task")
    torch.set_num_threads(arguments.cores)
    store, seed = arguments.radiographs, derive_seed(arguments.seed, "localise")

    split = tables.read(arguments.split, tables.SPLIT)
    of_fold = split[split["fold"] == arguments.fold].assign(fold=0)
    judged = gather(of_fold, task, 1, evaluation, arguments.seed)
    tested = list(judged.test["radiograph"])
    predictions = tables.read(arguments.predictions, tables.predictions(task.findings))
    classifier, card = load_classifier(arguments.weights)
    layer = "network." + feature_layer(classifier.network, card.model, arguments.stride)

    known = read_known(store, tested)
    right = choose_found(list_alone(judged, task), predictions, task.kind, set(known.lesions))
    drawn = draw_films(name_said(predictions, tested), settings.films, seed, set(known.lungs))
    with claim_device() as device:
        classifier = classifier.to(device).to(memory_format=torch.channels_last)
        offset = measure_offset(classifier, layer, known.side)
        explainer = Explainer(classifier, task, layer, device, offset)
        found, scored = explain(explainer, store, right, drawn)
        scores = score(explainer, judged, known, found, scored, settings, seed)
    write_json(arguments.localisation, scores)
    log.info(f"{len(scored)} films scored, {len(found)} of them beside known lesions")


if __name__ == "__main__":
    main()

"""Score the heatmaps of one model beside chance: lesions, lungs, altered films, other weights."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from cxrpipe import tables
from cxrpipe.config import Evaluation, Localise, Task, check
from cxrpipe.evaluation.judging.judged import Judged, gather
from cxrpipe.explanation.attribution.cam import measure_offset
from cxrpipe.explanation.attribution.layers import find_layer
from cxrpipe.explanation.choice import choose_found, list_answers, list_findings
from cxrpipe.explanation.scoring.checking import score_altered, score_randomised
from cxrpipe.explanation.scoring.choosing import draw_films, draw_said, name_said
from cxrpipe.explanation.scoring.estimates import Scores
from cxrpipe.explanation.scoring.explained import Explained, Explainer
from cxrpipe.explanation.scoring.known import Extents, Known
from cxrpipe.explanation.scoring.lungs import tell_lungs
from cxrpipe.explanation.scoring.overlap import tell_overlap
from cxrpipe.explanation.scoring.pointing import tell_pointing
from cxrpipe.explanation.stored import count_pixels, read_masks_of, read_side
from cxrpipe.models.device import claim_device
from cxrpipe.models.refusing import refuse_others
from cxrpipe.models.zoo import load_classifier
from cxrpipe.preprocessing.store import read_radiographs
from cxrpipe.runtime import command, derive_seed, write_json

# Of single-label tasks films must be said to show what they show; of others any film counts.
SAID = {"single": "right"}
log = logging.getLogger(__name__)


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
    films: Sequence[Explained],
    focal: list[str],
    settings: Localise,
    seed: int,
) -> Scores:
    """Score heatmaps, each score beside what chance would give.

    Parameters
    ----------
    films
        Those with a known lesion, explained for their finding; then films at random, with known
        lungs before the others, explained for the finding that the model gives the highest
        probability; then films at random, whatever is known of them, explained likewise.
    focal
        Of the findings.

    Returns
    -------
    The pointing game at the top, then ``lungs``, ``overlap``, ``altered`` and ``randomised``, and
    what the heatmaps are.
    """
    found, scored, drawn = films
    lesions, names = known.lesions_of(found.films), list(found.films["radiograph"])
    return tell_pointing(judged, known.play(found.films, found.heatmaps), focal) | {
        "lungs": tell_lungs(
            judged, known.stood_in(scored.films), scored.heatmaps, known.lungs_of(scored.films)
        ),
        "overlap": tell_overlap(judged, names, found.heatmaps, lesions),
        "altered": score_altered(explainer, judged, drawn, settings, seed),
        "randomised": score_randomised(explainer, judged, drawn, found, known, focal, seed),
        "explained_by": "gradcam",
        "layer": explainer.layer.removeprefix("network."),
        "offset": [round(pixels, 6) for pixels in explainer.offset],
    }


def list_alone(judged: Judged, task: Task) -> pd.DataFrame:
    """List the test films of a single finding, of which a lesion can be only its own."""
    shown = list_findings(judged.test, task)
    return shown[shown["alone"]]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--task", required=True, help="Task, as JSON")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors to read")
    parser.add_argument("--predictions", type=Path, required=True, help="table to read")
    parser.add_argument("--settings", required=True, help="Localise, as JSON")
    parser.add_argument("--stride", type=int, required=True, help="of the map; 0: the last")
    parser.add_argument("--layer", default="", help="of the map; before the stride")
    parser.add_argument("--evaluation", required=True, help="Evaluation, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--localisation", type=Path, required=True, help="JSON to write")
    return parser.parse_args()


@command
def main() -> None:
    """Score the heatmaps of one model of one fold."""
    arguments = parse_arguments()
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
    side = read_side(store)
    refuse_others(card, task, side, arguments.weights)
    layer = find_layer(classifier, card.model, side, arguments.layer, arguments.stride)

    extents = Extents(
        side, count_pixels(store, "lesions", tested), count_pixels(store, "lungs", tested)
    )
    alone = list_alone(judged, task)
    with_lesions = extents.with_lesions(alone)
    answers = list_answers(tested, predictions, task.kind)
    found = draw_films(choose_found(with_lesions, answers, task.kind), settings.films, seed)
    said = name_said(predictions, tested, task.kind)
    scored, drawn = (draw_said(said, settings.films, seed, first) for first in (extents.lungs, ()))
    known = Known(
        side,
        read_masks_of(store, "lesions", found["radiograph"]),
        read_masks_of(store, "lungs", [*found["radiograph"], *scored["radiograph"]]),
    )
    with claim_device() as device:
        classifier = classifier.to(device).to(memory_format=torch.channels_last)
        offset = measure_offset(classifier, layer, side)
        explainer = Explainer(classifier, task, layer, device, offset)
        films = explain(explainer, store, found, scored, drawn)
        focal = extents.list_focal(alone)
        scores = score(explainer, judged, known, films, focal, settings, seed)
    lesions = {"said": SAID.get(task.kind, "any"), "known": len(with_lesions)}
    write_json(arguments.localisation, lesions | scores)
    log.info(f"{len(scored)} films scored, {len(found)} beside known lesions")


if __name__ == "__main__":
    main()

"""Answer to films with trained models: probabilities, verdicts, and what cannot be ruled out.

Probabilities are calibrated on validation films; so are the thresholds ("above") and the conformal
set ("possible"), which holds the truth as often as the recipe asked for. A film that is no frontal
chest radiograph, or not like those that the model knows, is refused with the reason.

Exit status: 0 if all films were answered to, 1 if some were refused or broken, 2 for a mistake in
the command line.
"""

import argparse
import logging
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from cxrpipe.cli.choosing import choose_films, declare_films, declare_model, load_models
from cxrpipe.cli.formats import FORMATS
from cxrpipe.inference.answers import Answer, Refusal
from cxrpipe.inference.classifier import Classifier
from cxrpipe.inference.ensemble import Ensemble
from cxrpipe.runtime import UserError, progress

EXAMPLES = """
  cxrpipe classify film.png --run results/demo
  cxrpipe classify films/ --run results/demo --model resnet18 --format csv > answers.csv
  cxrpipe classify study/ --model results/open/models/resnet18 --class covid --overlay heatmaps/
  find films -newer yesterday | cxrpipe classify - --model resnet18.onnx --format json
  cxrpipe classify film.png --run results/demo --model resnet10 --model resnet18 --combine vote
"""
log = logging.getLogger(__name__)


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    declare_films(parser)
    declare_model(parser, several=True)
    parser.add_argument(
        "--combine", choices=("mean", "vote"), default="mean", help="how several models answer"
    )
    parser.add_argument("--class", dest="finding", help="finding to explain; else the named one")
    parser.add_argument("--overlay", type=Path, help="folder for heatmaps over the films")
    parser.add_argument("--format", choices=tuple(FORMATS), default="table", help="of the answers")
    parser.add_argument("--force", action="store_true", help="answer also to what is refused")
    parser.add_argument("--cores", type=int, default=2, help="that decode films")


def run(arguments: argparse.Namespace) -> int:
    """Classify films, and print an answer to each."""
    films = choose_films(arguments)
    model = load_models(arguments)
    answers = model.classify_each(films, arguments.force, arguments.cores)
    if arguments.finding and not arguments.overlay:
        raise UserError("--class: tells what to explain; give --overlay, the folder to write to")
    if arguments.overlay:
        answers = _explain(model, arguments.finding, answers, arguments.overlay)
    n_refused = 0
    write = FORMATS[arguments.format](model.findings, sys.stdout)
    for answered in progress(answers, len(films), "films"):
        write(answered)
        n_refused += isinstance(answered, Refusal)
    if n_refused:
        log.info(f"{n_refused:,} of {len(films):,} films have no answer, each with its reason")
    return 1 if n_refused else 0


def _explain(
    model: Classifier | Ensemble,
    finding: str | None,
    answers: Iterable[Answer | Refusal],
    folder: Path,
) -> Iterator[Answer | Refusal]:
    """Write a heatmap over every film that is answered to, of an ensemble by its first model."""
    from cxrpipe.inference.explaining import Explainer, find_finding, write_overlay  # torch

    if finding:
        find_finding(model.findings, finding)
    explainer = Explainer(model.members[0] if isinstance(model, Ensemble) else model)
    for number, answered in enumerate(answers):
        if isinstance(answered, Answer):
            write_overlay(explainer, answered, finding, folder, number)
        yield answered

"""Lay over a film what raised the score of a finding, by any method and at any layer.

Prints the path of each picture that it writes. A heatmap shows what raised a score, not why, and
not whether the finding is there; docs/explanations.md says how far the heatmaps of a run can be
believed. Films that the model refuses are named with the reason, and have no picture.

Exit status: 0 if all films were explained, 1 if some were refused or broken, 2 for a mistake in the
command line.
"""

import argparse
import logging
from pathlib import Path

from cxrpipe.cli.choosing import (
    choose_films,
    choose_places,
    declare_films,
    declare_model,
    make_folder,
)
from cxrpipe.cli.formats import say_refusal
from cxrpipe.inference.answers import Refusal
from cxrpipe.inference.classifier import Classifier
from cxrpipe.runtime import RESEARCH_USE, progress

EXAMPLES = """
  cxrpipe explain film.png --run results/demo
  cxrpipe explain film.png --run results/demo --class covid --method integrated
  cxrpipe explain film.png --model results/demo/models/resnet18 --layer layer3 --output heatmaps/
"""
METHODS = ("gradcam", "gradcam++", "hirescam", "cam", "ablationcam", "integrated")
log = logging.getLogger(__name__)


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    declare_films(parser)
    declare_model(parser)
    parser.add_argument("--class", dest="finding", help="finding to explain; else the named one")
    parser.add_argument("--method", choices=METHODS, default="gradcam", help="else gradcam")
    parser.add_argument(
        "--layer", default="", help="module of the network by its dotted name; else its last map"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("heatmaps"), help="folder to write to; else heatmaps"
    )
    parser.add_argument("--force", action="store_true", help="explain also what is refused")


def run(arguments: argparse.Namespace) -> int:
    """Write a heatmap over each film."""
    films = choose_films(arguments)
    [place] = choose_places(arguments)
    classifier = Classifier.load(place, arguments.fold)
    from cxrpipe.inference.explaining import Explainer, find_finding, write_overlay  # torch

    if arguments.finding:
        find_finding(classifier.findings, arguments.finding)
    explainer = Explainer(classifier, arguments.method, arguments.layer)
    folder = make_folder(arguments.output, "--output")
    log.info(RESEARCH_USE)
    n_refused = 0
    answers = classifier.classify_each(films, arguments.force)
    for number, answered in enumerate(progress(answers, len(films), "films")):
        if isinstance(answered, Refusal):
            log.info(say_refusal(answered))
            n_refused += 1
        else:
            print(write_overlay(explainer, answered, arguments.finding, folder, number))
    return 1 if n_refused else 0

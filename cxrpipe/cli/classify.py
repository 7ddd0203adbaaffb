"""Answer to films with trained models: probabilities, verdicts, and what cannot be ruled out.

finding   the likeliest, with its calibrated probability
above     findings whose probability reaches the threshold that validation fixed for each: with
          several above, or none, the verdict is not clear
possible  the conformal set: what cannot be ruled out. It holds the truth as often as the recipe
          asked for (evaluation.coverage), on films like those of the run; - is none

A film that is no frontal chest radiograph, or not like those that the model knows, is refused with
the reason. Tables leave out what csv and json have: every probability, and of models that answer
yes or no to each finding the "no <finding>" that are possible. docs/answers.md tells more.

Exit status: 0 if all films were answered to, 1 if some were refused or broken, 2 for a mistake in
the command line.
"""

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from cxrpipe.cli.choosing import (
    choose_films,
    count,
    declare_films,
    declare_models,
    load_models,
    make_folder,
)
from cxrpipe.cli.formats import FORMATS
from cxrpipe.inference.answers import Answer, Refusal
from cxrpipe.inference.ensemble import Ensemble
from cxrpipe.runtime import RESEARCH_USE, UserError, count_cores, progress

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
    declare_models(parser)
    parser.add_argument("--overlay", type=Path, help="folder to write heatmaps over the films to")
    parser.add_argument("--class", dest="finding", help="finding of the heatmaps; else the named")
    parser.add_argument(
        "--format",
        choices=tuple(FORMATS),
        default="table",
        help="table for people (else), csv, or json: an object a line",
    )
    parser.add_argument("--force", action="store_true", help="answer also to what is refused")
    parser.add_argument("--cores", type=count, default=count_cores(), help="else all")


def run(arguments: argparse.Namespace) -> int:
    """Classify films, and print an answer to each."""
    if arguments.finding and not arguments.overlay:
        raise UserError("--class: tells what to explain; give --overlay, the folder to write to")
    films = choose_films(arguments)
    model = load_models(arguments)
    explain = _start_explaining(model, arguments)
    log.info(RESEARCH_USE)
    write = FORMATS[arguments.format](model.findings, films, sys.stdout)
    n_refused = 0
    answers = model.classify_each(films, arguments.force, arguments.cores)
    for number, answered in enumerate(progress(answers, len(films), "films")):
        write(answered)
        if isinstance(answered, Refusal):
            n_refused += 1
        elif explain:
            explain(answered, number)
    if n_refused:
        log.info(f"{n_refused:,} of {len(films):,} films have no answer, each with its reason")
    return 1 if n_refused else 0


def _start_explaining(
    model: Ensemble, arguments: argparse.Namespace
) -> Callable[[Answer, int], object] | None:
    """Return what writes the heatmap over a film, of several models that of the first."""
    if not arguments.overlay:
        return None
    from cxrpipe.inference.explaining import Explainer, find_finding, write_overlay  # torch

    if finding := arguments.finding:
        find_finding(model.findings, finding)
    explainer = Explainer(model.members[0])
    folder = make_folder(arguments.overlay, "--overlay")
    return lambda answered, number: write_overlay(explainer, answered, finding, folder, number)

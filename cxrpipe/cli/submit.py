"""Write the file of a challenge: case,class with a row for every film.

The case is the name of the film's file without its suffix; the class is the finding that the model
names, as the recipe calls it or as --names does. Rows stand in the order in which the films are
named, those of a folder by name. A challenge asks for every case: if a film is refused or broken,
nothing is written. Look at it, then --force answers to what is refused.

Exit status: 0 if the file was written, 1 if a film has no answer, 2 for a mistake in the command
line.
"""

import argparse
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cxrpipe.cli.choosing import (
    choose_file,
    choose_films,
    count,
    declare_films,
    declare_models,
    load_models,
)
from cxrpipe.cli.formats import say_refusal
from cxrpipe.inference.answers import Answer, Refusal
from cxrpipe.inference.submission import name_cases, name_classes, write_submission
from cxrpipe.runtime import RESEARCH_USE, UserError, count_cores, progress

EXAMPLES = """
  cxrpipe submit test_set/ --run results/demo --output submission.csv
  cxrpipe submit --list cases.txt --run results/demo --names covid=COVID-19,normal=Normal
  cxrpipe submit test_set/ --run results/demo --model resnet10 --model resnet18 --combine vote
"""
SHOWN = 5  # films without an answer that are named
log = logging.getLogger(__name__)


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    declare_films(parser)
    declare_models(parser)
    parser.add_argument(
        "--output", type=Path, default=Path("submission.csv"), help="else submission.csv"
    )
    parser.add_argument(
        "--names", default="", help="what the challenge calls findings: covid=COVID-19,normal=0"
    )
    parser.add_argument("--suffix", action="store_true", help="cases keep the suffix, as 17.png")
    parser.add_argument("--force", action="store_true", help="answer also to what is refused")
    parser.add_argument("--cores", type=count, default=count_cores(), help="else all")


def run(arguments: argparse.Namespace) -> int:
    """Write the file, if every film has an answer."""
    films = choose_films(arguments)
    cases = name_cases(films, arguments.suffix)
    output = choose_file(arguments.output, "--output")
    model = load_models(arguments)
    if model.kind != "single":
        raise UserError("the model answers yes or no to findings; give one that tells them apart")
    classes = name_classes(model.findings, arguments.names)
    log.info(RESEARCH_USE)
    answers = model.classify_each(films, arguments.force, arguments.cores)
    given = list(progress(answers, len(films), "films"))
    if refused := [answered for answered in given if isinstance(answered, Refusal)]:
        return _name(refused, len(films))
    named = [classes[answered.finding] for answered in given if isinstance(answered, Answer)]
    write_submission(output, list(zip(cases, named, strict=True)))
    told = ", ".join(f"{name} {n:,}" for name, n in Counter(named).most_common())
    print(f"{output}: {len(cases):,} cases: {told}")
    return 0


def _name(refused: Sequence[Refusal], n_cases: int) -> int:
    """Name the films that have no answer, of many the first."""
    for answered in refused[:SHOWN]:
        log.info(say_refusal(answered))
    others = f"{len(refused) - SHOWN:,} others; " if len(refused) > SHOWN else ""
    log.info(
        f"{others}nothing is written, since {len(refused):,} of {n_cases:,} cases have no class; "
        "look at them: --force answers to what is refused, not to what is broken"
    )
    return 1

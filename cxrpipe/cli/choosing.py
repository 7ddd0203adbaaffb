"""Options that several subcommands share: which films, and which model."""

import argparse
import sys
from pathlib import Path

from cxrpipe.inference.classifier import Classifier
from cxrpipe.inference.ensemble import Ensemble
from cxrpipe.inference.listing import list_films, read_list
from cxrpipe.inference.runs import find_best, find_model
from cxrpipe.runtime import UserError


def declare_films(parser: argparse.ArgumentParser) -> None:
    """Declare the films to look at."""
    parser.add_argument(
        "films",
        nargs="*",
        help="films, folders of films, DICOM studies; - reads paths from standard input",
    )
    parser.add_argument("--list", type=Path, help="file that names films, one a line")


def choose_films(arguments: argparse.Namespace) -> list[Path]:
    """List the films that are asked for."""
    films = list_films(Path(place) for place in arguments.films if place != "-")
    if "-" in arguments.films:
        films += read_list(sys.stdin, "standard input")
    if arguments.list:
        try:
            films += read_list(arguments.list.read_text("utf-8").splitlines(), str(arguments.list))
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"--list: {arguments.list}: not readable as a list of paths") from error
    if not films:
        raise UserError("no film is named; give a film, a folder, --list or -")
    return films


def declare_model(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """Declare the model to use, or several."""
    parser.add_argument("--run", type=Path, help="folder of a run; alone: its best model")
    parser.add_argument(
        "--model",
        action="append" if several else "store",
        default=[] if several else None,
        help="its folder, weights or ONNX file; with --run its name"
        + ("; several times: they answer together" if several else ""),
    )
    parser.add_argument("--fold", type=int, default=0, help="of the model's folds")


def choose_places(arguments: argparse.Namespace) -> list[Path]:
    """Return where the models are that are asked for.

    Raises
    ------
    UserError
        If none is.
    """
    named = arguments.model if isinstance(arguments.model, list) else [arguments.model]
    names = [name for name in named if name]
    if arguments.run is None:
        if not names:
            raise UserError("no model is named; give --run, as results/demo, or --model")
        return [Path(name) for name in names]
    return [find_model(arguments.run, name) for name in names] or [find_best(arguments.run)]


def load_models(arguments: argparse.Namespace) -> Classifier | Ensemble:
    """Load the model that is asked for, or several that answer together."""
    members = [Classifier.load(place, arguments.fold) for place in choose_places(arguments)]
    return members[0] if len(members) == 1 else Ensemble(members, arguments.combine)

"""Options that several subcommands share: which films, which model, where to write."""

import argparse
import os
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
            lines = arguments.list.read_text("utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"--list: {arguments.list}: not readable as a list of paths") from error
        films += read_list(lines, str(arguments.list))
    if not films:
        raise UserError("no film is named; give a film, a folder, --list or -")
    return films


def declare_model(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """Declare the model to use, or several."""
    parser.add_argument("--run", type=Path, help="folder of a run; without --model, its best model")
    parser.add_argument(
        "--model",
        action="append" if several else "store",
        default=[] if several else None,
        help="its folder, weights or ONNX file; with --run its name"
        + ("; several times: these models" if several else ""),
    )
    parser.add_argument("--fold", type=int, default=0, help="which of the model's folds; else 0")


def declare_models(parser: argparse.ArgumentParser) -> None:
    """Declare the models to use, and how several answer together."""
    declare_model(parser, several=True)
    parser.add_argument(
        "--combine",
        choices=("mean", "vote"),
        default="mean",
        help="what names the finding of several models: their mean probability (else), or most",
    )


def choose_places(arguments: argparse.Namespace) -> list[Path]:
    """Return where the models are that are asked for.

    Raises
    ------
    UserError
        If none is, or one twice.
    """
    named = arguments.model if isinstance(arguments.model, list) else [arguments.model]
    names = [name for name in named if name is not None]
    if "" in names:
        raise UserError("--model: is empty; give a folder or file, or with --run a name")
    if arguments.run is None:
        if not names:
            raise UserError("no model is named; give --run, as results/demo, or --model")
        places = [Path(name) for name in names]
    else:
        places = [find_model(arguments.run, name) for name in names] or [find_best(arguments.run)]
    if len(set(map(os.path.realpath, places))) < len(places):
        raise UserError(f"--model: one is named twice in {', '.join(names)}; name each once")
    return places


def load_models(arguments: argparse.Namespace) -> Ensemble:
    """Load the models that are asked for; one alone is asked in the same way."""
    places = choose_places(arguments)
    return Ensemble([Classifier.load(it, arguments.fold) for it in places], arguments.combine)


def count(told: str) -> int:
    """Read a number from 1 on, as argparse's type."""
    if not told.isdecimal() or int(told) == 0:
        raise argparse.ArgumentTypeError(f"'{told}' is no number from 1 on")
    return int(told)


def make_folder(folder: Path, option: str) -> Path:
    """Make the folder that an option names, if it is not there.

    Raises
    ------
    UserError
        If it cannot be made, or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        told = f"cannot be made a folder ({error.strerror})"
        raise UserError(f"{option}: {folder}: {told}; give another") from error
    if not os.access(folder, os.W_OK):
        raise UserError(f"{option}: {folder}: may not be written to; give another")
    return folder


def choose_file(path: Path, option: str) -> Path:
    """Return the file that an option names, in a folder that is there.

    Raises
    ------
    UserError
        If it is a folder, or cannot be written.
    """
    if path.is_dir():
        raise UserError(f"{option}: {path}: is a folder; name a file")
    make_folder(path.parent, option)
    return path

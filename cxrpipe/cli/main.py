"""The command ``cxrpipe``: its table of contents, and what its subcommands share."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper
from typing import NoReturn, Protocol

from cxrpipe.config import nearest
from cxrpipe.runtime import RESEARCH_USE, UserError

CONTENTS = {
    "To begin": {
        "doctor": "check environment, GPU, disk and data; name what is wrong and its mend",
        "new": "look at a folder of films and write the recipe for it",
    },
    "About a run": {
        "models": "list the models of a run with their scores",
        "submit": "write the file case,class of a challenge",
        "export": "write a model as ONNX or torch.export, for use without cxrpipe",
    },
    "From a film to an answer": {
        "classify": "answer to films: probabilities, verdicts, what cannot be ruled out",
        "explain": "lay over a film what raised the score of a finding",
        "serve": "open a page on this machine, to drop films on",
    },
}
NAMES = [name for part in CONTENTS.values() for name in part]


class Subcommand(Protocol):
    """What the module of a subcommand holds; its docstring is its help."""

    __doc__: str | None
    EXAMPLES: str  # command lines, one a line

    def declare(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it, and return the exit status."""


class Parser(argparse.ArgumentParser):
    """A parser whose refusal is one line."""

    def error(self, message: str) -> NoReturn:
        """End with one line and status 2."""
        said = " ".join(message.split())
        self.exit(2, f"{self.prog}: error: {said}; see {self.prog} --help\n")


def main() -> None:
    """Run the subcommand that the command line names."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="surrogateescape")  # the name of a film may be no text
    name, *words = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print(describe_contents())
    elif name == "--version":
        print(f"cxrpipe {version('cxrpipe')}")
    elif name not in NAMES:
        sys.exit(refuse("", f"no command '{name}'; {nearest(name, NAMES)}"))
    else:
        sys.exit(run(name, words))


def run(name: str, words: Sequence[str]) -> int:
    """Run a subcommand and return its exit status: 2 where the user has something to mend."""
    subcommand: Subcommand = import_module(f"cxrpipe.cli.{name}")
    arguments = build_parser(name, subcommand).parse_intermixed_args(words)
    logging.basicConfig(
        level=logging.INFO, format=f"cxrpipe {name}: %(message)s", stream=sys.stderr, force=True
    )
    try:
        status = subcommand.run(arguments)
        sys.stdout.flush()
        return status
    except UserError as error:
        return refuse(f" {name}", " ".join(str(error).split()))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # as of: cxrpipe classify films | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def refuse(name: str, said: str) -> int:
    """Say in one line what the user has to mend."""
    print(f"cxrpipe{name}: error: {said}", file=sys.stderr)
    return 2


def build_parser(name: str, subcommand: Subcommand) -> Parser:
    """Build the parser of a subcommand, whose help ends with examples."""
    parser = Parser(
        prog=f"cxrpipe {name}",
        description=subcommand.__doc__,
        epilog=f"examples:\n{subcommand.EXAMPLES.strip(chr(10))}\n\n{RESEARCH_USE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subcommand.declare(parser)
    return parser


def describe_contents() -> str:
    """Return the table of contents."""
    lines = ["usage: cxrpipe <command> ...", "", RESEARCH_USE]
    for title, part in CONTENTS.items():
        lines += ["", f"{title}:"]
        lines += [f"  {name:<10}{told}" for name, told in part.items()]
    return "\n".join([*lines, "", "cxrpipe <command> --help explains one, with examples."])

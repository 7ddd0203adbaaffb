"""The command ``cxrpipe``: its table of contents, and what its subcommands share."""

import argparse
import errno
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn, Protocol

from cxrpipe.config import nearest
from cxrpipe.runtime import RESEARCH_USE, UserError

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

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
    """A parser whose refusal is one line, and which does not keep a full disk to itself."""

    def print_help(self, file: "SupportsWrite[str] | None" = None) -> None:
        """Print it, or raise an OSError."""
        print(self.format_help(), end="", file=file)

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
    sys.exit(run(name, words))


def run(name: str, words: Sequence[str]) -> int:
    """Do what is asked and return the exit status: 2 where the user has something to mend."""
    try:
        try:
            return start(name, words)
        finally:
            sys.stdout.flush()  # here, since at the end of Python nothing could be said of it
    except UserError as error:
        return refuse(name, str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # as of: cxrpipe classify films | head
        drop_output()
        return 1
    except OSError as error:
        if error.filename is not None:
            return refuse(name, f"{error.filename}: {error.strerror}")
        if error.errno != errno.ENOSPC:
            raise
        drop_output()
        return refuse(name, f"output: {error.strerror}")


def start(name: str, words: Sequence[str]) -> int:
    """Tell the contents or the version, or run a subcommand."""
    if name in ("-h", "--help"):
        print(describe_contents())
        return 0
    if name == "--version":
        print(f"cxrpipe {version('cxrpipe')}")
        return 0
    if name not in NAMES:
        raise UserError(f"no command '{name}'; {nearest(name, NAMES)}")
    subcommand: Subcommand = import_module(f"cxrpipe.cli.{name}")
    arguments = build_parser(name, subcommand).parse_intermixed_args(as_paths(words))
    logging.basicConfig(
        level=logging.INFO, format=f"cxrpipe {name}: %(message)s", stream=sys.stderr, force=True
    )
    return subcommand.run(arguments)


def as_paths(words: Sequence[str]) -> list[str]:
    """Write what follows ``--`` as paths that argparse takes for no options: -a.png as ./-a.png."""
    end = words.index("--") if "--" in words else len(words)
    paths = (f"./{word}" if word.startswith("-") else word for word in words[end + 1 :])
    return [*words[:end], *paths]


def drop_output() -> None:
    """Send what could not be written nowhere, or Python would try once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def refuse(name: str, said: str) -> int:
    """Say in one line what the user has to mend."""
    command = f"cxrpipe {name}" if name in NAMES else "cxrpipe"
    print(f"{command}: error: {printable(' '.join(said.split()))}", file=sys.stderr)
    return 2


def printable(text: str) -> str:
    """Return a text with ? for what a terminal would obey, or cannot show."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


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

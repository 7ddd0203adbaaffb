"""Check what a run needs: what is wrong, and how to mend it.

In a project also its recipe: settings, collections, weights, disk, Git and DVC. Nothing is fetched,
and nothing is changed; what can only be known by fetching is said to be not tried.

Exit status: 0 if nothing is wrong, 1 if something is, 2 for a mistake in the command line.
"""

import argparse
from collections.abc import Iterator

from cxrpipe.beginning.environment import check_environment
from cxrpipe.beginning.project import (
    check_disk,
    check_project,
    is_project,
    refuse_elsewhere,
    refuse_unknown,
)
from cxrpipe.beginning.told import Told

EXAMPLES = """
  cxrpipe doctor
  cxrpipe doctor --recipe open
"""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--recipe", help="to check; else that of params.yaml")


def run(arguments: argparse.Namespace) -> int:
    """Check, and print a line for each check as it is done."""
    n_wrong = 0
    if arguments.recipe:
        refuse_elsewhere()
        refuse_unknown(arguments.recipe)
    for told in check(arguments.recipe):
        print(told, flush=True)
        n_wrong += told.mark == "wrong"
    print(f"\n{n_wrong} wrong; see each mend" if n_wrong else "\nnothing is wrong")
    return 1 if n_wrong else 0


def check(recipe: str | None) -> Iterator[Told]:
    """Check the environment, and the project if there is one here."""
    yield from check_environment()
    if is_project():
        yield from check_project(recipe)
    else:
        yield check_disk(0)
        yield Told("note", "project", "none here; in the folder of your clone, more is checked")

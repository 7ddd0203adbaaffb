"""Begin a recipe: look at a folder of films, and write what describes it.

It writes config/recipes/NAME.yaml, and the collection into config/sources.yaml, whose other lines
stay as they are. The folder is only looked at: its names, its tables, and the headers of at most
200 films. A guess is said to be one; read what it wrote before you train.
"""

import argparse
from pathlib import Path

from cxrpipe.beginning.looking import look
from cxrpipe.beginning.machine import has_gpu
from cxrpipe.beginning.project import CONFIG, refuse_elsewhere
from cxrpipe.beginning.telling import tell
from cxrpipe.beginning.writing import choose_name, compose, refuse_taken, write

EXAMPLES = """
  cxrpipe new ../films
  cxrpipe new ../films --name ward-7
  cxrpipe new ../films --name ward-7 --force
"""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, help="that holds the films, at any depth")
    parser.add_argument("--name", help="of recipe and collection; else the folder's")
    parser.add_argument("--force", action="store_true", help="replace what has this name")


def run(arguments: argparse.Namespace) -> int:
    """Look at a folder, write the recipe, and say what was seen and what to do next."""
    refuse_elsewhere()
    folder = arguments.folder.expanduser()
    name = choose_name(arguments.name, folder)
    if not arguments.force:
        refuse_taken(name, CONFIG)
    seen = look(folder)
    written = compose(seen, name, str(folder), CONFIG, has_gpu())
    write(written)
    for told in tell(seen):
        print(told)
    print(f"\nwritten: {written.recipe}\n         {written.sources}: {name}\n\nnext:")
    print(f"  cxrpipe doctor --recipe {name}")
    print(f"  snakemake --cores all explore --config recipe={name}")
    print(f"  make run RECIPE={name}")
    return 0

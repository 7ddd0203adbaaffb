"""What the rules share: the checked settings, and the only functions of the workflow."""

import ast
import fcntl
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from cxrpipe.config import Films, IndexSettings, Settings, load_recipe, load_sources
from cxrpipe.runtime import UserError

# Jobs run under the Python that runs Snakemake, also where no environment is activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

try:
    RECIPE = load_recipe(config, Path(workflow.basedir, "config"))
    SOURCES = load_sources(RECIPE.sources, Path(workflow.basedir, "config"))
except UserError as error:
    sys.exit(f"cxrpipe: error: {error}")

RUN = config["recipe"]
# The mirror stands in the commands as a global, not as a parameter: where a collection is
# fetched from does not change what it is, so another mirror reruns nothing.
MIRROR = config.get("mirror") or ""


wildcard_constraints:
    run=RUN,
    source="|".join(SOURCES),
    model="|".join(RECIPE.models),
    fold=r"\d+",


def as_json(settings: Settings) -> str:
    """Return one section of the settings as a job receives it, every value spelled out."""
    return settings.model_dump_json()


def origin(wildcards) -> str:
    """Return where a collection comes from."""
    return as_json(SOURCES[wildcards.source].origin)


def contents(wildcards) -> list[tuple[str, int]]:
    """List names and sizes of a user's own folder, so that a new film is noticed."""
    path = SOURCES[wildcards.source].origin.path
    files = sorted(Path(path).expanduser().rglob("*")) if path else []
    return [(str(file), file.stat().st_size) for file in files if file.is_file()]


def index_settings() -> str:
    """Return what the index needs: its section, the classes, and how to read the collections."""
    films = {name: SOURCES[name].films for name in RECIPE.sources}
    return as_json(IndexSettings(**dict(RECIPE.index), findings=RECIPE.findings, films=films))


def model_settings(wildcards) -> str:
    """Return the settings of one model."""
    return as_json(RECIPE.models[wildcards.model])


def code(command: str) -> list[str]:
    """List the modules that a command imports, itself included, by walking the imports.

    They are inputs of its rule, compared by content. config.py is left out: settings reach a
    command by value, as parameters.
    """
    found, waiting = set(), [f"cxrpipe.{command}"]
    while waiting:
        path = Path(*waiting.pop().split(".")).with_suffix(".py")
        source = Path(workflow.basedir, path)
        if path in found or not source.is_file() or path.name in ("__init__.py", "config.py"):
            continue
        found.add(path)
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                waiting += [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
    return sorted(str(path) for path in found)


def claim_folder() -> None:
    """Let only one run work here at a time.

    The lock is the operating system's: it ends with the process, so a killed run leaves none
    behind and the next one simply goes on.
    """
    Path(".snakemake").mkdir(exist_ok=True)
    globals()["_claim"] = open(".snakemake/running", "w")
    try:
        fcntl.flock(_claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WorkflowError("Another run works in this folder; wait for it, or stop it.")


onstart:
    claim_folder()

"""What the rules share: the checked settings, and how they reach the jobs."""

import fcntl
import glob
import hashlib
import json
import os
import re
import sys
from datetime import datetime, timezone
from pathlib import Path

from snakemake.exceptions import WorkflowError

from cxrpipe.catalogue import IndexSettings
from cxrpipe.recipes import load_recipe, load_sources
from cxrpipe.records import bring_back, forget, keep, notice, recall_contents
from cxrpipe.runtime import UserError
from cxrpipe.studies import load_studies

# Jobs run under the Python that runs Snakemake, also where no environment is activated, and end
# when this Snakemake is killed.
os.environ.update(PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.getenv('PATH')}")
os.environ.update(CXRPIPE_WORKFLOW=str(os.getpid()))

try:
    RECIPE = load_recipe(config, Path(workflow.basedir, "config"))
    SOURCES = load_sources(RECIPE.sources, Path(workflow.basedir, "config"))
    STUDIES = load_studies(
        RECIPE.evaluation.published, Path(workflow.basedir, "config")
    )
except UserError as error:
    sys.exit(f"cxrpipe: error: {error}")

RUN = config["recipe"]
STARTED = datetime.now(timezone.utc).isoformat(timespec="seconds")
if Path("params.yaml").read_bytes() != Path("config/config.yaml").read_bytes():
    sys.exit(
        "cxrpipe: error: config/config.yaml is no longer a link to params.yaml, and differs from it; "
        "put your settings into params.yaml, and run: ln -sf ../params.yaml config/config.yaml"
    )

RUNNING = Path(".snakemake/running")


def claim_folder():
    """Let only one run work here at a time; return the lock, or None where another run has it.

    The lock is the operating system's: it ends with the process, so a killed run leaves none
    behind and the next one simply goes on.
    """
    RUNNING.parent.mkdir(exist_ok=True)
    lock = RUNNING.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return lock


# What DVC brought here is trusted as far as its records go; see cxrpipe/records.py. Jobs elsewhere
# that read this file anew leave that to the process that started them.
LOCK = claim_folder() if workflow.is_main_process else None
if LOCK:
    try:
        notice(SOURCES)
        for line in bring_back(RUN):
            print(f"cxrpipe: {line}", file=sys.stderr)
    except (UserError, OSError) as error:
        sys.exit(f"cxrpipe: error: {error}")
    LOCK.close()
# Places reach their jobs as resources, not as parameters: where a collection or pretrained weights
# are fetched from does not change what they are, so another place reruns nothing.
MIRROR = config.get("mirror") or ""
WEIGHTS_FOLDER = config.get("weights_folder") or ""


include: "code.smk"


MODEL_TASKS = [model.task for model in RECIPE.models.values()]
FOLDS = range(RECIPE.split.folds)
SIDES = sorted(
    {RECIPE.preprocess.side, *(model.side for model in RECIPE.models.values())}
)
# `--resources gpu=4` lets four models compute at once, each on a GPU and on a quarter of the cores.
SLOTS = workflow.global_resources
N_SLOTS = SLOTS["gpu"].value if "gpu" in SLOTS else 1
CORES_OF_A_MODEL = max(1, workflow.cores // max(1, N_SLOTS))


wildcard_constraints:
    run=re.escape(RUN),
    source="|".join(map(re.escape, SOURCES)),
    task="|".join(map(re.escape, RECIPE.tasks)),
    model="|".join(map(re.escape, RECIPE.models)),
    fold=r"\d+",
    side=r"\d+",


TABLES = (".csv", ".tsv", ".txt", ".xlsx")

# Settings reach a job as JSON. They come from functions, since Snakemake would take the braces
# of a plain string for wildcards.


def section(name: str):
    """Return the function that gives a job one section of the recipe, every value spelled out."""
    return lambda wildcards: getattr(RECIPE, name).model_dump_json()


def whole_recipe(wildcards) -> str:
    """Return the recipe with every override and default."""
    return RECIPE.model_dump_json()


# How a training is watched and saved changes nothing of it, and so retrains nothing: like places,
# these settings reach their job as resources.
WATCHING = {"training": {"save_every", "tensorboard"}}


def model_settings(wildcards) -> str:
    """Return the settings of one model, but for how its training is watched and saved."""
    return RECIPE.models[wildcards.model].model_dump_json(exclude=WATCHING)


def save_every(wildcards) -> str:
    """Return after how many seconds the state of a training is saved."""
    return str(RECIPE.models[wildcards.model].training.save_every)


def tensorboard(wildcards) -> str:
    """Return the folder of a training's TensorBoard files, or nothing if none are wanted."""
    wanted = RECIPE.models[wildcards.model].training.tensorboard
    folder = f"logs/{wildcards.run}/tensorboard/{wildcards.model}"
    return f"{folder}/fold-{wildcards.fold}" if wanted else ""


def model_task(wildcards) -> str:
    """Return the task of one model."""
    return RECIPE.tasks[RECIPE.models[wildcards.model].task].model_dump_json()


def one_task(wildcards) -> str:
    """Return the task of the wildcard."""
    return RECIPE.tasks[wildcards.task].model_dump_json()


def models_of(wildcards) -> list[str]:
    """List the models of the wildcard's task, in the recipe's order."""
    return [
        name for name, model in RECIPE.models.items() if model.task == wildcards.task
    ]


def features_of(wildcards) -> list[str]:
    """List the features of the models of the wildcard's task."""
    return [
        f"results/{wildcards.run}/embeddings/{model}/fold-0.h5"
        for model in models_of(wildcards)
    ]


def tasks(wildcards) -> str:
    """Return all tasks of the recipe, by name."""
    return json.dumps({name: task.model_dump() for name, task in RECIPE.tasks.items()})


def models(wildcards) -> str:
    """Return the task of every model, the collection that alone trains it, and all collections
    that it and the models that it starts from are trained on."""
    asked = {
        name: {
            "task": model.task,
            "trained_on": model.trained_on,
            "sources": learnt_from(name),
        }
        for name, model in RECIPE.models.items()
    }
    return json.dumps(asked)


def learnt_from(name: str) -> list[str]:
    """List the collections that a model and those it starts from are trained on."""
    model = RECIPE.models[name]
    own = [model.trained_on] if model.trained_on else RECIPE.tasks[model.task].sources
    return sorted({*own, *(learnt_from(model.start) if model.start else ())})


def trained_on(wildcards) -> str:
    """Return the collection that alone trains one model, or nothing."""
    return RECIPE.models[wildcards.model].trained_on


def judging(*keys: str):
    """Return the function that gives a job these settings of how models are judged."""
    return lambda wildcards: RECIPE.evaluation.model_dump_json(include=set(keys))


def studies(wildcards) -> str:
    """Return the published scores that stand beside this run's."""
    return json.dumps({name: study.model_dump() for name, study in STUDIES.items()})


def points(wildcards) -> str:
    """Return the place of each model in the recipe's grid."""
    return json.dumps({name: model.point for name, model in RECIPE.models.items()})


def preprocess_settings(wildcards) -> str:
    """Return how films are stored at one side."""
    settings = RECIPE.preprocess.model_copy(update={"side": int(wildcards.side)})
    return settings.model_dump_json()


def store(wildcards) -> str:
    """Return the films at the side of one model."""
    side = RECIPE.models[wildcards.model].side
    return f"results/{wildcards.run}/radiographs-{side}.h5"


def start_weights(wildcards) -> str | list[str]:
    """Return the weights that a model starts from, if they are a file or another model's."""
    model = RECIPE.models[wildcards.model]
    if model.start:
        folder = f"results/{wildcards.run}/models/{model.start}"
        return f"{folder}/fold-{wildcards.fold}/weights.safetensors"
    return [] if model.weights in ("none", "imagenet") else model.weights


def start_option(wildcards, input) -> list[str]:
    """Return the option that names the weights to start from, where there are any."""
    return ["--start", str(input.start)] if input.start else []


def index_settings(wildcards) -> str:
    """Return what the index needs: its section, the classes, and how to read the collections."""
    films = {name: SOURCES[name].films for name in RECIPE.sources}
    settings = IndexSettings(
        **dict(RECIPE.index), findings=RECIPE.findings, films=films
    )
    return settings.model_dump_json()


def origin(wildcards) -> str:
    """Return where a collection comes from; what is not said is left out, so that a key which a
    later version of cxrpipe knows does not fetch every collection anew."""
    origin = SOURCES[wildcards.source].origin
    said = {key for key, value in origin if value}
    return origin.model_dump_json(include=said)


def contents(wildcards) -> str:
    """Sum up a user's own files."""
    return sum_up(wildcards.source)


def sum_up(source: str) -> str:
    """Sum up names and sizes of a user's own files, and what tables hold: a new film or a
    corrected label is noticed, a touch is not.

    Where the folder is not, since DVC brought what was copied from it, it is what it was.
    """
    origin = SOURCES[source].origin
    place = Path(origin.path or f"placed/{source}").expanduser()
    is_here = place.is_dir() or not Path(f"data/{source}/SHA256SUMS").is_file()
    if not is_here and (recalled := recall_contents(source)):
        return recalled
    files = []
    if origin.path or origin.place:
        found = glob.glob("**", root_dir=place, recursive=True, include_hidden=True)
        files = [(name, place / name) for name in sorted(found)]
    listed = [
        (
            name,
            file.stat().st_size,
            file.read_bytes() if file.suffix.lower() in TABLES else b"",
        )
        for name, file in files
        if file.is_file()
    ]
    return hashlib.sha256(repr(listed).encode()).hexdigest()


def collections(wildcards) -> str:
    """Return what the report says of the collections."""
    keys = {"title", "licence", "citation", "synthetic"}
    return json.dumps(
        {name: source.model_dump(include=keys) for name, source in SOURCES.items()}
    )


def each_model(pattern: str) -> list[str]:
    """Return a pattern's file of every model of the recipe, in its order."""
    return expand(pattern, model=RECIPE.models, allow_missing=True)


def of_run(pattern: str) -> list[str]:
    """Return a file of every model of the chosen recipe, in its order."""
    return expand(f"results/{RUN}/{pattern}", model=RECIPE.models)


def each_fold(pattern: str) -> list[str]:
    """Return a pattern's files of all folds of the first model, then of the second, and so on."""
    return [
        file
        for fold_of_model in each_model(pattern)
        for file in expand(fold_of_model, fold=FOLDS, allow_missing=True)
    ]


onstart:
    globals()["_working"] = LOCK and claim_folder()
    if not _working:
        raise WorkflowError(
            "Another run works in this folder; wait for it, or stop it."
        )
    forget(RUN)


def keep_records() -> None:
    """Keep what Snakemake noted of the run's files, also of one that failed in the end."""
    keep(RUN, SOURCES, {source: sum_up(source) for source in SOURCES})


onsuccess:
    keep_records()


onerror:
    keep_records()

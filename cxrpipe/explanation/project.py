"""Lay the test films of a task out by the features of its models, and score what features tell."""

import argparse
import logging
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from cxrpipe import tables
from cxrpipe.config import Evaluation, Latent, Task, check
from cxrpipe.data.cohort import choose_cohort
from cxrpipe.evaluation.judging.scores import known
from cxrpipe.explanation.features import read_features
from cxrpipe.explanation.latent.probe import associate
from cxrpipe.explanation.latent.sample import choose_balanced, draw_sample, name_findings
from cxrpipe.explanation.latent.scatter import find_umap
from cxrpipe.explanation.latent.space import shrink
from cxrpipe.explanation.latent.telling import Representation, Told, join, say, tell
from cxrpipe.preprocessing.store import read_radiographs
from cxrpipe.runtime import UserError, command, derive_seed, parallel, write_json

PIXELS = "pixels"
log = logging.getLogger(__name__)


def choose_films(split: pd.DataFrame, task: Task, most: int, seed: int) -> pd.DataFrame:
    """Choose test films of a task, balanced over what they show; ``finding`` is named by the task.

    Raises
    ------
    UserError
        If there are none.
    """
    cohort = choose_cohort(split, task)
    test = cohort[cohort["subset"] == "test"].reset_index(drop=True)
    if test.empty:
        shown = f"{', '.join(task.findings)} in {', '.join(task.sources)}"
        raise UserError(f"split.csv: no test film of the task ({shown}); give split.test")
    test["finding"] = name_findings(test, task)
    return test[choose_balanced(test, most, seed)].reset_index(drop=True)


def describe_films(
    radiographs: Sequence[str], store: Path, models: Sequence[str], files: Sequence[Path]
) -> Iterator[Representation]:
    """Read the greys of films, then their features before and after the training of each model."""
    yield Representation(PIXELS, "", shrink(read_radiographs(store, radiographs)))
    for model, file in zip(models, files, strict=True):
        features = read_features(file, radiographs)
        yield Representation(model, "before", features.before, features.layer)
        yield Representation(model, "after", features.after, features.layer)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--task", required=True, help="Task, as JSON")
    parser.add_argument("--models", nargs="+", required=True, help="names in the recipe")
    parser.add_argument("--features", type=Path, nargs="+", required=True, help="HDF5 of each")
    parser.add_argument("--settings", required=True, help="Latent, as JSON")
    parser.add_argument("--evaluation", required=True, help="Evaluation, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--layout", type=Path, required=True, help="table to write")
    parser.add_argument("--neighbours", type=Path, required=True, help="table to write")
    parser.add_argument("--latent", type=Path, required=True, help="JSON to write")
    return parser.parse_args()


@command
def main() -> None:
    """Lay the films of one task out."""
    arguments = parse_arguments()
    task = check(Task, arguments.task, "--task")
    settings = check(Latent, arguments.settings, "--settings")
    evaluation = check(Evaluation, arguments.evaluation, "--evaluation")
    seed = derive_seed(arguments.seed, "latent")

    split = tables.read(arguments.split, tables.SPLIT).query(f"fold == {arguments.fold}")
    films = choose_films(split, task, settings.films, seed)
    sample = draw_sample(films, evaluation, seed)
    described = describe_films(
        list(films["radiograph"]), arguments.radiographs, arguments.models, arguments.features
    )
    work = partial(tell, sample=sample, settings=settings, seed=seed)
    n_described = 1 + 2 * len(arguments.models)
    told: list[Told] = []
    for each in parallel(work, described, n_described, arguments.cores, "representations"):
        told.append(each)
        log.info(say(each.summary))

    layout = join([each.layout for each in told], tables.LAYOUT)
    neighbours = join([each.neighbours for each in told], tables.NEIGHBOURS)
    tables.write(layout, arguments.layout, tables.LAYOUT)
    tables.write(neighbours, arguments.neighbours, tables.NEIGHBOURS)
    contents: dict[str, object] = {
        "films": len(films),
        "groups": films["group"].nunique(),
        "association": known(associate(sample)),
        "representations": [each.summary for each in told],
        "umap": find_umap()[1],
    }
    write_json(arguments.latent, contents)


if __name__ == "__main__":
    main()

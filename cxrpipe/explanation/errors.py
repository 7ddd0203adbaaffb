"""List the mistakes of one model on test films, and which measured causes are frequent there."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cxrpipe import tables
from cxrpipe.config import Errors, Evaluation, Task, check
from cxrpipe.data.cohort import choose_cohort
from cxrpipe.evaluation.judging.scores import Scores, known
from cxrpipe.evaluation.matching import match
from cxrpipe.evaluation.statistics.calibration import Calibration, read_calibration
from cxrpipe.evaluation.statistics.comparison import holm
from cxrpipe.explanation.mistakes.association import associate, count_cells
from cxrpipe.explanation.mistakes.causes import (
    Cause,
    find_contradicted,
    list_causes,
    name_causes,
)
from cxrpipe.explanation.mistakes.verdicts import (
    draw_mistakes,
    judge_films,
    list_surest,
    mark_shown,
)
from cxrpipe.runtime import UserError, command, derive_seed, write_json

log = logging.getLogger(__name__)


def tell_causes(judged: pd.DataFrame, causes: Sequence[Cause], level: float) -> list[Scores]:
    """Tell of every cause how frequent it is among wrong and among right answers.

    Parameters
    ----------
    judged
        As ``verdicts.judge_films`` returns them.
    level
        Of intervals, from 0 to 1.

    Returns
    -------
    One of each cause, in their order; p is adjusted for all of them (Holm).
    """
    wrong, groups = (judged["right"] == 0).to_numpy(), judged["group"].to_numpy(dtype=str)
    found = [associate(cause.has, wrong, groups, level) for cause in causes]
    adjusted = holm(np.array([each.p for each in found], dtype=np.float64))
    told = []
    for cause, each, p_adjusted in zip(causes, found, adjusted, strict=True):
        (wrong_with, right_with), _ = count_cells(cause.has, wrong).astype(int).tolist()
        estimate = {"value": each.odds_ratio, "low": each.low, "high": each.high}
        told.append(
            {
                "cause": cause.name,
                "meaning": cause.meaning,
                "limit": None if cause.limit is None else known(cause.limit),
                "wrong_with": wrong_with,
                "wrong": int(wrong.sum()),
                "right_with": right_with,
                "right": int((~wrong).sum()),
                "odds_ratio": {key: known(value) for key, value in estimate.items()},
                "p": known(each.p),
                "p_adjusted": known(float(p_adjusted)),
            }
        )
    return told


def choose_test(split: pd.DataFrame, predictions: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Return the test films of a task, of the split of one fold, with what a model predicts."""
    films = match(choose_cohort(split, task), predictions)
    return films[films["subset"] == "test"].reset_index(drop=True)


def refuse_other_findings(calibration: Calibration, task: Task, path: Path) -> None:
    """Raise a UserError if a calibration, read from a path, is of another task."""
    if (calibration.kind, calibration.findings) != (task.kind, task.findings):
        raise UserError(f"{path}: of other findings than the task; calibrate anew")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measures", type=Path, required=True, help="table to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--duplicates", type=Path, required=True, help="table to read")
    parser.add_argument("--left-out", type=Path, required=True, help="table to read")
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--task", required=True, help="Task, as JSON")
    parser.add_argument("--predictions", type=Path, required=True, help="table to read")
    parser.add_argument("--calibration", type=Path, required=True, help="JSON to read")
    parser.add_argument("--settings", required=True, help="Errors, as JSON")
    parser.add_argument("--evaluation", required=True, help="Evaluation, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--errors", type=Path, required=True, help="table to write")
    parser.add_argument("--causes", type=Path, required=True, help="JSON to write")
    return parser.parse_args()


@command
def main() -> None:
    """Look at the mistakes of one model of one fold."""
    arguments = parse_arguments()
    task = check(Task, arguments.task, "--task")
    settings = check(Errors, arguments.settings, "--settings")
    level = check(Evaluation, arguments.evaluation, "--evaluation").level
    calibration = read_calibration(arguments.calibration)
    refuse_other_findings(calibration, task, arguments.calibration)
    split = tables.read(arguments.split, tables.SPLIT).query(f"fold == {arguments.fold}")
    predictions = tables.read(arguments.predictions, tables.predictions(task.findings))
    index = tables.read(arguments.index, tables.INDEX)
    duplicates = tables.read(arguments.duplicates, tables.DUPLICATES)
    left_out = tables.read(arguments.left_out, tables.LEFT_OUT)
    measures = tables.read(arguments.measures, tables.MEASURES)

    judged = judge_films(choose_test(split, predictions, task), task, calibration)
    n_conflicts = int((left_out["reason"] == "conflict").sum())
    contradicted = find_contradicted(index, duplicates)
    causes = list_causes(judged, measures, contradicted, n_conflicts)
    seed = derive_seed(arguments.seed, "errors")
    drawn = draw_mistakes(judged, task, settings.per_finding, seed)
    surest = list_surest(judged)

    listed = judged.assign(
        causes=name_causes(causes, len(judged)),
        shown=mark_shown(judged["radiograph"], drawn, surest),
    )
    tables.write(listed[list(tables.ERRORS.columns)], arguments.errors, tables.ERRORS)
    counts = {
        "n": len(judged),
        "n_wrong": int((judged["right"] == 0).sum()),
        "groups": int(judged["group"].nunique()),
    }
    told = {"causes": tell_causes(judged, causes, level), "drawn": drawn, "surest": surest}
    write_json(arguments.causes, {**counts, **told})
    log.info(f"{counts['n_wrong']:,} of {counts['n']:,} test films are answered wrongly")


if __name__ == "__main__":
    main()

"""What a run holds: its models, and which of them is best on validation."""

from pathlib import Path

from cxrpipe.config import nearest
from cxrpipe.inference.loading import WEIGHTS
from cxrpipe.runtime import UserError, read_json


def list_runs(results: Path) -> list[Path]:
    """List the runs of a folder that have trained models.

    Raises
    ------
    UserError
        If there is none.
    """
    found = {path.parents[3] for path in results.glob(f"*/models/*/fold-*/{WEIGHTS}")}
    if not found:
        raise UserError(f"{results}: no run with trained models here; train one with make run")
    return sorted(found)


def list_models(run: Path) -> list[str]:
    """List the models of a run that are trained.

    Raises
    ------
    UserError
        If there is no such run, or it has no model.
    """
    if not run.is_dir():
        raise UserError(f"{run}: no such folder; give that of a run, as results/<recipe>")
    found = {path.parents[1].name for path in run.glob(f"models/*/fold-*/{WEIGHTS}")}
    if not found:
        raise UserError(f"{run}: no trained models here; give the folder of a run that has ended")
    return sorted(found)


def find_model(run: Path, name: str) -> Path:
    """Return the folder of a model of a run.

    Raises
    ------
    UserError
        If the run has no such model; names the nearest.
    """
    known = list_models(run)
    if name not in known:
        raise UserError(f"{run}: no model '{name}'; {nearest(name, known)}")
    return run / "models" / name


def find_best(run: Path) -> Path:
    """Return the folder of the model of a run that is best on validation.

    Raises
    ------
    UserError
        If the run has not been judged, or has several tasks.
    """
    known = list_models(run)
    if len(known) == 1:
        return run / "models" / known[0]
    path = run / "metrics.json"
    try:
        best = [str(task["best"]) for task in read_json(path)["tasks"].values()]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        told = "not readable, so that no model is known as best"
        raise UserError(f"{path}: {told}; give --model, one of {', '.join(known)}") from error
    if len(best) != 1:
        raise UserError(f"{run}: has a best model for each task; give --model: {', '.join(best)}")
    return find_model(run, best[0])

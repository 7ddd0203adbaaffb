"""What is known of the models of a run: what they are, and how they scored on test films."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxrpipe.inference.loading import WEIGHTS, read_card_of
from cxrpipe.inference.runs import list_models
from cxrpipe.reporting.columns import BOUNDS, Columns, spread
from cxrpipe.runtime import UserError, read_json

MACRO = ("f1", "auc")
ESTIMATES = ("accuracy", *(f"macro_{name}" for name in MACRO))
SCORES = (
    *("best", "chosen_by", "level", "n_films"),
    *(f"{name}{part}" for name in ESTIMATES for part in ("", "_low", "_high")),
    *("coverage_wanted", "coverage", "guard_refused", "guard_n"),
)


def describe_models(run: Path) -> list[Columns]:
    """Describe every trained model of a run, by its card and its scores.

    Returns
    -------
    Of each model the same columns. ``path`` is what ``Classifier.load`` takes; ``n_films`` are the
    test films that all scores rest on; the bounds are those of intervals of ``level`` over
    patients; ``coverage`` is the share of test films whose conformal set holds the truth, and
    ``guard_refused`` of ``guard_n`` test films are refused as unlike those of training. What is not
    known is None: all scores, if the run has not been judged.

    Raises
    ------
    UserError
        If there is no such run, or one of its files is broken or of another version.
    """
    metrics = _read(run / "metrics.json")
    return [_describe(run, name, metrics) for name in list_models(run)]


def _describe(run: Path, name: str, metrics: Mapping[str, Any]) -> Columns:
    folder = run / "models" / name
    weights = min(folder.glob(f"fold-*/{WEIGHTS}"), key=_fold)
    card = read_card_of(weights)
    summary, guard = (_read(weights.with_name(file)) for file in ("summary.json", "guard.json"))
    try:
        known = _scores(name, metrics) if name in metrics.get("models", {}) else {}
        tested = guard.get("test", {})
        known |= {f"guard_{key}": tested.get(key) for key in ("refused", "n")}
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{run}: its scores are of another version; evaluate it anew") from error
    return {
        "run": str(run),
        "model": name,
        "task": summary.get("task", ""),
        "kind": card.kind,
        "findings": card.findings,
        "architecture": card.model.architecture,
        "side": card.side,
        "size_bytes": weights.stat().st_size,
        "path": str(weights.parent if _fold(weights) else folder),
    } | {column: known.get(column) for column in SCORES}


def _fold(weights: Path) -> int:
    return int(weights.parent.name.removeprefix("fold-"))


def _scores(name: str, metrics: Mapping[str, Any]) -> Columns:
    model = metrics["models"][name]
    task, test, sets = metrics["tasks"][model["task"]], model["test"], model["conformal"]
    scores: Columns = {
        "best": task["best"] == name,
        "chosen_by": task["chosen_by"],
        "level": metrics["bootstrap"]["level"],
        "n_films": test["n"],
        "coverage_wanted": sets["wanted"],
        "coverage": sets["coverage"]["value"],
    }
    scores |= spread("accuracy", test["accuracy"], *BOUNDS)
    for score in MACRO:
        scores |= spread(f"macro_{score}", test["macro"][score], *BOUNDS)
    return scores


def _read(path: Path) -> Mapping[str, Any]:
    """Read a JSON file of keys and values, or nothing where there is none."""
    try:
        return dict(read_json(path)) if path.exists() else {}
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path}: not readable as JSON ({error}); evaluate the run anew") from error

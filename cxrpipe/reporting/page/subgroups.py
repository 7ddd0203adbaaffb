"""How models do on films of other collections, and in parts of the test films."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxrpipe.reporting.page.blocks import Block, Table, Words
from cxrpipe.reporting.page.wording import say_interval, say_list

WHERE = "metrics.json: models.{}.subgroups"
KINDS = {"source": "collection", "view": "view", "sex": "sex", "age": "age in years"}
INTERNAL = (
    "Internal validation only: every collection with test films has trained or chosen every model. "
    "How the models do on films of another hospital is not known from these data."
)
EXTERNAL = (
    "External validation: {held_out}. Other devices, patients and labels can lower a score there, "
    "as well as what a model leans on in the collections that it knows."
)
PARTS = (
    "Scores in parts of the test films, at the same threshold. A part of few films has a wide "
    "interval; parts differ in their findings too, so that accuracy alone is no fair comparison. "
    "Macro scores are over the findings that the part shows; their number stands beside. "
    "Where every film has one finding, a part of a single finding has no macro score."
)
MATRIX = (
    "Rows are models, by the collection that trained them; columns are collections of test films. "
    "Cells: macro {score}. A star marks the collection that trained the model."
)
SCORE = {"f1": "F1", "auc": "AUC"}
EVERYTHING = "all"


def models_of(metrics: Mapping[str, Any], task: str) -> dict[str, Mapping[str, Any]]:
    """Return what metrics.json holds of each model of a task."""
    return {name: model for name, model in metrics["models"].items() if model["task"] == task}


def say_held_out(models: Mapping[str, Mapping[str, Any]]) -> str:
    """Say which collections never trained nor chose which models; empty if there are none."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, model in models.items():
        alike.setdefault(tuple(model["held_out"]), []).append(name)
    if not any(alike):
        return ""
    said = [
        f"no film of {say_list(held_out)} has trained or chosen "
        + (say_list(names) if len(alike) > 1 else "any model")
        for held_out, names in alike.items()
        if held_out
    ]
    none = [f"no collection is held out of {say_list(alike[()])}"] if () in alike else []
    return "; ".join(said + none)


def source_table(models: Mapping[str, Mapping[str, Any]], *, held_out: bool) -> pd.DataFrame:
    """Return the scores of every model on each collection, held out of its training or not."""
    rows = [
        {"collection": source, "model": name} | _scores(part)
        for name, model in models.items()
        for source, part in model["subgroups"]["source"].items()
        if part["held_out"] is held_out
    ]
    return pd.DataFrame(rows)


def part_table(model: Mapping[str, Any]) -> pd.DataFrame:
    """Return the scores of a model in every part of the test films."""
    rows = [
        {"by": KINDS[kind], "part": part, "held out": scored.get("held_out", "")} | _scores(scored)
        for kind, parts in model["subgroups"].items()
        for part, scored in parts.items()
    ]
    return pd.DataFrame(rows)


def _scores(part: Mapping[str, Any]) -> dict[str, object]:
    return {
        "n": part["n"],
        "groups": part["groups"],
        "findings": part["n_findings"],
        "accuracy": say_interval(part["accuracy"]),
        "macro F1": say_interval(part["macro"]["f1"]),
        "macro AUC": say_interval(part["macro"]["auc"]),
    }


def matrix_table(models: Mapping[str, Mapping[str, Any]], score: str) -> pd.DataFrame:
    """Return a macro score of every model on each collection of test films.

    Parameters
    ----------
    score
        ``f1`` or ``auc``.
    """
    rows = []
    for name, model in models.items():
        row = {"model": name, "trained on": model["trained_on"] or EVERYTHING}
        for source, part in model["subgroups"]["source"].items():
            own = " *" if source == model["trained_on"] else ""
            row[f"tested on {source}"] = say_interval(part["macro"][score]) + own
        rows.append(row)
    return pd.DataFrame(rows)


def tell_subgroups(metrics: Mapping[str, Any], name: str) -> list[Block]:
    """Tell how the models of a task do on held out collections and in parts of the test films."""
    best, models = metrics["tasks"][name]["best"], models_of(metrics, name)
    held_out = say_held_out(models)
    blocks: list[Block] = [Words([EXTERNAL.format(held_out=held_out) if held_out else INTERNAL])]
    if held_out:
        blocks += [
            Table(caption, rows, WHERE.format("*"))
            for caption, outside in (("Held out of training", True), ("Not held out", False))
            if len(rows := source_table(models, held_out=outside))
        ]
    blocks.append(Words([PARTS]))
    for model in sorted(models, key=lambda model: model != best):
        caption, rows = f"Parts of the test films: {model}", part_table(models[model])
        blocks.append(Table(caption, rows, WHERE.format(model), folded=model != best))
    return blocks


def tell_matrix(metrics: Mapping[str, Any], name: str) -> list[Block]:
    """Tell how models that one collection trained do on the others; nothing if there are none."""
    score, models = metrics["tasks"][name]["chosen_by"], models_of(metrics, name)
    if not any(model["trained_on"] for model in models.values()):
        return []
    caption = f"Macro {SCORE[score]} by collection of training and of test"
    return [
        Words([MATRIX.format(score=SCORE[score])]),
        Table(caption, matrix_table(models, score), WHERE.format("*")),
    ]

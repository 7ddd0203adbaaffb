"""Published scores beside a run's own: one table, and in every row whose films it is about."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxrpipe.evaluation.statistics import metrics as scores_of
from cxrpipe.reporting.columns import BOUNDS, Columns, spread
from cxrpipe.reporting.results import say, say_estimates
from cxrpipe.studies import PublishedModel, Study

MACRO = ("precision", "recall", "specificity", "f1", "auc")
COUNTED = ("precision", "recall", "specificity", "f1")  # from a confusion matrix alone
SCORES = ("accuracy", "one_vs_rest_accuracy", *(f"macro_{score}" for score in MACRO))
NAMED = ("study", "model", "task", "other_data", "n", "accuracy_published", "accuracy_is")
ABOUT = ("title", "citation", "films", "caution", "remark")
TEXTS = ("study", "model", "task", "accuracy_is", *ABOUT)
DATA = {0: "this run", 1: "other data"}
KINDS = {"one_vs_rest": " (one-vs-rest)", "not stated": " (of which kind is not stated)"}
SHOWN = {
    "accuracy": "accuracy",
    "one_vs_rest_accuracy": "one-vs-rest accuracy",
    "macro_f1": "macro F1",
    "macro_auc": "macro AUC",
}
SPELLED = {"recall": "Sensitivity", "f1": "F1", "auc": "AUC"}
NONE_NAMED = (
    "No published study is named; evaluation.published of the recipe names those of "
    "config/published.yaml that are to stand here."
)
NOTES = (
    "Rows marked other data are of other studies, with films, patients and divisions of their own, "
    "so that these numbers rank nothing: a higher one shows no better model.",
    "Where a study published its confusion matrix, scores were computed anew from it; all else "
    "stands as published, and what was not published is empty. Intervals are those of this run.",
)


def build_literature(
    metrics: Mapping[str, Any], models: Sequence[str], studies: Mapping[str, Study]
) -> pd.DataFrame:
    """Build the table: this run's models in their order, then those of each study.

    Without a study it has no row.

    Returns
    -------
    ``NAMED``, ``SCORES`` with the bounds of this run's intervals, the scores of single findings
    that a study gives, and ``ABOUT``. ``macro_f1`` and the like are means over findings; what is
    not known is NaN.
    """
    single = _list_single(studies)
    rows = [_own_row(metrics, model, single) for model in models] if studies else []
    for name, study in studies.items():
        about = {key: getattr(study, key) for key in ABOUT}
        rows += [_published_row(name, study, row) | about for row in study.models]
    names = [*SCORES, *(f"{score}_{finding}" for score, finding in single)]
    spread_names = [f"{name}{end}" for name, end in product(names, ("", "_low", "_high"))]
    table = pd.DataFrame(rows, columns=[*NAMED, *spread_names, *ABOUT])
    return _typed(table.astype(dict.fromkeys(["accuracy_published", *spread_names], "float64")))


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    texts = table[[*TEXTS]].astype("str").fillna("")
    return table.assign(**texts).astype({"other_data": "int64", "n": "Int64"})


def _list_single(studies: Mapping[str, Study]) -> list[tuple[str, str]]:
    """List each score and finding of which a study gives the score by itself."""
    given = {
        (str(score), finding): None
        for study in studies.values()
        for row in study.models
        for score, values in row.by_finding.items()
        for finding in values
    }
    return list(given)


def _own_row(metrics: Mapping[str, Any], model: str, single: Sequence[tuple[str, str]]) -> Columns:
    told = metrics["models"][model]
    test = told["test"]
    columns: Columns = {"model": model, "task": told["task"], "other_data": 0, "n": test["n"]}
    for name in ("accuracy", "one_vs_rest_accuracy"):
        columns |= spread(name, test[name], *BOUNDS)
    for score in MACRO:
        columns |= spread(f"macro_{score}", test["macro"][score], *BOUNDS)
    for score, finding in single:
        if finding in test["findings"]:
            columns |= spread(f"{score}_{finding}", test["findings"][finding][score], *BOUNDS)
    return columns


def _published_row(name: str, study: Study, row: PublishedModel) -> Columns:
    columns: Columns = {"study": name, "model": row.model, "other_data": 1, "n": study.n}
    if row.accuracy is not None:
        columns |= {"accuracy_published": row.accuracy, "accuracy_is": study.accuracy_is}
    if study.accuracy_is == "accuracy":
        columns["accuracy"] = row.accuracy
    elif study.accuracy_is == "one_vs_rest":
        columns["one_vs_rest_accuracy"] = row.accuracy
    columns |= {f"macro_{score}": getattr(row, score) for score in MACRO}
    columns |= recompute(row.confusion) if row.confusion else {}
    for score, values in row.by_finding.items():
        columns |= {f"{score}_{finding}": value for finding, value in values.items()}
    return columns


def recompute(confusion: Sequence[Sequence[int]]) -> dict[str, float]:
    """Compute what a confusion matrix tells: rows are true, columns predicted findings.

    Returns
    -------
    Those of ``SCORES`` that need no probabilities.
    """
    counts = np.array(confusion)
    overall = {name: getattr(scores_of, name)(counts) for name in SCORES[:2]}
    means = {
        f"macro_{score}": scores_of.macro(getattr(scores_of, score)(counts)) for score in COUNTED
    }
    return {name: float(value) for name, value in (overall | means).items()}


def read_literature(path: Path) -> pd.DataFrame:
    """Read the table as it was written; names stay text, and empty numbers are NaN."""
    texts = dict.fromkeys(TEXTS, "str")
    return _typed(pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=[""]))


def for_people(literature: pd.DataFrame) -> pd.DataFrame:
    """Return the scores over findings as people read them."""
    shown = _say_whose(literature)
    shown["n"] = say(literature["n"], "{:,}")
    kind = literature["accuracy_is"].map(KINDS).fillna("")
    shown["accuracy as published"] = say(literature["accuracy_published"], "{:.4f}") + kind
    for column, heading in SHOWN.items():
        shown[heading] = _say_scores(literature, column)
    return shown


def _say_whose(literature: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that say of every row what it is about."""
    own = literature["other_data"] == 0
    study = literature["study"]
    if len(set(literature.loc[own, "task"])) > 1:
        study = study.mask(own, "task " + literature["task"])
    data = literature["other_data"].map(DATA)
    return pd.DataFrame({"model": literature["model"], "data": data, "study": study})


def _say_scores(literature: pd.DataFrame, column: str) -> "pd.Series[str]":
    """Write a score of every row; what was not published is an empty cell."""
    unpublished = (literature["other_data"] == 1) & literature[column].isna()
    return say_estimates(literature, column).mask(unpublished, "")


def tables_by_finding(literature: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return a table, with its heading, of every score that a study gives of single findings.

    It has a row for each model of which the score of at least one of these findings is known.
    """
    tables = {}
    for score in MACRO:
        names = [name for name in map(str, literature) if name.startswith(f"{score}_")]
        columns = [name for name in names if not name.endswith(BOUNDS)]
        known = literature[columns].notna().any(axis=1)
        if known.any():
            table = _say_whose(literature)
            for column in columns:
                table[column.removeprefix(f"{score}_")] = say(literature[column], "{:.3f}")
            heading = f"{SPELLED.get(score, score.capitalize())} of single findings"
            tables[heading] = table[known]
    return tables


def describe_studies(literature: pd.DataFrame) -> list[str]:
    """Say of each study what it is, which films it tested, and what to be careful about."""
    said = []
    for name, rows in literature[literature["other_data"] == 1].groupby("study", sort=False):
        about = rows.iloc[0]
        n = "n not stated" if pd.isna(about["n"]) else f"n = {about['n']:,}"
        where = f" ({about['citation']})" if about["citation"] else ""
        parts = [f"{name}: {about['title']}{where}. Tested on {about['films']}, {n}."]
        said.append(" ".join([*parts, *filter(None, [about["caution"], about["remark"]])]))
    return said

"""The results as tables for people, and the notes without which they would be misread."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxrpipe.runtime import RESEARCH_USE


def model_row(
    name: str, best: str, scores: Mapping[str, Any], summary: Mapping[str, Any]
) -> dict[str, object]:
    """Return one model's row: what it is, how long it trained, its scores on the test films."""
    return {
        "model": name,
        "best": int(name == best),
        "architecture": summary["architecture"],
        "weights": summary["weights"],
        "parameters": summary["parameters"],
        "trainable": summary["trainable"],
        "batch": summary["batch"],
        "epochs": summary["epochs"],
        "best_epoch": summary["best_epoch"],
        "size_bytes": summary["size_bytes"],
    } | score_columns(scores)


def score_columns(scores: Mapping[str, Any]) -> dict[str, object]:
    """Return the columns that every row has: n, accuracy, macro scores, F1 of each finding."""
    columns: dict[str, object] = {"n": scores["n"], "accuracy": scores["accuracy"]}
    columns |= scores["macro"]
    return columns | {f"f1_{name}": values["f1"] for name, values in scores["findings"].items()}


def localisation_columns(localisation: Mapping[str, Any]) -> dict[str, object]:
    """Return the pointing game's columns, empty where no lesion is known."""
    names = {"n": "pointing_n", "share": "pointing", "chance_lungs": "pointing_chance"}
    return {column: localisation.get(key) for key, column in names.items()}


def build_table(
    metrics: Mapping[str, Any],
    summaries: Mapping[str, Mapping[str, Any]],
    localisations: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    """Build the table from the scores; models in the recipe's order, then ``majority``."""
    rows = [
        model_row(name, metrics["best"], scores["test"], summaries[name])
        | localisation_columns(localisations[name])
        for name, scores in metrics["models"].items()
    ]
    baseline = {"model": "majority", "best": 0} | score_columns(metrics["majority"]["test"])
    counts = ["parameters", "trainable", "batch", "epochs", "best_epoch", "size_bytes"]
    table = pd.DataFrame([*rows, baseline])
    return table.astype(dict.fromkeys([*counts, "pointing_n"], "Int64"))


def for_people(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that people compare, rounded, the best model marked with a star."""
    shown = pd.DataFrame(
        {
            "model": table["model"].where(table["best"] == 0, table["model"] + " *"),
            "parameters": [f"{n / 1e6:.2f} M" if pd.notna(n) else "" for n in table["parameters"]],
            "epochs": [
                f"{best:.0f} of {epochs:.0f}" if pd.notna(best) else ""
                for best, epochs in zip(table["best_epoch"], table["epochs"], strict=True)
            ],
        }
    )
    names = {
        "accuracy": "accuracy",
        "precision": "macro precision",
        "recall": "macro recall",
        "f1": "macro F1",
        "auc": "macro AUC",
    }
    for column, name in names.items():
        shown[name] = table[column].map("{:.3f}".format)
    if table["pointing"].notna().any():
        shown["points at lesion"] = [f"{x:.0%}" if pd.notna(x) else "" for x in table["pointing"]]
    return shown


def finding_table(metrics: Mapping[str, Any]) -> pd.DataFrame:
    """Return F1 on the test films of each finding by model, with n."""
    columns: dict[str, list[object]] = {"finding": [], "n test": []}
    for finding, values in metrics["majority"]["test"]["findings"].items():
        columns["finding"].append(finding)
        columns["n test"].append(values["n"])
    for name, scores in metrics["models"].items():
        columns[f"F1 {name}"] = [
            f"{values['f1']:.3f}" for values in scores["test"]["findings"].values()
        ]
    return pd.DataFrame(columns)


def localisation_note(best: str, localisation: Mapping[str, Any]) -> str:
    """Say how often the best model's heatmaps point at the known lesion, beside chance."""
    if not localisation["n"]:
        return "No lesion masks: where the heatmaps point was not scored."
    return (
        f"Pointing game of {best}: the maximum of Grad-CAM lies inside the known lesion in "
        f"{localisation['hits']} of {localisation['n']} rightly classified abnormal test films "
        f"({localisation['share']:.0%}); a random point of the film would in "
        f"{localisation['chance_film']:.0%}, a random point of the lungs in "
        f"{localisation['chance_lungs']:.0%}."
    )


def notes(
    metrics: Mapping[str, Any], localisation: Mapping[str, Any], synthetic: bool
) -> Sequence[str]:
    """Return the sentences without which the table would be misread."""
    best = metrics["best"]
    scores = metrics["models"][best]["test"]
    baseline = metrics["majority"]["test"]
    lines = [
        f"All scores are from n = {scores['n']} test films that no training and no choice has "
        "seen. The star marks the best macro F1 on validation; the epoch kept is that of lowest "
        "validation loss.",
        f"Best model {best}: macro F1 {scores['macro']['f1']:.3f}; always naming the commonest "
        f"finding (majority): {baseline['macro']['f1']:.3f}.",
        localisation_note(best, localisation),
    ]
    if synthetic:
        lines.append("SYNTHETIC: these radiographs were drawn by a program; no patient is shown.")
    return [*lines, RESEARCH_USE]

"""The results table: its rows, what people read of it, and the notes, all by hand."""

import json
import logging
import sys

import pandas as pd
import pytest

from cxrpipe.reporting.results import (
    build_table,
    finding_table,
    for_people,
    localisation_note,
    notes,
)
from cxrpipe.reporting.table import main
from cxrpipe.runtime import RESEARCH_USE


def scores(accuracy, f1, n=(30, 10)):
    values = {"precision": 0.5, "recall": 0.25, "f1": f1, "auc": 0.75}
    return {
        "n": sum(n),
        "accuracy": accuracy,
        "macro": values,
        "findings": {
            "normal": values | {"n": n[0], "f1": f1 + 0.1},
            "viral_pneumonia": values | {"n": n[1], "f1": f1 - 0.1},
        },
        "confusion": [],
    }


METRICS = {
    "findings": ["normal", "viral_pneumonia"],
    "best": "small",
    "majority": {"validation": scores(0.7, 0.41), "test": scores(0.75, 0.43)},
    "models": {
        "large": {"validation": scores(0.6, 0.5), "test": scores(0.97, 0.96)},
        "small": {"validation": scores(0.8, 0.7), "test": scores(0.8764, 0.8125)},
    },
}
LOCALISATIONS = {
    "large": {"n": 0},
    "small": {"n": 8, "hits": 6, "share": 0.75, "chance_film": 0.06, "chance_lungs": 0.2},
}


def summary(architecture, parameters):
    return {
        "architecture": architecture,
        "weights": "none",
        "parameters": parameters,
        "trainable": parameters - 1,
        "batch": 32,
        "epochs": 14,
        "best_epoch": 9,
        "size_bytes": 4 * parameters,
    }


SUMMARIES = {"large": summary("resnet18", 11_170_000), "small": summary("resnet10t", 372_691)}


def table():
    return build_table(METRICS, SUMMARIES, LOCALISATIONS)


def test_rows_stand_in_the_order_of_the_recipe_with_the_baseline_last():
    assert table()["model"].tolist() == ["large", "small", "majority"]
    assert table()["best"].tolist() == [0, 1, 0]


def test_a_row_holds_the_scores_of_the_test_films_and_what_was_trained():
    assert table().iloc[1].to_dict() == {
        "model": "small",
        "best": 1,
        "architecture": "resnet10t",
        "weights": "none",
        "parameters": 372_691,
        "trainable": 372_690,
        "batch": 32,
        "epochs": 14,
        "best_epoch": 9,
        "size_bytes": 1_490_764,
        "n": 40,
        "accuracy": 0.8764,
        "precision": 0.5,
        "recall": 0.25,
        "f1": 0.8125,
        "auc": 0.75,
        "f1_normal": 0.8125 + 0.1,
        "f1_viral_pneumonia": 0.8125 - 0.1,
        "pointing_n": 8,
        "pointing": 0.75,
        "pointing_chance": 0.2,
    }


def test_the_baseline_has_scores_and_no_network():
    baseline = table().iloc[2].dropna().to_dict()
    assert {"parameters", "architecture", "best_epoch", "pointing", "pointing_n"}.isdisjoint(
        baseline
    )
    assert (baseline["n"], baseline["accuracy"], baseline["f1"]) == (40, 0.75, 0.43)


ROWS = [
    ["large", "11.17 M", "9 of 14", "0.970", "0.500", "0.250", "0.960", "0.750", ""],
    ["small *", "0.37 M", "9 of 14", "0.876", "0.500", "0.250", "0.812", "0.750", "75%"],
    ["majority", "", "", "0.750", "0.500", "0.250", "0.430", "0.750", ""],
]


def test_people_see_rounded_columns_and_a_star_at_the_best():
    shown = for_people(table())
    assert shown.to_numpy().tolist() == ROWS
    assert shown.columns.tolist()[-2:] == ["macro AUC", "points at lesion"]


def test_people_see_the_same_after_the_table_was_written_and_read(tmp_path):
    table().to_csv(tmp_path / "table.csv", index=False)
    assert for_people(pd.read_csv(tmp_path / "table.csv")).to_numpy().tolist() == ROWS


def test_the_pointing_game_is_not_shown_where_no_lesion_is_known():
    unknown = build_table(METRICS, SUMMARIES, {name: {"n": 0} for name in SUMMARIES})
    assert "points at lesion" not in for_people(unknown)
    assert [row[:-1] for row in ROWS] == for_people(unknown).to_numpy().tolist()


def test_f1_of_each_finding_stands_beside_its_number_of_films():
    assert finding_table(METRICS).to_dict("list") == {
        "finding": ["normal", "viral_pneumonia"],
        "n test": [30, 10],
        "F1 large": ["1.060", "0.860"],
        "F1 small": ["0.912", "0.713"],
    }


def test_the_notes_name_the_best_model_its_baseline_and_the_use():
    films, best, pointing, use = notes(METRICS, LOCALISATIONS["small"], synthetic=False)
    assert "n = 40 test films" in films
    assert best == (
        "Best model small: macro F1 0.812; always naming the commonest finding (majority): 0.430."
    )
    assert pointing == (
        "Pointing game of small: the maximum of Grad-CAM lies inside the known lesion in 6 of 8 "
        "rightly classified abnormal test films (75%); a random point of the film would in 6%, "
        "a random point of the lungs in 20%."
    )
    assert use == RESEARCH_USE


def test_synthetic_films_are_called_so():
    lines = notes(METRICS, LOCALISATIONS["small"], synthetic=True)
    assert [line for line in lines if "SYNTHETIC" in line] == [lines[3]]
    assert "no patient is shown" in lines[3]
    assert lines[4] == RESEARCH_USE


def test_unknown_lesions_are_said_to_be_unknown():
    assert localisation_note("large", {"n": 0}).startswith("No lesion masks")


@pytest.mark.parametrize("synthetic", [0, 1])
def test_the_command_writes_csv_and_markdown(synthetic, tmp_path, monkeypatch):
    files = {"metrics.json": METRICS}
    for name in SUMMARIES:
        files |= {f"{name}-s.json": SUMMARIES[name], f"{name}-l.json": LOCALISATIONS[name]}
    for file, content in files.items():
        (tmp_path / file).write_text(json.dumps(content))
    flags = ["--title", "A title", "--synthetic", synthetic, "--models", *SUMMARIES]
    flags += ["--metrics", tmp_path / "metrics.json"]
    flags += ["--summaries", *[tmp_path / f"{name}-s.json" for name in SUMMARIES]]
    flags += ["--localisations", *[tmp_path / f"{name}-l.json" for name in SUMMARIES]]
    flags += ["--csv", tmp_path / "table.csv", "--markdown", tmp_path / "table.md"]
    monkeypatch.setattr(sys, "argv", ["table", *map(str, flags)])
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    main()
    written = pd.read_csv(tmp_path / "table.csv")
    assert written["f1"].tolist() == [0.96, 0.8125, 0.43]
    assert "11170000,11169999,32,14,9" in (tmp_path / "table.csv").read_text()
    page = (tmp_path / "table.md").read_text()
    assert page.startswith("# A title\n\n| model ")
    assert ("SYNTHETIC" in page) == bool(synthetic)
    assert RESEARCH_USE in page
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines()]
    assert all(row in cells for row in ROWS)
    assert ["viral_pneumonia", "10", "0.860", "0.713"] in cells

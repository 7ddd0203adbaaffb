"""The results table: its rows, what people read of it, and the notes, all by hand."""

import json
import logging
import sys

import pandas as pd
import pytest

from cxrpipe.reporting.page.sections import (
    closing_notes,
    describe_tasks,
    epoch_note,
    localisation_note,
    notes,
)
from cxrpipe.reporting.results import build_table, finding_table, for_people, read_table
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


def of_fold(validation, test):
    return {"validation": scores(*validation), "test": scores(*test)}


METRICS = {
    "tasks": {
        "findings": {
            "kind": "single",
            "findings": ["normal", "viral_pneumonia"],
            "best": "small",
            "majority": of_fold((0.7, 0.41), (0.75, 0.43)),
        }
    },
    "models": {
        "large": {"task": "findings", "folds": [of_fold((0.6, 0.5), (0.97, 0.96))]},
        "small": {"task": "findings", "folds": [of_fold((0.8, 0.7), (0.8764, 0.8125))]},
    },
}
LOCALISATIONS = {
    "large": {"n": 0},
    "small": {"n": 8, "hits": 6, "share": 0.75, "chance_film": 0.06, "chance_lungs": 0.2},
}


def summary(architecture, parameters, **told):
    return {
        "architecture": architecture,
        "head": "linear",
        "dropout": 0.0,
        "weights": "none",
        "task": "findings",
        "side": 224,
        "parameters": parameters,
        "trainable": parameters - 1,
        "batch": 32,
        "epochs": 14,
        "best_epoch": 9,
        "kept": "best",
        "monitor": "loss",
        "size_bytes": 4 * parameters,
    } | told


SUMMARIES = {"large": summary("resnet18", 11_170_000), "small": summary("resnet10t", 372_691)}

# Two tasks: the one above, and two findings that are a yes or no of their own, of which no test
# film shows a hernia.
UNKNOWN = {"precision": None, "recall": None, "f1": None, "auc": None}


def answers(auc):
    """No F1 can be estimated of hernia, nor anything else."""
    mass = {"precision": 0.5, "recall": 0.25, "f1": 0.3, "auc": auc}
    findings = {"mass": mass | {"n": 7}, "hernia": UNKNOWN | {"n": 0}}
    return {"n": 90, "accuracy": 0.9, "macro": mass, "findings": findings, "confusion": [[0]]}


def of_answers(*aucs):
    return [{"validation": answers(auc), "test": answers(auc)} for auc in aucs]


TWO_METRICS = {
    "tasks": METRICS["tasks"]
    | {
        "nih": {
            "kind": "multi",
            "findings": ["mass", "hernia"],
            "best": "dense",
            "majority": of_answers(0.5)[0],
        }
    },
    "models": METRICS["models"] | {"dense": {"task": "nih", "folds": of_answers(0.7, 0.9)}},
}
TWO_SUMMARIES = SUMMARIES | {"dense": summary("densenet121", 7_000_000, side=320)}
TWO_LOCALISATIONS = LOCALISATIONS | {"dense": {"n": 0}}


def table():
    return build_table(METRICS, SUMMARIES, LOCALISATIONS)


def test_rows_stand_in_the_order_of_the_recipe_with_the_baseline_last():
    assert table()["model"].tolist() == ["large", "small", "majority"]
    assert table()["best"].tolist() == [0, 1, 0]


def test_a_row_holds_the_scores_of_the_test_films_and_what_was_trained():
    assert table().iloc[1].to_dict() == {
        "model": "small",
        "task": "findings",
        "best": 1,
        "architecture": "resnet10t",
        "head": "linear",
        "dropout": 0,
        "weights": "none",
        "side": 224,
        "parameters": 372_691,
        "trainable": 372_690,
        "batch": 32,
        "epochs": 14,
        "best_epoch": 9,
        "kept": "best",
        "monitor": "loss",
        "size_bytes": 1_490_764,
        "folds": 1,
        "n": 40,
        "accuracy": 0.8764,
        "precision": 0.5,
        "recall": 0.25,
        "f1": 0.8125,
        "auc": 0.75,
        "f1_normal": 0.8125 + 0.1,
        "f1_viral_pneumonia": round(0.8125 - 0.1, 6),
        "auc_normal": 0.75,
        "auc_viral_pneumonia": 0.75,
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
    ["large", "11.17 M", "11.17 M", "9 of 14", "0.970", "0.500", "0.250", "0.960", "0.750", ""],
    ["small *", "0.37 M", "0.37 M", "9 of 14", "0.876", "0.500", "0.250", "0.812", "0.750", "75%"],
    ["majority", "", "", "", "0.750", "0.500", "0.250", "0.430", "0.750", ""],
]


def test_people_see_rounded_columns_and_a_star_at_the_best():
    shown = for_people(table())
    assert shown.to_numpy().tolist() == ROWS
    assert shown.columns.tolist()[-2:] == ["macro AUC", "points at lesion"]


def test_people_see_the_same_after_the_table_was_written_and_read(tmp_path):
    table().to_csv(tmp_path / "table.csv", index=False)
    assert for_people(read_table(tmp_path / "table.csv")).to_numpy().tolist() == ROWS


def test_the_pointing_game_is_not_shown_where_no_lesion_is_known():
    unknown = build_table(METRICS, SUMMARIES, {name: {"n": 0} for name in SUMMARIES})
    assert "points at lesion" not in for_people(unknown)
    assert [row[:-1] for row in ROWS] == for_people(unknown).to_numpy().tolist()


def test_f1_of_each_finding_stands_beside_its_number_of_films():
    assert finding_table(METRICS, "findings").to_dict("list") == {
        "finding": ["normal", "viral_pneumonia"],
        "n test": [30, 10],
        "F1 large": ["1.060", "0.860"],
        "F1 small": ["0.912", "0.713"],
    }


def test_settings_are_shown_where_they_vary():
    varied = {"large": SUMMARIES["large"] | {"side": 320, "dropout": 0.5, "head": "128"}}
    table = build_table(METRICS, SUMMARIES | varied, LOCALISATIONS)
    shown = for_people(table)
    assert shown.columns.tolist()[:5] == ["model", "side", "head", "dropout", "parameters"]
    assert shown.iloc[:, 1:4].to_numpy().tolist() == [
        ["320", "128", "0.5"],
        ["224", "linear", "0"],
        ["", "", ""],
    ]


def test_settings_are_read_as_they_were_written(tmp_path):
    varied = {
        name: told | {"head": head}
        for (name, told), head in zip(SUMMARIES.items(), ["128", "64"], strict=True)
    }
    build_table(METRICS, varied, LOCALISATIONS).to_csv(tmp_path / "t.csv", index=False)
    assert for_people(read_table(tmp_path / "t.csv"))["head"].tolist() == ["128", "64", ""]


def test_every_task_has_its_rows_and_its_majority():
    table = build_table(TWO_METRICS, TWO_SUMMARIES, TWO_LOCALISATIONS)
    assert table[["model", "task", "best"]].to_numpy().tolist() == [
        ["large", "findings", 0],
        ["small", "findings", 1],
        ["dense", "nih", 1],
        ["majority", "findings", 0],
        ["majority", "nih", 0],
    ]


def test_scores_of_folds_are_their_mean_and_unknown_ones_are_empty():
    table = build_table(TWO_METRICS, TWO_SUMMARIES, TWO_LOCALISATIONS)
    dense = table.iloc[2]
    assert (dense["folds"], dense["n"], dense["auc"], dense["auc_mass"]) == (2, 90, 0.8, 0.8)
    assert pd.isna(dense[["f1_hernia", "auc_hernia", "f1_normal"]]).all()
    assert finding_table(TWO_METRICS, "nih").to_numpy().tolist() == [
        ["mass", 7, "0.800"],
        ["hernia", 0, ""],
    ]


def test_tasks_are_told_one_by_one_with_their_own_best_model_and_score():
    table = build_table(TWO_METRICS, TWO_SUMMARIES, TWO_LOCALISATIONS)
    first, second = describe_tasks(TWO_METRICS, table, TWO_LOCALISATIONS)
    assert first.scores.to_numpy().tolist() == ROWS
    assert second.scores["model"].tolist() == ["dense *", "majority"]
    films, folds, kind, best, pointing = second.notes
    assert "n = 90 test films" in films
    assert "The star marks the best macro AUC on validation" in films
    assert "means over 2 folds" in folds
    assert "accuracy is the share of right answers over all films and findings" in kind
    assert best == (
        "Best model dense: macro AUC 0.800; always giving the commoner answer for each finding "
        "(majority): 0.500."
    )
    assert pointing == localisation_note("dense", {"n": 0})


def test_a_score_that_cannot_be_estimated_is_said_to_be_so():
    unknown = {"validation": answers(None), "test": answers(None)}
    metrics = {
        "tasks": {"nih": TWO_METRICS["tasks"]["nih"] | {"majority": unknown}},
        "models": {"dense": {"task": "nih", "folds": [unknown]}},
    }
    table = build_table(metrics, TWO_SUMMARIES, TWO_LOCALISATIONS)
    (section,) = describe_tasks(metrics, table, TWO_LOCALISATIONS)
    assert section.scores["macro AUC"].tolist() == ["", ""]
    assert "macro AUC not estimable; " in section.notes[2]
    assert "nan" not in " ".join(section.notes).lower()


def test_the_notes_name_the_best_model_its_baseline_and_the_use():
    films, best, pointing = notes(METRICS, "findings", table(), LOCALISATIONS["small"])
    assert films == (
        "All scores are from n = 40 test films that no training and no choice has seen. The star "
        "marks the best macro F1 on validation; the epoch kept is that of lowest validation loss."
    )
    assert best == (
        "Best model small: macro F1 0.812; always naming the commonest finding (majority): 0.430."
    )
    assert pointing == (
        "Pointing game of small: the maximum of Grad-CAM lies inside the known lesion in 6 of 8 "
        "rightly classified abnormal test films (75%); a random point of the film would in 6%, "
        "a random point of the lungs in 20%."
    )
    assert closing_notes(synthetic=False) == [RESEARCH_USE]


def test_the_epoch_that_was_kept_is_told_of_every_model():
    def told(**small):
        summaries = SUMMARIES | {"small": SUMMARIES["small"] | small}
        return epoch_note(build_table(METRICS, summaries, LOCALISATIONS))

    assert told(monitor="macro_auc") == (
        "the epoch kept is that of lowest validation loss (large), that of highest validation "
        "macro AUC (small)"
    )
    assert told(kept="last").endswith("that of lowest validation loss (large), the last (small)")


def test_the_last_epoch_is_shown_where_it_was_kept():
    summaries = SUMMARIES | {"small": SUMMARIES["small"] | {"kept": "last"}}
    shown = for_people(build_table(METRICS, summaries, LOCALISATIONS))
    assert shown["epochs"].tolist() == ["9 of 14", "14 of 14", ""]


def test_synthetic_films_are_called_so():
    synthetic, use = closing_notes(synthetic=True)
    assert synthetic.startswith("SYNTHETIC")
    assert "no patient is shown" in synthetic
    assert use == RESEARCH_USE


def test_unknown_lesions_are_said_to_be_unknown():
    assert "no" in localisation_note("large", {"n": 0}).lower().split()
    assert "was not scored" in localisation_note("large", {"n": 0})


def write(folder, monkeypatch, metrics, summaries, localisations, synthetic=0):
    """Run the command and return its Markdown."""
    files = {"metrics.json": metrics}
    for name in summaries:
        files |= {f"{name}-s.json": summaries[name], f"{name}-l.json": localisations[name]}
    for file, content in files.items():
        (folder / file).write_text(json.dumps(content))
    flags = ["--title", "A title", "--synthetic", synthetic, "--models", *summaries]
    flags += ["--metrics", folder / "metrics.json"]
    flags += ["--summaries", *[folder / f"{name}-s.json" for name in summaries]]
    flags += ["--localisations", *[folder / f"{name}-l.json" for name in summaries]]
    flags += ["--csv", folder / "table.csv", "--markdown", folder / "table.md"]
    monkeypatch.setattr(sys, "argv", ["table", *map(str, flags)])
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    main()
    return (folder / "table.md").read_text()


def cells_of(page):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines()]


@pytest.mark.parametrize("synthetic", [0, 1])
def test_the_command_writes_csv_and_markdown(synthetic, tmp_path, monkeypatch):
    page = write(tmp_path, monkeypatch, METRICS, SUMMARIES, LOCALISATIONS, synthetic)
    written = pd.read_csv(tmp_path / "table.csv")
    assert written["f1"].tolist() == [0.96, 0.8125, 0.43]
    assert "224,11170000,11169999,32,14,9" in (tmp_path / "table.csv").read_text()
    assert page.startswith("# A title\n\n| model ")
    assert "##" not in page
    assert ("SYNTHETIC" in page) == bool(synthetic)
    assert RESEARCH_USE in page
    assert all(row in cells_of(page) for row in ROWS)
    assert ["viral_pneumonia", "10", "0.860", "0.713"] in cells_of(page)


def test_several_tasks_have_a_table_each(tmp_path, monkeypatch):
    page = write(tmp_path, monkeypatch, TWO_METRICS, TWO_SUMMARIES, TWO_LOCALISATIONS)
    first, second = page.split("## findings")[1].split("## nih")
    assert all(row in cells_of(first) for row in ROWS)
    assert ["mass", "7", "0.800"] in cells_of(second)
    assert ["hernia", "0", ""] in cells_of(second)
    assert page.count(RESEARCH_USE) == 1
    assert "nan" not in page.lower().split()

"""The results table: its rows, what people read of it, and who differs from whom, all by hand."""

import copy
import json
import logging
import sys

import numpy as np
import pandas as pd
import pytest

from cxrpipe.reporting.differences import list_differences, sum_up_differences
from cxrpipe.reporting.results import (
    build_table,
    embolden,
    finding_table,
    for_people,
    is_best,
    read_table,
)
from cxrpipe.reporting.table import as_narrow_markdown, main
from cxrpipe.runtime import RESEARCH_USE

OVERALL = ("accuracy", "balanced_accuracy", "one_vs_rest_accuracy", "kappa", "mcc")
MACRO = ("precision", "recall", "specificity", "f1", "auc", "ap")


def estimate(value, sd=None):
    """An interval of 0.02 to both sides."""
    if value is None:
        return dict.fromkeys(["value", "low", "high", "sd"])
    return {"value": value, "low": round(value - 0.02, 6), "high": round(value + 0.02, 6), "sd": sd}


def plain(accuracy, f1, findings):
    """Scores without intervals; of the findings: name, n, F1 and AUC."""
    of_all = dict.fromkeys(MACRO, 0.5) | {"f1": f1}
    return {
        "n": sum(n for n, _, _ in findings.values()),
        **dict.fromkeys(OVERALL, 0.6),
        "accuracy": accuracy,
        "macro": of_all,
        "findings": {
            name: {"n": n, **of_all, "f1": f1_of_it, "auc": auc_of_it}
            for name, (n, f1_of_it, auc_of_it) in findings.items()
        },
    }


def measured(accuracy, f1, findings, sd=None):
    """The same with an interval beside every score."""
    told = plain(accuracy, f1, findings)
    for name in OVERALL:
        told[name] = estimate(told[name], sd)
    for scores in (told["macro"], *told["findings"].values()):
        scores |= {name: estimate(scores[name], sd) for name in MACRO}
    return told


def of_model(task, *folds, **told):
    """A model whose scores on test are the same in every fold."""
    after = {"brier": estimate(0.125), "log_loss": estimate(0.3), "ece": 0.034}
    return {
        "task": task,
        "trained_on": "",
        "folds": [{"validation": fold, "test": fold} for fold in folds],
        "calibration": {"after": after},
    } | told


def difference(value, p, half=0.01):
    low, high = (None, None) if half is None else (value - half, value + half)
    return {"difference": value, "low": low, "high": high, "p": p, "p_adjusted": p}


def compared(accuracy, auc):
    return {"accuracy": accuracy, "macro_f1": difference(0.1, None), "macro_auc": auc}


BASE = {"normal": (30, 0.7, 0.5), "viral_pneumonia": (10, 0.0, 0.5)}
LARGE = {"normal": (30, 0.98, 0.97), "viral_pneumonia": (10, 0.94, None)}
SMALL = {"normal": (30, 0.9, 0.96), "viral_pneumonia": (10, 0.725, 0.71)}
BASED = plain(0.75, 0.43, BASE)
AGAINST = compared(difference(0.01, 0.4), difference(None, None, None))
METRICS = {
    "bootstrap": {"replicates": 2000, "level": 0.95},
    "tasks": {
        "findings": {
            "kind": "single",
            "findings": ["normal", "viral_pneumonia"],
            "chosen_by": "f1",
            "best": "small",
            "test": {"n": 40, "groups": 33, "held_out": []},
            "majority": {"validation": BASED, "test": BASED},
            "ensembles": {
                "both": {
                    "models": ["large", "small"],
                    "tie": "",
                    "vote": {
                        "n": 40,
                        "accuracy": estimate(0.98),
                        "balanced_accuracy": estimate(0.97),
                        "macro": {
                            name: estimate(0.9)
                            for name in ("precision", "recall", "specificity", "f1")
                        },
                        "findings": {
                            "normal": {"n": 30, "f1": estimate(0.91)},
                            "viral_pneumonia": {"n": 10, "f1": estimate(0.89)},
                        },
                        "against_best": AGAINST,
                    },
                    "mean": measured(0.99, 0.98, LARGE) | {"against_best": AGAINST},
                }
            },
            "comparisons": [
                {"first": "large", "second": "small"}
                | compared(difference(0.0936, 0.004), difference(-0.02, 0.2))
            ],
        }
    },
    "models": {
        "large": of_model("findings", BASED, test=measured(0.97, 0.96, LARGE)),
        "small": of_model(
            "findings", BASED, test=measured(0.8764, 0.8125, SMALL), trained_on="east"
        ),
    },
}
GAME = {"said": "right", "n": 8, "groups": 7, "hits": 6, "share": 0.75, "low": None, "high": None}
LOCALISATIONS = {
    "large": {"said": "right", "n": 0},
    "small": GAME | {"chance_film": 0.06, "chance_lungs": 0.2},
}
TIMINGS = {
    "large": {"seconds_per_epoch": 1234.56, "films_per_second": 9.96, "device": "a GPU"},
    "small": {"seconds_per_epoch": 3.02, "films_per_second": 228.54, "device": "a GPU"},
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
# film shows a hernia; two folds, so that scores spread.
ANSWERS = {"mass": (90, 0.3, 0.8), "hernia": (0, None, None)}
ANSWERED = plain(0.9, 0.3, ANSWERS)
TWO_METRICS = {
    "bootstrap": METRICS["bootstrap"],
    "tasks": METRICS["tasks"]
    | {
        "nih": {
            "kind": "multi",
            "findings": ["mass", "hernia"],
            "chosen_by": "auc",
            "best": "dense",
            "test": {"n": 90, "groups": 90, "held_out": []},
            "majority": {"validation": ANSWERED, "test": ANSWERED},
            "ensembles": {},
            "comparisons": [],
        }
    },
    "models": METRICS["models"]
    | {"dense": of_model("nih", ANSWERED, ANSWERED, test=measured(0.9, 0.3, ANSWERS, sd=0.01))},
}
TWO_SUMMARIES = SUMMARIES | {"dense": summary("densenet121", 7_000_000, side=320)}
TWO_LOCALISATIONS = LOCALISATIONS | {"dense": {"n": 0}}
TWO_TIMINGS = TIMINGS | {"dense": TIMINGS["small"] | {"device": "two cores"}}


def table():
    return build_table(METRICS, SUMMARIES, LOCALISATIONS)


# The table that holds everything


def test_rows_are_models_in_the_order_of_the_recipe_then_ensembles_then_the_baseline():
    assert table()[["model", "best"]].to_numpy().tolist() == [
        ["large", 0],
        ["small", 1],
        ["both: vote", 0],
        ["both: mean", 0],
        ["majority", 0],
    ]


def test_a_row_holds_what_was_trained_and_every_score_with_its_interval():
    row = table().iloc[1]
    assert row[:23].to_dict() == {
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
        "trained_on": "east",
        "pointing_n": 8,
        "pointing": 0.75,
        "pointing_chance": 0.2,
        "n": 40,
        "groups": 33,
    }
    scores = dict.fromkeys([*OVERALL, *MACRO, "brier", "ece"])
    assert [name for name in row.index[23:] if name in scores] == list(scores)
    three = [["", "_low", "_high"], (0.8764, 0.8564, 0.8964)]
    assert [row[f"accuracy{end}"] for end in three[0]] == list(three[1])
    assert [row[f"f1{end}"] for end in three[0]] == [0.8125, 0.7925, 0.8325]
    assert [row[f"mcc{end}"] for end in three[0]] == [0.6, 0.58, 0.62]
    assert [row[f"brier{end}"] for end in three[0]] == [0.125, 0.105, 0.145]
    assert row["ece"] == 0.034
    assert pd.isna(row[["accuracy_sd", "brier_sd"]]).all()
    assert row[-12:].to_dict() == {
        "f1_normal": 0.9,
        "f1_normal_low": 0.88,
        "f1_normal_high": 0.92,
        "f1_viral_pneumonia": 0.725,
        "f1_viral_pneumonia_low": 0.705,
        "f1_viral_pneumonia_high": 0.745,
        "auc_normal": 0.96,
        "auc_normal_low": 0.94,
        "auc_normal_high": 0.98,
        "auc_viral_pneumonia": 0.71,
        "auc_viral_pneumonia_low": 0.69,
        "auc_viral_pneumonia_high": 0.73,
    }


def test_a_vote_has_no_areas_under_curves_and_a_mean_of_probabilities_has():
    vote, mean = table().iloc[2], table().iloc[3]
    assert (vote["n"], vote["groups"], vote["accuracy_low"], vote["f1"]) == (40, 33, 0.96, 0.9)
    assert (vote["f1_normal"], vote["f1_viral_pneumonia_high"]) == (0.91, 0.91)
    assert pd.isna(vote[["auc", "ap", "kappa", "brier", "auc_normal", "parameters"]]).all()
    assert (mean["accuracy"], mean["auc_normal"]) == (0.99, 0.97)
    assert pd.isna(mean["architecture"])


def test_the_majority_has_scores_without_intervals():
    majority = table().iloc[4]
    assert (majority["accuracy"], majority["f1_normal"], majority["n"]) == (0.75, 0.7, 40)
    assert pd.isna(majority[["accuracy_low", "auc_high", "trained_on"]]).all()


def test_every_task_has_its_rows_and_its_majority():
    both = build_table(TWO_METRICS, TWO_SUMMARIES, TWO_LOCALISATIONS)
    assert both[["model", "task", "groups"]].to_numpy().tolist() == [
        ["large", "findings", 33],
        ["small", "findings", 33],
        ["dense", "nih", 90],
        ["both: vote", "findings", 33],
        ["both: mean", "findings", 33],
        ["majority", "findings", 33],
        ["majority", "nih", 90],
    ]
    dense = both.iloc[2]
    assert (dense["folds"], dense["accuracy_sd"], dense["auc_mass"]) == (2, 0.01, 0.8)
    assert pd.isna(dense[["f1_hernia", "auc_hernia_low", "f1_normal"]]).all()


# What people read

HEADINGS = ["model", "parameters", "trainable", "side", "batch", "trained_on", "epochs"]
HEADINGS += ["s/epoch", "films/s", "MB", "accuracy", "macro F1", "macro AUC", "pointing"]
COST_OF_LARGE = ["11.17 M", "11.17 M", "224", "32", "", "9 of 14", "1,234.6", "10.0", "44.7"]
COST_OF_SMALL = ["0.37 M", "0.37 M", "224", "32", "east", "9 of 14", "3.0", "228.5", "1.5"]
NONE = [""] * 9
HALF = "0.500 (0.480-0.520)"
ROWS = [
    ["large", *COST_OF_LARGE, "0.970 (0.950-0.990)", "0.960 (0.940-0.980)", HALF, ""],
    ["small *", *COST_OF_SMALL, "0.876 (0.856-0.896)", "0.812 (0.792-0.833)", HALF, "75%"],
    ["both: vote", *NONE, "0.980 (0.960-1.000)", "0.900 (0.880-0.920)", "not estimable", ""],
    ["both: mean", *NONE, "0.990 (0.970-1.010)", "0.980 (0.960-1.000)", HALF, ""],
    ["majority", *NONE, "0.750", "0.430", "0.500", ""],
]


def test_people_see_what_models_cost_and_score_with_a_star_at_the_best_on_validation():
    shown = for_people(table(), TIMINGS)
    assert shown.columns.tolist() == HEADINGS
    assert shown.to_numpy().tolist() == ROWS


def test_people_see_the_same_after_the_table_was_written_and_read(tmp_path):
    table().to_csv(tmp_path / "table.csv", index=False, float_format="%.6g")
    read = read_table(tmp_path / "table.csv")
    assert for_people(read, TIMINGS).to_numpy().tolist() == ROWS
    assert is_best(read, "accuracy").tolist() == is_best(table(), "accuracy").tolist()


def test_without_times_or_lesions_their_columns_are_not_shown():
    unknown = build_table(METRICS, SUMMARIES, {name: {"n": 0} for name in SUMMARIES})
    assert set(HEADINGS) - set(for_people(unknown)) == {"s/epoch", "films/s", "pointing"}


def test_the_best_models_of_each_score_are_bold_and_ensembles_and_the_majority_never():
    shown = embolden(for_people(table()), table())
    assert shown["accuracy"].str.contains("**", regex=False).tolist() == [1, 0, 0, 0, 0]
    assert shown["macro F1"][0] == "**0.960** (0.940-0.980)"
    assert shown["macro AUC"].tolist()[:2] == ["**0.500** (0.480-0.520)"] * 2
    assert shown["macro AUC"].tolist()[2:] == for_people(table())["macro AUC"].tolist()[2:]


def test_models_that_three_digits_do_not_tell_apart_are_both_best():
    metrics = copy.deepcopy(METRICS)
    metrics["models"]["small"]["test"]["accuracy"]["value"] = 0.9701
    rows = build_table(metrics, SUMMARIES, LOCALISATIONS)
    assert is_best(rows, "accuracy").tolist() == [True, True, False, False, False]


def test_a_score_that_cannot_be_estimated_is_said_to_be_so_and_is_not_the_best():
    metrics = copy.deepcopy(METRICS)
    for model in metrics["models"].values():
        model["test"]["macro"]["auc"] = estimate(None)
    rows = build_table(metrics, SUMMARIES, LOCALISATIONS)
    shown = embolden(for_people(rows), rows)
    assert shown["macro AUC"].tolist()[:2] == ["not estimable"] * 2


def test_a_perfect_score_has_no_interval():
    metrics = copy.deepcopy(METRICS)
    perfect = {"value": 1.0, "low": None, "high": None, "sd": None}
    metrics["models"]["large"]["test"]["accuracy"] = perfect
    rows = build_table(metrics, SUMMARIES, LOCALISATIONS)
    assert embolden(for_people(rows), rows)["accuracy"][0] == "**1.000**"


def test_settings_are_shown_where_they_vary(tmp_path):
    varied = {"large": SUMMARIES["large"] | {"dropout": 0.5, "head": "128"}}
    rows = build_table(METRICS, SUMMARIES | varied, LOCALISATIONS)
    rows.to_csv(tmp_path / "table.csv", index=False)
    for known in (rows, read_table(tmp_path / "table.csv")):
        shown = for_people(known)
        assert shown.columns.tolist()[5:8] == ["head", "dropout", "trained_on"]
        assert shown.iloc[:3, 5:7].to_numpy().tolist() == [
            ["128", "0.5"],
            ["linear", "0"],
            ["", ""],
        ]


def test_the_last_epoch_is_shown_where_it_was_kept():
    summaries = SUMMARIES | {"small": SUMMARIES["small"] | {"kept": "last"}}
    shown = for_people(build_table(METRICS, summaries, LOCALISATIONS))
    assert shown["epochs"].tolist() == ["9 of 14", "14 of 14", "", "", ""]


# Single findings


def test_f1_of_each_finding_stands_beside_its_number_of_films():
    assert finding_table(METRICS, "findings").to_dict("list") == {
        "finding": ["normal", "viral_pneumonia"],
        "n test": [30, 10],
        "F1 large": ["0.980 (0.960-1.000)", "0.940 (0.920-0.960)"],
        "F1 small": ["0.900 (0.880-0.920)", "0.725 (0.705-0.745)"],
    }


def test_a_finding_that_no_test_film_has_cannot_be_estimated():
    assert finding_table(TWO_METRICS, "nih").to_numpy().tolist() == [
        ["mass", 90, "0.800 (0.780-0.820) ± 0.010"],
        ["hernia", 0, "not estimable"],
    ]


def test_the_spread_over_folds_stands_behind_the_interval():
    metrics = copy.deepcopy(TWO_METRICS)
    metrics["models"]["dense"]["test"]["findings"]["mass"]["auc"]["sd"] = 0.0123
    assert finding_table(metrics, "nih")["AUC dense"][0] == "0.800 (0.780-0.820) ± 0.012"
    rows = build_table(TWO_METRICS, TWO_SUMMARIES, TWO_LOCALISATIONS).iloc[[2]]
    assert for_people(rows)["accuracy"].tolist() == ["0.900 (0.880-0.920) ± 0.010"]


def test_of_more_than_six_models_each_is_a_row():
    metrics = copy.deepcopy(METRICS)
    metrics["models"] = {f"m{n}": METRICS["models"]["small"] for n in range(7)}
    turned = finding_table(metrics, "findings")
    headings = ["model", "F1 normal (n = 30)", "F1 viral_pneumonia (n = 10)"]
    assert turned.columns.tolist() == headings
    assert turned.iloc[6].tolist() == ["m6", "0.900 (0.880-0.920)", "0.725 (0.705-0.745)"]
    del metrics["models"]["m6"]
    assert len(finding_table(metrics, "findings")) == 2


# Which models differ


def test_a_pair_that_differs_is_told_with_the_better_model_first():
    assert list_differences(METRICS, "findings").to_numpy().tolist() == [
        ["large", "small", "accuracy", "+0.094 (+0.084 to +0.104)", "0.004"]
    ]
    metrics = copy.deepcopy(METRICS)
    worse = compared(difference(-0.05, 0.0004), difference(-0.02, 0.03, None))
    metrics["tasks"]["findings"]["comparisons"][0] |= worse
    assert list_differences(metrics, "findings").to_numpy().tolist() == [
        ["small", "large", "accuracy", "+0.050 (+0.040 to +0.060)", "<0.001"],
        ["small", "large", "macro AUC", "+0.020", "0.030"],
    ]


def test_the_sentence_counts_the_pairs_and_says_when_none_differs():
    said = sum_up_differences(METRICS, "findings")
    assert said.startswith("1 pair of models compared on the same test films")
    assert said.endswith("Those that differ (p < 0.05):")
    metrics = copy.deepcopy(METRICS)
    alike = {"first": "a", "second": "b"} | compared(difference(0.1, 0.06), difference(0, None))
    metrics["tasks"]["findings"]["comparisons"] = [alike] * 3
    said = sum_up_differences(metrics, "findings")
    assert said.startswith("3 pairs of models")
    assert "3 tests of 6 not estimable. No pair differs (p < 0.05)" in said
    assert list_differences(metrics, "findings").empty


def test_the_level_of_intervals_decides_what_differs():
    metrics = METRICS | {"bootstrap": {"level": 0.999}}
    assert list_differences(metrics, "findings").empty
    assert "No pair differs (p < 0.001)" in sum_up_differences(metrics, "findings")


# The command


def write(folder, monkeypatch, metrics, summaries, localisations, timings, synthetic=0):
    """Run the command and return its Markdown."""
    files = {"metrics.json": metrics}
    for name in summaries:
        files |= {f"{name}-s.json": summaries[name], f"{name}-l.json": localisations[name]}
        files |= {f"{name}-t.json": timings[name]}
    for file, content in files.items():
        (folder / file).write_text(json.dumps(content))
    flags = ["--title", "A title", "--synthetic", synthetic, "--models", *summaries]
    flags += ["--metrics", folder / "metrics.json"]
    flags += ["--summaries", *[folder / f"{name}-s.json" for name in summaries]]
    flags += ["--timings", *[folder / f"{name}-t.json" for name in summaries]]
    flags += ["--localisations", *[folder / f"{name}-l.json" for name in summaries]]
    flags += ["--csv", folder / "table.csv", "--markdown", folder / "table.md"]
    monkeypatch.setattr(sys, "argv", ["table", *map(str, flags)])
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    main()
    return (folder / "table.md").read_text()


def cells_of(page):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines()]


def test_the_command_writes_csv_and_markdown(tmp_path, monkeypatch):
    page = write(tmp_path, monkeypatch, METRICS, SUMMARIES, LOCALISATIONS, TIMINGS)
    written = read_table(tmp_path / "table.csv")
    assert written["f1"].tolist() == [0.96, 0.8125, 0.9, 0.98, 0.43]
    assert "224,11170000,11169999,32,14,9" in (tmp_path / "table.csv").read_text()
    assert page.startswith("# A title\n\n|model ")
    assert "##" not in page
    cells = cells_of(page)
    assert HEADINGS in cells
    assert [cell.replace("**", "") for cell in cells[4]] == ROWS[0]
    assert cells[4][10] == "**0.970** (0.950-0.990)"
    assert all(row in cells for row in ROWS[2:])
    assert ["viral_pneumonia", "10", "0.940 (0.920-0.960)", "0.725 (0.705-0.745)"] in cells
    assert "1 pair of models compared" in page
    assert (
        "in 6 of 8 rightly classified abnormal test films, 75% (no interval); a random point of "
        "the film would in 6%, a random point of the lungs in 20%."
    ) in page
    assert ["large", "small", "accuracy", "+0.094 (+0.084 to +0.104)", "0.004"] in cells
    assert "training of the first fold on a GPU." in page
    assert "nan" not in page.lower().split()
    assert RESEARCH_USE in page


def test_other_times_change_no_byte_of_the_csv(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch, METRICS, SUMMARIES, LOCALISATIONS, TIMINGS)
    first = (tmp_path / "table.csv").read_bytes()
    later = {name: told | {"seconds_per_epoch": 77.7} for name, told in TIMINGS.items()}
    page = write(tmp_path, monkeypatch, METRICS, SUMMARIES, LOCALISATIONS, later)
    assert (tmp_path / "table.csv").read_bytes() == first
    assert "77.7" in page


def test_several_tasks_have_a_table_each(tmp_path, monkeypatch):
    told = (TWO_METRICS, TWO_SUMMARIES, TWO_LOCALISATIONS, TWO_TIMINGS)
    page = write(tmp_path, monkeypatch, *told, synthetic=1)
    first, second = page.split("## findings")[1].split("## nih")
    assert ROWS[4] in cells_of(first)
    assert ["hernia", "0", "not estimable"] in cells_of(second)
    assert "pairs of models" not in second
    assert "on a GPU, two cores." in page
    assert "SYNTHETIC" in page
    assert page.count(RESEARCH_USE) == 1


def test_markdown_has_no_blank_to_spare():
    shown = pd.DataFrame({"a": ["1", "22"], "long": ["x", ""]})
    assert as_narrow_markdown(shown) == "|a |long|\n|--|----|\n|1 |x   |\n|22|    |"


def test_ten_models_fit_into_a_terminal_of_160_columns(tmp_path, monkeypatch):
    draw = np.random.default_rng(0)
    names = [f"efficientnet_b{n}" for n in range(10)]
    findings = {f"finding_{n}": (40, 0.5, 0.6) for n in range(5)}
    task = METRICS["tasks"]["findings"] | {"best": names[0], "ensembles": {}, "comparisons": []}
    task["majority"] = {"validation": BASED, "test": plain(0.2, 0.1, findings)}
    models = {
        name: of_model("findings", BASED, test=measured(*draw.uniform(0.5, 0.9, 2), findings))
        for name in names
    }
    metrics = METRICS | {"tasks": {"findings": task}, "models": models}
    summaries = {name: summary(name, int(draw.integers(5e6, 9e7)), epochs=100) for name in names}
    timing = {"seconds_per_epoch": 1234.5, "films_per_second": 1234.5, "device": "a GPU"}
    page = write(
        tmp_path,
        monkeypatch,
        metrics,
        summaries,
        {name: {"n": 0} for name in names},
        dict.fromkeys(names, timing),
    )
    first = page.split("\n\n")[1].splitlines()
    assert len(first) == 2 + 10 + 1
    assert max(map(len, first)) <= 160


@pytest.mark.parametrize("score", ["accuracy", "f1", "auc"])
def test_the_best_is_the_highest_of_random_scores(score):
    values = np.random.default_rng(1).uniform(size=(50, 4)).round(3)
    for row in values:
        rows = pd.DataFrame({score: row, "architecture": ["a", "b", "c", None]})
        best = is_best(rows, score)
        assert best.tolist() == [value == max(row[:3]) for value in row[:3]] + [False]

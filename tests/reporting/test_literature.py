"""Published scores: what they really are, and that nobody takes them for this run's."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cxrpipe.config import check
from cxrpipe.recipes import load_recipe
from cxrpipe.reporting.literature import main
from cxrpipe.reporting.published import (
    NONE_NAMED,
    NOTES,
    build_literature,
    describe_studies,
    for_people,
    read_literature,
    recompute,
    tables_by_finding,
)
from cxrpipe.runtime import RESEARCH_USE, UserError
from cxrpipe.studies import Study, load_studies

CONFIG = Path(__file__).parents[2] / "config"
NAMES = list(yaml.safe_load((CONFIG / "published.yaml").read_text(encoding="utf-8")))


def study(name):
    return load_studies([name], CONFIG)[name]


# The studies


@pytest.mark.parametrize("name", NAMES)
def test_every_study_that_comes_with_cxrpipe_fits_together(name):
    assert study(name).models


# What the first study's confusion matrices are, counted apart from them: accuracy in per cent,
# macro F1, and the means over findings of one against the rest that it published, in per cent.
CHEST_XR = {
    "MobileNetV2": (94.43, 0.9394, 96.29, 94.09, 97.36),
    "VGG16": (95.28, 0.9475, 96.85, 94.75, 97.74),
    "DenseNet201": (95.31, 0.9477, 96.87, 94.79, 97.75),
    "Xception": (95.75, 0.9526, 97.16, 95.34, 97.99),
    "InceptionResNetV2": (95.66, 0.9521, 97.11, 95.30, 97.94),
    "ResNet152V2": (95.05, 0.9452, 96.69, 94.51, 97.61),
    "NASNetLarge": (93.53, 0.9305, 95.69, 92.61, 96.63),
    "InceptionV3": (96.36, 0.9594, 97.57, 95.98, 98.27),
    "InceptionV3, 500 px, dense layers of 1024": (96.45, 0.9599, 97.63, 96.03, 98.32),
}


def test_every_row_of_the_study_is_held():
    assert [row.model for row in study("chest-xr-2021").models] == list(CHEST_XR)


@pytest.mark.parametrize("row", study("chest-xr-2021").models, ids=lambda row: row.model)
def test_what_was_published_as_accuracy_is_the_mean_of_one_against_the_rest(row):
    accuracy, macro_f1, one_vs_rest, recall, specificity = CHEST_XR[row.model]
    scores = recompute(row.confusion)
    assert round(100 * scores["accuracy"], 2) == accuracy
    assert round(scores["macro_f1"], 4) == macro_f1
    published = [round(100 * value, 2) for value in (row.accuracy, row.recall, row.specificity)]
    assert published == [one_vs_rest, recall, specificity]
    # The study cut some of its digits and rounded others.
    assert 100 * scores["one_vs_rest_accuracy"] == pytest.approx(one_vs_rest, abs=0.01)
    assert 100 * scores["macro_recall"] == pytest.approx(recall, abs=0.01)
    assert 100 * scores["macro_specificity"] == pytest.approx(specificity, abs=0.01)


def test_what_four_findings_published_as_accuracy_is_accuracy():
    right = {"VGG16": 59 + 53 + 58 + 59, "ResNet18": 58 + 52 + 60 + 60, "DenseNet121": 230}
    for row in study("four-findings-2021").models:
        scores = recompute(row.confusion)
        assert scores["accuracy"] == pytest.approx(right[row.model] / 240, abs=1e-12)
        assert scores["accuracy"] == pytest.approx(row.accuracy, abs=1e-4)


def test_the_mean_of_fourteen_areas_is_the_one_published():
    row = study("nih-14-transfer").models[0]
    areas = row.by_finding["auc"]
    assert len(areas) == 14
    assert round(sum(areas.values()) / 14, 3) == row.auc == 0.81
    assert study("chexnet-2017").models[0].auc == 0.8414


def test_a_confusion_matrix_counted_by_hand():
    # true covid: 3 found, 1 taken for normal; true normal: 4 taken for covid, 2 found.
    scores = recompute(((3, 1), (4, 2)))
    assert scores["accuracy"] == scores["one_vs_rest_accuracy"] == 0.5
    assert scores["macro_recall"] == pytest.approx((3 / 4 + 2 / 6) / 2)
    assert scores["macro_precision"] == pytest.approx((3 / 7 + 2 / 3) / 2)
    assert scores["macro_specificity"] == pytest.approx((2 / 6 + 3 / 4) / 2)
    assert scores["macro_f1"] == pytest.approx((6 / 11 + 4 / 9) / 2)


# What published.yaml may say

VALID = {
    "title": "T",
    "films": "some",
    "n": 10,
    "findings": ["covid", "normal"],
    "models": [{"model": "m", "confusion": [[3, 1], [4, 2]]}],
}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"titel": "T"}, "unknown key 'titel'; did you mean 'title'?"),
        ({"models": [{"model": "m", "acuracy": 1}]}, "unknown key 'acuracy'; did you mean"),
        ({"models": [{"model": "m", "accuracy": 96.3}]}, "models.0.accuracy"),
        ({"n": 11}, "m: confusion: sums to 10, but n is 11"),
        ({"findings": ["covid", "normal", "mass"]}, "m: confusion: give 3 rows of 3 counts"),
        ({"accuracy_is": "mean"}, "accuracy_is"),
        ({"models": []}, "models"),
        (
            {"models": [{"model": "m", "by_finding": {"auc": {"covd": 0.5}}}]},
            "m: by_finding: 'covd'; did you mean 'covid'?",
        ),
        ({"models": [{"model": "m", "by_finding": {"area": {}}}]}, "by_finding.area"),
    ],
)
def test_a_study_that_cannot_be_is_refused_with_its_place(wrong, message):
    assert check(Study, VALID, "").n == 10
    with pytest.raises(UserError) as error:
        check(Study, VALID | wrong, "s")
    assert message in str(error.value)


def test_an_unknown_study_is_refused_with_the_nearest():
    with pytest.raises(UserError, match=r"no study 'chexnet'; did you mean 'chexnet-2017'\?"):
        load_studies(["chexnet"], CONFIG)
    assert load_studies([], CONFIG) == {}
    assert list(load_studies(NAMES[::-1], CONFIG)) == NAMES[::-1]


@pytest.mark.parametrize(
    ("recipe", "n_rows"),
    [
        ("covid-or-pneumonia", 9 + 1 + 1),
        ("four-findings", 3),
        ("scratch-or-transfer", 6),
        ("fusion-five-findings", 1),
        ("nih-to-covid", 2 + 1 + 3 + 1),
    ],
)
def test_the_recipe_of_a_published_system_names_its_rows(recipe, n_rows):
    chosen = load_recipe({"recipe": recipe}, CONFIG)
    studies = load_studies(chosen.evaluation.published, CONFIG)
    assert sum(len(each.models) for each in studies.values()) == n_rows
    findings = {finding for each in studies.values() for finding in each.findings}
    assert findings <= set(chosen.findings)


def test_the_ensembles_of_the_first_system_are_votes_of_three_to_six_whose_ties_go_to_covid():
    ensembles = load_recipe({"recipe": "covid-or-pneumonia"}, CONFIG).evaluation.ensembles
    assert [each.best for each in ensembles.values()] == [3, 4, 5, 6]
    assert {each.tie for each in ensembles.values()} == {"covid"}


# The table

MACRO = ("precision", "recall", "specificity", "f1", "auc")


def about(value):
    """An interval of 0.05 to both sides."""
    if value is None:
        return dict.fromkeys(["value", "low", "high", "sd"])
    return {
        "value": value,
        "low": round(value - 0.05, 6),
        "high": round(value + 0.05, 6),
        "sd": None,
    }


def measured(task, accuracy, findings):
    test = {"n": 40, "accuracy": about(accuracy), "one_vs_rest_accuracy": about(0.9)}
    test["macro"] = {name: about(0.75) for name in MACRO} | {"auc": about(findings["covid"])}
    test["findings"] = {
        name: {score: about(value) for score in MACRO} for name, value in findings.items()
    }
    return {"task": task, "test": test}


METRICS = {
    "models": {
        "small": measured("findings", 0.8, {"covid": 0.5, "normal": 0.6}),
        "large": measured("findings", 0.9, {"covid": None, "normal": 0.7}),
        "other": measured("nih", 0.9, {"covid": 0.9, "mass": 0.85}),
    }
}
STUDIES = {
    "flattered": Study.model_validate(
        VALID
        | {"accuracy_is": "one_vs_rest", "caution": "Take care.", "citation": "2021"}
        | {"models": [VALID["models"][0] | {"accuracy": 0.96, "recall": 0.9}]}
    ),
    "plain": Study.model_validate(
        {
            "title": "P",
            "films": "others",
            "findings": ["covid", "mass"],
            "remark": "Nothing else.",
            "models": [
                {"model": "m", "accuracy": 0.95, "f1": 0.94, "by_finding": {"auc": {"mass": 0.8}}}
            ],
        }
    ),
    "vague": Study.model_validate(
        {
            "title": "V",
            "films": "hidden",
            "n": 1200,
            "findings": ["covid"],
            "accuracy_is": "not stated",
            "models": [{"model": "m", "accuracy": 0.9467}],
        }
    ),
}


def literature(models=("large", "small"), studies=STUDIES):
    return build_literature(METRICS, models, studies)


def test_rows_are_the_runs_models_in_their_order_and_then_each_studys():
    assert literature()[["study", "model", "other_data"]].to_numpy().tolist() == [
        ["", "large", 0],
        ["", "small", 0],
        ["flattered", "m", 1],
        ["plain", "m", 1],
        ["vague", "m", 1],
    ]


def test_the_runs_own_rows_have_intervals():
    row = literature().iloc[1]
    assert (row["accuracy"], row["accuracy_low"], row["accuracy_high"]) == (0.8, 0.75, 0.85)
    assert (row["macro_auc"], row["macro_auc_low"], row["n"]) == (0.5, 0.45, 40)
    assert pd.isna(row[["accuracy_published", "auc_mass"]]).all()
    assert pd.isna(literature().iloc[0]["macro_auc"])


def test_a_published_accuracy_stands_where_it_belongs():
    _, _, flattered, plain, vague = literature().itertuples()
    assert flattered.accuracy_published == 0.96
    assert flattered.accuracy == flattered.one_vs_rest_accuracy == 0.5  # of the confusion matrix
    assert flattered.macro_recall == pytest.approx((3 / 4 + 2 / 6) / 2)  # not the 0.9 published
    assert (plain.accuracy_published, plain.accuracy, plain.macro_f1) == (0.95, 0.95, 0.94)
    assert pd.isna([plain.one_vs_rest_accuracy, plain.macro_auc, plain.accuracy_low, plain.n]).all()
    assert vague.accuracy_published == 0.9467
    assert pd.isna([vague.accuracy, vague.one_vs_rest_accuracy]).all()


def test_an_accuracy_of_one_against_the_rest_is_never_taken_for_accuracy():
    without = VALID | {"accuracy_is": "one_vs_rest", "models": [{"model": "m", "accuracy": 0.96}]}
    row = literature(studies={"s": Study.model_validate(without)}).iloc[-1]
    assert pd.isna(row["accuracy"])
    assert row["one_vs_rest_accuracy"] == 0.96


def test_people_see_in_every_row_whose_data_it_is_about():
    shown = for_people(literature())
    ninety, half = "0.900 (0.850-0.950)", "0.500 (0.450-0.550)"
    eighty, macro_f1 = "0.800 (0.750-0.850)", "0.750 (0.700-0.800)"
    published = "0.9467 (of which kind is not stated)"
    assert shown.to_numpy().tolist() == [
        ["large", "this run", "", "40", "", ninety, ninety, macro_f1, "not estimable"],
        ["small", "this run", "", "40", "", eighty, ninety, macro_f1, half],
        [
            "m",
            "other data",
            "flattered",
            "10",
            "0.9600 (one-vs-rest)",
            "0.500",
            "0.500",
            "0.495",
            "",
        ],
        ["m", "other data", "plain", "", "0.9500", "0.950", "", "0.940", ""],
        ["m", "other data", "vague", "1,200", published, "", "", "", ""],
    ]
    assert shown.columns.tolist() == [
        "model",
        "data",
        "study",
        "n",
        "accuracy as published",
        "accuracy",
        "one-vs-rest accuracy",
        "macro F1",
        "macro AUC",
    ]


def test_several_tasks_are_told_apart():
    shown = for_people(literature(("small", "other")))
    assert shown["study"].tolist()[:3] == ["task findings", "task nih", "flattered"]


def test_scores_of_single_findings_stand_beside_those_of_models_that_know_them():
    (heading,) = tables = tables_by_finding(literature(("small", "other")))
    assert heading == "AUC of single findings"
    assert tables[heading].to_numpy().tolist() == [
        ["other", "this run", "task nih", "0.850"],
        ["m", "other data", "plain", "0.800"],
    ]
    assert tables[heading].columns.tolist()[-1] == "mass"
    assert tables_by_finding(literature(studies={"vague": STUDIES["vague"]})) == {}


def test_each_study_is_described_with_its_cautions():
    assert describe_studies(literature()) == [
        "flattered: T (2021). Tested on some, n = 10. Take care.",
        "plain: P. Tested on others, n not stated. Nothing else.",
        "vague: V. Tested on hidden, n = 1,200.",
    ]


# The command


def write(run, folder, studies):
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    told = {name: each.model_dump() for name, each in studies.items()}
    arguments = {"metrics": folder / "metrics.json", "models": "small", "studies": json.dumps(told)}
    run(main, **arguments, csv=folder / "literature.csv", markdown=folder / "literature.md")
    return (folder / "literature.md").read_text()


def test_the_command_writes_what_is_read_again(run, tmp_path):
    page = write(run, tmp_path, STUDIES)
    read = read_literature(tmp_path / "literature.csv")
    assert for_people(read).to_numpy().tolist() == (
        for_people(literature(("small",))).to_numpy().tolist()
    )
    assert describe_studies(read) == describe_studies(literature())
    assert list(tables_by_finding(read)) == ["AUC of single findings"]
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert sum("| other data |" in row for row in rows) == 3 + 1
    assert sum("| this run " in row for row in rows) == 1
    assert "- flattered: T (2021)" in page
    assert all(note in page for note in NOTES)
    assert "rank nothing" in page
    assert page.rstrip().endswith(RESEARCH_USE)
    assert "nan" not in page.lower().split()


def test_without_a_study_the_table_is_its_header_and_the_page_says_so(run, tmp_path):
    page = write(run, tmp_path, {})
    header = (tmp_path / "literature.csv").read_text()
    assert header.startswith(
        "study,model,task,other_data,n,accuracy_published,accuracy_is,accuracy,"
    )
    assert header.count("\n") == 1
    assert NONE_NAMED in page
    assert read_literature(tmp_path / "literature.csv").empty
    assert for_people(read_literature(tmp_path / "literature.csv")).empty


def test_all_published_studies_beside_a_run(run, tmp_path):
    page = write(run, tmp_path, load_studies(NAMES, CONFIG))
    read = read_literature(tmp_path / "literature.csv")
    assert (read["other_data"] == 1).sum() == 9 + 1 + 1 + 3 + 6 + 1 + 2 + 3 + 1 + 1
    assert set(tables_by_finding(read)) == {
        "AUC of single findings",
        "Sensitivity of single findings",
    }
    assert page.count("(one-vs-rest)") == 9


def test_a_broken_study_is_one_line(refusal, tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps(METRICS))
    line = refusal(
        main,
        metrics=tmp_path / "metrics.json",
        models="small",
        studies='{"s": {"titl": 1}}',
        csv=tmp_path / "l.csv",
        markdown=tmp_path / "l.md",
    )
    assert "--studies: s: unknown key 'titl'; did you mean 'title'?" in line

"""Scores with intervals, and why some are missing."""

from told import NOTHING, Teller, tell_metrics

from cxrpipe.reporting.page.performance import (
    explain_missing,
    finding_table,
    macro_table,
    overall_table,
    subset_table,
)
from cxrpipe.reporting.page.wording import WHY_NONE, say_interval

SURE = {"value": 0.5, "low": 0.4, "high": 0.6, "sd": None}


def scores(counts, n, estimate=SURE):
    of_each = dict.fromkeys(("precision", "recall", "specificity", "f1", "auc", "ap"), estimate)
    findings = {name: {"n": count} | of_each for name, count in counts.items()}
    return {"n": n, "accuracy": estimate, "macro": of_each, "findings": findings}


def test_every_score_stands_under_its_name():
    metrics = tell_metrics()
    models, majority = metrics["models"], metrics["tasks"]["findings"]["majority"]["test"]
    table = overall_table(models, majority)
    assert table["model"].tolist() == [*models, "majority"]
    assert table["Cohen's kappa"].tolist()[0] == say_interval(models["resnet10"]["test"]["kappa"])
    assert table["MCC"].tolist()[-1] == f"{majority['mcc']:.3f}"
    macro = macro_table(models, majority)
    told = models["resnet18"]["test"]["macro"]
    assert macro["sensitivity"].tolist()[2] == say_interval(told["recall"])
    assert macro["average precision"].tolist()[2] == say_interval(told["ap"])
    assert macro["precision"].tolist()[-1] == f"{majority['macro']['precision']:.3f}"


def test_every_finding_has_n_and_a_finding_without_films_no_score():
    told = Teller().measured()
    told["findings"]["covid"] = {"n": 0} | dict.fromkeys(
        ("precision", "recall", "specificity", "f1", "auc", "ap"), NOTHING
    )
    rows = finding_table(told).to_numpy().tolist()
    assert rows[1] == ["covid", 0, *["not estimable"] * 6]
    assert rows[0][:3] == ["normal", 41, say_interval(told["findings"]["normal"]["recall"])]


def test_subsets_are_told_on_average_over_folds():
    models = {"a": {"folds": [dict.fromkeys(("train", "validation"), plain(0.5))] * 2}}
    for fold, accuracy in zip(models["a"]["folds"], (0.25, 0.75), strict=True):
        fold["test"] = plain(accuracy)
    models["a"]["folds"] = [
        {"train": plain(0.5), "validation": plain(0.5), "test": plain(accuracy)}
        for accuracy in (0.2, 0.9)
    ]
    assert subset_table(models).iloc[2].tolist() == [
        "a",
        "test",
        4,
        "0.550",
        "0.500",
        "not estimable",
    ]


def plain(accuracy):
    return {"n": 4, "accuracy": accuracy, "macro": {"f1": 0.5, "auc": None}}


def test_findings_that_no_test_film_shows_are_named():
    (line,) = explain_missing(scores({"normal": 3, "covid": 0, "hernia": 0}, 5), 4)
    assert line.startswith("No test film shows covid and hernia: no score of it is estimable")


def test_a_finding_of_every_test_film_has_no_specificity():
    (line,) = explain_missing(scores({"normal": 5}, 5), 4)
    assert line == "Every test film shows normal: its specificity and AUC are not estimable."


def test_an_auc_alone_without_interval_is_explained_with_every_reason():
    told = scores({"normal": 31, "tuberculosis": 2}, 33)
    told["findings"]["tuberculosis"] |= {"auc": NOTHING | {"value": 0.625}}
    (line,) = explain_missing(told, 30)
    assert line == f"{WHY_NONE} The test films are in 30 groups of patients and copies."
    for reason in ("fewer than 20 patients", "handful of patients", "every sample gives the same"):
        assert reason in line


def test_nothing_is_explained_where_nothing_is_missing():
    assert explain_missing(scores({"normal": 3, "covid": 2}, 5), 4) == []

"""What probabilities are worth, cell by cell."""

import pytest
from told import NOTHING, tell_metrics

from cxrpipe.reporting.page.calibrations import (
    conformal_table,
    say_folds,
    selective_table,
    tell_calibration,
    temperature_table,
    threshold_table,
)
from cxrpipe.reporting.page.wording import say_interval


@pytest.mark.parametrize(
    ("values", "said"),
    [([1.25], "1.250"), ([0.5, None], "0.500, not estimable"), ([None, None], "not estimable")],
)
def test_the_value_of_every_fold_is_told(values, said):
    assert say_folds(values) == said


def test_calibration_is_told_before_and_after():
    models = tell_metrics()["models"]
    table = temperature_table(models)
    told = models["densenet"]["calibration"]
    before, after = table[table["model"] == "densenet"].to_numpy().tolist()
    assert before[1:4] == ["before calibration", "", f"{told['before']['ece']:.3f}"]
    assert after[2] == f"{told['temperature'][0]:.3f}"
    assert after[4:] == [say_interval(told["after"][score]) for score in ("brier", "log_loss")]


def test_a_threshold_that_nothing_fixed_is_not_estimable():
    scores = dict.fromkeys(("sensitivity", "specificity", "precision", "npv"), NOTHING)
    findings = {"hernia": {"threshold": [None], "n": 0} | scores}
    (row,) = threshold_table({"wanted": 0.9, "findings": findings}).to_numpy().tolist()
    assert row == ["hernia", "not estimable", 0, *["not estimable"] * 4]


def test_conformal_sets_are_told_with_coverage_and_size():
    told = {"wanted": 0.9, "coverage": NOTHING | {"value": 0.875, "low": 0.8, "high": 0.95}}
    told |= {"size": 1.256, "single": 0.745, "empty": 0.0}
    (row,) = conformal_table({"a": {"conformal": told}}).to_numpy().tolist()
    assert row == ["a", "90%", "0.875 (0.800-0.950)", "1.26", "74%", "0%"]


def test_accuracy_is_told_by_coverage():
    told = {"coverage": [0.5, 1.0], "accuracy": [None, 0.75], "area": 0.875}
    table = selective_table({"a": {"selective": told}})
    assert table.to_dict("records") == [
        {"model": "a", "surest 50%": "not estimable", "surest 100%": "0.750", "area": "0.875"}
    ]


def test_the_thresholds_of_the_best_model_are_open_and_first():
    blocks = tell_calibration(tell_metrics(), "findings")
    tables = [block for block in blocks if getattr(block, "caption", "").startswith("Thresholds")]
    assert [(block.caption, block.folded) for block in tables] == [
        ("Thresholds on test: densenet", False),
        ("Thresholds on test: resnet10", True),
        ("Thresholds on test: resnet18", True),
    ]
    assert "the 97 validation films" in blocks[0].lines[0]
    assert "a sensitivity of 95%" in blocks[2].lines[0]

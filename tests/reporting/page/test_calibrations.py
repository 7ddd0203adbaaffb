"""What probabilities are worth, cell by cell."""

import pytest
from told import NOTHING, tell_metrics

from cxrpipe.reporting.page.calibrations import (
    conformal_table,
    say_folds,
    say_temperatures,
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
    assert before[1:5] == [97, "before calibration", "", f"{told['before']['ece']:.3f}"]
    assert after[3] == f"{told['temperature'][0]:.3f}"
    assert after[5:] == [say_interval(told["after"][score]) for score in ("brier", "log_loss")]


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
    assert "a sensitivity of 95%" in blocks[2].lines[0]


@pytest.mark.parametrize(
    ("temperatures", "said"),
    [([1.25], "1.250"), ([20.0, 3.5], "20.000 (at its bound), 3.500"), ([0.05], "0.050 (at its")],
)
def test_a_temperature_at_its_bound_is_marked(temperatures, said):
    assert say_temperatures(temperatures).startswith(said)
    assert ("bound" in say_temperatures(temperatures)) is ("bound" in said or "its" in said)


def words(metrics):
    blocks = tell_calibration(metrics, "findings")
    return [" ".join(block.lines) for block in blocks if block.kind == "words"]


def test_sets_and_selection_are_told_by_what_a_model_answers():
    _, _, sets, chosen = words(tell_metrics())
    assert "about 90% of new films of the same kind have the truth in their set" in sets
    assert "the validation films also chose the epoch" in sets
    assert chosen.startswith("If the model gives only the answers of which")
    _, _, sets, chosen = words(tell_metrics(kind="multi"))
    assert "Every finding has a conformal set by itself" in sets
    assert "not whole films" in chosen


@pytest.mark.parametrize("trained_on", [(), ("north", "", "east")])
def test_models_of_one_collection_promise_nothing_elsewhere(trained_on):
    _, _, sets, _ = words(tell_metrics(trained_on=trained_on))
    assert ("sets of resnet10 and resnet18 were fixed" in sets) is bool(trained_on)

"""Score against size: each model at its number of parameters, with its interval."""

import pytest

from cxrpipe.reporting.drawing.results import results_of_task
from cxrpipe.reporting.drawing.sizes import draw_size

FINDINGS = ["normal", "covid"]


def drawn(judge, parameters, kind="single", change=None):
    metrics, curves = judge(FINDINGS, dict.fromkeys(parameters, 0.7), kind)
    for model in change or []:
        metrics["models"][model]["test"]["macro"]["f1"] = change[model]
    results = results_of_task(metrics, curves, parameters, "findings")
    return draw_size(results).axes[0], results


def test_a_model_stands_at_its_millions_of_parameters_and_its_score(judge):
    axes, results = drawn(judge, {"a": 1_263_885, "b": 23_500_000})
    for line, (name, millions) in zip(axes.lines, (("a", 1.263885), ("b", 23.5)), strict=True):
        f1 = results.models[name]["test"]["macro"]["f1"]
        assert line.get_xydata().tolist() == [[millions, f1["value"]]]
    bar = axes.collections[0].get_segments()[0]
    f1 = results.models["a"]["test"]["macro"]["f1"]
    assert bar[:, 1].tolist() == [f1["low"], f1["high"]]
    assert axes.get_xscale() == "log"


def test_tasks_of_yes_and_no_are_told_by_their_area(judge):
    axes, results = drawn(judge, {"a": 1_000_000}, "multi")
    auc = results.models["a"]["test"]["macro"]["auc"]["value"]
    assert axes.lines[0].get_ydata().tolist() == [auc]
    assert axes.get_ylabel() == "macro AUC, with its 95 % interval"


@pytest.mark.parametrize("sizes", [(1_263_885,), (11_000_000, 11_000_000), (50_000, 900_000_000)])
def test_sizes_have_round_ticks_however_far_apart_they_are(judge, sizes):
    axes, _ = drawn(judge, {f"m{place}": size for place, size in enumerate(sizes)})
    axes.figure.draw_without_rendering()
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert 1 <= len(ticks) <= 8
    assert all(float(f"{tick:.0e}") == pytest.approx(tick) for tick in ticks)
    assert {f"{tick:e}"[0] for tick in ticks} <= {"1", "2", "5"}


def test_a_score_that_cannot_be_estimated_has_no_mark(judge):
    unknown = dict.fromkeys(("value", "low", "high", "sd"))
    axes, _ = drawn(judge, {"a": 1_000_000, "b": 2_000_000}, change={"a": unknown})
    assert [line.get_xdata().tolist() for line in axes.lines] == [[2.0]]
    axes, _ = drawn(judge, {"a": 1_000_000}, change={"a": unknown})
    assert [text.get_text() for text in axes.texts] == ["not estimable"]

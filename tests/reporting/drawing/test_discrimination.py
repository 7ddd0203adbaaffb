"""ROC and precision against recall: the curves of the table, and words where there is none."""

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from cxrpipe.reporting.drawing.discrimination import draw_precision_recall, draw_roc
from cxrpipe.reporting.drawing.results import results_of_task
from cxrpipe.reporting.drawing.style import save

FINDINGS = ["normal", "covid", "lung_opacity"]
MODELS = {"small": 0.5, "large": 1.2}


def texts(axes):
    return [text.get_text() for text in axes.texts]


def told(judged):
    metrics, curves = judged
    return results_of_task(metrics, curves, dict.fromkeys(metrics["models"], 1), "findings")


@pytest.mark.parametrize(
    ("draw", "curve"), [(draw_roc, "roc"), (draw_precision_recall, "precision_recall")]
)
def test_panels_show_the_curves_of_the_table_each_its_own_finding(judge, draw, curve):
    results = told(judge(FINDINGS, MODELS))
    for axes, finding in zip(draw(results).axes, FINDINGS, strict=True):
        for line, model in zip(axes.lines, MODELS, strict=False):
            np.testing.assert_array_equal(
                line.get_xydata(), results.curve(curve, model, finding)[["x", "y"]]
            )


def test_the_best_model_is_on_top_thicker_and_alone_has_a_band(judge):
    results = told(judge(FINDINGS, MODELS))
    assert results.best == "large"
    axes = draw_roc(results).axes[0]
    small, large = axes.lines[:2]
    assert large.get_zorder() > small.get_zorder()
    assert large.get_linewidth() > small.get_linewidth()
    bands = [part for part in axes.collections if isinstance(part, PolyCollection)]
    drawn = [band.get_paths()[0].vertices for band in bands if band.get_paths()]
    assert len(drawn) == 1
    points = results.curve("roc", "large", "normal")
    for edge in ("low", "high"):
        assert set(points[edge]) <= set(drawn[0][:, 1])


def test_a_title_tells_the_films_and_the_area_of_the_best_model(judge):
    results = told(judge(FINDINGS, MODELS))
    measured = results.models["large"]["test"]["findings"]["lung_opacity"]
    auc = measured["auc"]
    title = draw_roc(results).axes[2].get_title()
    assert title == (
        f"lung opacity: {measured['n']} of 229 films\n"
        f"★ AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})"
    )


def test_guessing_is_the_diagonal_and_the_share_of_films(judge):
    results = told(judge(FINDINGS, MODELS))
    chance = draw_roc(results).axes[1].lines[-1]
    assert chance.get_xydata().tolist() == [[0, 0], [1, 1]]
    share = results.n_with("covid") / 229
    guessing = draw_precision_recall(results).axes[1].lines[-1]
    assert guessing.get_xydata().tolist() == [[0, share], [1, share]]


def test_a_finding_that_cannot_be_estimated_is_said_so_and_why(judge):
    """Of 40 films of one finding all show it, none the others: nothing can be put in order."""
    metrics, curves = judge(FINDINGS, MODELS, n=40)
    kept = curves["curve"] != "roc"
    for finding, n in zip(FINDINGS, (40, 0, 7), strict=True):
        metrics["models"]["large"]["test"]["findings"][finding]["n"] = n
    figure = draw_roc(told((metrics, curves[kept])))
    assert [texts(axes) for axes in figure.axes] == [
        ["not estimable:\nevery test film shows it"],
        ["not estimable:\nno test film shows it"],
        ["not estimable"],
    ]
    assert [axes.get_title() for axes in figure.axes] == [
        "normal: 40 of 40 films",
        "covid: 0 of 40 films",
        "lung opacity: 7 of 40 films",
    ]


def test_the_legend_tells_the_best_model_and_the_level_of_its_band(judge):
    metrics, curves = judge(FINDINGS, MODELS)
    metrics["bootstrap"]["level"] = 0.9
    (legend,) = draw_roc(told((metrics, curves))).legends
    assert [text.get_text() for text in legend.get_texts()] == ["small", "★ large", "chance"]
    assert "band: its 90 % interval" in legend.get_title().get_text()


def test_fifteen_findings_and_fourteen_models_stay_on_a_page(judge):
    findings = [f"finding_{number}" for number in range(15)]
    models = {f"densenet121_weights-model-nih_seed-{n}": n / 10 for n in range(14)}
    figure = draw_roc(told(judge(findings, models, "multi", 60)))
    width, height = figure.get_size_inches()
    assert width <= 13
    assert height <= 13
    figure.draw_without_rendering()
    panels = [axes.get_window_extent() for axes in figure.axes if axes.axison]
    assert len(panels) == 15
    assert min(panel.width for panel in panels) > 1.5 * figure.dpi
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= max(panel.x1 for panel in panels)
    assert box.x1 <= width * figure.dpi


def test_equal_results_give_equal_files(judge, tmp_path):
    for folder in ("one", "two"):
        save(draw_roc(told(judge(FINDINGS[:2], MODELS, n=40))), tmp_path / folder, "roc")
    for name in ("roc.png", "roc.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()

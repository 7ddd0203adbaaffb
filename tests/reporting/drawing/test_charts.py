"""The charts of the exploration: what they show is what the tables say."""

import math

import pandas as pd
import pytest

from cxrpipe.reporting.drawing import charts
from cxrpipe.reporting.drawing.style import draw_counts, percent, save

FINDINGS = ["normal", "lung_opacity"]


def index(**columns):
    """Three normal films and one with an opacity."""
    films = {"source": ["b", "a", "a", "a"], "findings": ["normal"] * 3 + ["lung_opacity"]}
    films |= {"width": [100, 100, 400, 300], "height": [100, 100, 200, 900]}
    films |= {"tint": [0.0, 0, 0.01, 0], "contrast": [0.5, 0.6, 0.7, 0.8], "blank": [0.1] * 4}
    return pd.DataFrame(films | columns)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def said(figure):
    return [text.get_text() for text in figure.texts]


def test_bars_are_as_long_as_the_findings_have_films():
    counts = pd.DataFrame({"train": [5, 4], "validation": [3, 2], "test": [1, 6]}, index=FINDINGS)
    axes = charts.draw_classes(counts).axes[0]
    bars = {bar.get_label(): bar for bar in axes.containers}
    widths = {name: [bar.get_width() for bar in bars[name]] for name in bars}
    assert widths == {"train": [5, 4], "validation": [3, 2], "test": [1, 6]}
    assert [bar.get_x() for bar in bars["test"]] == [8, 6]
    assert labels(axes.yaxis) == ["normal\n9", "lung opacity\n12"]


def test_a_bar_too_narrow_for_a_number_has_none():
    counts = pd.DataFrame({"train": [97], "validation": [2], "test": [1]}, index=["normal"])
    assert texts(charts.draw_classes(counts).axes[0]) == ["97", "", ""]


def test_cells_show_counts_and_their_share_of_the_finding():
    counts = pd.DataFrame({"normal": [1999, 1], "lung_opacity": [0, 3]}, index=["a", "b_c"])
    axes = draw_counts(counts, "films").axes[0]
    assert texts(axes) == ["1,999\n100%", "0", "1\n<1%", "3\n100%"]
    assert labels(axes.yaxis) == ["a", "b c"]
    assert labels(axes.xaxis) == ["normal\n2,000", "lung opacity\n3"]


def test_a_share_that_is_not_zero_is_not_shown_as_zero():
    assert [percent(share) for share in (0.0001, 0.0099, 0.01, 1)] == ["<1%", "<1%", "1%", "100%"]


def test_the_title_tells_of_how_many_films_something_is_unknown():
    counts = pd.DataFrame(
        {"normal": [2, 1, 4], "lung_opacity": [0, 1, 1]}, index=["F", "M", "unknown"]
    )
    title = charts.draw_known(counts, "sex").axes[0].get_title()
    assert title == "sex: known of 4 radiographs, unknown of 5"


def test_what_is_known_of_no_film_is_said_and_not_drawn():
    figure = charts.draw_known(pd.DataFrame({"normal": [5]}, index=["unknown"]), "view")
    assert said(figure) == ["The view is not known of any of the 5 radiographs."]
    assert figure.axes == []
    ages = charts.draw_ages(index(age=math.nan), FINDINGS)
    assert said(ages) == ["The age is not known of any of the 4 radiographs."]


def test_ages_are_counted_in_bars_of_five_years():
    normal, opacity = charts.draw_ages(index(age=[4, 5, 9, math.nan]), FINDINGS).axes
    assert [bar.get_height() for bar in normal.patches] == [1, 2, 0]
    assert normal.get_title() == "normal\nmedian 5\nunknown 0 of 3"
    assert opacity.get_title() == "lung opacity\n\nunknown 1 of 1"
    assert sum(bar.get_height() for bar in opacity.patches) == 0


def test_sizes_are_drawn_once_with_an_area_that_grows_with_their_films():
    normal, opacity = charts.draw_sizes(index(), FINDINGS).axes
    assert normal.collections[0].get_offsets().tolist() == [[100, 100], [400, 200]]
    few, many = sorted(normal.collections[0].get_sizes())
    assert (many - 6) / (few - 6) == pytest.approx(2)
    assert normal.get_title() == "normal: 3\nmedian 100 × 100"
    assert opacity.collections[0].get_offsets().tolist() == [[300, 900]]


def test_films_of_one_size_still_have_a_scale():
    axes = charts.draw_sizes(index(width=140, height=140), FINDINGS).axes[0]
    assert axes.get_xlim() == (70, 280)
    assert list(axes.get_xticks()) == [100, 200]


def test_panels_of_many_findings_stand_in_rows_of_five():
    names = [f"finding_{n}" for n in range(7)]
    films = pd.concat([index(findings=name, age=40.0) for name in names])
    titles = [axes.get_title() for axes in charts.draw_ages(films, names).axes]
    assert [title.partition("\n")[0] for title in titles if title] == [
        name.replace("_", " ") for name in names
    ]


def test_quality_is_drawn_by_source_in_the_order_of_the_index():
    grid = charts.draw_quality(index()).axes
    assert labels(grid[0].yaxis) == ["b", "a"]
    medians = [line.get_xdata()[0] for line in grid[1].lines if line.get_color() == "#D55E00"]
    assert medians == [0.5, 0.7]


def test_reasons_are_drawn_with_their_counts_and_a_part_without_any_says_so():
    left_out = pd.DataFrame({"reason": ["copy", "conflict", "copy"]})
    above, below = charts.draw_unused(pd.DataFrame({"reason": []}), left_out).axes
    assert above.get_title(loc="left") == "seen, and not in the index: 0"
    assert texts(above) == ["nothing"]
    assert below.get_title(loc="left") == "in the index, and not in the split: 3"
    assert labels(below.yaxis) == ["conflict", "copy", "truncated", "leak"]
    assert [bar.get_width() for bar in below.patches] == [1, 2, 0, 0]
    assert texts(below) == ["1", "2", "0", "0"]


def test_equal_charts_are_equal_files(tmp_path):
    for folder in ("one", "two"):
        save(charts.draw_quality(index()), tmp_path / folder, "quality")
    for name in ("quality.png", "quality.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()

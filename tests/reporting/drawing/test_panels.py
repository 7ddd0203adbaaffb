"""Panels and legends: as large as a page allows, and names in readable lines."""

import pytest

from cxrpipe.reporting.drawing.panels import fit_columns, lay_page, wrap_name


def test_a_name_is_broken_between_its_settings():
    name = "inception_v3_side-360_head-1024-1024_dropout-0.5"
    assert wrap_name(name) == "inception v3 side-360 head-1024-1024\ndropout-0.5"
    assert wrap_name(name, 22) == "inception v3 side-360\nhead-1024-1024\ndropout-0.5"


@pytest.mark.parametrize(
    ("n", "grid"), [(1, (1, 1)), (4, (4, 1)), (5, (3, 2)), (9, (3, 3)), (15, (4, 4))]
)
def test_rows_of_panels_are_about_equally_full(n, grid):
    assert fit_columns(n) == grid


@pytest.mark.parametrize("n", [1, 2, 5, 15])
@pytest.mark.parametrize("n_names", [1, 10, 25])
@pytest.mark.parametrize("name", ["m", "inception_v3_side-360_head-1024-1024_dropout-0.5_seed-1"])
def test_no_figure_is_wider_than_a_page(n, n_names, name):
    page = lay_page(n, 1.0, [f"{name}{number}" for number in range(n_names)])
    assert page.width <= 13
    assert page.height <= 16


def test_a_legend_stands_beside_its_panels_until_it_is_taller():
    few, many = (lay_page(2, 1.0, [f"m{number}" for number in range(n)]) for n in (10, 40))
    assert few.place == {"loc": "outside right upper"}
    assert many.place["loc"] == "outside lower left"
    assert many.place["ncols"] > 1

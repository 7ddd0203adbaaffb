"""Cells, captions, pictures and Markdown."""

import base64
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from told import draw_picture

from cxrpipe.reporting.drawing.names import EXPLAINED, KINDS
from cxrpipe.reporting.page.rendering import (
    DRAWN_FROM,
    as_markdown,
    embed,
    find_numeric,
    read_captions,
    say_cell,
    say_rows,
    show,
)
from cxrpipe.runtime import UserError


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1234, "1,234"),
        (np.int64(0), "0"),
        (1.5, "1.5"),
        (np.float64(0.25), "0.25"),
        (float("nan"), ""),
        (None, ""),
        (pd.NA, ""),
        (True, "yes"),
        (np.False_, "no"),
        ("<i>", "<i>"),
    ],
)
def test_a_cell_is_written_as_people_read_it(value, said):
    assert say_cell(value) == said


def test_findings_are_written_without_underscores_and_files_as_they_are():
    table = pd.DataFrame({"other finding": ["lung_opacity"], "file": ["lung_opacity/1_2.png"]})
    assert say_rows(table) == [["lung opacity", "lung_opacity/1_2.png"]]


def test_a_column_is_of_numbers_if_every_cell_begins_with_one_or_has_none():
    table = pd.DataFrame(
        {
            "estimates": ["0.931 (0.912-0.948)", "not estimable", ""],
            "bold": ["**0.9** (0.8-0.95)", "0.1", "<0.001"],
            "differences": ["+0.1", "-0.2", "0"],
            "names": ["resnet18", "3", ""],
            "bands": ["18-39", "40-59", "80 and over"],
            "checksums": ["5feceb66ff", "670b978842", "035e8819b5"],
            "shares": ["30%", "9 of 14", "0.5, 0.25"],
            "empty": ["", "", ""],
            "counts": [1, 2, 3],
        }
    )
    assert find_numeric(table) == [True, True, True, False, False, False, True, False, True]


def test_markdown_keeps_cells_as_they_are():
    lines = as_markdown(pd.DataFrame({"p": ["0.10"], "n": ["007"]})).splitlines()
    assert lines[2] == "| 0.10 | 007 |"


def test_captions_are_read_as_one_line(tmp_path):
    (tmp_path / "curves.rst").write_text("Loss by\nepoch.\n")
    assert read_captions(tmp_path.iterdir()) == {"curves": "Loss by epoch."}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("causes", "more frequent (right of 1) or less (left of 1) by the test"),
        ("filters", "The filters are those that training changed most"),
        ("neighbours", "the test films of other patients that are nearest"),
        ("confidence", "by their checksum, within right and wrong answers of each finding"),
        ("mistakes", "at most ten are shown"),
    ],
)
def test_a_caption_says_how_its_films_or_filters_were_chosen(kind, said):
    captions = Path(__file__).parents[3] / "workflow" / "report"
    assert said in read_captions([captions / f"{kind}.rst"])[kind]


def test_an_embedded_picture_holds_the_bytes_of_the_file(tmp_path):
    path = draw_picture(tmp_path / "classes.png", (4, 4))
    kind, _, data = embed(path).partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == path.read_bytes()


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("gradcam-viral_pneumonia", "Grad-CAM: viral pneumonia"),
        ("precision_recall", "Precision and recall"),
        ("confusion-many-labels", "Confusion: many-labels"),
    ],
)
def test_a_title_says_kind_and_rest_as_people_write_them(name, title, tmp_path):
    path = draw_picture(tmp_path / f"{name}.png", (7, 5))
    kind = name.partition("-")[0]
    (shown,) = show([path], {kind: "Where it looks."})
    assert shown[:3] == (name, title, "Where it looks.")
    assert shown[4:6] == (7, 5)


def test_a_figure_names_the_file_that_it_was_drawn_from(tmp_path):
    paths = [draw_picture(tmp_path / f"{name}.png", (4, 4)) for name in ("decision-covid", "age")]
    shown = show(paths, {"decision": "Net benefit.", "age": "Ages."})
    assert [picture.source for picture in shown] == ["curves.csv", ""]


@pytest.mark.parametrize(
    ("kinds", "files"),
    [
        (
            ("gradcam", "gallery", "depth", "methods", "several"),
            "gradcam/*/fold-0.h5, predictions/*/fold-0.csv",
        ),
        (("confidence",), "errors/*/fold-0.csv, predictions/*/fold-0.csv, metrics.json"),
        (("mistakes",), "errors/*/fold-0.csv, errors/*/fold-0.json"),
        (("neighbours",), "latent/*/neighbours.csv, latent/*/layout.csv"),
    ],
)
def test_explanations_name_every_file_whose_numbers_they_draw(kinds, files):
    assert {DRAWN_FROM[kind] for kind in kinds} == {files}


def test_every_figure_of_scores_and_explanations_names_its_files():
    assert set(DRAWN_FROM) == {"curves", "gradcam", *KINDS, *EXPLAINED}


def test_a_kind_of_figure_without_a_caption_is_named(tmp_path):
    path = draw_picture(tmp_path / "gradcam-covid.png", (4, 4))
    with pytest.raises(UserError, match=r"workflow/report/gradcam\.rst"):
        show([path], {"curves": "Loss."})

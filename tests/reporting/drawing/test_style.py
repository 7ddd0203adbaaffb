"""The style: readable in grey and by the colour-blind, and equal bytes for equal figures."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.figure import Figure
from PIL import Image

from cxrpipe.reporting.drawing.style import GREY, PLACES, ink, look, readable, save

# Okabe and Ito 2008, "Color Universal Design", less yellow, which is too light for lines.
OKABE_ITO = {"#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7"}


def luminance(colour):
    """Relative luminance of WCAG 2.1."""
    channels = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    """Contrast ratio of WCAG 2.1."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_colours_are_those_that_the_colour_blind_tell_apart():
    cycle = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert set(cycle) == OKABE_ITO
    assert len(cycle) == 7


def test_fourteen_models_are_told_apart_without_colour():
    seen = {(look(n)["marker"], look(n)["markerfacecolor"]) for n in range(14)}
    assert len(seen) == 14


def test_forty_nine_models_are_told_apart_by_colour_and_marker():
    assert len({(look(n)["color"], look(n)["marker"]) for n in range(49)}) == 49


def test_more_is_darker_in_every_shade_of_a_table():
    lightness = [luminance(colormaps["Blues"](share)) for share in np.linspace(0, 1, 101)]
    assert (np.diff(lightness) <= 0).all()
    assert lightness[0] - lightness[-1] > 0.85


@pytest.mark.parametrize("share", np.linspace(0, 1, 21))
def test_text_is_readable_on_every_shade(share):
    """WCAG 2.1, level AA: at least 4.5 to 1."""
    assert contrast(ink(share), colormaps["Blues"](share)) >= 4.5


def test_lines_that_are_no_model_are_readable_on_white():
    assert contrast(GREY, "white") >= 4.5


def test_names_are_written_as_people_write_them():
    assert readable("pleural_thickening") == "pleural thickening"


def test_files_tell_neither_date_nor_software(tmp_path):
    save(Figure(figsize=(1, 1)), tmp_path, "empty")
    assert b"<dc:date>" not in (tmp_path / "empty.svg").read_bytes()
    with Image.open(tmp_path / "empty.png") as picture:
        assert "Software" not in picture.info


def test_what_the_layout_puts_in_place_stands_on_rounded_positions(tmp_path):
    """Its solver's last bits differ from run to run, and would be in the SVG."""
    figure = Figure(figsize=(7, 3))
    for part in figure.subfigures(1, 3):
        part.suptitle("near")
        for axes in part.subplots(1, 2):
            axes.imshow(np.eye(7))
            axes.set_xlabel("a film")
    save(figure, tmp_path, "figure")
    places = [axes.get_position(original=True).get_points() for axes in figure.axes]
    places += [part.bbox_relative.get_points() for part in figure.subfigs]
    assert len(places) == 9
    np.testing.assert_array_equal(places, np.round(places, PLACES))

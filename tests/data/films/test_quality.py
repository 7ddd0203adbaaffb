"""What tells a radiograph from other pictures: counted by hand, and on the mirror."""

import numpy as np
import pandas as pd
import pytest

from cxrpipe.config import Index
from cxrpipe.data.films.film import Film, UnusableFilmError, read_film
from cxrpipe.data.films.quality import Quality, blank, contrast, measure_quality, refuse

GOOD = Quality(width=300, height=200, tint=0.0, contrast=0.7, blank=0.1)


def test_contrast_is_the_distance_of_two_percentiles():
    # of 100 greys 0 to 99 the 5th in order is 4, the 95th is 94
    greys = np.arange(100, dtype=np.uint8).reshape(10, 10)
    assert contrast(greys) == 90 / 255
    assert contrast(np.random.default_rng(0).permuted(greys)) == 90 / 255
    assert contrast(np.full((3, 3), 7, np.uint8)) == 0
    assert contrast(np.array([[0, 255]], np.uint8)) == 1


def test_blank_counts_the_pixels_near_the_commonest_grey():
    # 10 stands thrice; 8 and 12 are near it, 7 and 13 are not
    assert blank(np.array([[10, 10, 10, 8, 12, 7, 13, 200]], np.uint8)) == 5 / 8
    assert blank(np.zeros((4, 4), np.uint8)) == 1
    assert blank(np.array([[255, 255, 253, 0]], np.uint8)) == 3 / 4


def test_a_film_is_measured_by_its_sides_and_its_pixels():
    pixels = np.tile(np.arange(100, dtype=np.uint8), (40, 1))
    quality = measure_quality(Film(pixels, "RGB", tint=0.03))
    assert quality == Quality(
        100, 40, 0.03, 90 / 255, 3 / 100
    )  # 0, the first of equals, has no neighbours below
    assert (quality.side, quality.aspect) == (40, 2.5)


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        ({"height": 63}, "too_small", "shorter side 63, below index.min_side (64)"),
        (
            {"height": 100},
            "extreme_aspect",
            "longer side by shorter side 3, over index.max_aspect (2.5)",
        ),
        (
            {"tint": 0.1},
            "tinted",
            "share of pixels in many colours 0.1, over index.max_tint (0.08)",
        ),
        (
            {"contrast": 0.05},
            "low_contrast",
            "spread of the greys 0.05, below index.min_contrast (0.1)",
        ),
        ({"blank": 0.95}, "blank", "share of one grey 0.95, over index.max_blank (0.9)"),
    ],
)
def test_every_limit_has_its_reason(change, reason, detail):
    error = refuse(Quality(**(vars(GOOD) | change)), Index())
    assert (error.reason, error.detail) == (reason, detail)


def test_a_good_film_and_one_at_the_limits_are_used():
    assert refuse(GOOD, Index()) is None
    limits = Index(min_side=200, max_aspect=1.5, max_tint=0, min_contrast=0.7, max_blank=0.1)
    assert refuse(GOOD, limits) is None


def outcome(path):
    try:
        error = refuse(measure_quality(read_film(path)), Index())
    except UnusableFilmError as refused:
        error = refused
    return error.reason if error else ""


@pytest.mark.mirror
def test_of_the_oddities_only_radiographs_are_used(mirror):
    assert {path.name: outcome(path) for path in (mirror / "oddities").glob("*.*")} == {
        "02099738-7465-4786-b71c-de8cdac477c3.dcm": "",
        "1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm": "",
        "COVID19(460).jpg": "unreadable",
        "Fake_MONOHR1.dcm": "",
        "anon_apct.dcm": "modality",
        "dog.jpg": "tinted",
        "h_00a85be6-6eb0-421d-8acf-ff2dc0007e8a.dcm": "",
        "person1642_bacteria_4352.jpeg": "extreme_aspect",
        "test_jpeg.dcm": "modality",
        "tpmd200203f2-c.png": "",
        "tuberculosis-9592.jpg": "tinted",
    }


@pytest.mark.mirror
def test_no_radiograph_with_a_finding_is_refused(mirror):
    manifest = pd.read_csv(mirror / "manifest.tsv", sep="\t", keep_default_na=False, quoting=3)
    finding = manifest["finding"]
    films = manifest[(finding != "") & ~finding.str.contains("^(?:reject|mask):")]
    odd = films[~films["source"].isin(["kermany", "radiography"])]
    some = pd.concat([odd, films[films["source"].isin(["kermany", "radiography"])][::20]])
    assert len(some) == 1349
    refused = {row.path: outcome(mirror / row.source / row.path) for row in some.itertuples()}
    assert {path: reason for path, reason in refused.items() if reason} == {}

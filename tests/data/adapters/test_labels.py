"""Labels: a record becomes a row of the index, or the reason why the film is not used."""

import math

import pytest

from cxrpipe.catalogue import Films, IndexSettings
from cxrpipe.config import Recipe, check
from cxrpipe.data.adapters.labels import (
    label_record,
    refuse_ambiguous_labels,
    translate,
    translate_boxes,
    years,
)
from cxrpipe.data.adapters.sources import RECORD
from cxrpipe.data.films.film import UnusableFilmError
from cxrpipe.runtime import UserError

FILMS = Films(findings={"N": "normal", "E": "edema", "M": "mass", "H": "hernia"})
EDEMA_FIRST = ("edema", "normal", "mass")


def label(films=FILMS, settings=None, findings=EDEMA_FIRST, **told):
    record = dict.fromkeys(RECORD, "") | {"source": "c", "file": "1.png"} | told
    chosen = IndexSettings(findings=findings, films={"c": films}, **(settings or {}))
    row = label_record(record, films, chosen)
    return (row.reason, row.detail) if isinstance(row, UnusableFilmError) else row


def test_labels_are_translated_part_by_part():
    findings = {"No Finding": "normal", "Edema": "edema", "Mass": "mass"}
    assert translate("No Finding", findings) == ("normal",)
    assert translate("Edema| Mass", findings) == ("edema", "mass")
    with pytest.raises(KeyError, match="Hernia"):
        translate("Edema|Hernia", findings)
    assert translate("Lung_Opacity |Viral  Pneumonia (2)", {}) == (
        "lung_opacity",
        "viral_pneumonia_2",
    )


def test_a_row_tells_all_that_is_known():
    row = label(
        label="E",
        patient="c/p1",
        view="AP",
        age="045Y",
        sex="female",
        published="test",
        lungs="l.png|r.png",
        lesions="x.png",
        boxes="E:0.1,0.2,0.3,0.4|H:0,0,1,1|M:0,0,0.5,1",
    )
    assert row == {
        "source": "c",
        "file": "1.png",
        "patient": "c/p1",
        "view": "AP",
        "age": 45,
        "sex": "F",
        "findings": "edema",
        "published": "test",
        "lungs": "l.png|r.png",
        "lesions": "x.png",
        "boxes": "edema:0.1,0.2,0.3,0.4|mass:0,0,0.5,1",
    }


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"label": "N", "view": "L"}, ("view", "view is L; accepted are PA, AP, unknown")),
        ({"label": "?"}, ("unknown_label", "label '?' is not in findings: of its source")),
        ({"label": "E|?"}, ("unknown_label", "label '?' is not in findings: of its source")),
        ({"label": ""}, ("unlabelled", "nothing tells its finding")),
        ({"label": "H"}, ("other_finding", "hernia is not a finding of this recipe")),
        ({"label": "E|H"}, ("other_finding", "hernia is not a finding of this recipe")),
        ({"label": "M|E"}, ("several_findings", "edema|mass")),
    ],
)
def test_a_film_that_is_not_used_has_its_reason(told, reason):
    assert label(**told) == reason


KEEP, IGNORE = {"several": "keep"}, {"unlisted": "ignore"}


@pytest.mark.parametrize(
    ("settings", "written", "expected"),
    [
        (KEEP, "M|E", "edema|mass"),  # the recipe's order, not the label's
        (KEEP, "E|E", "edema"),
        (KEEP, "E|H", "other_finding"),
        (KEEP, "H", "other_finding"),
        (KEEP, "", "unlabelled"),
        (IGNORE, "E|H", "edema"),
        (IGNORE, "H", "other_finding"),
        (IGNORE, "E|H|M", "several_findings"),
        (KEEP | IGNORE, "H|M|E", "edema|mass"),
        (KEEP | IGNORE, "H", ""),
        (KEEP | IGNORE, "", "unlabelled"),
        (KEEP | IGNORE, "?", "unknown_label"),
    ],
)
def test_several_and_unlisted_findings_are_kept_or_dropped_as_the_recipe_says(
    settings, written, expected
):
    row = label(settings=settings, label=written)
    assert (row["findings"] if isinstance(row, dict) else row[0]) == expected


def test_a_description_may_give_a_finding_to_films_without_a_label():
    assert label(Films(findings={"": "normal"}), label="")["findings"] == "normal"


def test_boxes_keep_the_findings_of_the_recipe_under_its_names():
    boxes = "Infiltrate:0.1,0.2,0.3,0.4|Mass:0,0,1,1|Odd: name:1,1,1,1"
    assert translate_boxes(boxes, {"Infiltrate": "infiltration"}, ("infiltration", "mass")) == (
        "infiltration:0.1,0.2,0.3,0.4"
    )
    assert translate_boxes(boxes, {}, ("mass", "odd_name")) == "mass:0,0,1,1|odd_name:1,1,1,1"
    assert translate_boxes("", {}, ("mass",)) == ""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("45", 45),
        ("045Y", 45),
        ("45yrs", 45),
        ("45 years old", 45),
        (" 7.5 ", 7.5),
        ("6 months", 0.5),
        ("006M", 0.5),
        ("0", 0),
        ("120", 120),
    ],
)
def test_ages_are_read_in_years(written, expected):
    assert years(written) == expected


def test_ages_in_weeks_and_days_are_parts_of_a_year():
    assert years("031D") == pytest.approx(31 / 365.25)
    assert years("4 weeks") == pytest.approx(28 / 365.25)


@pytest.mark.parametrize("written", ["", "50+", "unknown", "-3", "414", "121Y", "40-50", "9 x"])
def test_an_age_that_is_not_known_is_not_a_number(written):
    assert math.isnan(years(written))


@pytest.mark.parametrize(
    ("written", "expected"),
    [("F", "F"), ("female", "F"), ("Female", "F"), ("m", "M"), ("Male", "M"), ("U", ""), ("", "")],
)
def test_sex_is_read_as_it_is_written(written, expected):
    assert label(label="N", sex=written)["sex"] == expected


@pytest.mark.parametrize("name", ["a|b", "a\nb", "\x7f", "", " "])
def test_a_recipe_refuses_findings_that_would_break_a_table(name):
    recipe = {"title": "t", "sources": ["c"], "models": {"m": {"architecture": "resnet10t"}}}
    with pytest.raises(UserError, match=r"findings: .* is no name; tables join findings by '\|'"):
        check(Recipe, recipe | {"findings": ["normal", name]}, "own.yaml")
    assert check(Recipe, recipe | {"findings": ["normal", "fièvre Q"]}, "own.yaml").findings[1]


@pytest.mark.parametrize(
    "labels", [{"covid+", "covid-"}, {"1", "-1"}, {"肺炎"}, {"a|covid+", "COVID-"}]
)
def test_labels_that_would_be_read_as_one_are_refused(labels):
    with pytest.raises(UserError, match=r"s: the label .* name the labels in findings:"):
        refuse_ambiguous_labels(labels, "s")


def test_labels_that_differ_in_case_and_separators_are_one():
    refuse_ambiguous_labels({"Viral Pneumonia", "viral_pneumonia", "viral-pneumonia|X", ""}, "s")

"""The chapter of heatmaps: words first, every score after them, and why some are missing."""

import pytest
from judging import NO_FOCAL, NONE, tell_localisation, tell_nothing, tell_shortcut
from told import tell_metrics, tell_run

from cxrpipe.reporting.page.explanations import (
    explain_absent,
    say_blank,
    say_drawn,
    say_focal,
    say_stood_in,
    tell_explanations,
)


def tell(*localisations):
    metrics = tell_metrics()
    games = dict(zip(metrics["models"], localisations, strict=True))
    return tell_explanations(tell_run(metrics=metrics, localisations=games))(metrics, "findings")


def lines(blocks):
    return " ".join(line for block in blocks if block.kind == "words" for line in block.lines)


def test_what_a_heatmap_does_not_show_is_said_before_any_number():
    blocks = tell(tell_shortcut(), tell_localisation(), tell_nothing())
    assert "It does not show why they did" in blocks[0].lines[0]
    assert "Grad-CAM at layer4 of densenet, layer4 of resnet10" in blocks[0].lines[0]
    assert blocks[1].lines[0].startswith("Heatmaps of densenet point at lesions")
    assert "fixed rules" in blocks[3].lines[0]


def test_the_best_model_comes_first_and_warns_if_it_must():
    good, bad = tell_localisation(), tell_shortcut()
    assert len(tell(good, good, good)[1].lines) == 1
    blocks = tell(good, bad, good)
    assert blocks[1].lines[1].startswith("A warning of a shortcut: heatmaps of densenet")
    tables = [block for block in blocks if block.kind == "table"]
    assert {table.rows["model"].iloc[0] for table in tables} == {"densenet"}
    assert [table.caption for table in tables if table.folded] == ["Pointing by finding"]


def test_every_table_names_its_files():
    tables = [block for block in tell(*[tell_localisation()] * 3) if block.kind == "table"]
    assert len(tables) == 5
    assert {table.source for table in tables} == {"gradcam/*/fold-0.json"}


def test_without_any_film_there_are_words_and_no_empty_table():
    blocks = tell(*[tell_nothing()] * 3)
    tables = [block for block in blocks if block.kind == "table"]
    assert [table.caption for table in tables] == ["Verdicts on heatmaps"]
    said = lines(blocks)
    assert "the pointing game was not played." in said
    assert "No scored film has a box of its lesion" in said
    assert "Focal findings are" not in said


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ({"a": tell_nothing(), "b": tell_nothing()}, "No scored film has masks of its lungs."),
        (
            {"a": tell_nothing(), "b": tell_localisation(), "c": {"n": 0}},
            "No scored film has masks of its lungs, for a and c.",
        ),
    ],
)
def test_what_is_missing_is_told_of_those_that_miss_it(models, said):
    assert explain_absent(models, [("lungs", "mask")]) == [said]


def test_nothing_is_missing_where_all_is_known():
    assert explain_absent({"a": tell_localisation()}, [(), ("focal",), ("altered",)]) == []


def test_heatmaps_that_show_nothing_are_counted():
    assert say_blank({"a": tell_shortcut(), "b": tell_localisation()}) == [
        "3 heatmaps of a show nothing, and so have no share inside the lungs."
    ]


def test_lungs_that_are_a_stand_in_are_counted():
    assert say_stood_in({"a": tell_localisation(stand_in=7), "b": tell_localisation()}) == [
        "In 7 of the films of a the lungs of that chance are a geometric stand-in."
    ]


def test_focal_findings_are_named_with_their_limit():
    models = {"a": tell_localisation(), "b": tell_localisation(focal=NO_FOCAL)}
    (said,) = say_focal(models)
    assert said.endswith("covers at most 25% of the lungs: lung opacity.")
    assert say_focal({"b": models["b"]}) == []


def test_the_method_is_told_as_people_write_it():
    assert say_drawn({"a": tell_localisation(explained_by="gradcam++")}) == (
        "Grad-CAM++ at layer4 of a"
    )
    assert say_drawn({"a": NONE}) == "nothing was drawn"

"""The chapter of heatmaps: words first, every score after them, and why some are missing."""

import pytest
from judging import NO_FOCAL, NONE, tell_localisation, tell_nothing, tell_shortcut
from told import MODELS, tell_metrics, tell_run

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
    assert "explanations/<model>/fold-0/" in blocks[3].lines[1]


def test_only_what_stands_beside_random_weights_is_said_to():
    seen, rules = (tell(*[tell_localisation()] * 3)[place].lines[0] for place in (0, 3))
    assert "the pointing game also beside the same network with its weights in random" in seen
    assert "Other methods are drawn and not scored." in seen
    assert "Random weights are one draw" in rules
    assert "Nothing is adjusted" in rules
    assert "chance and 0.5, and depend on it if it is not above chance and below 0.25" in rules


def test_findings_outside_the_lungs_are_named_as_a_limit():
    said = lines(tell(*[tell_localisation()] * 3))
    assert "such as a large heart, a hernia or an effusion" in said


@pytest.mark.parametrize("bad", MODELS)
def test_whichever_model_leaves_the_lungs_is_warned_of(bad):
    told = [tell_shortcut() if name == bad else tell_localisation() for name in MODELS]
    said = [line for line in tell(*told)[1].lines if "heatmaps leave the lungs" in line]
    assert len(said) == 1
    assert f"those of {bad} (19%" in said[0]


def test_the_best_model_comes_first():
    good = tell_localisation()
    assert "heatmaps leave" not in " ".join(tell(good, good, good)[1].lines)
    tables = [block for block in tell(good, tell_shortcut(), good) if block.kind == "table"]
    assert tables[0].rows.columns[1] == "densenet"
    assert {table.rows["model"].iloc[0] for table in tables[1:]} == {"densenet"}
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

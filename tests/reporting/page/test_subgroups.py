"""Other collections and parts of the test films."""

import pytest
from told import tell_metrics

from cxrpipe.reporting.page.subgroups import (
    matrix_table,
    part_table,
    source_table,
    tell_matrix,
    tell_subgroups,
)
from cxrpipe.reporting.page.summary import say_inside, say_outside, say_tested
from cxrpipe.reporting.page.wording import say_interval


def captions(blocks):
    return [block.caption for block in blocks if block.kind == "table"]


def test_models_are_told_on_collections_held_out_apart_from_the_others():
    models = tell_metrics(held_out=("south",))["models"]
    outside, inside = (source_table(models, held_out=held_out) for held_out in (True, False))
    assert outside["collection"].tolist() == ["south"] * 3
    assert inside["collection"].tolist() == ["north", "east"] * 3
    told = models["densenet"]["subgroups"]["source"]["south"]
    row = outside[outside["model"] == "densenet"].iloc[0]
    assert row["n"] == told["n"]
    assert row["accuracy"] == say_interval(told["accuracy"])


def test_without_a_collection_held_out_validation_is_called_internal():
    blocks = tell_subgroups(tell_metrics(), "findings")
    assert blocks[0].lines[0].startswith("Internal validation only")
    assert "Held out of training" not in captions(blocks)


def test_a_collection_held_out_is_named():
    blocks = tell_subgroups(tell_metrics(held_out=("south", "east")), "findings")
    assert "no film of south and east has trained or chosen any model." in blocks[0].lines[0]
    assert captions(blocks)[:2] == ["Held out of training", "Not held out"]


def test_models_of_one_collection_are_tested_on_others():
    told = tell_metrics(trained_on=("north", "", "north"))
    (words, *_) = tell_subgroups(told, "findings")
    assert words.lines[0].startswith(
        "External validation: no film of east and south has trained or chosen resnet10 and "
        "resnet18; no collection is held out of densenet. "
    )
    assert say_outside(told, "findings").startswith("Tested on external films: no film of east")
    assert say_inside(told, "findings") == ""


@pytest.mark.parametrize(
    ("n_held_out", "said"),
    [
        (0, "96 groups, of collections that are in training or validation too."),
        (35, "96 groups, 35 of them of collections held out (south)."),
        (105, "96 groups, all of collections held out (south): there is no internal test."),
    ],
)
def test_test_films_of_collections_held_out_are_counted(n_held_out, said):
    told = tell_metrics(held_out=("south",))
    told["tasks"]["findings"]["test"]["n_held_out"] = n_held_out
    assert say_tested(told, "findings") == f"105 test films in {said}"


def test_a_collection_is_told_as_held_out_among_the_parts():
    rows = part_table(tell_metrics(held_out=("south",))["models"]["densenet"])
    assert rows["held out"].tolist()[:4] == [False, False, True, ""]
    assert rows["findings"].tolist()[:1] == [4]


def test_every_part_has_a_row_and_the_unknown_stay():
    table = part_table(tell_metrics()["models"]["densenet"])
    assert table[["by", "part"]].to_numpy().tolist()[3:8] == [
        ["view", "PA"],
        ["view", "AP"],
        ["view", "unknown"],
        ["sex", "F"],
        ["sex", "M"],
    ]
    assert table["n"].tolist()[3:6] == [60, 33, 12]


def test_the_best_model_is_open_and_the_others_are_folded():
    tables = [
        block for block in tell_subgroups(tell_metrics(), "findings") if block.kind == "table"
    ]
    assert [(block.caption.split(": ")[1], block.folded) for block in tables] == [
        ("densenet", False),
        ("resnet10", True),
        ("resnet18", True),
    ]


def test_the_matrix_marks_the_collection_that_trained_a_model():
    models = tell_metrics(trained_on=("north", "", "south"))["models"]
    table = matrix_table(models, "auc")
    assert table["trained on"].tolist() == ["north", "all", "south"]
    own = table.set_index("model").map(lambda cell: cell.endswith(" *"))
    assert own.loc["resnet10"].tolist() == [False, True, False, False]
    assert own.loc["densenet"].tolist() == [False] * 4
    told = models["resnet18"]["subgroups"]["source"]["south"]["macro"]["auc"]
    assert table["tested on south"].tolist()[2] == say_interval(told) + " *"


@pytest.mark.parametrize("trained_on", [(), ("east",)])
def test_the_matrix_is_told_only_where_a_model_learnt_from_one_collection(trained_on):
    assert bool(tell_matrix(tell_metrics(trained_on=trained_on), "findings")) is bool(trained_on)

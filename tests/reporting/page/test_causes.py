"""Which causes are more frequent among mistakes, counted by hand."""

import pytest
from judging import tell_cause, tell_causes, tell_causes_of

from cxrpipe.reporting.page.causes import (
    cause_table,
    find_alpha,
    is_more_frequent,
    say_drawn,
    say_part,
    sum_up_causes,
)
from cxrpipe.reporting.page.causes import (
    tell_causes as tell_blocks,
)

ODDS = "2.500 (1.200-5.250)"


def test_causes_are_shown_among_mistakes_and_right_answers():
    assert cause_table(tell_causes()).to_numpy().tolist() == [
        ["text", "imaginary text", "9 of 21 (43%)", "11 of 84 (13%)", ODDS, "0.004", "0.012"],
        ["crop", "imaginary crop", "3 of 21 (14%)", "15 of 84 (18%)", ODDS, "0.210", "0.630"],
        ["tint", "imaginary tint", "0 of 21 (0%)", "0 of 84 (0%)", *["not estimable"] * 3],
    ]


def test_a_collection_keeps_its_name():
    named = tell_causes(tell_cause("source: east_wing", 9, 11, 0.004))
    assert cause_table(named)["cause"].tolist() == ["source: east_wing"]
    assert "answers: source: east_wing (odds" in sum_up_causes("net", named, 0.05)


def test_a_share_of_nothing_is_not_estimable():
    assert say_part(0, 0) == "not estimable"


def test_only_causes_that_pass_the_test_are_called_more_frequent():
    assert sum_up_causes("net", tell_causes(), 0.05) == (
        "More frequent among the 21 mistakes of net on 105 test films than among right answers: "
        "text (odds ratio 2.500 (1.200-5.250), adjusted p 0.012)."
    )
    assert sum_up_causes("net", tell_causes(), 0.01) == (
        "Of 2 measured causes none is shown to be more frequent among the 21 mistakes of net on "
        "105 test films than among right answers."
    )


def test_a_cause_that_is_rarer_among_mistakes_is_not_called_more_frequent():
    rare = tell_cause("devices", 1, 60, 0.0001)
    said = sum_up_causes("net", tell_causes(rare), 0.05)
    assert "none is shown to be more frequent" in said
    assert said.endswith("Rarer: devices (odds ratio 2.500 (1.200-5.250), adjusted p <0.001).")


@pytest.mark.parametrize(
    ("counts", "more"), [((5, 20), False), ((6, 20), True), ((0, 0), False), ((1, 0), True)]
)
def test_shares_are_compared_and_not_counts(counts, more):
    assert is_more_frequent(tell_cause("text", *counts, None)) is more


@pytest.mark.parametrize(
    ("causes", "said"),
    [
        (tell_causes(n_wrong=0), "net makes no mistake on 105 test films"),
        (tell_causes(n_wrong=105), "net is wrong on every one of 105 test films"),
        (
            tell_causes(tell_cause("tint", 0, 0, None)),
            "No cause of the 21 mistakes of net could be tested.",
        ),
        (tell_causes() | {"causes": []}, "No cause of the 21 mistakes of net could be tested."),
    ],
)
def test_what_cannot_be_compared_is_said(causes, said):
    assert sum_up_causes("net", causes, 0.05).startswith(said)


def test_the_limit_is_that_of_the_intervals():
    assert find_alpha({"bootstrap": {"level": 0.95}}) == 0.05
    assert find_alpha({"bootstrap": {"level": 0.9}}) == 0.1


def test_drawn_mistakes_are_counted_by_finding():
    (said,) = say_drawn(tell_causes())
    assert said == "Mistakes drawn by seed: normal 1 and covid 1."


def test_the_figure_is_not_said_to_show_more_than_it_does():
    many = tell_causes(drawn={"normal": ["5feceb66ffc86f"] * 30, "covid": []})
    assert say_drawn(many) == [
        "Mistakes drawn by seed, of each of which the figure shows 10 at most: normal 30."
    ]
    assert say_drawn(tell_causes(n_wrong=0)) == []


def test_the_best_model_is_open_and_one_without_mistakes_has_no_table():
    words, *tables, caution = tell_blocks(tell_causes_of(["one", "two", "three"]), "two", 0.05)
    assert ["of two" in words.lines[0], "of one" in words.lines[1]] == [True, True]
    assert words.lines[2].startswith("three makes no mistake")
    assert [(table.caption, table.folded) for table in tables] == [
        ("Measured causes: two", False),
        ("Measured causes: one", True),
    ]
    files = [table.source for table in tables]
    assert files == ["errors/two/fold-0.json", "errors/one/fold-0.json"]
    assert "need not be the reason" in caution.lines[0]


def test_without_any_mistake_there_is_no_table():
    none = tell_causes(n_wrong=0)
    (words,) = tell_blocks({"net": none}, "net", 0.05)
    assert words.lines == ["net makes no mistake on 105 test films: no cause can be more frequent."]

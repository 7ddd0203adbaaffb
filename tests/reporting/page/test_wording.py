"""Numbers as people read them."""

import pytest

from cxrpipe.reporting.page.wording import (
    say_count,
    say_difference,
    say_interval,
    say_list,
    say_number,
    say_p,
    say_percent,
    say_share,
)

NOTHING = {"value": None, "low": None, "high": None, "sd": None}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"value": 0.93141, "low": 0.9124, "high": 0.94849}, "0.931 (0.912-0.948)"),
        (
            {"value": 0.5, "low": 0.25, "high": 0.75, "sd": 0.0126},
            "0.500 (0.250-0.750) ± 0.013",
        ),
        ({"value": 1.0}, "1.000 (no interval)"),
        ({"value": 0.0, "low": 0.0, "high": 0.0}, "0.000 (0.000-0.000)"),
        ({}, "not estimable"),
    ],
)
def test_an_estimate_is_told_with_what_is_known_of_it(told, said):
    assert say_interval(NOTHING | told) == said


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ((0.75, 0.6, 0.884), "75% (60%-88%)"),
        ((0.75, None, None), "75% (no interval)"),
        ((None, None, None), "not estimable"),
    ],
)
def test_a_share_is_told_in_percent(told, said):
    assert say_percent(dict(zip(("value", "low", "high"), told, strict=True))) == said


def test_an_estimate_of_a_single_fold_needs_no_spread():
    assert say_interval({"value": 0.5, "low": 0.25, "high": 0.75}) == "0.500 (0.250-0.750)"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ((0.0123, -0.0031, 0.0271), "+0.012 (-0.003 to +0.027)"),
        ((-0.25, None, None), "-0.250"),
        ((None, None, None), "not estimable"),
    ],
)
def test_a_difference_has_a_sign(told, said):
    assert say_difference(dict(zip(("difference", "low", "high"), told, strict=True))) == said


@pytest.mark.parametrize(
    ("p", "said"),
    [(0.0009999, "<0.001"), (0.001, "0.001"), (0.0496, "0.050"), (1.0, "1.000"), (0.0, "<0.001")],
)
def test_a_p_below_a_thousandth_is_not_called_zero(p, said):
    assert say_p(p) == said


@pytest.mark.parametrize("say", [say_number, say_p, say_share])
def test_null_is_called_not_estimable(say):
    assert say(None) == "not estimable"


@pytest.mark.parametrize(
    ("names", "said"), [(["a"], "a"), (["a", "b"], "a and b"), (iter("abc"), "a, b and c")]
)
def test_names_are_joined_as_a_sentence_does(names, said):
    assert say_list(names) == said


def test_counts_agree_with_their_noun():
    assert say_count(1, "film") == "1 film"
    assert say_count(1234, "film") == "1,234 films"
    assert say_count(0, "study", "studies") == "0 studies"

"""Which causes films have."""

import numpy as np
import pandas as pd
import pytest

from cxrpipe import tables
from cxrpipe.explanation.mistakes.causes import (
    COPY,
    find_contradicted,
    list_causes,
    name_causes,
)
from cxrpipe.runtime import UserError

NAMES = [f"{number:04x}" for number in range(40)]
MEASURED = [name for name in tables.MEASURES.columns if name != "radiograph"]


def measured(**values):
    """Forty films whose measures all are one half but for the given ones."""
    table = pd.DataFrame({"radiograph": NAMES} | dict.fromkeys(MEASURED, 0.5))
    return table.assign(**values)


def films(sources=("s",) * 40):
    return pd.DataFrame({"radiograph": NAMES, "source": list(sources)})


def causes_of(measures, shown=None, contradicted=(), n_left_out=0):
    shown = films() if shown is None else shown
    return {
        cause.name: cause for cause in list_causes(shown, measures, set(contradicted), n_left_out)
    }


def test_the_highest_tenth_of_all_films_has_a_cause_and_its_limit_is_told():
    """Of 1, 2, ..., 40 the ninth decile is 36.1, so that 37 to 40 are above."""
    found = causes_of(measured(devices=np.arange(1, 41) / 40))["devices"]
    assert found.limit == pytest.approx(36.1 / 40)
    assert np.flatnonzero(found.has).tolist() == [36, 37, 38, 39]
    assert found.meaning == "share of the film under wires and tubes over 0.903 (highest tenth)"


def test_the_lowest_tenth_has_low_contrast():
    found = causes_of(measured(contrast=np.arange(1, 41) / 40))["low contrast"]
    assert np.flatnonzero(found.has).tolist() == [0, 1, 2, 3]
    assert "below 0.123 (lowest tenth)" in found.meaning


def test_limits_are_those_of_all_test_films_whatever_the_task_is_about():
    measures = measured(text=np.arange(1, 41) / 40)
    part = films().iloc[30:38]
    found = causes_of(measures, part)["text"]
    assert found.limit == causes_of(measures)["text"].limit
    assert found.has.tolist() == [False] * 6 + [True] * 2


def test_where_nearly_all_films_have_nothing_any_of_it_is_a_cause():
    values = np.zeros(40)
    values[[3, 5]] = 0.001, 0.2
    found = causes_of(measured(tint=values))["tint"]
    assert found.limit == 0
    assert np.flatnonzero(found.has).tolist() == [3, 5]
    assert found.meaning.endswith("over 0 (any)")


def test_films_that_are_all_alike_have_no_cause():
    found = causes_of(measured())
    assert list(found) == [
        *("tint", "dark", "bright", "low contrast", "crop", "text", "devices"),
        COPY,
    ]
    assert not any(cause.has.any() for cause in found.values())


def test_collections_of_twenty_films_are_causes_where_there_are_several():
    found = causes_of(measured(), films(["a"] * 20 + ["b"] * 19 + ["c"]))
    assert [name for name in found if name.startswith("source")] == ["source: a"]
    assert found["source: a"].has.sum() == 20
    assert found["source: a"].limit is None


def test_one_of_two_collections_against_the_other_is_one_cause():
    """They are one question, which must not count twice where p is adjusted."""
    found = causes_of(measured(), films(["b"] * 18 + ["a"] * 20 + ["b"] * 2))
    assert [name for name in found if name.startswith("source")] == ["source: b against a"]
    assert found["source: b against a"].has.sum() == 20


def test_three_collections_are_three_causes():
    sixty = pd.DataFrame({"radiograph": [f"{n:04x}" for n in range(60)]})
    sixty = sixty.assign(**dict.fromkeys(MEASURED, 0.5))
    shown = sixty[["radiograph"]].assign(source=["a", "b", "c"] * 20)
    found = causes_of(sixty, shown)
    assert [name for name in found if name.startswith("source")] == [
        "source: a",
        "source: b",
        "source: c",
    ]


def test_copies_under_another_finding_are_a_cause_and_those_left_out_are_told():
    found = causes_of(measured(), contradicted=[NAMES[4], "elsewhere"], n_left_out=1200)[COPY]
    assert np.flatnonzero(found.has).tolist() == [4]
    assert "1,200 were left out" in found.meaning


def test_a_film_that_was_not_measured_is_named():
    with pytest.raises(UserError, match=r"measures\.csv lacks radiograph 0027; measure anew"):
        causes_of(measured().iloc[:-1])


def indexed(*findings):
    names = [f"{place}" for place in range(len(findings))]
    return pd.DataFrame({"radiograph": names, "findings": findings})


def duplicates(*pairs):
    return pd.DataFrame(pairs, columns=["first", "second"]).assign(kind="near", score=0.99)


def test_copies_are_followed_by_way_of_others():
    """0, 1 and 2 are one film, normal and covid; 3 and 4 agree; 5 has no copy."""
    index = indexed("normal", "normal", "covid", "covid", "covid", "normal")
    pairs = duplicates(("0", "1"), ("1", "2"), ("3", "4"))
    assert find_contradicted(index, pairs) == {"0", "1", "2"}
    assert find_contradicted(index, pairs.iloc[:0]) == set()


def test_causes_are_named_for_each_film_without_its_source():
    found = list_causes(
        films(["a"] * 20 + ["b"] * 20),
        measured(text=np.arange(40) / 40, devices=np.arange(40)[::-1] / 40),
        {NAMES[39], NAMES[20]},
        0,
    )
    named = name_causes(found, 40)
    assert named[0] == "devices"
    assert named[39] == f"text|{COPY}"
    assert named[20] == COPY
    assert named[10] == ""

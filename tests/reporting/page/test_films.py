"""Who is in each subset, counted by hand."""

import numpy as np
import pandas as pd
from told import SOURCES, tell_excluded

from cxrpipe.reporting.page.films import (
    collection_table,
    count_patients,
    excluded_table,
    patient_table,
    say_ages,
    say_part,
)

FILMS = pd.DataFrame(
    [
        ("train", "p1", 20.0, "F", "PA"),
        ("train", "p1", 40.0, "F", ""),
        ("train", "", np.nan, "M", "AP"),
        ("test", "p2", 60.0, "M", "AP"),
    ],
    columns=["subset", "patient", "age", "sex", "view"],
)


def test_people_are_counted_by_subset():
    rows = patient_table(FILMS).to_numpy().tolist()
    assert rows[0] == [
        *("train", 3, 1, "30 (25-35), known of 2", "2 (67%)", "1 (33%)"),
        *("1 (50%) of 2 known", "1 (50%) of 2 known"),
    ]
    assert rows[1] == ["validation", 0, 0, *["not known from these data"] * 5]
    assert rows[3][:4] == ["all", 4, 2, "40 (30-50), known of 3"]


def test_a_film_of_several_patients_counts_each_once():
    assert count_patients(pd.Series(["a/1|a/2", "a/2", "", "b/1"])) == 3


def test_what_no_film_tells_is_not_known():
    assert say_ages(pd.Series([np.nan, np.nan])) == "not known from these data"
    assert say_part(pd.Series(["", ""]), "F") == "not known from these data"


def test_films_of_each_source_are_counted_as_they_stand_in_the_split():
    split = pd.DataFrame({"source": ["north"] * 5 + ["east"] * 2})
    counted = collection_table(SOURCES, split)
    assert counted[["source", "radiographs"]].to_numpy().tolist() == [["north", 5], ["east", 2]]
    assert counted["citation"].tolist() == [SOURCES[name]["citation"] for name in ("north", "east")]


def test_files_left_out_are_counted_by_source_and_reason():
    assert excluded_table(tell_excluded()).to_numpy().tolist() == [
        ["east", "unreadable", 1, "broken"],
        ["north", "view", 2, "lateral"],
    ]
    assert len(excluded_table(tell_excluded().head(0))) == 0

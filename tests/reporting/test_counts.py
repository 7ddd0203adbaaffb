"""Counts of films by source and finding, all by hand."""

import math

import pandas as pd
import pytest

from cxrpipe import tables
from cxrpipe.reporting.counts import (
    NO_FINDING,
    SOURCES,
    count_by_finding,
    count_subsets,
    describe_sources,
)

FINDINGS = ["normal", "covid"]
#        source   patient   view  width height findings
ROWS = [
    ("south", "a", "PA", 100, 50, "covid"),
    ("south", "a", "AP", 300, 70, "covid"),
    ("south", "", "", 200, 60, "covid"),
    ("south", "b", "PA", 90, 40, "normal"),
    ("north", "c|d", "PA", 10, 20, "normal"),
    ("north", "d", "", 30, 40, "normal"),
    ("north", "", "", 50, 60, "normal|covid"),
]


def index(rows=ROWS):
    columns = ["source", "patient", "view", "width", "height", "findings"]
    return pd.DataFrame(rows, columns=columns)


def test_a_row_for_every_source_and_finding_counted_by_hand():
    assert describe_sources(index(), FINDINGS).to_numpy().tolist() == [
        ["south", "normal", 1, 1, 1.0, 90, 40],
        ["south", "covid", 3, 1, 2 / 3, 200, 60],
        ["north", "normal", 3, 2, 2 / 3, 30, 40],
        ["north", "covid", 1, 0, 0.0, 50, 60],
    ]


def test_the_table_of_sources_is_written_and_read_unchanged(tmp_path):
    described = describe_sources(index(), FINDINGS)
    tables.write(described, tmp_path / "sources.csv", SOURCES)
    again = tables.read(tmp_path / "sources.csv", SOURCES)
    assert again["radiographs"].tolist() == [1, 3, 3, 1]
    assert math.isclose(again["patient_known"][1], 2 / 3, rel_tol=1e-6)


def test_films_without_any_finding_are_counted_last():
    described = describe_sources(index([*ROWS, ("north", "", "", 1, 1, "")]), FINDINGS)
    assert described["finding"].tolist() == ["normal", "covid", "normal", "covid", NO_FINDING]


def test_a_film_with_two_findings_counts_for_both():
    assert describe_sources(index(), FINDINGS)["radiographs"].sum() == len(ROWS) + 1


def test_unknown_values_are_counted_in_the_last_row():
    counts = count_by_finding(index(), "view", FINDINGS)
    assert counts.index.tolist() == ["AP", "PA", "unknown"]
    assert counts.columns.tolist() == FINDINGS
    assert counts.to_numpy().tolist() == [[0, 1], [2, 1], [2, 2]]


@pytest.mark.parametrize(
    ("sort", "rows"), [(True, ["north", "south"]), (False, ["south", "north"])]
)
def test_sources_stand_in_the_order_of_the_index_unless_sorted(sort, rows):
    assert count_by_finding(index(), "source", FINDINGS, sort=sort).index.tolist() == rows


def test_a_finding_that_no_film_shows_counts_zero():
    counts = count_by_finding(index(), "view", [*FINDINGS, "tuberculosis"])
    assert counts["tuberculosis"].tolist() == [0, 0, 0]


def test_a_subset_without_films_counts_zero():
    split = pd.DataFrame({"finding": ["covid", "covid", "normal"], "subset": ["train"] * 3})
    counts = count_subsets(split, FINDINGS)
    assert counts.columns.tolist() == ["train", "validation", "test"]
    assert counts.to_numpy().tolist() == [[1, 0, 0], [2, 0, 0]]

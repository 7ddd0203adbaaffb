"""Nearest films: counted by hand on a line, and beside chance."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from cxrpipe.explanation.latent.neighbours import (
    find_neighbours,
    list_neighbours,
    share_by_chance,
    share_same,
    tell_neighbours,
)
from cxrpipe.explanation.latent.space import span

NAMED = {"features": "m", "stage": "after"}


def line(*places):
    """Lay films on a line."""
    return span(np.array(places, dtype=float)[:, None], standardise=False)


def test_the_nearest_films_of_other_patients_are_found():
    """Films at 0, 1, 2, 3.9, 9; the first two are one patient's."""
    groups = np.array(["p", "p", "q", "r", "s"])
    found, distances = find_neighbours(line(0, 1, 2, 3.9, 9), groups, 2)
    assert found.tolist() == [[2, 3], [2, 3], [1, 3], [2, 1], [3, 2]]
    np.testing.assert_allclose(distances, [[2, 3.9], [1, 2.9], [1, 1.9], [1.9, 2.9], [5.1, 7]])


def test_they_are_those_of_brute_force(clouds):
    space = span(clouds(n=40)[0], standardise=True)
    groups = np.array([f"p{number % 25}" for number in range(40)])
    found, distances = find_neighbours(space, groups, 4)
    every = cdist(space.coordinates, space.coordinates)
    every[groups[:, None] == groups] = np.inf
    np.testing.assert_array_equal(found, every.argsort(axis=1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :4], rtol=1e-6)


def test_where_there_are_fewer_films_fewer_are_listed():
    groups = np.array(["p", "p", "q"])
    found, distances = find_neighbours(line(0, 1, 3), groups, 2)
    assert found.tolist() == [[2, -1], [2, -1], [1, 0]]
    assert np.isinf(distances).tolist() == [[False, True], [False, True], [False, False]]
    listed = list_neighbours(found, distances, np.array(["a", "b", "c"]), NAMED)
    rows = listed[["radiograph", "features", "stage", "rank", "neighbour"]].to_numpy().tolist()
    assert rows == [
        ["a", "m", "after", 1, "c"],
        ["b", "m", "after", 1, "c"],
        ["c", "m", "after", 1, "b"],
        ["c", "m", "after", 2, "a"],
    ]
    np.testing.assert_allclose(listed["distance"], [3, 2, 2, 3], rtol=1e-6)


def test_one_patient_has_no_neighbours():
    for groups in (["p"], ["p", "p"]):
        found, _ = find_neighbours(line(*range(len(groups))), np.array(groups), 3)
        assert (found == -1).all()
        assert list_neighbours(found, found, np.array(["a", "b"]), NAMED).empty


def test_films_that_are_all_alike_have_no_neighbours():
    found, distances = find_neighbours(
        span(np.ones((3, 4)), standardise=True), np.array(["p", "q", "r"]), 2
    )
    assert (found == -1).all()
    assert np.isinf(distances).all()


def test_shares_counted_by_hand():
    labels = np.array(["a", "a", "b", "a"])
    found = np.array([[1, 2], [0, 3], [0, 1], [-1, -1]])
    np.testing.assert_array_equal(share_same(found, labels), [0.5, 1, 0, np.nan])
    groups = np.array(["p", "p", "q", "r"])
    by_chance = share_by_chance(labels, groups)
    np.testing.assert_allclose(by_chance, [1 / 2, 1 / 2, 0, 2 / 3])
    assert np.isnan(share_by_chance(labels[:2], groups[:2])).all()


def test_chance_is_what_random_neighbours_share():
    generator = np.random.default_rng(0)
    labels = generator.choice(["a", "b", "c"], 200, p=[0.5, 0.3, 0.2])
    groups = np.array([f"p{number}" for number in range(200)])
    found = np.stack(
        [generator.permutation(np.delete(np.arange(200), film))[:50] for film in range(200)]
    )
    assert share_same(found, labels).mean() == pytest.approx(
        share_by_chance(labels, groups).mean(), abs=0.01
    )


def test_neighbours_in_clouds_share_the_finding_and_not_the_source(clouds, make_sample):
    features, which = clouds(n=200)
    sources = np.array(["s", "t"])[np.arange(200) // 2 % 2]
    sample = make_sample(np.array(["a", "b"])[which], sources=sources)
    found, _ = find_neighbours(span(features, standardise=True), sample.groups, 5)
    told = tell_neighbours(found, sample)
    assert (told["n"], told["groups"], told["listed"]) == (200, 200, 5)
    assert told["same_finding"] == {"value": 1, "low": None, "high": None}
    assert told["chance_finding"] == told["chance_source"] == pytest.approx(99 / 199, abs=1e-6)
    source = told["same_source"]
    assert source["low"] < 99 / 199 < source["high"]


def test_films_of_several_findings_are_not_counted(clouds, make_sample):
    features, which = clouds(n=40)
    findings = np.array(["a", "none"])[which].astype("<U8")
    findings[:3] = "a|b"
    sample = make_sample(findings)
    found, _ = find_neighbours(span(features, standardise=True), sample.groups, 5)
    told = tell_neighbours(found, sample)
    assert told["n"] == 37
    assert told["same_finding"]["value"] > 0.8
    assert told["same_source"] == {"value": None, "low": None, "high": None}
    assert told["chance_source"] is None

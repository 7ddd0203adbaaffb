"""The split: nobody is in two subsets, shares hold, and nothing depends on the order of rows."""

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from cxrpipe import tables
from cxrpipe.config import Split
from cxrpipe.data.dedupe import find_exact
from cxrpipe.data.index import number_copies
from cxrpipe.data.split import (
    divide,
    drop_copies,
    find_conflicts,
    join_groups,
    main,
    refuse_empty_subsets,
    split_films,
)
from cxrpipe.runtime import UserError


def index(*films):
    """Make an index of films (pixels, patient, finding); equal pixels become numbered copies."""
    table = pd.DataFrame("", range(len(films)), list(tables.INDEX.columns))
    pixels, patients, findings = zip(*films, strict=True)
    table = table.assign(radiograph=pixels, patient=patients, findings=findings)
    return number_copies(table.assign(age=50.0, width=1, height=1))


def pairs(*rows):
    return pd.DataFrame(rows, columns=list(tables.DUPLICATES.columns)).astype(
        tables.DUPLICATES.columns
    )


def alone(finding, n, films=1):
    """Make ``n`` patients of a finding with so many films each."""
    return [
        (f"{finding}{patient:03}{film:03}", f"{finding}{patient}", finding)
        for patient in range(n)
        for film in range(films)
    ]


def split_of(films, seed=0, **chosen):
    table = index(*films)
    return split_films(table, find_exact(table), Split(**chosen), seed)


def counted(split):
    return Counter(zip(split["finding"], split["subset"], strict=True))


def test_films_are_joined_by_patient_and_by_copy_and_through_others():
    table = index(
        ("f", "ann", "n"), ("e", "ann", "n"), ("d", "bob", "n"), ("f", "bob", "n"), ("c", "", "n")
    )
    groups = join_groups(table, find_exact(table))
    # ann's film f has a copy of bob: f, e, f-2 and d are one group, named by its smallest id.
    assert list(groups) == ["d", "d", "d", "d", "c"]


def test_a_film_of_two_patients_joins_them_and_unknown_patients_are_not_one():
    table = index(
        ("a", "x|y", "n"), ("b", "y", "n"), ("c", "x", "n"), ("d", "", "n"), ("e", "", "n")
    )
    assert list(join_groups(table, pairs())) == ["a", "a", "a", "d", "e"]


def test_near_duplicates_join_too():
    table = index(("a", "", "n"), ("b", "", "n"), ("c", "", "n"))
    assert list(join_groups(table, pairs(["c", "b", "near", 0.99]))) == ["a", "b", "b"]


MESS = st.lists(
    st.tuples(
        st.sampled_from([f"m{number}" for number in range(12)]),
        st.sampled_from(["", "p1", "p2", "p3", "p4", "p1|p2", "normal1", "covid2"]),
        st.sampled_from(["normal", "covid"]),
    ),
    max_size=20,
)
NEAR = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=3)


@given(MESS, NEAR, st.sampled_from(["exclude", "first"]), st.integers(0, 99))
def test_no_patient_and_no_copy_is_in_two_subsets(mess, near, conflicts, seed):
    table = index(*alone("normal", 9), *alone("covid", 9, films=2), *mess)
    close = {tuple(sorted(pair)) for pair in near if pair[0] != pair[1] and max(pair) < len(table)}
    near = pairs(*([*table["radiograph"].iloc[list(pair)], "near", 0.99] for pair in close))
    duplicates = pd.concat([find_exact(table), near]).drop_duplicates(["first", "second"])
    try:
        split = split_films(table, duplicates, Split(conflicts=conflicts), seed)
    except UserError:
        reject()
    tables.check(split, tables.SPLIT, "split")
    told = table.set_index("radiograph")
    films = {subset: list(of["radiograph"]) for subset, of in split.groupby("subset")}
    for one, two in combinations(films.values(), 2):
        patients = [{p for film in s for p in told["patient"][film].split("|")} for s in (one, two)]
        assert patients[0] & patients[1] <= {""}
        assert not {film.split("-")[0] for film in one} & {film.split("-")[0] for film in two}
        between = duplicates["first"].isin(one) & duplicates["second"].isin(two)
        between |= duplicates["first"].isin(two) & duplicates["second"].isin(one)
        assert not between.any()
    assert len(split[["group", "subset"]].drop_duplicates()) == split["group"].nunique()
    assert not split["radiograph"].str.split("-").str[0].duplicated().any()


@given(MESS, st.integers(0, 99), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(mess, seed, order):
    table = index(*alone("normal", 9), *alone("covid", 9, films=2), *mess)
    duplicates = find_exact(table)
    shuffled = [
        frame.iloc[order.sample(range(len(frame)), len(frame))] for frame in (table, duplicates)
    ]
    try:
        split = split_films(table, duplicates, Split(), seed)
    except UserError:
        reject()
    again = split_films(*shuffled, Split(), seed)
    pd.testing.assert_frame_equal(split.reset_index(drop=True), again.reset_index(drop=True))


SIZES = st.lists(st.integers(1, 12), min_size=3, max_size=30)
SHARES = st.tuples(st.floats(0.05, 0.45), st.floats(0.05, 0.45))


@given(st.lists(SIZES, min_size=1, max_size=3), SHARES, st.integers(0, 99))
def test_shares_hold_as_far_as_whole_groups_allow(sizes, shares, seed):
    """A group goes to a part below its share, so a part exceeds its share by less than a group.

    What one part lacks the two others have too much, so no part lacks more than two groups.
    """
    finding = np.repeat(np.arange(len(sizes)), [sum(of_finding) for of_finding in sizes])
    every = np.concatenate(sizes)
    group = np.repeat(np.arange(len(every)), every)
    parts = [1 - sum(shares), *shares]
    part = divide(group, finding, parts, seed)
    for number, of_finding in enumerate(sizes):
        counts = np.bincount(part[finding == number], minlength=3)
        excess = counts - np.multiply(parts, sum(of_finding))
        assert excess.max() <= max(of_finding) + 1e-9
        assert excess.min() >= -2 * max(of_finding) - 1e-9
    assert all(len(set(part[group == number])) == 1 for number in range(len(every)))


def test_equal_patients_are_divided_exactly():
    split = split_of([*alone("normal", 50, films=2), *alone("covid", 10)])
    assert counted(split) == {
        ("normal", "train"): 60,
        ("normal", "validation"): 20,
        ("normal", "test"): 20,
        ("covid", "train"): 6,
        ("covid", "validation"): 2,
        ("covid", "test"): 2,
    }


def test_large_patients_are_dealt_first_so_that_small_ones_fill_the_gaps():
    # Six films of one patient go to train, one each of four patients to validation and test.
    group, finding = np.array([4] * 6 + [0, 1, 2, 3]), np.zeros(10, np.int64)
    for seed in range(5):
        assert list(np.bincount(divide(group, finding, [0.6, 0.2, 0.2], seed))) == [6, 2, 2]


def test_another_seed_gives_another_split_with_the_same_counts():
    films = [*alone("normal", 50), *alone("covid", 50)]
    one, two = (split_of(films, seed=seed) for seed in (0, 1))
    assert counted(one) == counted(two)
    assert list(one["subset"]) != list(two["subset"])


def test_films_without_patients_and_copies_are_divided_one_by_one():
    split = split_of([(f"{finding}{n}", "", finding) for finding in "ab" for n in range(5)])
    assert list(split["group"]) == list(split["radiograph"])
    assert Counter(split["subset"]) == {"train": 6, "validation": 2, "test": 2}


def test_a_finding_of_fewer_than_three_patients_is_named():
    films = [*alone("normal", 9), *alone("covid", 2, films=20)]
    with pytest.raises(UserError, match=r"^split: finding 'covid' has films of 2 patients; train"):
        split_of(films)


def test_copies_do_not_count_as_patients():
    films = [*alone("normal", 9), ("a", "x", "covid"), ("b", "y", "covid"), ("a", "z", "covid")]
    with pytest.raises(UserError, match="finding 'covid' has films of 2 patients"):
        split_of(films)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 1, 1), (9, 1, 1), (5, 5, 1), (3, 3, 3)])
@pytest.mark.parametrize("shares", [(0.2, 0.2), (0.4, 0.05)])
def test_three_patients_of_a_finding_are_enough_whatever_their_films(sizes, shares):
    films = [
        (f"c{patient}{film}", f"c{patient}", "covid")
        for patient, n in enumerate(sizes)
        for film in range(n)
    ]
    split = split_of([*films, *alone("normal", 30)], validation=shares[0], test=shares[1])
    found = split[split["finding"] == "covid"].groupby("group")["subset"].first()
    assert sorted(found) == ["test", "train", "validation"]


def test_a_finding_that_lacks_a_subset_is_named_with_it():
    rows = [("normal", subset) for subset in tables.SUBSETS]
    rows += [("covid", "train"), ("covid", "test")]
    split = pd.DataFrame(rows, columns=["finding", "subset"])
    with pytest.raises(UserError, match="finding 'covid' has no film in validation"):
        refuse_empty_subsets(split)
    refuse_empty_subsets(split[split["finding"] == "normal"])


CONFLICT = [("a", "p", "normal"), ("a", "q", "covid"), ("a", "r", "normal"), ("b", "", "covid")]


def test_copies_under_two_findings_are_told_apart_from_copies_under_one():
    table = index(*CONFLICT)
    found = find_conflicts(table, find_exact(table))
    assert found[["first", "second", "first_finding", "second_finding"]].to_numpy().tolist() == [
        ["a", "a-2", "normal", "covid"]
    ]


@pytest.mark.parametrize(("conflicts", "kept"), [("exclude", ["b"]), ("first", ["a", "b"])])
def test_a_film_under_two_findings_is_dropped_or_its_first_copy_kept(conflicts, kept):
    table = index(*CONFLICT)
    assert list(drop_copies(table, find_exact(table), conflicts)["radiograph"]) == kept


def test_a_film_under_two_findings_stops_the_run_when_told_so():
    table = index(*CONFLICT)
    with pytest.raises(UserError, match=r"conflicts: 1 films .* a \(normal\) and a-2 \(covid\)"):
        drop_copies(table, find_exact(table), "stop")
    same = index(("a", "p", "normal"), ("a", "q", "normal"))
    assert list(drop_copies(same, find_exact(same), "stop")["radiograph"]) == ["a"]


@pytest.mark.parametrize(
    ("conflicts", "kept"), [("exclude", ["c", "d"]), ("first", ["a", "c", "d"])]
)
def test_near_duplicates_under_two_findings_are_treated_like_exact_ones(conflicts, kept):
    table = index(("a", "", "n"), ("b", "", "c"), ("c", "", "n"), ("d", "", "n"))
    near = pairs(["a", "b", "near", 0.99], ["c", "d", "near", 0.99])
    assert list(drop_copies(table, near, conflicts)["radiograph"]) == kept


def test_all_copies_of_a_film_go_if_one_of_them_conflicts():
    table = index(("a", "", "n"), ("a", "", "n"), ("b", "", "c"), ("d", "", "c"))
    duplicates = pairs(["a", "a-2", "exact", 1], ["a-2", "b", "near", 0.99])
    assert list(drop_copies(table, duplicates, "exclude")["radiograph"]) == ["d"]


def test_a_dropped_copy_still_joins_its_patients():
    films = [
        *alone("normal", 9),
        *alone("covid", 9),
        ("z", "covid0", "covid"),
        ("z", "covid1", "covid"),
    ]
    group = split_of(films).set_index("radiograph")["group"]
    assert group["covid000000"] == group["covid001000"] == group["z"] == "covid000000"
    assert "z-2" not in group


@pytest.mark.parametrize("known", [9, 0])
def test_a_finding_that_conflicts_remove_entirely_is_named(known):
    films = alone("normal", known) + alone("covid", known)
    films += [(f"t{n}", "", finding) for finding in ("normal", "tuberculosis") for n in range(5)]
    with pytest.raises(UserError, match=r"finding '(tuberculosis|normal)' has films of 0 patients"):
        split_of(films)


def test_the_command_writes_the_split_that_its_tables_and_seed_give(tmp_path, run, capsys):
    table = index(*alone("normal", 10), *alone("covid", 10))
    tables.write(table, tmp_path / "index.csv", tables.INDEX)
    tables.write(find_exact(table), tmp_path / "duplicates.csv", tables.DUPLICATES)
    files = {name: tmp_path / f"{name}.csv" for name in ("index", "duplicates", "split")}
    run(main, **files, settings=Split().model_dump_json(), seed=3)
    expected = split_films(table, find_exact(table), Split(), 3).reset_index(drop=True)
    pd.testing.assert_frame_equal(tables.read(files["split"], tables.SPLIT), expected)
    assert "train 12, validation 4, test 4" in capsys.readouterr().err


def test_the_command_refuses_in_one_line(tmp_path, refusal):
    table = index(*alone("normal", 10), *alone("covid", 1))
    tables.write(table, tmp_path / "index.csv", tables.INDEX)
    tables.write(find_exact(table), tmp_path / "duplicates.csv", tables.DUPLICATES)
    files = {name: tmp_path / f"{name}.csv" for name in ("index", "duplicates", "split")}
    assert "finding 'covid' has films of 1 patients" in refusal(
        main, **files, settings=Split().model_dump_json(), seed=3
    )
    assert not files["split"].exists()

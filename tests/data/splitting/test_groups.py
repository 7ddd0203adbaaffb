"""What belongs together and what is left out: patients, copies, conflicts, truncation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tabled import alone, index, pairs

from cxrpipe.config import Split
from cxrpipe.data.dedupe import find_exact
from cxrpipe.data.splitting.groups import find_conflicts, join_copies, join_groups
from cxrpipe.data.splitting.selection import find_copies, settle_conflicts, truncate
from cxrpipe.runtime import UserError


def near(*ends):
    return pairs(*((*pair, "near", 0.99) for pair in ends))


def settled(table, duplicates, conflicts, sources="abc"):
    chosen = Split(conflicts=conflicts)
    return settle_conflicts(table, duplicates, chosen, list(sources)).to_dict()


def test_films_are_joined_by_patient_and_by_copy_and_through_others():
    table = index(
        ("f", "ann", "n"), ("e", "ann", "n"), ("d", "bob", "n"), ("f", "bob", "n"), ("c", "", "n")
    )
    # ann's film f has a copy of bob: f, e, f-2 and d are one group, named by its smallest id.
    assert list(join_groups(table, find_exact(table))) == ["d", "d", "d", "d", "c"]


def test_a_film_of_two_patients_joins_them_and_unknown_patients_are_not_one():
    table = index(
        ("a", "x|y", "n"), ("b", "y", "n"), ("c", "x", "n"), ("d", "", "n"), ("e", "", "n")
    )
    assert list(join_groups(table, pairs())) == ["a", "a", "a", "d", "e"]


def test_near_copies_join_too():
    table = index(("a", "", "n"), ("b", "", "n"), ("c", "", "n"))
    assert list(join_groups(table, near("bc"))) == ["a", "b", "b"]


def test_copies_alone_join_whoever_the_patients_are():
    table = index(("a", "x", "n"), ("b", "x", "n"), ("c", "x", "n"), ("d", "", "n"))
    assert list(join_copies(table, near("bd"))) == ["a", "b", "c", "b"]


FILMS = st.lists(st.sampled_from(["", "p", "q", "r", "p|q", "r|s"]), min_size=1, max_size=12)
PAIRS = st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=5)


@given(FILMS, PAIRS, st.randoms(use_true_random=False))
def test_groups_are_what_following_every_link_reaches(patients, links, random):
    """The oracle follows links from film to film until nothing new is reached."""
    names = [f"f{number:02}" for number in range(len(patients))]
    random.shuffle(names)
    links = {pair for pair in links if max(pair) < len(names)}
    table = index(*((name, told, "n") for name, told in zip(names, patients, strict=True)))
    told = [set(patient.split("|")) - {""} for patient in patients]
    for film, name in enumerate(
        join_groups(table, near(*((names[a], names[b]) for a, b in links)))
    ):
        reached, left = {film}, [film]
        while left:
            here = left.pop()
            there = {b for a, b in links if a == here} | {a for a, b in links if b == here}
            there |= {other for other, who in enumerate(told) if who & told[here]}
            left += there - reached
            reached |= there
        assert name == min(names[film] for film in reached)


CONFLICT = [("a", "p", "normal"), ("a", "q", "covid"), ("a", "r", "normal"), ("b", "", "covid")]


def test_copies_under_two_findings_are_told_apart_from_copies_under_one():
    table = index(*CONFLICT)
    found = find_conflicts(table, find_exact(table))
    assert found[["first", "second", "first_finding", "second_finding"]].to_numpy().tolist() == [
        ["a", "a-2", "normal", "covid"]
    ]


def test_excluding_leaves_out_every_copy_and_first_those_that_contradict():
    table = index(*CONFLICT)
    why = "copies stand under covid and normal"
    exclude = settled(table, find_exact(table), "exclude")
    assert exclude == dict.fromkeys(["a", "a-2", "a-3"], why)
    assert settled(table, find_exact(table), "first") == {"a-2": why}


def test_first_keeps_the_findings_of_the_first_source_in_the_recipes_order():
    table = index(
        ("a", "", "normal", "b"), ("z", "", "covid", "a"), ("k", "", "covid", "c"), ("m", "", "x")
    )
    duplicates = near("az", "ak")
    assert set(settled(table, duplicates, "first", "abc")) == {"a"}
    assert set(settled(table, duplicates, "first", "bac")) == {"z", "k"}
    assert set(settled(table, duplicates, "first", "cba")) == {"a"}


def test_one_source_keeps_the_finding_of_its_smallest_id():
    table = index(("b", "", "normal"), ("a", "", "covid"), ("c", "", "normal"))
    assert set(settled(table, near("ab", "bc"), "first")) == {"b", "c"}


def test_a_chain_of_copies_is_one_conflict_from_end_to_end():
    # a-b-c-d: only b and c stand under two findings, yet all four show one film.
    table = index(
        ("a", "", "normal"), ("b", "", "normal"), ("c", "", "covid", "b"), ("d", "", "covid", "c")
    )
    chain = near("ab", "bc", "cd")
    assert len(find_conflicts(table, chain)) == 1
    assert set(settled(table, chain, "exclude")) == set("abcd")
    assert set(settled(table, chain, "first", "abc")) == {"c", "d"}
    assert set(settled(table, chain, "first", "cba")) == {"a", "b"}


def test_the_same_patient_under_two_findings_is_no_conflict():
    table = index(("a", "p", "normal"), ("b", "p", "covid"))
    for handled in ("exclude", "first", "stop"):
        assert settled(table, pairs(), handled) == {}


def test_stopping_names_a_pair_and_both_findings_and_passes_where_all_agree():
    table = index(*CONFLICT)
    message = r"^split.conflicts: 1 pairs .* a \(normal\) and a-2 \(covid\); correct the labels"
    with pytest.raises(UserError, match=message):
        settled(table, find_exact(table), "stop")
    same = index(("a", "p", "normal"), ("a", "q", "normal"))
    assert settled(same, find_exact(same), "stop") == {}


def test_of_films_with_the_same_pixels_the_smallest_id_that_is_there_stays():
    table = index(("a", "", "n"), ("b", "", "n"), ("a", "", "n"), ("a", "", "n"))
    copies = {"a-2": "same pixels as a", "a-3": "same pixels as a"}
    assert find_copies(table).to_dict() == copies
    assert find_copies(table[1:]).to_dict() == {"a-3": "same pixels as a-2"}


def kept(films, limit, seed=0):
    table = index(*films)
    table = table.assign(group=join_groups(table, pairs()), fixed="")
    out = truncate(table, Split(truncate=limit), seed)
    return table[~table["radiograph"].isin(out.index)]


def test_every_finding_is_cut_to_a_number_or_to_the_smallest():
    films = alone("normal", 30) + alone("covid", 12) + alone("tb", 5)
    for limit, counts in (("smallest", (5, 5, 5)), (10, (10, 10, 5)), (0, (30, 12, 5))):
        found = kept(films, limit)["findings"].value_counts()
        assert tuple(found[["normal", "covid", "tb"]]) == counts


def test_whole_groups_are_taken_and_only_the_last_is_cut():
    found = kept(alone("normal", 10, films=4) + alone("covid", 10, films=4), 10)
    for _, films in found.groupby("findings"):
        assert sorted(films.groupby("group").size()) == [2, 4, 4]


def test_another_seed_takes_other_films_and_the_order_of_rows_none():
    films = alone("normal", 60)
    one, two = (set(kept(films, 20, seed)["radiograph"]) for seed in (0, 1))
    assert len(one) == len(two) == 20
    assert one != two
    assert set(kept(films[::-1], 20, 0)["radiograph"]) == one


def test_films_with_several_findings_count_for_each_of_them():
    # 12 films show normal alone, 12 covid alone, 12 both: of each finding 8 stay.
    films = alone("normal", 12) + alone("covid", 12) + alone("covid|normal", 12)
    found = kept(films, 8)["findings"].str.split("|").explode().value_counts()
    assert found.to_dict() == {"normal": 8, "covid": 8}


def test_films_without_a_finding_do_not_decide_what_is_smallest():
    found = kept([*alone("normal", 6), *alone("covid", 4), ("z", "", "")], "smallest")
    assert found["findings"].value_counts().to_dict() == {"normal": 4, "covid": 4, "": 1}


def test_the_reason_of_a_truncated_film_names_limit_and_finding():
    table = index(*alone("normal", 3))
    table = table.assign(group=table["radiograph"], fixed="")
    assert set(truncate(table, Split(truncate=2), 0)) == {"over 2 films of normal"}


def test_nothing_to_truncate_is_an_empty_list():
    table = index(*alone("normal", 3)).assign(group="g", fixed="")
    assert truncate(table, Split(), 0).empty
    assert pd.api.types.is_string_dtype(truncate(table, Split(), 0))
    np.testing.assert_array_equal(truncate(table, Split(truncate=3), 0).index, [])

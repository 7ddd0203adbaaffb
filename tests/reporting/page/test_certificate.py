"""The certificate for people: each of its numbers, told in words and tables."""

import pytest

from cxrpipe.reporting.page import certificate as told

CONFLICT = {
    "first": "f1",
    "second": "f2",
    "kind": "near",
    "score": 0.96249,
    "first_finding": "normal",
    "first_file": "north/a.png",
    "second_finding": "covid",
    "second_file": "east/b.png",
}
CERTIFICATE = {
    "shared": [
        {"fold": 0, "first": "train", "second": "validation", "patients": 1, "exact": 2, "near": 3},
        {"fold": 0, "first": "train", "second": "test", "patients": 4, "exact": 5, "near": 6},
    ],
    "radiographs": 6742,
    "groups": 5009,
    "largest_group": 30,
    "without_patient": 1386,
    "duplicates": {"exact": 85, "near": 159},
    "near_searched": True,
    "near_score": 0.95,
    "label_conflicts": 1,
    "label_conflicts_handled": "exclude",
    "conflicts": [CONFLICT],
    "left_out": {"conflict": 84, "copy": 73, "truncated": 11, "leak": 12},
    "films": [
        {"source": "a", "finding": "x", "train": 1, "validation": 2, "test": 3, "left out": 4},
        {"source": "b", "finding": "x", "train": 10, "validation": 20, "test": 30, "left out": 40},
    ],
}


def rows(table):
    return table.to_numpy().tolist()


def test_what_is_certified_is_told_in_numbers():
    assert told.certified(CERTIFICATE) == (
        "Certified by counting: no known patient, no identical film, no known near copy stands in "
        "two subsets. The split holds 6,742 radiographs in 5,009 groups of patients and copies; "
        "whole groups are dealt, the largest has 30 radiographs."
    )


def test_near_copies_are_not_certified_where_they_were_not_searched():
    unsearched = CERTIFICATE | {"near_searched": False}
    assert "near" not in told.certified(unsearched)
    assert "were not searched" in told.not_certified(unsearched)[2]
    assert rows(told.copies_table(unsearched))[1] == ["near: the same exposure", "not searched"]


def test_films_without_a_patient_and_the_recall_of_the_search_are_named_as_gaps():
    patients, collections, near = told.not_certified(CERTIFICATE)
    assert collections == "Patients of different collections are taken for different people."
    assert patients.startswith("For 1,386 of the 6,742 radiographs the patient is not known")
    assert "from a score of 0.95 on" in near
    assert "not perfect" in near


def test_no_gap_is_told_where_every_patient_is_known():
    alone = {"without_patient": 0, "films": CERTIFICATE["films"][:1]}
    assert len(told.not_certified(CERTIFICATE | alone)) == 1


def test_each_pair_of_subsets_has_its_counts():
    table = told.shared_table(CERTIFICATE)
    assert rows(table) == [["train and validation", 1, 2, 3], ["train and test", 4, 5, 6]]


def test_the_fold_is_told_where_there_are_several():
    shared = [row | {"fold": fold} for fold in (0, 1) for row in CERTIFICATE["shared"]]
    table = told.shared_table(CERTIFICATE | {"shared": shared})
    assert table["fold"].tolist() == [0, 0, 1, 1]


def test_copies_are_counted_by_kind():
    assert rows(told.copies_table(CERTIFICATE)) == [
        ["exact: the same pixels", 85],
        ["near: the same exposure", 159],
    ]


def test_every_reason_is_counted_and_explained():
    table = told.left_out_table(CERTIFICATE)
    assert table["radiographs"].tolist() == [84, 73, 11, 12]
    assert table["meaning"].str.len().min() > 20


@pytest.mark.parametrize(
    ("handled", "meaning"), [("exclude", "every copy is left out"), ("first", "first source stay")]
)
def test_conflicts_are_counted_and_their_handling_is_explained(handled, meaning):
    note = told.conflict_note(CERTIFICATE | {"label_conflicts_handled": handled})
    assert note.startswith(f"Pairs of copies under two findings: 1. Handled ({handled}): ")
    assert meaning in note


def test_a_conflict_shows_both_files_and_findings():
    assert rows(told.conflict_table(CERTIFICATE)) == [
        ["near", "0.962", "north/a.png", "normal", "east/b.png", "covid"]
    ]


def test_fifty_conflicts_are_shown_and_the_others_are_counted():
    many = CERTIFICATE | {"label_conflicts": 1234, "conflicts": [CONFLICT] * 1000}
    assert len(told.conflict_table(many)) == 50
    assert "1,234; the first 50 are shown" in told.conflict_note(many)


def test_a_run_without_conflicts_says_so():
    none = CERTIFICATE | {"label_conflicts": 0, "conflicts": []}
    assert told.conflict_note(none) == "No pair of copies stands under two findings."
    assert told.conflict_table(none).empty


def test_films_are_counted_by_source_finding_and_subset_with_sums():
    assert rows(told.film_table(CERTIFICATE)) == [
        ["a", "x", 1, 2, 3, 4],
        ["b", "x", 10, 20, 30, 40],
        ["all", "", 11, 22, 33, 44],
    ]

"""Cohorts: which films a task is about, what they are labelled with, and truncation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrpipe.config import Task
from cxrpipe.data.cohort import choose_cohort, films_of, label_films
from cxrpipe.runtime import UserError

FINDINGS = ("covid", "effusion")
ROWS = [
    ("f1", "a", "covid", "train"),
    ("f2", "a", "normal", "train"),
    ("f3", "b", "effusion", "train"),
    ("f4", "b", "covid", "test"),
]


def split(rows):
    films = pd.DataFrame(rows, columns=["radiograph", "source", "finding", "subset"])
    return films.assign(group=films["radiograph"], fold=0)


def task(kind="single", findings=FINDINGS, sources=("a", "b"), truncate=0):
    return Task(kind=kind, findings=findings, sources=sources, truncate=truncate)


def test_one_finding_a_film_leaves_films_of_none_out():
    films = choose_cohort(split(ROWS), task())
    assert list(films["radiograph"]) == ["f1", "f3", "f4"]
    assert label_films(films, task()).tolist() == [0, 1, 0]


def test_the_order_of_the_findings_is_that_of_the_task():
    turned = task(findings=("effusion", "covid"))
    assert label_films(choose_cohort(split(ROWS), turned), turned).tolist() == [1, 0, 1]


def test_with_several_findings_a_film_of_none_is_a_negative():
    multi = task("multi")
    films = choose_cohort(split([*ROWS, ("f5", "a", "covid|effusion|hernia", "train")]), multi)
    labels = label_films(films, multi)
    assert labels.tolist() == [[1, 0], [0, 0], [0, 1], [1, 0], [1, 1]]


def test_a_binary_task_sets_one_finding_against_all_others():
    binary = task("binary", findings=("covid",))
    assert label_films(choose_cohort(split(ROWS), binary), binary).tolist() == [[1], [0], [0], [1]]


def test_films_of_other_sources_do_not_belong():
    assert list(choose_cohort(split(ROWS), task(sources=("b",)))["radiograph"]) == ["f3", "f4"]


def test_films_of_one_collection_are_chosen_and_all_if_none_is_named():
    cohort = choose_cohort(split(ROWS), task())
    assert list(films_of(cohort, "b")["radiograph"]) == ["f3", "f4"]
    assert list(films_of(cohort, "")["radiograph"]) == ["f1", "f3", "f4"]


def test_two_findings_where_one_is_wanted_are_refused_by_name():
    rows = [*ROWS, ("f5", "a", "covid|effusion", "train")]
    with pytest.raises(UserError, match=r"radiograph f5 has the findings 'covid\|effusion'"):
        choose_cohort(split(rows), task())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["covid", "effusion", "normal", "covid|effusion"]),
            st.sampled_from(["train", "validation", "test"]),
        ),
        max_size=40,
    ),
    st.integers(1, 6) | st.just("smallest"),
)
def test_truncation_takes_training_films_alone_and_no_finding_stays_short(findings, most):
    rows = [(f"{place:03}", "a", *told) for place, told in enumerate(findings)]
    whole = choose_cohort(split(rows), task("multi"))
    chosen = choose_cohort(split(rows), task("multi", truncate=most))
    shuffled = choose_cohort(
        split(rows).sample(frac=1, random_state=1), task("multi", truncate=most)
    )
    assert set(shuffled["radiograph"]) == set(chosen["radiograph"])
    others = whole["subset"] != "train"
    assert set(whole[others]["radiograph"]) == set(
        chosen[chosen["subset"] != "train"]["radiograph"]
    )
    kinds = [
        np.column_stack([labels, labels.sum(axis=1) == 0])
        for labels in (
            label_films(films[films["subset"] == "train"], task("multi"))
            for films in (whole, chosen)
        )
    ]
    before, after = (kind.sum(axis=0) for kind in kinds)
    if len(kinds[0]):
        limit = before[before > 0].min() if most == "smallest" else most
        assert (after >= np.minimum(before, limit)).all()
        alone = kinds[1][kinds[1].sum(axis=1) == 1]
        assert (alone.sum(axis=0) <= limit).all()


def test_the_films_of_one_finding_each_are_truncated_to_the_rarest():
    rows = [
        (f"{n:02}", "a", finding, "train")
        for n, finding in enumerate(["covid"] * 5 + ["effusion"] * 2)
    ]
    films = choose_cohort(split(rows), task(truncate="smallest"))
    assert films["finding"].value_counts().to_dict() == {"covid": 2, "effusion": 2}
    assert list(films["radiograph"]) == ["00", "01", "05", "06"]

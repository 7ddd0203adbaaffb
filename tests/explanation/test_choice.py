"""Which films are explained, of tasks with one finding a film and with several."""

import numpy as np
import pandas as pd
import pytest

from cxrpipe.config import Task
from cxrpipe.explanation.choice import (
    KEY,
    choose_films,
    choose_found,
    choose_right,
    choose_several,
    choose_wrong,
    list_findings,
    list_said,
)

NAMES = [f"{number:024x}" for number in range(8)]
TASK = Task(findings=("normal", "covid"))
MULTI = Task(kind="multi", findings=("mass", "effusion"))


def films(findings=("normal", "covid") * 4):
    rows = zip(NAMES, findings, strict=False)
    return pd.DataFrame(rows, columns=["radiograph", "finding"], dtype="str")


def predictions(**logits):
    """Return a table of logits; its rows stand in another order than the films."""
    table = pd.DataFrame({"radiograph": NAMES[: len(next(iter(logits.values())))]} | logits)
    table.insert(1, "subset", "test")
    return table.iloc[::-1]


def test_a_film_stands_once_for_each_finding_of_the_task_that_it_shows():
    shown = list_findings(films(["mass", "effusion|mass", "", "hernia|effusion"]), MULTI)
    assert shown.to_numpy().tolist() == [
        [NAMES[0], "mass", True],
        [NAMES[1], "mass", False],
        [NAMES[1], "effusion", False],
        [NAMES[3], "effusion", False],
    ]
    assert list(list_findings(films(), TASK)["finding"]) == ["normal", "covid"] * 4


def test_no_films_show_nothing():
    for task in (TASK, MULTI):
        assert len(choose_films(list_findings(films([]), task), 3, seed=0)) == 0


def test_so_many_films_of_each_finding_are_chosen():
    chosen = choose_films(list_findings(films(), TASK), per_finding=3, seed=5)
    assert chosen["finding"].tolist() == ["covid"] * 3 + ["normal"] * 3
    assert chosen["radiograph"].is_unique


def test_all_films_are_chosen_where_there_are_fewer():
    assert len(choose_films(list_findings(films(), TASK), per_finding=20, seed=5)) == 8


def test_the_choice_depends_on_the_seed_and_not_on_the_order_of_the_table():
    def chosen(table, seed):
        return choose_films(table, 1, seed)["radiograph"].tolist()

    shown = list_findings(films(), TASK)
    first = chosen(shown, 0)
    assert chosen(shown.iloc[::-1], 0) == first
    assert len({tuple(chosen(shown, seed)) for seed in range(20)}) > 5
    assert chosen(shown, 2**60 + 1) != []


def test_tasks_that_share_films_share_those_that_are_drawn():
    """What is left of the chosen films is chosen again among fewer."""
    shown = list_findings(films(["covid"] * 8), Task(kind="binary", findings=("covid",)))
    chosen = set(choose_films(shown, 3, seed=1)["radiograph"])
    for dropped in NAMES:
        fewer = shown[shown["radiograph"] != dropped]
        assert chosen - {dropped} <= set(choose_films(fewer, 3, seed=1)["radiograph"])


def test_rightly_predicted_films_with_a_lesion_are_found():
    """Of the covid films 1, 3, 5 and 7, 3 is missed and 7 has no mask; 2 is normal."""
    covid = [0.0, 2, 2, -2, 2, 2, 2, 2]
    named = predictions(normal=[0.0] * 8, covid=covid)
    known = {NAMES[place] for place in (1, 2, 3, 5)}
    found = choose_found(list_findings(films(), TASK), named, "single", known)
    assert found["radiograph"].tolist() == [NAMES[1], NAMES[5]]


@pytest.mark.parametrize("kind", ["multi", "binary"])
def test_a_finding_of_its_own_is_found_above_one_half(kind):
    """Film 1 is at one half, 2 is missed, though most probable there; 3 shows a second finding."""
    shown = list_findings(films(["mass", "mass", "mass", "mass|effusion", "effusion"]), MULTI)
    logits = predictions(mass=[1.0, 0.0, -1.0, 5.0, 3.0], effusion=[2.0, -1.0, -2.0, 3.0, 0.5])
    found = choose_found(shown, logits, kind, set(NAMES))
    assert found[["radiograph", "finding"]].to_numpy().tolist() == [
        [NAMES[0], "mass"],
        [NAMES[4], "effusion"],
    ]


def said_of(logits, kind):
    return list_said(NAMES[: len(logits)], logits, kind)


def rows(chosen):
    """Return films by their place, and findings."""
    return [(NAMES.index(name), finding) for name, finding in chosen[KEY].to_numpy()]


def test_one_finding_of_several_is_said_with_its_softmax():
    said = said_of(
        predictions(normal=[0.0, 0.0, 1.0], covid=[np.log(3), -np.log(4), 1.0]), "single"
    )
    assert rows(said) == [(0, "covid"), (1, "normal"), (2, "normal")]
    np.testing.assert_allclose(said["probability"], [3 / 4, 4 / 5, 1 / 2])


@pytest.mark.parametrize("kind", ["multi", "binary"])
def test_every_finding_above_one_half_is_said(kind):
    logits = predictions(mass=[np.log(3), 0.0, -1.0], effusion=[np.log(4), 1e-9, -1.0])
    said = said_of(logits, kind)
    assert rows(said) == [(0, "mass"), (0, "effusion"), (1, "effusion")]
    np.testing.assert_allclose(said["probability"], [3 / 4, 4 / 5, 1 / 2])


def test_the_surest_right_film_of_each_finding_is_chosen():
    """Normal are the even films; 4 is the surest of them, 2 is surer but missed."""
    covid = [-1.0, 1, 5, 2, -3, -2, -2, 2]
    logits = predictions(normal=[0.0] * 8, covid=covid)
    chosen = choose_right(list_findings(films(), TASK), said_of(logits, "single"))
    assert rows(chosen) == [(3, "covid"), (4, "normal")]  # 3 and 7 are equal: the first


def test_a_finding_that_is_never_found_has_no_right_film():
    logits = predictions(normal=[1.0] * 8, covid=[0.0] * 8)
    chosen = choose_right(list_findings(films(), TASK), said_of(logits, "single"))
    assert rows(chosen) == [(0, "normal")]


def test_right_films_of_several_findings_are_those_that_show_them():
    shown = list_findings(films(["mass", "mass|effusion", "effusion", ""]), MULTI)
    logits = predictions(mass=[1.0, 2.0, 9.0, 9.0], effusion=[9.0, 3.0, 2.0, 9.0])
    assert rows(choose_right(shown, said_of(logits, "multi"))) == [(1, "effusion"), (1, "mass")]


def test_the_surest_film_of_each_confusion_is_chosen_the_frequent_first():
    """Twice b is taken for a, three times c for b, once a for c; b is found once."""
    task = Task(findings=("a", "b", "c"))
    shown = list_findings(films(["a", "b", "b", "b", "c", "c", "c"]), task)
    logits = predictions(
        a=[0.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0],
        b=[0.0, 0.0, 0.0, 1.0, 1.0, 4.0, 4.0],
        c=[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    )
    chosen = choose_wrong(shown, said_of(logits, "single"), "single")
    assert rows(chosen) == [(5, "b"), (2, "a"), (0, "c")]


def test_two_findings_taken_for_the_same_are_two_confusions():
    task = Task(findings=("a", "b", "c"))
    shown = list_findings(films(["b", "c"]), task)
    logits = predictions(a=[1.0, 2.0], b=[0.0, 0.0], c=[0.0, 0.0])
    assert rows(choose_wrong(shown, said_of(logits, "single"), "single")) == [(0, "a"), (1, "a")]


@pytest.mark.parametrize("kind", ["multi", "binary"])
def test_the_surest_false_alarm_of_each_finding_is_chosen(kind):
    """Masses are said of 1, 2 and 3, which have none; of 3 most surely. Film 0 is right."""
    shown = list_findings(films(["mass", "effusion", "", ""]), MULTI)
    logits = predictions(mass=[9.0, 1.0, 2.0, 3.0], effusion=[1.0, 1.0, -1.0, -1.0])
    assert rows(choose_wrong(shown, said_of(logits, kind), kind)) == [(3, "mass"), (0, "effusion")]


def test_where_all_is_right_there_is_no_mistake():
    logits = predictions(normal=[1.0, 0.0] * 4, covid=[0.0, 1.0] * 4)
    shown = list_findings(films(), TASK)
    assert rows(choose_wrong(shown, said_of(logits, "single"), "single")) == []


def test_films_of_several_findings_are_chosen_with_all_of_them():
    shown = list_findings(films(["mass", "mass|effusion", "effusion", "effusion|mass|x"]), MULTI)
    every = [(1, "effusion"), (1, "mass"), (3, "effusion"), (3, "mass")]
    assert rows(choose_several(shown, 5, seed=0)) == every
    first = {tuple(rows(choose_several(shown, 1, seed))) for seed in range(20)}
    assert first == {tuple(every[:2]), tuple(every[2:])}
    assert rows(choose_several(list_findings(films(), TASK), 5, seed=0)) == []


def test_no_films_are_said_to_show_nothing():
    logits = predictions(normal=[1.0], covid=[0.0])
    said = list_said([], logits, "single")
    shown = list_findings(films([]), TASK)
    assert rows(said) == rows(choose_right(shown, said)) == []
    assert rows(choose_wrong(shown, said, "single")) == []

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
    list_answers,
    list_findings,
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


def answers_of(logits, kind):
    return list_answers(NAMES[: len(logits)], logits, kind)


def test_rightly_predicted_films_with_a_lesion_are_found():
    """Of the covid films 1, 3, 5 and 7, 3 is missed; 2 is normal, and named covid."""
    covid = [0.0, 2, 2, -2, 2, 2, 2, 2]
    answers = answers_of(predictions(normal=[0.0] * 8, covid=covid), "single")
    with_lesions = list_findings(films(), TASK).iloc[[1, 2, 3, 5]]
    found = choose_found(with_lesions, answers, "single")
    assert found["radiograph"].tolist() == [NAMES[1], NAMES[5]]


@pytest.mark.parametrize("kind", ["multi", "binary"])
def test_of_rare_findings_all_films_with_a_lesion_are_found(kind):
    """No probability of a mass passes 1/2: where heatmaps point can be seen nevertheless."""
    with_lesions = list_findings(films(["mass", "mass", "effusion"]), MULTI)
    logits = predictions(mass=[-1.0, -5.0, -9.0], effusion=[2.0, -1.0, -2.0])
    assert choose_found(with_lesions, answers_of(logits, kind), kind).equals(with_lesions)


def rows(chosen):
    """Return films by their place, and findings."""
    return [(NAMES.index(name), finding) for name, finding in chosen[KEY].to_numpy()]


def test_one_finding_of_several_is_said_with_its_softmax():
    answers = answers_of(
        predictions(normal=[0.0, 0.0, 1.0], covid=[np.log(3), -np.log(4), 1.0]), "single"
    )
    assert rows(answers) == [(n, finding) for n in range(3) for finding in ("normal", "covid")]
    said = answers[answers["said"]]
    assert rows(said) == [(0, "covid"), (1, "normal"), (2, "normal")]
    np.testing.assert_allclose(said["probability"], [3 / 4, 4 / 5, 1 / 2])


@pytest.mark.parametrize("kind", ["multi", "binary"])
def test_every_finding_above_one_half_is_said(kind):
    logits = predictions(mass=[np.log(3), 0.0, -np.log(3)], effusion=[np.log(4), 1e-9, -1.0])
    answers = answers_of(logits, kind)
    said = answers[answers["said"]]
    assert rows(said) == [(0, "mass"), (0, "effusion"), (1, "effusion")]
    np.testing.assert_allclose(said["probability"], [3 / 4, 4 / 5, 1 / 2])
    np.testing.assert_allclose(answers["probability"].iloc[4], 1 / 4)


def test_the_surest_right_film_of_each_finding_is_chosen():
    """Normal are the even films; 4 is the surest of them, 2 is surer but missed."""
    covid = [-1.0, 1, 5, 2, -3, -2, -2, 2]
    logits = predictions(normal=[0.0] * 8, covid=covid)
    chosen = choose_right(list_findings(films(), TASK), answers_of(logits, "single"), "single")
    assert rows(chosen) == [(3, "covid"), (4, "normal")]  # 3 and 7 are equal: the first


def test_a_finding_that_is_never_found_has_no_right_film():
    logits = predictions(normal=[1.0] * 8, covid=[0.0] * 8)
    chosen = choose_right(list_findings(films(), TASK), answers_of(logits, "single"), "single")
    assert rows(chosen) == [(0, "normal")]


@pytest.mark.parametrize("kind", ["multi", "binary"])
def test_right_films_of_several_findings_are_the_surest_that_show_them(kind):
    """Of effusions the model is never sure; that of film 2 it holds most probable."""
    shown = list_findings(films(["mass", "mass|effusion", "effusion", ""]), MULTI)
    logits = predictions(mass=[1.0, 2.0, 9.0, 9.0], effusion=[9.0, -3.0, -2.0, 9.0])
    chosen = choose_right(shown, answers_of(logits, kind), kind)
    assert rows(chosen) == [(2, "effusion"), (1, "mass")]


def test_the_surest_film_of_each_confusion_is_chosen_the_frequent_first():
    """Twice b is taken for a, three times c for b, once a for c; b is found once."""
    task = Task(findings=("a", "b", "c"))
    shown = list_findings(films(["a", "b", "b", "b", "c", "c", "c"]), task)
    logits = predictions(
        a=[0.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0],
        b=[0.0, 0.0, 0.0, 1.0, 1.0, 4.0, 4.0],
        c=[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    )
    chosen = choose_wrong(shown, answers_of(logits, "single"), "single")
    assert rows(chosen) == [(5, "b"), (2, "a"), (0, "c")]


def test_two_findings_taken_for_the_same_are_two_confusions():
    task = Task(findings=("a", "b", "c"))
    shown = list_findings(films(["b", "c"]), task)
    logits = predictions(a=[1.0, 2.0], b=[0.0, 0.0], c=[0.0, 0.0])
    assert rows(choose_wrong(shown, answers_of(logits, "single"), "single")) == [(0, "a"), (1, "a")]


@pytest.mark.parametrize("kind", ["multi", "binary"])
def test_the_surest_false_alarm_of_each_finding_is_chosen(kind):
    """Masses are said of 1, 2 and 3, which have none; of 3 most surely. Film 0 is right."""
    shown = list_findings(films(["mass", "effusion", "", ""]), MULTI)
    logits = predictions(mass=[9.0, 1.0, 2.0, 3.0], effusion=[1.0, 1.0, -1.0, -1.0])
    chosen = choose_wrong(shown, answers_of(logits, kind), kind)
    assert rows(chosen) == [(3, "mass"), (0, "effusion")]


@pytest.mark.parametrize("kind", ["multi", "binary"])
def test_the_surest_miss_of_each_finding_is_chosen_beside_the_false_alarms(kind):
    """The mass of film 2 is denied more surely than that of 1; one effusion is made up."""
    shown = list_findings(films(["mass", "mass", "mass", "", ""]), MULTI)
    logits = predictions(mass=[1.0, -1, -40, -50, -1], effusion=[-9.0, -9, -9, -9, 2])
    chosen = choose_wrong(shown, answers_of(logits, kind), kind)
    assert rows(chosen) == [(2, "mass"), (4, "effusion")]
    assert chosen["said"].tolist() == [False, True]


def test_where_all_is_right_there_is_no_mistake():
    logits = predictions(normal=[1.0, 0.0] * 4, covid=[0.0, 1.0] * 4)
    shown = list_findings(films(), TASK)
    assert rows(choose_wrong(shown, answers_of(logits, "single"), "single")) == []


def test_films_of_several_findings_are_chosen_with_all_of_them():
    shown = list_findings(films(["mass", "mass|effusion", "effusion", "effusion|mass|x"]), MULTI)
    every = [(1, "effusion"), (1, "mass"), (3, "effusion"), (3, "mass")]
    assert rows(choose_several(shown, 5, seed=0)) == every
    first = {tuple(rows(choose_several(shown, 1, seed))) for seed in range(20)}
    assert first == {tuple(every[:2]), tuple(every[2:])}
    assert rows(choose_several(list_findings(films(), TASK), 5, seed=0)) == []


def test_no_films_are_said_to_show_nothing():
    logits = predictions(normal=[1.0], covid=[0.0])
    answers = list_answers([], logits, "single")
    shown = list_findings(films([]), TASK)
    assert rows(answers) == rows(choose_right(shown, answers, "single")) == []
    assert rows(choose_wrong(shown, answers, "single")) == []
    assert rows(choose_wrong(shown, answers, "multi")) == []

"""Which films are explained, of tasks with one finding a film and with several."""

import pandas as pd
import pytest

from cxrpipe.config import Task
from cxrpipe.explanation.choice import choose_films, choose_found, list_findings

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

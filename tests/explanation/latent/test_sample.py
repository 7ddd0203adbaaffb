"""Which films are laid out, what they are named, and the intervals of what is told of them."""

import numpy as np
import pandas as pd
import pytest

from cxrpipe.config import Task
from cxrpipe.explanation.latent.sample import choose_balanced, name_findings

TASK = Task(findings=("normal", "covid"))
MULTI = Task(kind="multi", findings=("mass", "effusion"))


def films(findings):
    names = [f"{number:024x}" for number in range(len(findings))]
    return pd.DataFrame({"radiograph": names, "finding": findings})


def test_a_film_is_named_by_the_findings_of_its_task():
    shown = films(["mass", "hernia|effusion|mass", "", "hernia"])
    assert name_findings(shown, MULTI) == ["mass", "mass|effusion", "none", "none"]
    assert name_findings(films(["covid", "normal"]), TASK) == ["covid", "normal"]
    binary = Task(kind="binary", findings=("covid",))
    assert name_findings(films(["covid", "normal"]), binary) == ["covid", "none"]


def test_films_are_balanced_until_a_finding_has_no_more():
    shown = films(["normal"] * 50 + ["covid"] * 3 + ["mass"] * 20)
    chosen = shown[choose_balanced(shown, 23, seed=0)]
    assert chosen["finding"].value_counts().to_dict() == {"normal": 10, "mass": 10, "covid": 3}


def test_films_of_several_findings_are_one_kind():
    shown = films(["a|b", "a|c", "b|c", "a|d"] * 5 + ["none"] * 20)
    chosen = shown[choose_balanced(shown, 10, seed=0)]
    assert (chosen["finding"] == "none").sum() == 5


def test_all_films_are_chosen_where_there_are_fewer():
    assert choose_balanced(films(["normal", "covid"] * 3), 10, seed=0).all()


def test_the_choice_depends_on_the_seed_and_not_on_the_order_of_the_films():
    shown = films(["normal", "covid"] * 20)

    def chosen(table, seed):
        return sorted(table["radiograph"][choose_balanced(table, 6, seed)])

    backwards = shown.iloc[::-1].reset_index(drop=True)
    assert chosen(backwards, 4) == chosen(shown, 4)
    assert len({tuple(chosen(shown, seed)) for seed in range(10)}) == 10


def test_the_interval_of_a_share_is_that_of_theory_where_films_are_patients(make_sample):
    """Half of 400 films: a standard error of 0.025, and 200 samples that meet it roughly."""
    sample = make_sample(["a"] * 400)
    told = sample.estimate(np.arange(400) % 2, np.ones(400, bool))
    assert told["value"] == 0.5
    assert told["low"] == pytest.approx(0.5 - 1.96 * 0.025, abs=0.012)
    assert told["high"] == pytest.approx(0.5 + 1.96 * 0.025, abs=0.012)


def test_patients_are_drawn_whole(make_sample):
    """Ten films a patient that are right or wrong together: a standard error of 0.079."""
    groups = np.repeat([f"p{number}" for number in range(40)], 10)
    sample = make_sample(["a"] * 400, groups=groups)
    told = sample.estimate(np.repeat(np.arange(40) % 2, 10), np.ones(400, bool))
    assert told["high"] - told["low"] == pytest.approx(2 * 1.96 * 0.079, rel=0.2)


def test_only_the_films_inside_count(make_sample):
    inside = np.arange(60) < 30
    told = make_sample(["a"] * 60).estimate(np.where(inside, 0.25, 9), inside)
    assert told == {"value": 0.25, "low": None, "high": None}


def test_fewer_than_twenty_patients_have_no_interval(make_sample):
    values = np.arange(19) % 2
    told = make_sample(["a"] * 19).estimate(values, np.ones(19, bool))
    assert told == {"value": round(9 / 19, 6), "low": None, "high": None}
    enough = make_sample(["a"] * 20).estimate(np.arange(20) % 2, np.ones(20, bool))
    assert enough["low"] < 0.5 < enough["high"]


def test_no_films_have_no_mean(make_sample):
    told = make_sample(["a"] * 30).estimate(np.ones(30), np.zeros(30, bool))
    assert told == {"value": None, "low": None, "high": None}


def test_films_of_several_findings_have_no_one_label(make_sample):
    sample = make_sample(["a", "a|b", "none"], sources=["s", "t", "s"])
    assert sample.has_one.tolist() == [True, False, True]
    assert sample.labels("source").tolist() == ["s", "t", "s"]
    assert sample.labels("finding").tolist() == ["a", "a|b", "none"]

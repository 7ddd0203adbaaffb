"""Which films are scored: the finding that is said, and a seeded draw."""

import numpy as np
import pandas as pd
import pytest

from cxrpipe.explanation.scoring.choosing import draw_films, draw_said, name_said

NAMES = [f"{number:024x}" for number in range(40)]
FILMS = pd.DataFrame({"radiograph": NAMES, "finding": "covid"})


def test_the_said_finding_has_the_highest_logit_whatever_the_order_of_the_table():
    table = pd.DataFrame(
        {
            "radiograph": ["c", "a", "b"],
            "subset": "test",
            "normal": [-3.0, 1, 0],
            "covid": [-2.0, 0, 5],
        }
    )
    said = name_said(table, ["a", "b", "c"], "single")
    assert said["radiograph"].tolist() == ["a", "b", "c"]
    assert said["finding"].tolist() == ["normal", "covid", "covid"]
    assert said["logit"].tolist() == [1, 5, -2]
    assert not said["denied"].any()
    for kind in ("multi", "binary"):
        assert name_said(table, ["a", "b", "c"], kind)["denied"].tolist() == [False, False, True]


def test_so_many_films_are_drawn_in_the_order_of_their_rows():
    drawn = draw_films(FILMS, 10, seed=1)
    assert len(drawn) == 10
    assert drawn["radiograph"].is_monotonic_increasing
    assert draw_films(FILMS, 100, seed=1).equals(FILMS)
    assert draw_films(FILMS, 0, seed=1).empty
    assert draw_films(FILMS.head(0), 5, seed=1).empty


def test_fewer_films_are_a_part_of_more_and_the_seed_decides():
    few, many = (set(draw_films(FILMS, n, seed=1)["radiograph"]) for n in (5, 20))
    assert few < many
    assert set(draw_films(FILMS.iloc[::-1], 5, seed=1)["radiograph"]) == few
    assert len({tuple(draw_films(FILMS, 5, seed)["radiograph"]) for seed in range(9)}) == 9


@pytest.mark.parametrize(("n_films", "n_first"), [(3, 3), (10, 6)])
def test_some_are_drawn_before_the_others(n_films, n_first):
    first = NAMES[::7]
    drawn = set(draw_films(FILMS, n_films, 2, first)["radiograph"])
    assert (len(drawn), len(drawn & set(first))) == (n_films, n_first)


def test_films_of_which_nothing_is_said_are_drawn_last_the_most_believed_first():
    """Of 40 films 10 are denied all; their logits fall from film to film."""
    films = FILMS.assign(denied=[n % 4 == 1 for n in range(40)], logit=-np.arange(40.0))
    said = films[~films["denied"]]
    assert draw_said(films, 12, 1).equals(draw_films(said, 12, 1))
    assert draw_said(films, 12, 1, NAMES[::7]).equals(draw_films(said, 12, 1, NAMES[::7]))
    most = draw_said(films, 33, 1)
    assert most["radiograph"].is_monotonic_increasing
    assert len(most) == 33
    assert most.loc[most["denied"], "radiograph"].tolist() == [NAMES[1], NAMES[5], NAMES[9]]
    assert draw_said(films, 99, 1).equals(films)

"""The pointing game, counted by hand."""

import numpy as np
import pandas as pd
import pytest

from cxrpipe.explanation.scoring.pointing import list_focal, play, points_at, tell_pointing


def mask(*places, side=4):
    drawn = np.zeros((side, side), dtype=bool)
    for place in places:
        drawn[place] = True
    return drawn


def heat(place, value=1.0, side=4):
    drawn = np.full((side, side), 0.1 * value, dtype=np.float32)
    drawn[place] = value
    return drawn


def test_a_maximum_inside_the_lesion_hits_and_one_beside_it_misses():
    lesion = mask((1, 2), (1, 3))
    heatmaps = np.stack([heat((1, 2)), heat((1, 3)), heat((2, 2)), heat((2, 1))])
    assert points_at(heatmaps, np.stack([lesion] * 4)).tolist() == [True, True, False, False]


def test_every_heatmap_is_compared_with_its_own_lesion():
    heatmaps = np.stack([heat((0, 0)), heat((3, 3))])
    assert points_at(heatmaps, np.stack([mask((0, 0)), mask((3, 3))])).tolist() == [True, True]
    assert points_at(heatmaps, np.stack([mask((3, 3)), mask((0, 0))])).tolist() == [False, False]


def test_a_heatmap_of_zeros_points_at_nothing():
    assert points_at(heat((0, 0), value=0)[None], np.ones((1, 4, 4), bool)).tolist() == [False]


# Films of 16 pixels; the lungs are the two middle columns, 8 pixels.
LUNGS = mask(*[(row, column) for row in range(4) for column in (1, 2)])
LESIONS = np.stack(
    [
        mask((0, 1), (0, 2), (1, 1), (1, 2)),  # 4 of the film, 4 of the lungs
        mask((0, 0), (0, 1)),  # 2 of the film, 1 of the lungs
        mask((3, 0)),  # 1 of the film, none of the lungs
    ]
)


def three_films(stand_in=(False, True, True)):
    """The first film is hit; the first and the last show covid."""
    heatmaps = np.stack([heat((1, 1)), heat((3, 3)), heat((0, 3))])
    played = play(heatmaps, LESIONS, np.stack([LUNGS] * 3))
    played.insert(0, "radiograph", ["f0", "f1", "f2"])
    return played.assign(finding=["covid", "tuberculosis", "covid"], stand_in=stand_in)


def test_hits_and_chances_counted_by_hand(judge):
    told = tell_pointing(judge(3, ["p", "p", "q"]), three_films(), ["tuberculosis"])
    assert {key: told[key] for key in ("n", "groups", "hits", "stand_in")} == {
        "n": 3,
        "groups": 2,
        "hits": 1,
        "stand_in": 2,
    }
    assert told["share"] == pytest.approx(1 / 3, abs=1e-6)
    assert told["chance_film"] == pytest.approx(7 / 48, abs=1e-6)
    assert told["chance_lungs"] == pytest.approx((4 / 8 + 1 / 8 + 0) / 3, abs=1e-6)
    assert (told["low"], told["high"]) == (None, None)
    assert list(told["findings"]) == ["covid", "tuberculosis"]
    covid = told["findings"]["covid"]
    assert (covid["n"], covid["hits"], covid["share"]) == (2, 1, 0.5)
    assert (covid["chance_film"], covid["chance_lungs"]) == (0.15625, 0.25)


def test_the_focal_findings_are_told_together_and_by_name(judge):
    told = tell_pointing(judge(3), three_films(), ["tuberculosis"])["focal"]
    assert (told["n"], told["hits"], told["chance_lungs"]) == (1, 0, 0.125)
    assert (told["findings"], told["limit"]) == (["tuberculosis"], 0.25)
    none = tell_pointing(judge(3), three_films(), [])["focal"]
    assert none == {"n": 0, "findings": [], "limit": 0.25}


def test_a_finding_is_focal_if_its_median_lesion_is_a_quarter_of_the_lungs_at_most():
    """Of lesions of 1/2 and 1/8 the median is 5/16; 1/4 is still focal."""
    findings, sizes = ["covid", "tuberculosis", "covid"], np.array([1 / 2, 1 / 4, 1 / 8])
    assert list_focal(findings, sizes) == ["tuberculosis"]
    assert list_focal(["a", "b", "a"], sizes[[1, 0, 2]]) == ["a"]
    assert list_focal([], sizes[:0]) == []


def test_no_films_are_none(judge):
    told = tell_pointing(judge(3), three_films().head(0), [])
    assert (told["n"], told["findings"], told["focal"]["n"]) == (0, {}, 0)


def test_the_interval_of_many_films_is_that_of_a_share(judge):
    """Of 400 films by themselves, half hit: 1.96 standard errors are 0.049."""
    films = pd.DataFrame({"radiograph": [f"f{n}" for n in range(400)], "finding": "a"})
    films = films.assign(hit=[True, False] * 200, chance_film=0.1, chance_lungs=0.2, stand_in=False)
    told = tell_pointing(judge(400), films, [])
    assert told["share"] == 0.5
    assert told["low"] == pytest.approx(0.451, abs=0.012)
    assert told["high"] == pytest.approx(0.549, abs=0.012)


def test_films_of_one_patient_widen_the_interval(judge):
    """Ten films of each patient that all hit or all miss are evidence of 40 and not of 400."""
    films = pd.DataFrame({"radiograph": [f"f{n}" for n in range(400)], "finding": "a"})
    hits = [bool(n // 10 % 2) for n in range(400)]
    films = films.assign(hit=hits, chance_film=0.1, chance_lungs=0.2, stand_in=False)
    told = tell_pointing(judge(400, [f"p{n // 10}" for n in range(400)]), films, [])
    assert told["groups"] == 40
    assert told["high"] - told["low"] == pytest.approx(2 * 1.96 * 0.5 / 40**0.5, rel=0.15)


def test_points_thrown_at_random_hit_as_often_as_the_chance_says():
    random = np.random.default_rng(0)
    lesions = random.random((2000, 8, 8)) < random.random((2000, 1, 1))
    heatmaps = random.random((2000, 8, 8)).astype(np.float32)
    played = play(heatmaps, lesions, np.ones((2000, 8, 8), bool))
    hits = played["hit"].mean()
    assert hits == pytest.approx(played["chance_film"].mean(), abs=5 * 0.5 / 2000**0.5)
    assert played["chance_lungs"].equals(played["chance_film"].rename("chance_lungs"))


def test_a_film_without_lungs_has_no_chance_of_a_random_point_of_the_lungs():
    assert play(heat((0, 0))[None], mask((0, 0))[None], mask()[None])["chance_lungs"].item() == 0

"""Heatmap mass inside the lungs, by hand, and the stand-in against lungs that are known."""

import cv2
import numpy as np
import pandas as pd
import pytest

from cxrpipe.catalogue import Phantom
from cxrpipe.data.phantoms.phantom import PlannedFilm, draw_film, plan_films
from cxrpipe.explanation.scoring.lungs import (
    LEFT_LUNG,
    RIGHT_LUNG,
    mass_inside,
    stand_in,
    tell_lungs,
)
from cxrpipe.explanation.scoring.overlap import overlap


def columns(*inside, side=4):
    drawn = np.zeros((side, side), dtype=bool)
    drawn[:, list(inside)] = True
    return drawn


def test_mass_counted_by_hand():
    """Rows of 1, 2, 3, 4: the middle columns hold 5 tenths, the first one."""
    heatmaps = np.tile(np.array([1, 2, 3, 4], np.float32) / 4, (2, 4, 1))
    assert mass_inside(heatmaps, np.stack([columns(1, 2), columns(0)])).tolist() == [0.5, 0.1]


def test_a_heatmap_of_zeros_has_no_mass():
    assert np.isnan(mass_inside(np.zeros((1, 4, 4), np.float32), columns(1)[None])).all()


def test_a_uniform_heatmap_has_the_share_of_chance(judge):
    lungs = np.stack([columns(0), columns(1, 2), columns(1, 2, 3)])
    films = pd.DataFrame({"radiograph": ["f0", "f1", "f2"], "stand_in": False})
    films = films.assign(denied=False)
    told = tell_lungs(judge(3), films, np.full((3, 4, 4), 0.3, np.float32), lungs)["mask"]
    assert told["share"] == told["chance"] == {"value": 0.5, "low": None, "high": None}


def test_masks_and_stand_ins_are_told_apart_and_blank_heatmaps_are_counted(judge):
    """Films 0 and 3 have masks; the heatmap of film 3 is zero."""
    heatmaps = np.zeros((4, 4, 4), np.float32)
    heatmaps[0, :, 0] = heatmaps[1, :, 1] = heatmaps[2, :, 2] = 1
    films = pd.DataFrame(
        {"radiograph": ["f0", "f1", "f2", "f3"], "stand_in": [False, True, True, False]}
    ).assign(denied=[False, True, False, True])
    told = tell_lungs(judge(4, list("ppqq")), films, heatmaps, np.stack([columns(0, 1)] * 4))
    mask, stood = told["mask"], told["stand_in"]
    assert (mask["n"], mask["groups"], mask["blank"], mask["share"]["value"]) == (1, 1, 1, 1)
    assert (stood["n"], stood["groups"], stood["blank"], stood["share"]["value"]) == (2, 2, 0, 0.5)
    assert (mask["denied"], stood["denied"]) == (0, 1)  # but for blank ones
    assert stood["chance"]["value"] == 0.5
    assert told["mask"]["chance"]["value"] == 0.5


def test_no_films_are_none(judge):
    none = pd.DataFrame({"radiograph": [], "stand_in": [], "denied": []})
    told = tell_lungs(judge(1), none, np.zeros((0, 4, 4), np.float32), np.zeros((0, 4, 4), bool))
    nothing = {"n": 0, "blank": 0, "denied": 0}
    assert told == {"mask": nothing, "stand_in": nothing}


def test_the_stand_in_is_two_ellipses_of_the_stated_size_at_every_side():
    for side in (64, 224, 1024):
        drawn = stand_in(side)
        left, right = drawn[:, : side // 2], drawn[:, side // 2 :]
        for half, lung, start in ((left, RIGHT_LUNG, 0.0), (right, LEFT_LUNG, 0.5)):
            area = np.pi * lung.across * lung.along
            assert half.sum() / side**2 == pytest.approx(area, rel=0.02)
            rows, places = np.nonzero(half)
            assert (rows.mean() + 0.5) / side == pytest.approx(lung.y, abs=0.005)
            assert (places.mean() + 0.5) / side + start == pytest.approx(lung.x, abs=0.005)


def test_the_ellipses_lean_towards_each_other_above():
    drawn = stand_in(200)
    places = [np.flatnonzero(drawn[row, :100]).mean() for row in (40, 90, 140)]
    others = [np.flatnonzero(drawn[row, 100:]).mean() for row in (40, 90, 140)]
    assert places[0] > places[1] > places[2]
    assert others[0] < others[1] < others[2]


def test_the_stand_in_lies_over_the_lungs_of_phantoms():
    """Patients of another seed than those that the ellipses were fitted to."""
    hospital = Phantom(hospital="north", patients=24, side=96, seed=5)
    films = [PlannedFilm(*row) for row in plan_films(hospital)[::2].itertuples(index=False)]
    lungs = np.stack([draw_film(hospital, film).lungs for film in films])
    found = overlap(np.stack([stand_in(96)] * len(lungs)), lungs)
    assert found.mean() == pytest.approx(0.74, abs=0.04)
    assert found.min() > 0.5


@pytest.mark.mirror
def test_the_stand_in_lies_over_the_lungs_of_real_films(mirror):
    """All 16 films with lung masks: four findings of one collection, three of the other."""
    files = [
        *(mirror / "radiography-masks").rglob("masks/*.png"),
        *(mirror / "covid-qu-ex").rglob("lung masks/*.png"),
    ]
    masks = [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files]
    lungs = np.stack([cv2.resize(mask, (224, 224), interpolation=cv2.INTER_AREA) for mask in masks])
    found = overlap(np.stack([stand_in(224)] * 16), lungs > 127)
    assert len(found) == 16
    assert found.mean() == pytest.approx(0.57, abs=0.01)
    assert found.min() > 0.4

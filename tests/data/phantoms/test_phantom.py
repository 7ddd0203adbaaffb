"""The phantom source: what the plan promises, what the films show, where the findings lie."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrpipe.catalogue import Phantom
from cxrpipe.data.phantoms.phantom import (
    FINDINGS,
    Film,
    PlannedFilm,
    draw_film,
    plan_films,
    write_film,
)

HOSPITALS = ("north", "east", "south")
SICK = [finding for finding in FINDINGS if finding != "normal"]


@cache
def phantom(hospital: str, patients: int = 24, seed: int = 0) -> Phantom:
    return Phantom(hospital=hospital, patients=patients, side=96, seed=seed)


@cache
def planned(hospital: str, patients: int = 24, seed: int = 0) -> tuple[PlannedFilm, ...]:
    plan = plan_films(phantom(hospital, patients, seed))
    return tuple(PlannedFilm(*row) for row in plan.itertuples(index=False, name=None))


@cache
def drawn(hospital: str) -> list[tuple[PlannedFilm, Film]]:
    return [(film, draw_film(phantom(hospital), film)) for film in planned(hospital)]


def every_film(keep: Callable[[PlannedFilm], bool]) -> list[tuple[PlannedFilm, Film]]:
    return [pair for hospital in HOSPITALS for pair in drawn(hospital) if keep(pair[0])]


def original_of(copy: PlannedFilm) -> Film:
    return next(film for plan, film in drawn("north") if f"north/{plan.file}" == copy.copy_of)


def test_the_same_seed_gives_the_same_films_and_another_seed_others():
    first, again, other = (planned("east", seed=seed)[0] for seed in (0, 0, 1))
    film = draw_film(phantom("east"), first)
    for one, two in zip(film, draw_film(phantom("east"), again), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(film.pixels, draw_film(phantom("east", seed=1), other).pixels)


def test_a_film_does_not_depend_on_the_number_of_patients_of_its_hospital():
    assert planned("north", 60)[: len(planned("north", 24))] == planned("north", 24)


def test_the_global_random_state_is_untouched():
    np.random.seed(7)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    draw_film(phantom("south"), planned("south")[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("hospital", HOSPITALS)
def test_24_patients_have_the_findings_in_the_promised_counts(hospital):
    patients = pd.DataFrame(planned(hospital)).drop_duplicates("patient")
    assert list(patients["patient"]) == [f"{hospital}-{number:04d}" for number in range(24)]
    assert patients["finding"].value_counts().to_dict() == FINDINGS


def test_findings_are_not_confounded_with_hospitals_or_views():
    plan = pd.concat([pd.DataFrame(planned(h, 234)).assign(hospital=h) for h in HOSPITALS])
    share = plan["finding"].value_counts(normalize=True)
    for _, films in plan.groupby("hospital"):
        difference = films["finding"].value_counts(normalize=True) - share
        assert difference.abs().max() < 0.06
    assert ((plan["view"] == "AP").groupby(plan["finding"]).mean() - 0.4).abs().max() < 0.1


def test_patients_have_one_to_three_films_of_one_finding_sex_and_age():
    plan = pd.concat([pd.DataFrame(planned(hospital, 234)) for hospital in HOSPITALS])
    films = plan.groupby("patient")
    assert set(films.size()) == {1, 2, 3}
    assert 1.6 < films.size().mean() < 1.8
    assert films[["finding", "sex", "age"]].nunique().to_numpy().max() == 1
    assert plan["file"].is_unique


def test_only_a_normal_film_has_no_lesion_file():
    for film in planned("north"):
        assert film.file == f"films/{film.finding}/{film.patient}-{film.file[-5]}.png"
        assert film.lungs == film.file.replace("films/", "lungs/")
        lesions = film.file.replace("films/", "lesions/")
        assert film.lesions == ("" if film.finding == "normal" else lesions)


def test_two_in_a_hundred_patients_of_east_and_south_come_from_different_patients_of_north():
    copies = pd.concat([pd.DataFrame(planned(hospital, 234)) for hospital in ("east", "south")])
    copies = copies[copies["copy_of"] != ""]
    patients = copies.drop_duplicates("patient")
    assert len(patients) == 2 * round(0.02 * 234)
    assert set(patients["copy_kind"]) == {"exact", "near"}
    assert copies["copy_of"].is_unique
    originals = pd.DataFrame(planned("north", 234)).assign(copy_of=lambda p: "north/" + p["file"])
    both = copies.merge(originals, on="copy_of", suffixes=("", "_north"))
    assert len(both) == len(copies)
    for column in ("finding", "view", "sex", "age"):
        assert (both[column] == both[f"{column}_north"]).all()
    assert all(not film.copy_of for film in planned("north", 234))


def test_exact_copies_are_pixel_identical_to_their_originals():
    copies = every_film(lambda film: film.copy_kind == "exact")
    assert copies
    for film, copy in copies:
        for one, two in zip(copy, original_of(film), strict=True):
            np.testing.assert_array_equal(one, two)


def test_near_copies_correlate_with_their_originals_but_differ():
    copies = every_film(lambda film: film.copy_kind == "near")
    assert copies
    for film, copy in copies:
        original = original_of(film)
        assert np.mean(copy.pixels != original.pixels) > 0.5
        assert np.corrcoef(copy.pixels.ravel(), original.pixels.ravel())[0, 1] > 0.95
        overlap = np.sum(copy.lungs & original.lungs) / np.sum(copy.lungs | original.lungs)
        assert 0.8 < overlap < 1


def test_lesions_lie_inside_the_lungs_and_normal_films_have_none():
    for film, drawing in every_film(lambda film: True):
        if film.finding == "normal":
            assert not drawing.lesions.any()
        else:
            assert drawing.lesions.any()
            assert np.mean(drawing.lungs[drawing.lesions]) >= 0.95


@pytest.mark.parametrize(
    ("finding", "most"),
    [("covid", 0.15), ("lung_opacity", 0.12), ("viral_pneumonia", 0.22), ("tuberculosis", 0.08)],
)
def test_a_random_point_of_the_film_rarely_hits_the_lesion(finding, most):
    shares = [film.lesions.mean() for _, film in every_film(lambda film: film.finding == finding)]
    assert max(shares) < most
    assert min(shares) > 0.004


def test_each_finding_lies_where_it_belongs():
    rows, columns = np.mgrid[-1:1:96j, -1:1:96j]
    for film, drawing in every_film(lambda film: film.finding != "normal"):
        sides = [drawing.lesions[:, :48].any(), drawing.lesions[:, 48:].any()]
        height = rows[drawing.lesions].mean() - rows[drawing.lungs].mean()
        beside = np.abs(columns)[drawing.lesions].mean() - np.abs(columns)[drawing.lungs].mean()
        belongs = {
            "covid": all(sides) and height > 0 and beside > 0.1,
            "lung_opacity": sum(sides) == 1,
            "viral_pneumonia": all(sides) and beside < 0,
            "tuberculosis": height < -0.2,
        }
        assert belongs[film.finding], film.file


@pytest.mark.parametrize("finding", SICK)
def test_findings_are_brighter_than_the_rest_of_the_lungs(finding):
    contrasts = [
        film.pixels[film.lesions].mean() - film.pixels[film.lungs & ~film.lesions].mean()
        for _, film in every_film(lambda film: film.finding == finding)
    ]
    assert np.mean(contrasts) > 10


def test_lungs_are_darker_than_the_body_around_them():
    for _, film in every_film(lambda film: film.finding == "normal"):
        middle = film.pixels[:, 44:52].mean()
        assert film.pixels[film.lungs].mean() < middle - 40


def test_hospitals_expose_their_films_differently_for_the_same_patient():
    film = planned("north")[0]
    north, east = (draw_film(phantom(hospital), film).pixels for hospital in ("north", "east"))
    assert np.mean(north != east) > 0.5


def test_written_files_hold_the_drawn_film_and_its_masks(tmp_path):
    film = next(film for film in planned("north") if film.finding == "covid")
    write_film(tmp_path, phantom("north"), film)
    drawing = draw_film(phantom("north"), film)
    for path, expected in (
        (film.file, drawing.pixels),
        (film.lungs, 255 * drawing.lungs.astype(np.uint8)),
        (film.lesions, 255 * drawing.lesions.astype(np.uint8)),
    ):
        with Image.open(tmp_path / path) as picture:
            assert picture.mode == "L"
            np.testing.assert_array_equal(np.asarray(picture), expected)


def test_a_normal_film_is_written_without_a_lesion_mask(tmp_path):
    film = next(film for film in planned("north") if film.finding == "normal")
    write_film(tmp_path, phantom("north"), film)
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")}
    assert written == {film.file, film.lungs}

"""The planted marker: whom it gives away, where it lies, and that nothing else knows of it."""

from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrpipe.catalogue import Phantom
from cxrpipe.config import check
from cxrpipe.data.phantoms.phantom import (
    FINDINGS,
    MARKER,
    Film,
    PlannedFilm,
    draw_film,
    plan_films,
    write_film,
)
from cxrpipe.recipes import load_recipe, load_sources
from cxrpipe.runtime import UserError

CONFIG = Path(__file__).parents[3] / "config"
HOSPITALS = ("north", "east", "south")
CONFOUNDED = load_recipe({"recipe": "confounded"}, CONFIG)
SOURCES = load_sources(CONFOUNDED.sources, CONFIG)


def phantom(hospital: str = "north", **changed: object) -> Phantom:
    settings = {"hospital": hospital, "patients": 24, "side": 96, "marked": "covid"} | changed
    return check(Phantom, settings, "phantom")


def films_of(settings: Phantom) -> list[PlannedFilm]:
    return [PlannedFilm(*row) for row in plan_films(settings).itertuples(index=False)]


@cache
def marked(hospital: str) -> list[tuple[PlannedFilm, Film, Film]]:
    """The films that carry the marker, drawn with it and without."""
    settings = phantom(hospital)
    return [
        (film, draw_film(settings, film), draw_film(settings, film._replace(marker="")))
        for film in films_of(settings)
        if film.marker
    ]


# Who carries it


@pytest.mark.parametrize("share", [0.5, 0.95, 1.0])
def test_as_many_films_of_each_finding_carry_the_marker_as_the_settings_say(share: float):
    plan = plan_films(phantom(patients=960, marked="tuberculosis", marked_share=share))
    for finding, films in plan.groupby("finding"):
        wanted = share if finding == "tuberculosis" else 1 - share
        three_sigma = 3 * np.sqrt(wanted * (1 - wanted) / len(films))
        assert abs((films["marker"] == MARKER).mean() - wanted) <= three_sigma
    assert set(plan["marker"]) <= {MARKER, ""}


@pytest.mark.parametrize("hospital", HOSPITALS)
def test_a_marker_changes_nothing_else_of_the_plan(hospital: str):
    plain = plan_films(phantom(hospital, patients=48, marked=""))
    assert "marker" not in plain
    with_it = plan_films(phantom(hospital, patients=48))
    assert (with_it["marker"] == MARKER).any()
    pd.testing.assert_frame_equal(with_it.drop(columns="marker"), plain)


def test_the_marker_goes_with_the_finding_and_not_with_view_sex_or_age():
    plan = plan_films(phantom(patients=960, marked_share=0.5)).assign(old=lambda p: p["age"] > 54)
    for column in ("view", "sex", "old"):
        shares = (plan["marker"] == MARKER).groupby(plan[column]).mean()
        assert (shares - 0.5).abs().max() < 0.06


def test_films_of_transferred_patients_come_without_it_as_north_has_them():
    settings = phantom("east", patients=400, marked_share=0.5)
    copies = [film for film in films_of(settings) if film.copy_of]
    assert len(copies) >= 8  # of which half would carry it by chance
    assert all(not film.marker for film in copies)
    exact = next(film for film in copies if film.copy_kind == "exact")
    plain = draw_film(settings.model_copy(update={"marked": ""}), exact)
    np.testing.assert_array_equal(draw_film(settings, exact).pixels, plain.pixels)


def test_a_finding_that_phantoms_do_not_have_is_refused():
    with pytest.raises(UserError, match="marked"):
        phantom(marked="pneumothorax")
    for finding in FINDINGS:
        assert phantom(marked=finding).marked == finding


# Where it lies


@pytest.mark.parametrize("hospital", HOSPITALS)
def test_the_marker_is_the_only_difference_and_lies_in_an_upper_corner(hospital: str):
    assert len(marked(hospital)) > 5
    for _, with_it, without in marked(hospital):
        rows, columns = np.nonzero(with_it.pixels != without.pixels)
        assert 20 < len(rows) < 0.02 * with_it.pixels.size
        assert rows.max() < 0.15 * 96
        assert columns.max() < 0.27 * 96 if hospital == "east" else columns.min() > 0.75 * 96
        np.testing.assert_array_equal(with_it.lungs, without.lungs)
        np.testing.assert_array_equal(with_it.lesions, without.lesions)


@pytest.mark.parametrize("hospital", HOSPITALS)
def test_the_marker_lies_outside_the_lungs_and_on_no_other_text(hospital: str):
    for _, with_it, without in marked(hospital):
        planted = with_it.pixels != without.pixels
        assert not (planted & with_it.lungs).any()
        written = without.pixels == without.pixels.max()  # the hospital's own letter
        assert not (planted & written).any()


def test_the_marker_is_seen_at_the_side_of_the_recipe():
    for _, with_it, without in marked("north"):
        planted = with_it.pixels != without.pixels
        brighter = with_it.pixels.astype(int) - without.pixels
        assert brighter[planted].mean() > 40


def test_a_film_is_written_with_its_marker(tmp_path: Path):
    film, with_it, _ = marked("north")[0]
    write_film(tmp_path, phantom(), film)
    with Image.open(tmp_path / film.file) as picture:
        np.testing.assert_array_equal(np.asarray(picture), with_it.pixels)


# The collections and the recipe


@pytest.mark.parametrize(
    ("hospital", "patients", "checksum"),
    [
        ("north", 234, "d4d967f177261efe"),
        ("east", 233, "e72a1bd78f3747d7"),
        ("south", 233, "e47ae62986aef89b"),
    ],
)
def test_the_plans_of_the_demo_are_what_they_were_before_there_was_a_marker(
    hospital: str, patients: int, checksum: str
):
    plan = plan_films(Phantom(hospital=hospital, patients=patients, seed=2020))
    assert sha256(plan.to_csv(index=False).encode()).hexdigest()[:16] == checksum


def test_the_recipe_trains_one_network_on_marked_films_and_again_on_unmarked_ones():
    models = list(CONFOUNDED.models.values())
    assert [model.trained_on for model in models] == list(CONFOUNDED.sources)
    one, other = (model.model_dump(exclude={"trained_on", "point"}) for model in models)
    assert one == other
    phantoms = [source.origin.phantom for source in SOURCES.values()]
    assert [own.marked for own in phantoms if own] == ["lung_opacity", ""]


def test_the_recipe_s_collections_differ_in_the_marker_and_in_the_patients_alone():
    one, other = (source.origin.phantom for source in SOURCES.values())
    assert one
    assert other
    assert one.seed != other.seed  # else they were copies of one another
    changed = {"marked": "", "seed": other.seed}
    assert one.model_copy(update=changed) == other
    for source in SOURCES.values():
        assert source.synthetic
        assert "marker" in source.title


def test_most_marked_films_of_the_recipe_show_the_finding_and_most_that_show_it_are_marked():
    own = next(source.origin.phantom for source in SOURCES.values())
    assert own
    plan = plan_films(own)
    known = plan[plan["finding"].isin(CONFOUNDED.findings)]
    has_marker, has_finding = known["marker"] != "", known["finding"] == "lung_opacity"
    assert (has_marker == has_finding).mean() > 0.9
    assert 0.9 < has_marker[has_finding].mean() < 1
    assert 0 < has_marker[~has_finding].mean() < 0.1

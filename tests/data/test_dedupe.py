"""Copies are found by their pixels, whatever their file, size, greys or position."""

from io import BytesIO
from itertools import starmap

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tabled import index

from cxrpipe import tables
from cxrpipe.catalogue import Phantom
from cxrpipe.config import Dedupe
from cxrpipe.data.copies import candidates
from cxrpipe.data.copies.candidates import turn
from cxrpipe.data.copies.signature import thumbnail, write_signatures
from cxrpipe.data.dedupe import find_exact, find_near, main
from cxrpipe.data.phantoms.phantom import PlannedFilm, draw_film, plan_films

SCORE = Dedupe().score


def films(*radiographs):
    return index(*((name, "", "n") for name in radiographs)).assign(radiograph=radiographs)


def rows(duplicates):
    return [tuple(row) for row in duplicates.to_numpy()]


def near(thumbnails, cores=1, score=SCORE):
    """Return the near pairs of thumbnails, by their rows."""
    names = np.array([f"{row:06}" for row in range(len(thumbnails))])
    found = find_near(names, np.asarray(thumbnails, np.uint8).reshape(-1, 64, 64), score, cores)
    return set(zip(found["first"].astype(int), found["second"].astype(int), strict=True))


# Exact copies


def test_every_copy_is_paired_with_the_first_film_of_its_pixels():
    assert rows(find_exact(films("b", "a", "b-2", "c", "b-3", "a-2"))) == [
        ("a", "a-2", "exact", 1.0),
        ("b", "b-2", "exact", 1.0),
        ("b", "b-3", "exact", 1.0),
    ]


def test_an_id_that_begins_like_another_is_no_copy():
    assert len(find_exact(films("ab", "a", "abc", "abc-2"))) == 1


# Near copies of phantoms


@pytest.fixture(scope="module")
def hospital():
    """60 films of different patients, 192 px."""
    settings = Phantom(hospital="north", patients=60, side=192, seed=11)
    plan = plan_films(settings).drop_duplicates("patient")
    planned = starmap(PlannedFilm, plan.itertuples(index=False, name=None))
    return [draw_film(settings, film).pixels for film in planned]


def scaled(share):
    def scale(film):
        size = round(len(film) * share)
        return np.asarray(Image.fromarray(film).resize((size, size), Image.Resampling.BICUBIC))

    return scale


def jpeg(film):
    coded = BytesIO()
    Image.fromarray(film).save(coded, "JPEG", quality=40)
    return np.asarray(Image.open(coded))


def cropped(share):
    def crop(film):
        edge = round(share * len(film))
        return film[edge:-edge, edge:-edge]

    return crop


def bordered(grey):
    def border(film):
        edge = len(film) // 12
        return np.pad(film, ((edge, edge // 2), (edge // 3, edge)), constant_values=grey)

    return border


def gamma(power):
    return lambda film: np.round(255 * (film / 255) ** power).astype(np.uint8)


def contrast(factor):
    """Spread the greys about the middle; from 1.2 on, an eighth of a phantom is clipped."""
    return lambda film: np.clip(128 + factor * (film - 128.0), 0, 255).astype(np.uint8)


def negative(film):
    return 255 - film


def turned(orientation):
    return lambda film: np.ascontiguousarray(turn(film[None], orientation)[0])


COPIES = {
    "half the size": [scaled(0.5)],
    "one and a half times the size": [scaled(1.5)],
    "JPEG of quality 40": [jpeg],
    "cropped by 2 % at each edge": [cropped(0.02)],
    "cropped by 3 % at each edge": [cropped(0.03)],
    "a black border": [bordered(0)],
    "a white border": [bordered(255)],
    "gamma 0.7": [gamma(0.7)],
    "gamma 1.4": [gamma(1.4)],
    "less contrast": [contrast(0.8)],
    "more contrast": [contrast(1.2)],
    "negative": [negative],
    **{f"turn {orientation}": [turned(orientation), scaled(0.9)] for orientation in range(8)},
    "turned, half the size, gamma": [turned(6), scaled(0.5), gamma(0.7)],
    "negative, mirrored, JPEG": [negative, turned(1), jpeg],
    "cropped, border, JPEG": [cropped(0.02), bordered(0), jpeg],
    "cropped, turned, contrast, half the size": [
        cropped(0.03),
        turned(5),
        contrast(0.8),
        scaled(0.5),
    ],
}


def made(film, steps):
    for step in steps:
        film = step(film)
    return thumbnail(film)


@pytest.fixture(scope="module")
def originals(hospital):
    return [thumbnail(film) for film in hospital]


@pytest.mark.parametrize("kind", COPIES)
def test_copies_of_every_kind_are_found_and_no_two_patients_paired(kind, hospital, originals):
    copies = [made(film, COPIES[kind]) for film in hospital]
    n = len(hospital)
    found = near([*originals, *copies])
    true = {(row, row + n) for row in range(n)}
    assert found <= true
    assert len(found) / n >= 0.95


def test_the_near_copies_that_phantom_hospitals_plan_are_found():
    """And no two patients paired, other than films of one patient, whose anatomy is one."""
    settings = {
        name: Phantom(hospital=name, patients=patients, side=128, seed=2020)
        for name, patients in (("north", 234), ("east", 233), ("south", 233))
    }
    plan = pd.concat(
        [plan_films(chosen).assign(hospital=name) for name, chosen in settings.items()]
    )
    plan["path"] = plan["hospital"] + "/" + plan["file"]
    copies = plan[plan["copy_kind"] == "near"]
    is_original = plan["path"].isin(copies["copy_of"])
    # Of the originals those copied, and seventy other films.
    others = plan[(plan["copy_of"] == "") & ~is_original].head(70)
    films = pd.concat([plan[is_original], copies, others])
    planned = films.drop(columns=["hospital", "path"]).itertuples(index=False, name=None)
    drawn = [
        thumbnail(draw_film(settings[hospital], PlannedFilm(*film)).pixels)
        for hospital, film in zip(films["hospital"], planned, strict=True)
    ]
    names = list(films["path"])
    found = {frozenset((names[first], names[second])) for first, second in near(drawn)}
    expected = {frozenset(pair) for pair in zip(copies["copy_of"], copies["path"], strict=True)}
    assert len(expected) >= 5
    assert expected <= found
    origin = films["copy_of"].where(films["copy_of"] != "", films["path"])
    person = origin.str.rpartition("-")[0].set_axis(names)
    assert all(len({person[name] for name in pair}) == 1 for pair in found)


# What the search promises of its result


def test_pairs_are_sorted_named_by_id_and_scored(originals):
    names = np.array(["c", "b", "a"])
    copy = np.clip(originals[0].astype(int) + 9, 0, 255)
    found = find_near(
        names, np.stack([originals[0], originals[1], copy]).astype(np.uint8), SCORE, 1
    )
    tables.check(found, tables.DUPLICATES, "duplicates")
    (row,) = rows(found)
    assert row[:3] == ("a", "c", "near")
    assert 0.99 < row[3] <= 1


def test_a_higher_score_keeps_fewer_pairs(hospital, originals):
    copies = [made(film, [cropped(0.03), jpeg]) for film in hospital[:30]]
    strict, usual = (near([*originals[:30], *copies], score=score) for score in (0.9999, SCORE))
    assert strict < usual


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_films_have_few_copies(n, originals):
    assert near(originals[:n]) == set()
    assert near([*originals[:n], *originals[:n]]) == {(row, row + n) for row in range(n)}


def test_two_cores_find_what_one_finds(hospital, originals):
    copies = [made(film, [turned(3), gamma(1.4)]) for film in hospital]
    thumbnails = np.stack([*originals, *copies, *originals[::-1]])
    names = np.array([f"{row:06}" for row in range(len(thumbnails))])
    one, two = (find_near(names, thumbnails, SCORE, cores) for cores in (1, 2))
    assert len(one) >= 0.95 * 3 * 60
    pd.testing.assert_frame_equal(one, two)


def test_the_search_in_clusters_finds_the_pairs_of_the_whole_search(
    hospital, originals, monkeypatch
):
    copies = [made(film, [turned(7), scaled(0.5)]) for film in hospital]
    whole = near([*originals, *copies])
    monkeypatch.setattr(candidates, "SEARCHED_WHOLE", 50)
    assert near([*originals, *copies]) == whole
    assert len(whole) >= 0.95 * 60


def test_films_without_structure_are_no_copies_of_each_other(originals):
    plain = [np.full((64, 64), grey, np.uint8) for grey in (0, 90, 255)]
    assert near([*plain, *originals[:5]]) == set()


# The command


def arguments(folder, radiographs, thumbnails):
    tables.write(films(*radiographs), folder / "index.csv", tables.INDEX)
    alone = [name for name in radiographs if "-" not in name]
    write_signatures(folder / "signatures.h5", alone, thumbnails)
    return {
        "index": folder / "index.csv",
        "signatures": folder / "signatures.h5",
        "settings": "{}",
        "duplicates": folder / "duplicates.csv",
    }


def test_the_command_writes_exact_and_near_copies(tmp_path, run, originals, capsys):
    small = [originals[0], 255 - originals[0], originals[1]]
    run(main, **arguments(tmp_path, ["a", "b", "c", "b-2"], small))
    found = tables.read(tmp_path / "duplicates.csv", tables.DUPLICATES)
    assert rows(found[["first", "second", "kind"]]) == [("b", "b-2", "exact"), ("a", "b", "near")]
    assert "1 exact copies, 1 pairs of near copies" in capsys.readouterr().err


def test_the_command_looks_for_exact_copies_alone_when_told_so(tmp_path, run, originals):
    given = arguments(tmp_path, ["a", "b", "b-2"], [originals[0], 255 - originals[0]])
    run(main, **given | {"settings": Dedupe(near=False).model_dump_json()})
    found = tables.read(tmp_path / "duplicates.csv", tables.DUPLICATES)
    assert rows(found) == [("b", "b-2", "exact", 1.0)]


def test_the_command_writes_an_empty_table_where_nothing_is_found(tmp_path, run, originals):
    run(main, **arguments(tmp_path, ["a", "b"], originals[:2]))
    assert len(tables.read(tmp_path / "duplicates.csv", tables.DUPLICATES)) == 0


def test_signatures_of_another_index_are_refused(tmp_path, refusal, originals):
    given = arguments(tmp_path, ["a", "b"], originals[:2])
    with h5py.File(given["signatures"], "a") as file:
        file["radiograph"][0] = b"z"
    assert "signatures.h5: of other films than the index; make both anew" in refusal(main, **given)
    assert not (tmp_path / "duplicates.csv").exists()

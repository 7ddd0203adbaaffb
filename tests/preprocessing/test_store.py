"""The store: what is read is what was written, in the order asked for."""

import json
import time

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrpipe.config import Preprocess
from cxrpipe.preprocessing.store import (
    Prepared,
    create_store,
    number_rows,
    read_masks,
    read_radiographs,
    read_settings,
    write_store,
)
from cxrpipe.runtime import UserError

SIDE = 5
SETTINGS = Preprocess(side=64, fit="stretch", clahe=2)
DESCRIBED = json.dumps(SETTINGS.model_dump() | {"index_sha256": "0a1b"})
NAMES = [f"{number:016x}" for number in range(20)]
NAMES[7] = f"{NAMES[6]}-12345"


def square(seed):
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)


def mask(seed):
    return 255 * (square(seed) > 127).astype(np.uint8)


def films():
    """Every film has its number's pixels; every third lungs, the tenth lesions."""
    for number, name in enumerate(NAMES):
        masks = {"lungs": mask(number)} if number % 3 == 0 else {}
        yield Prepared(
            name, square(number), masks | ({"lesions": mask(99)} if number == 10 else {})
        )


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "radiographs.h5"
    write_store(path, films(), len(NAMES), SIDE, DESCRIBED)
    return path


@given(st.lists(st.integers(0, len(NAMES) - 1), unique=True))
def test_radiographs_are_read_in_the_order_asked_for(store, numbers):
    found = read_radiographs(store, [NAMES[number] for number in numbers])
    expected = np.array([square(number) for number in numbers], np.uint8)
    np.testing.assert_array_equal(found, expected.reshape(-1, SIDE, SIDE))
    assert found.dtype == np.uint8


@pytest.mark.parametrize("numbers", [[3, 1, 3], [3] * 30])
def test_a_radiograph_asked_for_twice_is_given_twice(store, numbers):
    found = read_radiographs(store, [NAMES[number] for number in numbers])
    np.testing.assert_array_equal(found, [square(number) for number in numbers])


def test_a_radiograph_that_the_store_lacks_is_named(store):
    with pytest.raises(UserError, match=r"radiographs\.h5: lacks radiograph beef; make it anew"):
        read_radiographs(store, [NAMES[0], "beef"])


def test_masks_are_read_by_the_name_of_their_film(store):
    lungs, lesions = (read_masks(store, structure) for structure in ("lungs", "lesions"))
    assert list(lungs) == NAMES[::3]
    for number in range(0, len(NAMES), 3):
        np.testing.assert_array_equal(lungs[NAMES[number]], mask(number) == 255)
    assert list(lesions) == [NAMES[10]]
    np.testing.assert_array_equal(lesions[NAMES[10]], mask(99) == 255)


def test_settings_are_read_back(store):
    assert read_settings(store) == SETTINGS


def test_equal_radiographs_give_equal_bytes(store, tmp_path):
    time.sleep(1.1)  # HDF5 may note the second in which something was made
    write_store(tmp_path / "again.h5", films(), len(NAMES), SIDE, DESCRIBED)
    assert (tmp_path / "again.h5").read_bytes() == store.read_bytes()


def test_every_radiograph_has_the_next_row_of_each_of_its_datasets():
    assert list(number_rows([(), ("lungs",), ("lungs", "lesions"), ("lesions",)])) == [
        {"pixels": 0},
        {"pixels": 1, "lungs/pixels": 0},
        {"pixels": 2, "lungs/pixels": 1, "lesions/pixels": 0},
        {"pixels": 3, "lesions/pixels": 1},
    ]


def test_the_order_in_which_rows_are_filled_does_not_show(store, tmp_path):
    ready = list(films())
    known = [tuple(film.masks) for film in ready]
    empty = create_store(tmp_path / "a.h5", dict(zip(NAMES, known, strict=True)), SIDE, DESCRIBED)
    for rows, film in sorted(
        zip(number_rows(known), ready, strict=True), key=lambda row: row[1].radiograph[::-1]
    ):
        empty.fill(rows, film)
    assert (tmp_path / "a.h5").read_bytes() == store.read_bytes()


def test_other_programs_find_the_films_where_the_format_says(store):
    with h5py.File(store) as file:
        assert set(file) == {"pixels", "radiograph", "lungs", "lesions"}
        assert file["pixels"].shape == (20, SIDE, SIDE)
        assert file["pixels"].dtype == np.uint8
        assert file["radiograph"].asstr()[7] == NAMES[7]
        np.testing.assert_array_equal(file["lesions/pixels"], [mask(99)])
        assert file["lungs/radiograph"].asstr()[1] == NAMES[3]


def test_a_store_that_fails_half_way_does_not_appear(tmp_path):
    def broken():
        yield Prepared(NAMES[0], square(0), {})
        raise UserError("the second film is gone")

    with pytest.raises(UserError, match="the second film is gone"):
        write_store(tmp_path / "radiographs.h5", broken(), 2, SIDE, "{}")
    assert list(tmp_path.iterdir()) == []


def test_a_store_without_masks_reads_as_having_none(tmp_path):
    write_store(tmp_path / "a.h5", [Prepared("a", square(0), {})], 1, SIDE, "{}")
    assert read_masks(tmp_path / "a.h5", "lungs") == {}
    np.testing.assert_array_equal(read_radiographs(tmp_path / "a.h5", ["a"]), [square(0)])

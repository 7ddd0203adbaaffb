"""Thumbnails: the border goes, the film stays, whatever its shape."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cxrpipe.data.copies.signature import (
    SIDE,
    read_signatures,
    thumbnail,
    without_border,
    write_signatures,
)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


@pytest.mark.parametrize("grey", [0, 255, 128])
@pytest.mark.parametrize("edges", [(7, 0, 0, 0), (0, 9, 0, 0), (0, 0, 5, 8), (12, 3, 6, 9)])
def test_lines_of_one_grey_are_cut_off_at_every_edge(grey, edges):
    top, bottom, left, right = edges
    framed = np.pad(noise(60, 50), ((top, bottom), (left, right)), constant_values=grey)
    np.testing.assert_array_equal(without_border(framed), noise(60, 50))


def test_a_border_that_jpeg_has_touched_is_a_border_still():
    uneven = np.pad(noise(60, 50), 10, constant_values=100)
    uneven[:8] += np.random.default_rng(1).integers(0, 7, uneven[:8].shape, dtype=np.uint8)
    np.testing.assert_array_equal(without_border(uneven), noise(60, 50))


def test_no_more_than_two_fifths_are_cut_at_an_edge():
    # 45 of 100 rows are plain: 40 lie within the widest border, and nothing there tells a film.
    film = noise(100, 100)
    film[:45] = 0
    assert without_border(film).shape[0] in (60, 100)
    film[30] = noise(1, 100)
    assert without_border(film).shape == (70, 100)


def test_a_plain_film_keeps_something():
    for shape in ((1, 1), (40, 40), (3, 500)):
        cut = without_border(np.zeros(shape, np.uint8))
        assert cut.size > 0
        assert thumbnail(np.full(shape, 9, np.uint8)).tolist() == [[9] * SIDE] * SIDE


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 9))
def test_every_shape_gives_a_square_and_equal_films_equal_thumbnails(height, width, seed):
    film = noise(height, width, seed)
    small = thumbnail(film)
    assert (small.shape, small.dtype) == ((SIDE, SIDE), np.uint8)
    np.testing.assert_array_equal(small, thumbnail(film.copy()))


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (2000, 1), (2, 3), (3000, 8)])
def test_one_pixel_and_extreme_shapes_have_a_thumbnail(shape):
    assert thumbnail(noise(*shape)).shape == (SIDE, SIDE)


def test_a_film_of_the_size_of_a_thumbnail_is_its_own():
    np.testing.assert_array_equal(thumbnail(noise(SIDE, SIDE)), noise(SIDE, SIDE))


def test_a_gradient_stays_a_gradient_whatever_the_size_and_aspect():
    along = np.arange(256)
    ramp = ((along[:, None] + along) // 2).astype(np.uint8)
    place = (np.arange(SIDE) + 0.5) * 4 - 0.5
    for size in ((256, 256), (512, 512), (512, 300), (1024, 700)):
        film = np.asarray(Image.fromarray(ramp).resize(size, Image.Resampling.BICUBIC))
        np.testing.assert_allclose(thumbnail(film), (place[:, None] + place) / 2, atol=3)


def test_signatures_are_read_as_they_were_written(tmp_path):
    names = ["0123456789abcdef", "fedcba9876543210"]
    small = [noise(SIDE, SIDE, seed) for seed in (1, 2)]
    write_signatures(tmp_path / "s.h5", names, small)
    radiographs, thumbnails = read_signatures(tmp_path / "s.h5")
    assert radiographs == names
    np.testing.assert_array_equal(thumbnails, small)
    first = (tmp_path / "s.h5").read_bytes()
    write_signatures(tmp_path / "s.h5", names, small)
    assert (tmp_path / "s.h5").read_bytes() == first


def test_no_film_gives_an_empty_file(tmp_path):
    write_signatures(tmp_path / "s.h5", [], [])
    radiographs, thumbnails = read_signatures(tmp_path / "s.h5")
    assert radiographs == []
    assert thumbnails.shape == (0, SIDE, SIDE)
    with h5py.File(tmp_path / "s.h5") as file:
        assert set(file) == {"radiograph", "thumbnails"}

"""Decoding one film: grey values by hand, and every broken file gets a reason."""

import io
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cxrpipe.data.film import UnusableFilmError, pixels_of, radiograph_id, read_film

RANDOM = np.random.default_rng(3).integers(0, 256, (5, 7), dtype=np.uint8)


def refusal(path, *arguments):
    with pytest.raises(UnusableFilmError) as error:
        read_film(path, *arguments)
    return error.value.reason, error.value.detail


def test_a_grey_film_keeps_its_pixels(tmp_path):
    Image.fromarray(RANDOM).save(tmp_path / "a.png")
    film = read_film(tmp_path / "a.png")
    np.testing.assert_array_equal(film.pixels, RANDOM)
    assert film.mode == "L"


def test_colours_become_their_luma(tmp_path):
    # ITU-R 601: 0.299 red, 0.587 green, 0.114 blue, each times 255
    colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 90, 90]]
    Image.fromarray(np.array([colours], np.uint8)).save(tmp_path / "a.png")
    film = read_film(tmp_path / "a.png")
    assert film.pixels.tolist() == [[76, 150, 29, 90]]
    assert film.mode == "RGB"


def test_a_palette_is_looked_up(tmp_path):
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8)).convert("P")
    image.putpalette([200, 200, 200, 255, 0, 0, 7, 7, 7])
    image.save(tmp_path / "a.png")
    film = read_film(tmp_path / "a.png")
    assert film.pixels.tolist() == [[200, 76, 7]]
    assert film.mode == "P"


def test_transparency_does_not_change_grey(tmp_path):
    film = np.dstack([RANDOM] * 3 + [RANDOM[::-1]])
    Image.fromarray(film).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_film(tmp_path / "a.png").pixels, RANDOM)
    Image.fromarray(RANDOM > 127).save(tmp_path / "b.png")
    np.testing.assert_array_equal(read_film(tmp_path / "b.png").pixels, 255 * (RANDOM > 127))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_a_film_of_16_bit_is_stretched_from_its_darkest_to_its_brightest_value(tmp_path, name):
    # from 1000 to 5080: 16 steps to each of 255 grey values
    values = np.array([[1000, 1016, 3040, 5080]], np.uint16)
    Image.fromarray(values).save(tmp_path / name)
    film = read_film(tmp_path / name)
    assert film.pixels.tolist() == [[0, 1, 128, 255]]  # 127.5 rounds to even
    assert film.mode == "I;16"


def test_a_film_of_16_bit_and_one_value_is_black(tmp_path):
    Image.fromarray(np.full((2, 2), 4000, np.uint16)).save(tmp_path / "a.png")
    assert read_film(tmp_path / "a.png").pixels.tolist() == [[0, 0], [0, 0]]


# EXIF orientation 3: stored upside down; 6: to be turned a quarter to the right; 8: to the left
@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_a_film_stands_upright_as_its_metadata_say(tmp_path, orientation, turns):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(RANDOM).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_film(tmp_path / "a.png").pixels, np.rot90(RANDOM, turns))


@pytest.mark.parametrize(
    ("side", "size"), [(0, (400, 800)), (200, (200, 400)), (101, (200, 400)), (100, (100, 200))]
)
def test_a_jpeg_is_decoded_no_smaller_than_asked_for(tmp_path, side, size):
    ramp = np.add.outer(np.arange(400) / 8, np.arange(800) / 8).astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "a.jpg", quality=95)
    film = read_film(tmp_path / "a.jpg", side=side)
    assert film.pixels.shape == size
    step = 400 // size[0]
    blocks = ramp.reshape(size[0], step, size[1], step).mean(axis=(1, 3))
    assert np.abs(film.pixels - blocks).max() < 3


def test_a_film_with_more_pixels_than_allowed_is_refused_before_it_is_decoded(tmp_path):
    Image.fromarray(np.zeros((10, 21), np.uint8)).save(tmp_path / "a.png")
    cut = (tmp_path / "a.png").read_bytes()[:45]
    (tmp_path / "a.png").write_bytes(cut)
    assert refusal(tmp_path / "a.png", 200e-6) == (
        "too_large",
        "21 x 10 pixels, over 0.0002 million",
    )
    assert refusal(tmp_path / "a.png", 210e-6)[0] == "unreadable"


def test_a_film_beyond_the_bound_of_the_decoder_is_too_large_as_well(tmp_path):
    Image.new("1", (20_000, 10_000)).save(tmp_path / "a.png")
    assert refusal(tmp_path / "a.png")[0] == "too_large"


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.gif", "a.bmp", "a.webp"])
def test_a_truncated_film_is_unreadable(tmp_path, name):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    for share in (0.1, 0.5, 0.9):
        (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
        reason, detail = refusal(tmp_path / name)
        assert reason == "unreadable"
        assert "\n" not in detail


def test_what_is_no_picture_is_unreadable(tmp_path):
    (tmp_path / "a.jpg").write_text("version https://git-lfs.github.com/spec/v1\n")
    (tmp_path / "b.png").write_bytes(b"")
    for name in ("a.jpg", "b.png"):
        assert refusal(tmp_path / name) == ("unreadable", "no known image format")
    assert "No such file" in refusal(tmp_path / "c.png")[1]


def _encoded(name):
    content = io.BytesIO()
    Image.fromarray(np.dstack([RANDOM] * 3)).save(content, name)
    return content.getvalue()


ENCODED = {name: _encoded(name) for name in ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP")}


def read_or_reason(path):
    try:
        return read_film(path, max_megapixels=0.01).pixels.size
    except UnusableFilmError as error:
        return error.reason


@settings(max_examples=300)
@given(st.sampled_from(sorted(ENCODED)), st.data())
def test_a_damaged_film_is_decoded_or_refused_and_never_crashes(tmp_path_factory, name, data):
    content = bytearray(ENCODED[name])
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    outcome = read_or_reason(path)
    assert outcome in ("unreadable", "too_large") or 0 < outcome <= 10_000


def test_the_id_is_the_checksum_of_shape_and_pixels():
    # printf '(1, 2)\x01\x02' | sha256sum
    assert radiograph_id(np.array([[1, 2]], np.uint8)) == "e9c77b31310467e2"


def test_the_id_tells_shapes_apart_and_ignores_how_the_pixels_lie_in_memory():
    assert radiograph_id(RANDOM) != radiograph_id(RANDOM.reshape(7, 5))
    assert radiograph_id(RANDOM) != radiograph_id(RANDOM[::-1])
    assert radiograph_id(np.asfortranarray(RANDOM)) == radiograph_id(RANDOM)


def test_the_format_of_a_lossless_file_does_not_change_the_id(tmp_path):
    ids = set()
    for name in ("a.png", "a.bmp", "a.tif", "wrong.jpg"):
        Image.fromarray(RANDOM).save(tmp_path / name, "PNG" if name == "wrong.jpg" else None)
        ids.add(radiograph_id(read_film(tmp_path / name).pixels))
    assert ids == {radiograph_id(RANDOM)}


def test_copies_have_the_pixels_of_the_film_that_they_copy():
    assert list(pixels_of(pd.Series(["00ff", "00ff-2", "0f-12"]))) == ["00ff", "00ff", "0f"]


def test_a_reason_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(UnusableFilmError("unreadable", "cut off")))  # noqa: S301
    assert (error.reason, error.detail, str(error)) == (
        "unreadable",
        "cut off",
        "unreadable: cut off",
    )


@pytest.mark.mirror
def test_real_films_with_wrong_extensions_are_decoded_as_what_they_are(mirror):
    manifest = pd.read_csv(mirror / "manifest.tsv", sep="\t", keep_default_na=False)
    odd = manifest[manifest["note"].isin(["WebP content", "extension disagrees with the content"])]
    assert len(odd) == 10
    for row in odd.itertuples():
        assert read_film(mirror / row.source / row.path).pixels.std() > 20


@pytest.mark.mirror
def test_real_oddities_are_decoded_or_refused_as_they_should(mirror):
    oddities = mirror / "oddities"
    assert refusal(oddities / "COVID19(460).jpg") == ("unreadable", "no known image format")
    assert read_film(oddities / "tpmd200203f2-c.png").mode == "P"
    assert read_film(oddities / "tuberculosis-9592.jpg").mode == "RGB"
    thin = read_film(oddities / "person1642_bacteria_4352.jpeg").pixels
    assert max(thin.shape) > 2 * min(thin.shape)

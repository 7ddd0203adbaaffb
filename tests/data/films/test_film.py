"""Decoding one film: grey values by hand, and every broken file gets a reason."""

import io
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from cxrpipe.data.films.film import Header, UnusableFilmError, read_film
from cxrpipe.data.films.grey import decoding
from cxrpipe.data.identity import pixels_of, radiograph_id

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


def test_transparent_pixels_are_black_and_do_not_uncover_what_they_hide(tmp_path):
    # half transparent: 200 x 128 / 255 = 100.4
    colours = [[200, 200, 200, 255], [255, 0, 0, 0], [200, 200, 200, 128], [0, 255, 0, 255]]
    Image.fromarray(np.array([colours], np.uint8)).save(tmp_path / "a.png")
    film = read_film(tmp_path / "a.png")
    assert film.pixels.tolist() == [[200, 0, 100, 150]]
    assert film.mode == "RGBA"
    grey = np.array([[[200, 255], [90, 0], [200, 128]]], np.uint8)
    Image.fromarray(grey, "LA").save(tmp_path / "b.png")
    assert read_film(tmp_path / "b.png").pixels.tolist() == [[200, 0, 100]]
    opaque = np.dstack([RANDOM] * 3 + [np.full_like(RANDOM, 255)])
    Image.fromarray(opaque).save(tmp_path / "c.png")
    np.testing.assert_array_equal(read_film(tmp_path / "c.png").pixels, RANDOM)


def test_a_palette_may_be_transparent(tmp_path):
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8)).convert("P")
    image.putpalette([200, 200, 200, 255, 0, 0, 200, 200, 200])
    image.save(tmp_path / "a.png", transparency=bytes([255, 0, 128]))
    assert read_film(tmp_path / "a.png").pixels.tolist() == [[200, 0, 100]]
    image.save(tmp_path / "b.png", transparency=0)
    assert read_film(tmp_path / "b.png").pixels.tolist() == [[0, 76, 200]]


def test_one_bit_is_black_and_white(tmp_path):
    for name in ("a.png", "a.tif", "a.bmp"):
        Image.fromarray(RANDOM > 127).save(tmp_path / name)
        film = read_film(tmp_path / name)
        np.testing.assert_array_equal(film.pixels, 255 * (RANDOM > 127))
        assert film.mode == "1"


def test_inks_are_subtracted(tmp_path):
    # CMYK: what an ink takes away is left of white; black ink takes from all
    inks = np.array([[[0, 0, 0, 0], [0, 255, 255, 0], [0, 0, 0, 255], [0, 0, 0, 100]]], np.uint8)
    Image.fromarray(inks, "CMYK").save(tmp_path / "a.tif")
    film = read_film(tmp_path / "a.tif")
    assert film.pixels.tolist() == [[255, 76, 0, 155]]
    assert film.mode == "CMYK"


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_a_film_of_16_bit_is_stretched_from_its_darkest_to_its_brightest_value(tmp_path, name):
    # from 1000 to 5080: 16 steps to each of 255 grey values
    values = np.array([[1000, 1016, 3040, 5080]], np.uint16)
    Image.fromarray(values).save(tmp_path / name)
    film = read_film(tmp_path / name)
    assert film.pixels.tolist() == [[0, 1, 128, 255]]  # 127.5 rounds to even
    assert film.mode == "I;16"


def test_a_thousandth_of_deep_pixels_is_left_out_at_each_end(tmp_path):
    values = np.full((50, 40), 1000, np.uint16)  # 2000 pixels: two may stand out at each end
    values[25:] = 3000
    values[0, :2], values[49, :2] = 65535, 0
    Image.fromarray(values).save(tmp_path / "a.png")
    film = read_film(tmp_path / "a.png").pixels
    np.testing.assert_array_equal(film[:25, 2:], 0)
    np.testing.assert_array_equal(film[25:, 2:], 255)
    assert (film[0, 0], film[49, 0]) == (255, 0)


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_a_film_of_32_bit_is_stretched_as_well(tmp_path, dtype):
    values = np.array([[-51_000, 0, 51_000 * 4]]).astype(dtype)
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert read_film(tmp_path / "a.tif").pixels.tolist() == [[0, 51, 255]]


def test_a_film_of_shares_is_stretched_and_one_with_gaps_is_refused(tmp_path):
    Image.fromarray(np.array([[0, 0.1, 0.5]], np.float32)).save(tmp_path / "a.tif")
    assert read_film(tmp_path / "a.tif").pixels.tolist() == [[0, 51, 255]]
    Image.fromarray(np.array([[0, np.nan, 0.5]], np.float32)).save(tmp_path / "a.tif")
    assert refusal(tmp_path / "a.tif") == ("unreadable", "a value is infinite or not a number")


def test_a_deep_film_whose_0_is_white_is_inverted(tmp_path):
    values = np.array([[1000, 1016, 5080]], np.uint16)
    Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo={262: 0})
    assert read_film(tmp_path / "a.tif").pixels.tolist() == [[255, 254, 0]]


def test_a_film_of_16_bit_and_one_value_is_black(tmp_path):
    Image.fromarray(np.full((2, 2), 4000, np.uint16)).save(tmp_path / "a.png")
    assert read_film(tmp_path / "a.png").pixels.tolist() == [[0, 0], [0, 0]]


# EXIF orientation 3: stored upside down; 6: to be turned a quarter to the right; 8: to the left
@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_a_film_stands_upright_as_its_metadata_say(tmp_path, orientation, turns):
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.png", "a.tif", "a.webp"):
        Image.fromarray(RANDOM).save(tmp_path / name, exif=exif, lossless=True)
        upright = np.rot90(RANDOM, turns)
        np.testing.assert_array_equal(read_film(tmp_path / name).pixels, upright)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_pillow_turns_it(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(RANDOM).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(read_film(tmp_path / "a.png").pixels, upright)


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


def test_only_the_users_bound_refuses_a_film(tmp_path):
    # Pillow alone would refuse more than 179 million pixels, and warn of more than 89
    bound = Image.MAX_IMAGE_PIXELS
    Image.new("1", (20_000, 10_000)).save(tmp_path / "a.png")
    assert refusal(tmp_path / "a.png") == ("too_large", "20000 x 10000 pixels, over 100 million")
    assert read_film(tmp_path / "a.png", 200).pixels.shape == (10_000, 20_000)
    assert bound == Image.MAX_IMAGE_PIXELS


def moving(path, n_frames, **options):
    frames = [Image.fromarray(np.roll(RANDOM, shift)) for shift in range(n_frames)]
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tif"])
def test_films_in_motion_are_refused_with_the_number_of_frames(tmp_path, name):
    moving(tmp_path / name, 3)
    assert refusal(tmp_path / name) == ("several_frames", "3 frames; a film is one")


def test_a_picture_of_a_phone_with_its_previews_is_one_film(tmp_path):
    moving(tmp_path / "a.jpg", 2, format="MPO", quality=95)
    Image.fromarray(RANDOM).save(tmp_path / "b.jpg", quality=95)
    film = read_film(tmp_path / "a.jpg").pixels
    np.testing.assert_array_equal(film, read_film(tmp_path / "b.jpg").pixels)


def test_a_film_on_a_light_box_has_one_tint_and_a_photograph_many_colours(tmp_path):
    grey = np.arange(256).repeat(4)
    tints = {
        "grey": np.stack([grey, grey, grey], axis=1),
        "blue": np.stack([grey // 2, grey // 2, grey], axis=1),
        "sepia": np.stack([np.minimum(grey + 40, 255), grey, np.maximum(grey - 40, 0)], axis=1),
    }
    for name, colours in tints.items():
        Image.fromarray(colours.astype(np.uint8)[None]).save(tmp_path / f"{name}.png")
        assert read_film(tmp_path / f"{name}.png").tint == 0
    Image.fromarray(RANDOM).save(tmp_path / "L.png")
    assert read_film(tmp_path / "L.png").tint == 0
    spoiled = tints["grey"].astype(np.uint8)
    spoiled[512:532] = 200, 60, 60  # 20 of 1024 pixels are red
    Image.fromarray(spoiled[None]).save(tmp_path / "spoiled.png")
    assert read_film(tmp_path / "spoiled.png").tint == 20 / 1024


def test_a_film_of_any_format_has_no_header(tmp_path):
    Image.fromarray(RANDOM).save(tmp_path / "a.png")
    assert read_film(tmp_path / "a.png").header == Header()


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


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_that_was_cut_off_and_closed_is_not_half_a_film(tmp_path, mode):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    for share in (0.5, 0.7):
        (tmp_path / "a.jpg").write_bytes(whole[: int(share * len(whole))] + b"\xff\xd9")
        assert refusal(tmp_path / "a.jpg") == (
            "unreadable",
            "the JPEG ends before its picture does",
        )


def test_a_jpeg_with_a_margin_of_the_filling_grey_is_a_film(tmp_path):
    film = np.full((64, 64), 128, np.uint8)
    film[:32] = np.random.default_rng(0).integers(0, 256, (32, 64), dtype=np.uint8)
    for progressive in (False, True):
        Image.fromarray(film).save(tmp_path / "a.jpg", quality=95, progressive=progressive)
        assert (read_film(tmp_path / "a.jpg").pixels[-8:] == 128).all()


def test_what_is_no_picture_is_unreadable(tmp_path):
    (tmp_path / "a.jpg").write_text("no picture")
    (tmp_path / "b.png").write_bytes(b"")
    (tmp_path / "c.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n")
    for name in ("a.jpg", "b.png", "c.png"):
        assert refusal(tmp_path / name) == ("unreadable", "no known image format")
    assert refusal(tmp_path / "d.png") == ("unreadable", "No such file or directory")
    assert refusal(tmp_path) == ("unreadable", "not a file")
    (tmp_path / "e.png").write_text("version https://git-lfs.github.com/spec/v1\n")
    assert "git lfs pull" in refusal(tmp_path / "e.png")[1]


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
    assert outcome in ("unreadable", "too_large", "several_frames") or 0 < outcome <= 10_000


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


def test_what_a_decoder_quotes_of_a_file_is_not_repeated():
    with pytest.raises(UnusableFilmError) as error, decoding():
        raise ValueError("value 'Secret^Name' of 'O'Brien'\nis no number")
    assert error.value.detail == "value … is no number"
    with pytest.raises(UnusableFilmError) as error, decoding():
        raise KeyError
    assert error.value.detail == "KeyError"


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
    assert "git lfs pull" in refusal(oddities / "COVID19(460).jpg")[1]
    assert read_film(oddities / "tpmd200203f2-c.png").mode == "P"
    assert read_film(oddities / "tuberculosis-9592.jpg").mode == "RGB"
    thin = read_film(oddities / "person1642_bacteria_4352.jpeg").pixels
    assert max(thin.shape) > 2 * min(thin.shape)

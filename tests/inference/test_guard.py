"""The input guard: what is fixed on validation films, and what it refuses."""

import cv2
import numpy as np
import pytest

from cxrpipe.config import Index, Preprocess, check
from cxrpipe.data.films.film import Film
from cxrpipe.data.films.quality import Quality
from cxrpipe.inference import guard as command
from cxrpipe.inference import guarding
from cxrpipe.inference.cloud import Cloud
from cxrpipe.inference.describing import describe_pictures, find_directions
from cxrpipe.inference.films import Ready, prepare
from cxrpipe.inference.fitting import fit_cloud
from cxrpipe.inference.guarding import (
    Guard,
    negative,
    pack_guard,
    parse_guard,
    read_guard,
    write_guard,
)
from cxrpipe.preprocessing.radiograph import find_place
from cxrpipe.runtime import UserError

GOOD = Quality(width=512, height=512, tint=0, contrast=0.7, blank=0.1)
SIDE = 64


def thorax(seed, side=SIDE):
    """Draw two dark lungs in a light body, never twice alike."""
    random = np.random.default_rng(seed)
    film = np.full((side, side), 40.0)
    shift = random.normal(0, side / 40, 4)
    cv2.ellipse(film, (side // 2, side // 2), (side * 4 // 9, side // 2), 0, 0, 360, 180, -1)
    for place, move in ((side * 0.32, shift[0]), (side * 0.68, shift[1])):
        centre = (round(place + move), round(side * 0.45 + shift[2]))
        axes = (round(side * 0.12 + abs(shift[3]) / 2), round(side * 0.27))
        cv2.ellipse(film, centre, axes, 0, 0, 360, 70, -1)
    film = cv2.GaussianBlur(film, (0, 0), side / 40) * random.uniform(0.9, 1.1)
    return np.clip(film + random.normal(0, 6, film.shape), 0, 255).astype(np.uint8)


def ready(square, view="", quality=GOOD):
    return Ready(square, find_place(square.shape, len(square), "pad"), quality, view)


@pytest.fixture(scope="module")
def guard():
    """A guard whose network sees the mean grey and the spread of a film."""
    train, validation = (np.stack([thorax(n) for n in films]) for films in SETS)
    seen = [
        (describe_pictures(films), find_directions(see(films))) for films in (train, validation)
    ]
    return command.fit_guard(
        "a" * 64, check(Index, {"views": ["PA", ""]}, "index"), *seen, refused=0.04
    )


SETS = (range(400), range(1000, 1200))


def see(films):
    flat = films.reshape(len(films), -1).astype(np.float32)
    return np.stack([flat.mean(axis=1), flat.std(axis=1)], axis=1)


def doubts(guard, *films):
    squares = np.stack([film.square for film in films])
    return [doubt and doubt.reason for doubt in guard.doubt(films, see(squares))]


def test_films_like_those_of_training_are_let_through(guard):
    films = [ready(thorax(n)) for n in range(2000, 2200)]
    refused = [reason for reason in doubts(guard, *films) if reason]
    assert len(refused) <= 16  # 4 % are wanted


def test_other_pictures_are_refused(guard):
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    stripes = np.tile(np.repeat(np.array([30, 200], np.uint8), 8), (SIDE, SIDE // 16))
    turned = np.ascontiguousarray(np.rot90(thorax(3000)))
    page = np.full((SIDE, SIDE), 255, np.uint8)
    page[8:60:6, 6:58:3] = 0
    others = [ready(film) for film in (noise, stripes, turned, page)]
    assert doubts(guard, *others) == ["no_frontal_chest"] * 4


def test_a_negative_is_told_so(guard):
    [doubt] = guard.doubt([ready(255 - thorax(3000))], see(thorax(3000)[None]))
    assert doubt.reason == "inverted"


def test_what_only_the_network_finds_strange_is_called_unlike(guard):
    [doubt] = guard.doubt([ready(thorax(3000))], np.array([[1, 500]], np.float32))
    assert doubt.reason == "unlike"
    assert "times as far from the training films" in doubt.detail


def test_quality_and_view_are_those_of_the_index(guard):
    small = GOOD.__class__(width=40, height=400, tint=0, contrast=0.7, blank=0.1)
    films = [ready(thorax(1), quality=small), ready(thorax(1), view="lateral")]
    films += [ready(thorax(1), view="PA"), ready(thorax(1))]
    assert doubts(guard, *films) == ["too_small", "view", None, None]


def test_the_black_around_a_film_stays_black_in_its_negative():
    film = prepare(Film(np.full((60, 30), 200, np.uint8), "L"), Preprocess(side=32))
    inverse = negative(film)
    assert (inverse[:, 8:24] == 55).all()
    assert not inverse[:, :8].any()
    assert not inverse[:, 24:].any()


# What is fixed


def test_the_distance_is_that_of_mahalanobis_beside_the_limit():
    random = np.random.default_rng(0)
    spread = np.array([[2.0, 0.0], [1.5, 0.5]])
    train, validation = (random.standard_normal((n, 2)) @ spread.T for n in (20_000, 999))
    cloud = fit_cloud(train.astype(np.float32), validation.astype(np.float32), 0.1)
    inverse = np.linalg.inv(np.cov(train.T))
    point = np.array([[3.0, -1.0]], np.float32)
    offset = point[0] - train.mean(axis=0)
    expected = np.sqrt(offset @ inverse @ offset)
    np.testing.assert_allclose(cloud.measure(point) * cloud.limit, expected, rtol=0.01)
    np.testing.assert_allclose(cloud.limit, np.sqrt(-2 * np.log(0.1)), rtol=0.05)


def test_the_limit_lets_at_least_the_wanted_share_of_validation_through():
    random = np.random.default_rng(1)
    train, validation = random.standard_normal((2, 99, 3)).astype(np.float32)
    for refused, n_beyond in ((0.01, 0), (0.05, 4), (0.5, 49)):
        cloud = fit_cloud(train, validation, refused)
        assert (cloud.measure(validation) > 1).sum() == n_beyond


def test_of_few_validation_films_the_farthest_is_the_limit():
    films = np.random.default_rng(1).standard_normal((30, 3)).astype(np.float32)
    cloud = fit_cloud(films, films, 0.01)
    assert cloud.measure(films).max() == pytest.approx(1)
    assert cloud.measure(1000 * films).min() > 1


def test_features_that_never_differ_let_only_their_like_through():
    films = np.ones((30, 3), np.float32)
    cloud = fit_cloud(films, films, 0.1)
    assert (cloud.measure(films) == 0).all()
    assert cloud.measure(films + 1)[0] > 1


def test_what_is_no_number_is_no_near_film(guard):
    [doubt] = guard.doubt([ready(thorax(1))], np.full((1, 2), np.nan, np.float32))
    assert doubt.reason == "unlike"


def test_a_guard_of_another_description_is_refused(guard, tmp_path, monkeypatch):
    content = pack_guard(guard)
    monkeypatch.setattr(guarding, "DESCRIPTION", 2)
    with pytest.raises(UserError, match="not readable as a guard; fit it anew"):
        parse_guard(content, tmp_path)


def test_more_numbers_than_films_give_a_cloud():
    films = np.random.default_rng(1).standard_normal((20, 50)).astype(np.float32)
    assert np.isfinite(fit_cloud(films, films, 0.2).measure(films)).all()


def test_of_very_many_numbers_the_directions_of_most_variance_count():
    random = np.random.default_rng(2)
    basis = random.standard_normal((3, 5000)).astype(np.float32)
    train, validation = (random.standard_normal((n, 3)).astype(np.float32) for n in (400, 200))
    cloud = fit_cloud(train @ basis, validation @ basis, 0.05)
    alone = fit_cloud(train, validation, 0.05)
    assert cloud.whitening.shape == (5000, 256)
    far = np.array([[9.0, 0, 0], [0.1, 0.1, 0.1]], np.float32)
    np.testing.assert_allclose(cloud.measure(far @ basis), alone.measure(far), rtol=0.05)


def test_a_picture_is_described_by_its_layout_its_texture_and_its_greys():
    square = np.zeros((48, 48), np.uint8)
    square[:24] = 255
    [described] = describe_pictures(square[None])
    assert described.shape == (164,)
    layout = described[:144].reshape(12, 12)
    assert layout[:6].min() == 1
    assert layout[6:].max() == 0
    np.testing.assert_allclose(described[-8:], np.sqrt([0.5, 0, 0, 0, 0, 0, 0, 0.5]), rtol=1e-6)


def test_only_the_direction_of_features_counts():
    features = np.array([[3, 4], [30, 40], [0, 0]], np.float32)
    np.testing.assert_allclose(find_directions(features), [[0.6, 0.8], [0.6, 0.8], [0, 0]])


# The file


def test_a_guard_comes_back_as_it_was_written(guard, tmp_path):
    write_guard(tmp_path / "guard.safetensors", guard)
    again = read_guard(tmp_path / "guard.safetensors")
    assert (again.weights, again.index) == (guard.weights, guard.index)
    for name in ("pictures", "features"):
        ours, theirs = getattr(guard, name), getattr(again, name)
        np.testing.assert_array_equal(ours.whitening, theirs.whitening)
        np.testing.assert_array_equal(ours.mean, theirs.mean)
        assert ours.limit == theirs.limit
    write_guard(tmp_path / "again.safetensors", again)
    first, second = (tmp_path / name for name in ("guard.safetensors", "again.safetensors"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("content", [b"", b"no guard", b"\x80\x04K\x01."])
def test_what_is_no_guard_is_refused_in_one_line(content, tmp_path):
    with pytest.raises(UserError, match=r"guard\.safetensors: not readable as a guard"):
        parse_guard(content, tmp_path / "guard.safetensors")


def test_a_missing_guard_and_one_of_other_weights_are_refused(tmp_path):
    with pytest.raises(UserError, match="no guard here"):
        read_guard(tmp_path / "guard.safetensors")
    cloud = Cloud(np.zeros(2, np.float32), np.eye(2, dtype=np.float32), 1.0)
    with pytest.raises(UserError, match="fitted with weights of SHA-256 aaaaaaaaaaaa"):
        Guard("a" * 64, Index(), cloud, cloud).refuse_others("b" * 64, tmp_path)

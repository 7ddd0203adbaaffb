"""Candidates: hashes that no turn changes, and the turn that lays one film on another."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from cxrpipe.data.copies import candidates
from cxrpipe.data.copies.candidates import (
    NEGATIVE,
    describe,
    equalise,
    find_candidates,
    neighbours,
    transform,
    turn,
)

TURNS = {  # what each orientation does, in numpy's words
    0: lambda film: film,
    1: np.fliplr,
    2: np.flipud,
    3: lambda film: np.rot90(film, 2),
    4: np.transpose,
    5: lambda film: np.rot90(film, -1),
    6: lambda film: np.rot90(film, 1),
    7: lambda film: np.rot90(np.transpose(film), 2),
}


def chests(n, seed=0, sharpness=4):
    """Smooth random films (n, 64, 64) without any symmetry."""
    films = gaussian_filter(
        np.random.default_rng(seed).normal(size=(n, 64, 64)), (0, sharpness, sharpness)
    )
    low, high = films.min((1, 2), keepdims=True), films.max((1, 2), keepdims=True)
    return np.round(255 * (films - low) / (high - low)).astype(np.uint8)


def test_greys_are_spread_evenly_by_hand():
    # Ranks of a quarter of the pixels each: the middle of each quarter, times 255.
    film = np.array([[[7, 7, 9, 9], [20, 20, 200, 200]]], np.uint8)
    assert equalise(film).tolist() == [[[32, 32, 96, 96], [159, 159, 223, 223]]]


@pytest.mark.parametrize("curve", [0.5, 0.7, 1.4, 2.0])
def test_no_curve_of_greys_changes_an_equalised_film(curve):
    few = (chests(3) // 8) * 8  # 32 greys, which a curve keeps apart
    bent = np.round(255 * (few / 255) ** curve).astype(np.uint8)
    assert (len(np.unique(bent)) == len(np.unique(few))) or curve > 1
    np.testing.assert_allclose(
        equalise(bent).astype(int), equalise(few).astype(int), atol=0 if curve < 1 else 12
    )


def test_a_plain_film_is_equalised_to_the_middle():
    assert set(equalise(np.zeros((1, 8, 8), np.uint8)).ravel()) == {128}


@pytest.mark.parametrize("orientation", range(8))
def test_turns_are_numpys(orientation):
    films = chests(2)
    for film, turned in zip(films, turn(films, orientation), strict=True):
        np.testing.assert_array_equal(turned, TURNS[orientation](film))


def test_the_eight_turns_differ():
    film = chests(1)
    assert len({turn(film, orientation).tobytes() for orientation in range(8)}) == 8


def test_spectra_begin_with_the_cosine_transform_and_lack_the_mean():
    # A line cos(pi (2x + 1) k / 128) has all its energy in frequency k: 64 / sqrt(2) per pixel row.
    wave = np.cos(np.pi * (2 * np.arange(64) + 1) * 3 / 128)
    film = np.round(127.5 + 100 * np.tile(wave, (64, 1))).astype(np.uint8)
    spectrum = transform(film[None])[0]
    assert spectrum.shape == (16, 16)
    assert spectrum[0, 0] == 0
    assert spectrum[0, 3] == pytest.approx(100 * 64 / np.sqrt(2), rel=1e-3)
    spectrum[0, 3] = 0
    assert np.abs(spectrum).max() < 20


def test_the_hash_of_a_film_is_that_of_its_turns_and_negatives():
    films = chests(6)
    every = np.concatenate([turn(films, orientation) for orientation in range(8)])
    hashes = describe(transform(np.concatenate([every, 255 - every])))
    hashes = hashes.reshape(16, 6, -1)
    np.testing.assert_allclose(hashes, np.broadcast_to(hashes[0], hashes.shape), atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(hashes, axis=2), 1, atol=1e-5)
    assert (hashes[0] @ hashes[0].T)[~np.eye(6, dtype=bool)].max() < 0.9


@pytest.mark.parametrize("sign", [0, NEGATIVE])
@pytest.mark.parametrize("orientation", range(8))
def test_the_orientation_of_a_pair_turns_the_second_film_into_the_first(orientation, sign):
    films = chests(10)
    copied = turn(films, orientation)
    both = np.concatenate([films, 255 - copied if sign else copied])
    pairs = find_candidates(both)
    found = {(first, second): told for first, second, told in zip(*map(list, pairs), strict=True)}
    for row in range(10):
        told = int(found[row, row + 10])
        laid = turn(both[row + 10][None], told)[0]
        np.testing.assert_array_equal(255 - laid if told & NEGATIVE else laid, films[row])


def test_every_pair_is_named_once_and_no_film_is_its_own_copy():
    films = chests(50)
    pairs = find_candidates(np.concatenate([films, films]))
    ends = [tuple(sorted(pair)) for pair in zip(pairs.first, pairs.second, strict=True)]
    assert len(set(ends)) == len(ends)
    assert all(first < second for first, second in ends)
    assert {(row, row + 50) for row in range(50)} <= set(ends)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_films_have_few_candidates(n):
    assert len(find_candidates(chests(n)).first) == 0
    assert len(find_candidates(np.concatenate([chests(n), chests(n)])).first) == n


def test_a_film_moved_by_two_pixels_is_a_candidate_still():
    films = chests(8)
    moved = np.asarray([shift(film, (2, -2), mode="nearest", order=1) for film in films])
    pairs = find_candidates(np.concatenate([films, moved]))
    ends = set(zip(pairs.first, pairs.second, strict=True))
    assert {(row, row + 8) for row in range(8)} <= ends


def test_a_film_is_its_own_nearest_neighbour_and_its_copy_the_next():
    films = chests(40)
    hashes = describe(transform(np.concatenate([films, films[::-1]])))
    near = neighbours(hashes)
    assert near.shape == (80, 21)
    for row in range(80):
        assert set(near[row, :2]) == {row, 79 - row}


def test_clusters_find_what_the_whole_search_finds(monkeypatch):
    films = chests(400)
    both = np.concatenate([films, turn(films[:200], 5)])
    whole = find_candidates(both)
    monkeypatch.setattr(candidates, "SEARCHED_WHOLE", 100)
    clustered = find_candidates(both)
    ends = [set(zip(pairs.first, pairs.second, strict=True)) for pairs in (whole, clustered)]
    assert {(row, row + 400) for row in range(200)} <= ends[0]
    assert {(row, row + 400) for row in range(200)} <= ends[1]
    assert len(ends[0] & ends[1]) >= 0.95 * len(ends[0])

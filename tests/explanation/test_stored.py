"""What is read of the store: films in batches, and masks that have a pixel, one at a time."""

import numpy as np
import pytest

from cxrpipe.explanation import stored
from cxrpipe.explanation.stored import count_pixels, read_batches, read_masks_of, read_side
from cxrpipe.preprocessing.store import Prepared, read_radiographs, write_store

NAMES = [f"{number:024x}" for number in range(10)]


def box(n):
    """Draw a mask of n pixels."""
    drawn = np.zeros(64, np.uint8)
    drawn[:n] = 255
    return drawn.reshape(8, 8)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Films 2 and 5 have lungs; films 2, 3 and 7 lesions, that of 3 without a pixel."""
    path = tmp_path_factory.mktemp("store") / "films.h5"
    greys = np.random.default_rng(0).integers(0, 256, (10, 8, 8), dtype=np.uint8)
    masks = [{} for _ in NAMES]
    masks[2] = {"lungs": box(20), "lesions": box(3)}
    masks[3], masks[5], masks[7] = {"lesions": box(0)}, {"lungs": box(30)}, {"lesions": box(9)}
    films = [Prepared(*each) for each in zip(NAMES, greys, masks, strict=True)]
    write_store(path, films, 10, 8, "{}")
    return path


@pytest.mark.parametrize(("n", "at_once"), [(1, 32), (3, 2), (4, 1), (20, 1)])
def test_batches_are_the_films_in_the_order_asked_for(n, at_once, store, monkeypatch):
    monkeypatch.setattr(stored, "AT_ONCE", at_once)
    asked = [NAMES[place] for place in (7, 1, 9, 0, 3, 8, 2)]
    batches = list(read_batches(store, asked, n))
    assert max(len(batch) for batch in batches) == min(n, 7)
    np.testing.assert_array_equal(np.concatenate(batches), read_radiographs(store, asked))


def test_no_more_films_are_read_at_once_than_batches_may_hold(store, monkeypatch):
    asked = []
    monkeypatch.setattr(stored, "AT_ONCE", 2)
    monkeypatch.setattr(
        stored,
        "read_radiographs",
        lambda path, names: asked.append(len(names)) or np.zeros(len(names)),
    )
    assert [len(batch) for batch in read_batches(store, NAMES, 3)] == [3, 3, 3, 1]
    assert asked == [6, 4]


def test_only_masks_of_the_wanted_films_that_have_a_pixel_count(store):
    wanted = [NAMES[place] for place in (2, 3, 4)]
    assert count_pixels(store, "lesions", wanted) == {NAMES[2]: 3}
    assert count_pixels(store, "lungs", NAMES) == {NAMES[2]: 20, NAMES[5]: 30}
    masks = read_masks_of(store, "lesions", wanted)
    assert list(masks) == [NAMES[2]]
    assert np.array_equal(masks[NAMES[2]], box(3) > 0)
    assert read_masks_of(store, "lungs", [NAMES[1]]) == {}
    assert read_side(store) == 8

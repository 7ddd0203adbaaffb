"""The file of features: what is written is read, of all films or of chosen ones."""

import numpy as np
import pytest

from cxrpipe.explanation.features import Features, read_features, write_features
from cxrpipe.runtime import UserError

NAMES = ["a", "b", "c", "d"]


def features():
    before, after = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    return Features(NAMES, before, after, "head.3", 5)


def test_features_are_read_as_they_were_written(tmp_path):
    write_features(tmp_path / "f.h5", features())
    read = read_features(tmp_path / "f.h5")
    assert (read.radiographs, read.layer, read.width) == (NAMES, "head.3", 5)
    np.testing.assert_array_equal(read.before, features().before)
    np.testing.assert_array_equal(read.after, features().after)
    assert read.after.dtype == np.float32


def test_chosen_films_come_in_the_order_asked_for(tmp_path):
    write_features(tmp_path / "f.h5", features())
    read = read_features(tmp_path / "f.h5", ["c", "a"])
    assert read.radiographs == ["c", "a"]
    np.testing.assert_array_equal(read.before, features().before[[2, 0]])
    np.testing.assert_array_equal(read.after, features().after[[2, 0]])


def test_a_film_without_features_is_named(tmp_path):
    write_features(tmp_path / "f.h5", features())
    with pytest.raises(UserError, match=r"f\.h5: lacks radiograph e; embed anew"):
        read_features(tmp_path / "f.h5", ["a", "e"])


def test_equal_features_give_equal_bytes(tmp_path):
    for name in ("first", "second"):
        write_features(tmp_path / name, features())
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()

"""The file of features: what is written is read, of all films or of chosen ones."""

import numpy as np
import pytest

from cxrpipe.explanation.features import Features, read_features, write_features
from cxrpipe.runtime import UserError

NAMES = ["a", "b", "c", "d"]


def features():
    before, after = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    return Features(NAMES, before, after, "head.3", 5)


def write(path, of=None, batch=3):
    """Write in batches of three films."""
    of = of or features()
    stages = {
        stage: [values[first : first + batch] for first in range(0, len(values), batch)]
        for stage, values in (("before", of.before), ("after", of.after))
    }
    write_features(path, of.radiographs, stages, of.after.shape[1], of.layer, of.width)


def test_features_are_read_as_they_were_written(tmp_path):
    write(tmp_path / "f.h5")
    read = read_features(tmp_path / "f.h5")
    assert (read.radiographs, read.layer, read.width) == (NAMES, "head.3", 5)
    np.testing.assert_array_equal(read.before, features().before)
    np.testing.assert_array_equal(read.after, features().after)
    assert read.after.dtype == np.float32


def test_chosen_films_come_in_the_order_asked_for(tmp_path):
    write(tmp_path / "f.h5")
    read = read_features(tmp_path / "f.h5", ["c", "a"])
    assert read.radiographs == ["c", "a"]
    np.testing.assert_array_equal(read.before, features().before[[2, 0]])
    np.testing.assert_array_equal(read.after, features().after[[2, 0]])


def test_a_film_without_features_is_named(tmp_path):
    write(tmp_path / "f.h5")
    with pytest.raises(UserError, match=r"f\.h5: lacks radiograph e; embed anew"):
        read_features(tmp_path / "f.h5", ["a", "e"])


def test_equal_features_give_equal_bytes(tmp_path):
    """In whatever batches they come."""
    for name, batch in (("first", 1), ("second", 4)):
        write(tmp_path / name, batch=batch)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_features_that_repeat_are_packed(tmp_path):
    """Most features of a network are zero on most films."""
    alike = np.zeros((1000, 50), np.float32)
    write(tmp_path / "f.h5", Features([str(n) for n in range(1000)], alike, alike, "fc", 50), 100)
    assert (tmp_path / "f.h5").stat().st_size < alike.nbytes / 4

"""The file of heatmaps: what is written is read, purpose by purpose."""

import h5py
import numpy as np
import pandas as pd
import pytest

from cxrpipe.explanation.heatmaps import COLUMNS, PURPOSES, read_heatmaps, write_heatmaps

EXPLAINED = pd.DataFrame(
    [
        ("a1", "covid", "covid", "panel", "gradcam", "layer4"),
        ("b2", "mass|effusion", "mass", "depth", "gradcam", "layer1"),
        ("b2", "mass|effusion", "mass", "depth", "gradcam", "layer4"),
        ("a1", "", "covid", "methods", "cam", ""),
    ],
    columns=list(COLUMNS),
)


def maps():
    drawn = np.random.default_rng(0).random((4, 6, 6), dtype=np.float32)
    drawn[:, 0, 0] = 1
    drawn[3] *= -1
    return drawn


@pytest.fixture
def path(tmp_path):
    write_heatmaps(tmp_path / "heatmaps.h5", EXPLAINED, maps())
    return tmp_path / "heatmaps.h5"


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_heatmaps_of_a_purpose_are_read_with_their_rows(purpose, path):
    rows = np.flatnonzero(EXPLAINED["purpose"] == purpose)
    explained, heatmaps = read_heatmaps(path, purpose)
    assert explained.to_numpy().tolist() == EXPLAINED.iloc[rows].to_numpy().tolist()
    assert (heatmaps.shape, heatmaps.dtype) == ((len(rows), 6, 6), np.float32)
    np.testing.assert_allclose(heatmaps, maps()[rows], rtol=0, atol=1 / 4096)


def test_peaks_and_zeros_are_kept_exactly(tmp_path):
    write_heatmaps(tmp_path / "h.h5", EXPLAINED.head(1), np.eye(6, dtype=np.float32)[None])
    assert np.array_equal(read_heatmaps(tmp_path / "h.h5", "panel")[1], np.eye(6)[None])


def test_no_heatmaps_are_written_and_read_at_their_side(tmp_path):
    write_heatmaps(tmp_path / "none.h5", EXPLAINED.head(0), maps()[:0])
    explained, heatmaps = read_heatmaps(tmp_path / "none.h5", "panel")
    assert (len(explained), heatmaps.shape) == (0, (0, 6, 6))


def test_equal_heatmaps_give_equal_bytes(path, tmp_path):
    write_heatmaps(tmp_path / "again.h5", EXPLAINED, maps())
    assert (tmp_path / "again.h5").read_bytes() == path.read_bytes()


def test_smooth_heatmaps_take_a_third_of_their_size_at_most(tmp_path):
    place = np.linspace(0, 1, 224, dtype=np.float32)
    smooth = np.stack([np.outer(place, place) ** power for power in range(1, 5)])
    write_heatmaps(tmp_path / "smooth.h5", EXPLAINED, smooth)
    assert (tmp_path / "smooth.h5").stat().st_size < smooth.nbytes / 3
    with h5py.File(tmp_path / "smooth.h5") as file:
        assert file["heatmaps"].shape == (4, 224, 224)

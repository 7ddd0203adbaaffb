"""Cells of a layer, counted, and random ones as heatmaps."""

import numpy as np
import pytest
import torch

from cxrpipe.config import Model
from cxrpipe.explanation.scoring.cells import count_cells, draw_cells
from cxrpipe.models.zoo import Classifier, build


@pytest.mark.parametrize(("layer", "cells"), [("layer2", (4, 4)), ("layer4", (1, 1))])
def test_cells_are_counted_as_the_stride_gives_them(layer, cells):
    network = build(Model(architecture="test_resnet", side=32), 2, seed=0)
    classifier = Classifier(network, 0.5, 0.3).eval()
    assert count_cells(classifier, f"network.{layer}", 32) == cells


def test_random_cells_are_moved_as_the_layer_is():
    still, moved = (draw_cells(1, (3, 3), 12, offset, 0) for offset in ((0.0, 0.0), (2.0, -1.0)))
    np.testing.assert_allclose(moved[0, 4:10, 2:9], still[0, 2:8, 3:10], atol=1e-6)


def test_chance_has_the_grain_of_the_layer():
    """The middle of each of 2 x 2 cells has a value of its own, between them is the mean."""
    drawn = draw_cells(1, (2, 2), 6, (0.0, 0.0), 3)[0]
    middles = drawn[1::3, 1::3]
    assert drawn.shape == (6, 6)
    assert np.array_equal(drawn[:2, :2], np.full((2, 2), middles[0, 0]))
    assert len(np.unique(middles)) == 4
    np.testing.assert_allclose(drawn[0, 2:4].mean(), middles[0].mean(), rtol=1e-5)


def test_chance_follows_its_seed_and_leaves_the_global_random_state_alone():
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - the global state is what is watched
    expected = (torch.rand(1).item(), np.random.rand())  # noqa: NPY002
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    first, again, other = (draw_cells(1, (2, 2), 4, (0.0, 0.0), seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (torch.rand(1).item(), np.random.rand()) == expected  # noqa: NPY002

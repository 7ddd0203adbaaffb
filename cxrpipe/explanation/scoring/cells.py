"""The cells of a layer's map, and heatmaps of random ones, which know nothing of their films."""

import numpy as np
import torch

from cxrpipe.explanation.attribution.cam import captured, enlarge
from cxrpipe.explanation.heatmaps import Heatmaps
from cxrpipe.models.zoo import Classifier


@torch.no_grad()
def count_cells(classifier: Classifier, layer: str, side: int) -> tuple[int, int]:
    """Return height and width of a layer's map of a film of that side."""
    device = next(classifier.parameters()).device
    with captured(classifier, layer) as outputs:
        classifier(torch.zeros(1, 1, side, side, device=device))
    height, width = outputs[0].shape[-2:]
    return int(height), int(width)


def draw_cells(
    n_films: int, cells: tuple[int, int], side: int, offset: tuple[float, float], seed: int
) -> Heatmaps:
    """Draw heatmaps (n_films, side, side) of cells with random values from 0 to 1.

    They are enlarged and moved as those of a true heatmap are, and so are blobs of its grain:
    pixels in random order would be noise, which a network takes for another thing than blobs.

    Parameters
    ----------
    cells
        Height and width of the layer's map.
    offset
        Pixels down and right, as ``measure_offset`` gives it.
    """
    values = np.random.default_rng(seed).random((n_films, *cells), dtype=np.float32)
    return np.asarray(enlarge(torch.from_numpy(values), side, offset).numpy())

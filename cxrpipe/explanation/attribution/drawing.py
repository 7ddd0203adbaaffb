"""Heatmaps of many films, in batches that fit into memory."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from cxrpipe.explanation.attribution.cam import SIGNED, explain, measure_offset
from cxrpipe.models.device import fit_batch
from cxrpipe.models.zoo import Classifier
from cxrpipe.runtime import UserError, progress

BATCH = 32
# They send a film through many times, and take long enough for a word of progress after each.
ONE_BY_ONE = ("ablationcam", "integrated")
Maps = npt.NDArray[np.float32]
Offset = tuple[float, float]


def draw_heatmaps(
    classifier: Classifier,
    layer: str,
    grey: npt.NDArray[np.uint8],
    findings: Sequence[int],
    device: torch.device,
    method: str = "gradcam",
    offset: Offset | None = None,
) -> Maps:
    """Draw a heatmap of every film for one of its findings.

    Parameters
    ----------
    layer
        Dotted name of a module of the classifier.
    grey
        (n, side, side).
    findings
        (n,) places of the findings to explain.
    method
        One of ``cam.METHODS``.
    offset
        Of the layer; None: it is measured.

    Returns
    -------
    (n, side, side) from 0 to 1, of ``cam`` from -1 to 1.

    Raises
    ------
    UserError
        If a heatmap has other values, as of a network whose weights are no numbers.
    """
    if not len(grey):
        return np.zeros(grey.shape, np.float32)
    classifier = _prepare(classifier, device)
    side = grey.shape[-1]
    offset = offset or measure_offset(classifier, layer, side)
    n_at_once = 1 if method in ONE_BY_ONE else fit_batch(BATCH, side)
    films = torch.split(torch.from_numpy(grey).unsqueeze(1), n_at_once)
    classes = torch.split(torch.tensor(findings), n_at_once)
    batches = progress(zip(films, classes, strict=True), len(films), f"batches of {method}")
    maps = [
        explain(classifier, method, layer, some.to(device), chosen.to(device), offset).cpu()
        for some, chosen in batches
    ]
    heatmaps: Maps = torch.cat(maps).numpy()
    least = -1 if method in SIGNED else 0
    if not (np.isfinite(heatmaps).all() and least <= heatmaps.min() <= heatmaps.max() <= 1):
        raise UserError(
            f"gradcam: {method} at {layer} gives heatmaps outside {least} to 1; choose another "
            "stride, or train the model anew"
        )
    return heatmaps


def draw_explained(
    classifier: Classifier,
    explained: pd.DataFrame,
    grey: npt.NDArray[np.uint8],
    findings: Sequence[str],
    device: torch.device,
) -> Maps:
    """Draw a heatmap for every row of a table; what stands in it twice is drawn once.

    Parameters
    ----------
    explained
        (n,) rows with ``radiograph``, ``finding``, ``method`` and ``layer``.
    grey
        (n, side, side) film of every row.
    findings
        Classes of the classifier, in order.

    Returns
    -------
    (n, side, side) in the order of the rows.
    """
    heatmaps = np.zeros(grey.shape, np.float32)
    number = explained.groupby(["radiograph", "finding", "method", "layer"]).ngroup().to_numpy()
    _, first, of_row = np.unique(number, return_index=True, return_inverse=True)
    once = explained.reset_index(drop=True).loc[np.sort(first)]
    layers = list(once["layer"].unique())
    offsets = {
        layer: measure_offset(_prepare(classifier, device), layer, grey.shape[-1])
        for layer in progress(layers, len(layers), "layers measured")
    }
    groups = [rows for _, rows in once.groupby(["method", "layer"], sort=False)]
    for rows in progress(groups, len(groups), "methods and layers"):
        method, layer = rows[["method", "layer"]].iloc[0]
        places = [findings.index(finding) for finding in rows["finding"]]
        heatmaps[rows.index] = draw_heatmaps(
            classifier, layer, grey[rows.index], places, device, method, offsets[layer]
        )
    return heatmaps[first][of_row]


def _prepare(classifier: Classifier, device: torch.device) -> Classifier:
    """Move a classifier to a device, its numbers in the order in which convolutions are fastest."""
    return classifier.to(device).to(memory_format=torch.channels_last)

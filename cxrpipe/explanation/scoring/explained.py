"""Explained films: what a model says of them, with their heatmaps."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch

from cxrpipe.config import Task
from cxrpipe.data.films.film import Grey
from cxrpipe.explanation.attribution.drawing import draw_heatmaps
from cxrpipe.explanation.heatmaps import Heatmaps
from cxrpipe.models.zoo import Classifier


@dataclass(frozen=True)
class Explained:
    """Films with one finding explained of each.

    Attributes
    ----------
    films
        (n,) rows with ``radiograph`` and ``finding``, in the order of the test films; with
        ``logit`` and ``denied`` if ``choosing.name_said`` named the finding.
    grey, heatmaps
        (n, side, side).
    """

    films: pd.DataFrame
    grey: Grey
    heatmaps: Heatmaps

    def part(self, radiographs: Sequence[str]) -> "Explained":
        """Return some of the films, in the same order."""
        inside = self.films["radiograph"].isin(set(radiographs)).to_numpy()
        films = self.films[inside].reset_index(drop=True)
        return Explained(films, self.grey[inside], self.heatmaps[inside])

    @property
    def n_denied(self) -> int:
        """Films whose explained finding the model denied."""
        return int(self.films["denied"].sum())

    def __len__(self) -> int:
        return len(self.films)


@dataclass(frozen=True)
class Explainer:
    """A classifier of a task that explains itself by Grad-CAM.

    Attributes
    ----------
    layer
        Dotted name of the module of the classifier whose map is drawn.
    offset
        Of that layer, as ``measure_offset`` gives it: of the architecture, much the same whatever
        the weights are.
    """

    classifier: Classifier
    task: Task
    layer: str
    device: torch.device
    offset: tuple[float, float]

    def places(self, films: pd.DataFrame) -> list[int]:
        """Return the place of each film's finding among those of the task."""
        return [self.task.findings.index(finding) for finding in films["finding"]]

    def draw(self, films: pd.DataFrame, grey: Grey) -> Heatmaps:
        """Draw the heatmap of each film's finding."""
        return draw_heatmaps(
            self.classifier,
            self.layer,
            grey,
            self.places(films),
            self.device,
            offset=self.offset,
        )

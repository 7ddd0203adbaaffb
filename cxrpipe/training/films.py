"""The films that a model is trained and validated on, in memory."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from cxrpipe.config import Task
from cxrpipe.data.cohort import label_films
from cxrpipe.preprocessing.store import read_radiographs
from cxrpipe.runtime import UserError

SHARE_OF_GPU = 0.5


@dataclass(frozen=True)
class Films:
    """Films in memory.

    Attributes
    ----------
    grey
        (n, 1, side, side) uint8.
    labels
        (n,) int64 places of the one finding of each film, or (n, n_findings) float32 of 0 and 1.
    """

    grey: torch.Tensor
    labels: torch.Tensor

    def to(self, device: torch.device) -> "Films":
        """Move the films to a device, if they leave enough of its memory to the network.

        Those that stay behind are moved batch by batch.
        """
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if self.grey.nbytes > SHARE_OF_GPU * free:
                return self
        return Films(self.grey.to(device), self.labels.to(device))

    def take(self, places: torch.Tensor, device: torch.device) -> "Films":
        """Return the films at (m,) places, on a device."""
        here = places.to(self.grey.device, non_blocking=True)
        return Films(
            self.grey[here].to(device, non_blocking=True),
            self.labels[here].to(device, non_blocking=True),
        )


def load_films(store: Path, cohort: pd.DataFrame, task: Task, subset: str) -> Films:
    """Read the films of one subset of a cohort into memory, labelled, in the cohort's order.

    Raises
    ------
    UserError
        If there are none, or none for training of a finding: no network can learn it.
    """
    films = cohort[cohort["subset"] == subset]
    if films.empty:
        shown = f"{', '.join(task.findings)} in {', '.join(task.sources)}"
        raise UserError(
            f"split.csv: no {subset} film of the task ({shown}); add films, or change split"
        )
    labels = torch.from_numpy(label_films(films, task))
    if subset == "train":
        _refuse_absent(films, labels, task)
    grey = torch.from_numpy(read_radiographs(store, list(films["radiograph"]))).unsqueeze(1)
    return Films(grey, labels if task.kind == "single" else labels.float())


def _refuse_absent(films: pd.DataFrame, labels: torch.Tensor, task: Task) -> None:
    """Raise a UserError that names a finding which no training film shows."""
    single = torch.arange(len(task.findings)) == labels[:, None] if labels.ndim == 1 else labels
    for finding, shown in zip(task.findings, single.bool().any(dim=0), strict=True):
        if not shown:
            sources = ", ".join(pd.unique(films["source"]))
            raise UserError(
                f"split.csv: no training film of {finding} in {sources}; add films, or leave the "
                "finding out of the task, or train on more collections"
            )


def grey_statistics(films: Films) -> tuple[float, float]:
    """Return mean and standard deviation of the grey levels of films, from 0 to 1."""
    counts = torch.bincount(films.grey.flatten(), minlength=256).double()
    levels = torch.arange(256).double() / 255
    share = counts / counts.sum()
    mean = (share * levels).sum()
    return float(mean), float((share * (levels - mean) ** 2).sum().sqrt())

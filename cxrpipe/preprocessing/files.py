"""The files that belong to a radiograph, as its row of the index lists them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cxrpipe.preprocessing.radiograph import Size
from cxrpipe.preprocessing.store import STRUCTURES, Structure


@dataclass(frozen=True)
class Files:
    """The files of one radiograph, and what its row of the index tells of it.

    Attributes
    ----------
    size
        Height and width of the upright film, in pixels.
    masks
        Structure to the files whose union it is.
    boxes
        Around lesions, as in the index: ``finding:left,top,width,height``.
    """

    radiograph: str
    film: Path
    size: Size
    masks: Mapping[Structure, Sequence[Path]]
    boxes: Sequence[str] = ()

    @property
    def structures(self) -> tuple[Structure, ...]:
        """The structures that are known."""
        boxed = {"lesions"} if self.boxes else set()
        return tuple(structure for structure in STRUCTURES if structure in {*self.masks} | boxed)


def list_files(chosen: pd.DataFrame, data: Path) -> Iterator[Files]:
    """List the files of rows of the index, one by one."""
    for row in chosen.itertuples():
        yield _files_of(row, data / str(row.source))


def _files_of(row: Any, folder: Path) -> Files:  # noqa: ANN401 (pandas makes its class)
    masks = {structure: getattr(row, structure) for structure in STRUCTURES}
    return Files(
        str(row.Index),
        folder / row.file,
        (int(row.height), int(row.width)),
        {name: [folder / file for file in said.split("|")] for name, said in masks.items() if said},
        row.boxes.split("|") if row.boxes else (),
    )

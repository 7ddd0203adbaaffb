"""Lay the heatmaps of a model's surest right films over them, at the films' own resolution.

What is burned into a film, such as a name, stays in it; nothing else of a person is written.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
from PIL import Image

from cxrpipe import tables
from cxrpipe.config import Preprocess, Task, check
from cxrpipe.data.films.film import Grey, UnusableFilmError, read_film
from cxrpipe.evaluation.statistics.metrics import probabilities
from cxrpipe.explanation.heatmaps import read_heatmaps
from cxrpipe.reporting.drawing.explained import say_findings
from cxrpipe.reporting.drawing.heatmaps import METHODS
from cxrpipe.reporting.drawing.own_size import draw_overlay
from cxrpipe.reporting.drawing.style import readable, use_style
from cxrpipe.runtime import UserError, command, progress, whole

log = logging.getLogger(__name__)


def decode(path: Path, width: int, height: int) -> Grey:
    """Decode a film at its own resolution.

    Raises
    ------
    UserError
        If it cannot be read, or has another size than when it was indexed.
    """
    try:
        film = read_film(path, np.inf).pixels
    except UnusableFilmError as error:
        raise UserError(f"{path}: {error}; it changed since it was indexed") from error
    if film.shape != (height, width):
        found = f"{film.shape[1]} x {film.shape[0]}"
        raise UserError(f"{path}: {found} pixels, not {width} x {height}; index it anew")
    return film


@command
def main() -> None:
    """Lay the heatmaps of one model over their films."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the collections")
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--preprocess", required=True, help="Preprocess, as JSON")
    parser.add_argument("--task", required=True, help="Task, as JSON")
    parser.add_argument("--predictions", type=Path, required=True, help="table to read")
    parser.add_argument("--heatmaps", type=Path, required=True, help="HDF5 to read")
    parser.add_argument("--overlays", type=Path, required=True, help="folder to write")
    arguments = parser.parse_args()
    use_style()
    fit = check(Preprocess, arguments.preprocess, "--preprocess").fit
    task = check(Task, arguments.task, "--task")
    films = tables.read(arguments.index, tables.INDEX).set_index("radiograph")
    predictions = tables.read(arguments.predictions, tables.predictions(task.findings))
    logits = predictions.set_index("radiograph")[list(task.findings)]
    explained, heatmaps = read_heatmaps(arguments.heatmaps, "gallery")

    with whole(arguments.overlays) as folder:
        folder.mkdir()
        rows = zip(explained.to_dict("records"), heatmaps, strict=True)
        for row, heatmap in progress(rows, len(explained), "overlays"):
            film = films.loc[row["radiograph"]]
            path = arguments.data / film["source"] / film["file"]
            shares = probabilities(logits.loc[[row["radiograph"]]].to_numpy(), task.kind)[0]
            said = [
                f"explained: {readable(row['finding'])}, "
                f"probability {shares[task.findings.index(row['finding'])]:.1%}",
                f"true: {say_findings(row['true'])}",
                f"{METHODS.get(row['method'], row['method'])}, {row['layer']}",
            ]
            picture = draw_overlay(decode(path, film["width"], film["height"]), heatmap, fit, said)
            Image.fromarray(picture).save(folder / f"{row['finding']}.png")
    log.info(f"{len(explained)} films with their heatmaps, at their own resolution")


if __name__ == "__main__":
    main()

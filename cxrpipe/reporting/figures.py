"""Draw the figures of what was trained: learning curves, confusion matrices, Grad-CAM."""

import argparse
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cxrpipe import tables
from cxrpipe.evaluation.metrics import softmax
from cxrpipe.preprocessing.store import read_masks, read_radiographs
from cxrpipe.reporting import pictures
from cxrpipe.reporting.drawing import draw_nothing, readable, save, use_style
from cxrpipe.runtime import command, read_json


def draw_gradcam(
    finding: str, heatmaps: dict[str, Path], predictions: dict[str, pd.DataFrame], store: Path
) -> Figure:
    """Draw the chosen films of one finding, all models side by side."""
    drawn: dict[str, list[tuple[float, np.ndarray]]] = {}
    for name, path in heatmaps.items():
        with h5py.File(path) as file:
            rows = np.flatnonzero(file["finding"][:] == finding.encode())
            radiographs = [radiograph.decode() for radiograph in file["radiograph"][rows]]
            maps = file["heatmaps"][rows]
        logits = predictions[name].set_index("radiograph").loc[radiographs].drop(columns="subset")
        place = list(logits.columns).index(finding)
        shares = softmax(logits.to_numpy())[:, place]
        drawn[name] = list(zip(shares, maps, strict=True))
    if not radiographs:
        return draw_nothing(f"No test film shows {readable(finding)}.")
    lesions = read_masks(store, "lesions")
    films = [(finding, film) for film in read_radiographs(store, radiographs)]
    return pictures.draw_gradcam(films, drawn, [lesions.get(name) for name in radiographs])


@command
def main() -> None:
    """Draw the figures of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--histories", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--predictions", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--heatmaps", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--figures", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args()
    use_style()
    metrics = read_json(arguments.metrics)
    findings, names = metrics["findings"], arguments.models
    histories = [tables.read(path, tables.HISTORY) for path in arguments.histories]
    contract = tables.predictions(findings)
    predictions = [tables.read(path, contract) for path in arguments.predictions]
    confusions = {name: np.array(metrics["models"][name]["test"]["confusion"]) for name in names}

    draw = partial(save, folder=arguments.figures)

    draw(pictures.draw_curves(dict(zip(names, histories, strict=True))), name="curves")
    draw(pictures.draw_confusion(confusions, findings), name="confusion")
    for finding in findings:
        figure = draw_gradcam(
            finding,
            dict(zip(names, arguments.heatmaps, strict=True)),
            dict(zip(names, predictions, strict=True)),
            arguments.radiographs,
        )
        draw(figure, name=f"gradcam-{finding}")


if __name__ == "__main__":
    main()

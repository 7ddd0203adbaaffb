"""Draw the figures of a run: classes, samples, learning curves, confusion matrices, Grad-CAM."""

import argparse
import logging
from importlib.resources import files
from pathlib import Path

import h5py
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cxrpipe import tables
from cxrpipe.evaluation.metrics import softmax
from cxrpipe.preprocessing.store import read_masks, read_radiographs
from cxrpipe.reporting import pictures
from cxrpipe.runtime import command, read_json, whole

SAMPLES_PER_FINDING = 8
log = logging.getLogger(__name__)


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write a figure as PNG and SVG, without a date, so that equal figures give equal bytes."""
    for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None})):
        with whole((folder / name).with_suffix(suffix)) as partial:
            figure.savefig(partial, format=suffix[1:], metadata=metadata)
    log.info(name)


def choose_samples(split: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """Choose training films of every finding, the sources taken in turn."""
    films = split[split["subset"] == "train"].merge(index[["radiograph", "source"]])
    turn = films.groupby(["finding", "source"]).cumcount()
    in_turn = films.assign(turn=turn).sort_values(["turn", "source"], kind="stable")
    return in_turn.groupby("finding").head(SAMPLES_PER_FINDING)


def draw_samples(
    split: pd.DataFrame, index: pd.DataFrame, store: Path, findings: list[str]
) -> Figure:
    """Draw the sample sheet from the store."""
    samples = choose_samples(split, index)
    pixels = read_radiographs(store, list(samples["radiograph"]))
    rows: dict[str, list[tuple[str, pictures.Greys]]] = {finding: [] for finding in findings}
    for finding, source, film in zip(samples["finding"], samples["source"], pixels, strict=True):
        rows[finding].append((source, film))
    return pictures.draw_samples(rows)


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
    lesions = read_masks(store, "lesions")
    films = [(finding, film) for film in read_radiographs(store, radiographs)]
    return pictures.draw_gradcam(films, drawn, [lesions.get(name) for name in radiographs])


@command
def main() -> None:
    """Draw the figures of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--histories", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--predictions", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--heatmaps", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--figures", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args()
    mpl.use("agg")
    mpl.rc_file(str(files("cxrpipe.reporting") / "cxrpipe.mplstyle"))

    metrics = read_json(arguments.metrics)
    findings, names = metrics["findings"], arguments.models
    index = tables.read(arguments.index, tables.INDEX)
    split = tables.read(arguments.split, tables.SPLIT).query("fold == 0")
    histories = [tables.read(path, tables.HISTORY) for path in arguments.histories]
    contract = tables.predictions(findings)
    predictions = [tables.read(path, contract) for path in arguments.predictions]
    confusions = {name: np.array(metrics["models"][name]["test"]["confusion"]) for name in names}

    def draw(name: str, figure: Figure) -> None:
        """Save a figure to the folder of figures."""
        save(figure, arguments.figures, name)

    draw("classes", pictures.draw_classes(split, findings))
    draw("samples", draw_samples(split, index, arguments.radiographs, findings))
    draw("curves", pictures.draw_curves(dict(zip(names, histories, strict=True))))
    draw("confusion", pictures.draw_confusion(confusions, findings))
    for finding in findings:
        figure = draw_gradcam(
            finding,
            dict(zip(names, arguments.heatmaps, strict=True)),
            dict(zip(names, predictions, strict=True)),
            arguments.radiographs,
        )
        draw(f"gradcam-{finding}", figure)


if __name__ == "__main__":
    main()

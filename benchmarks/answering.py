"""How long the first answer takes from a cold start, with ONNX and with torch.

Each start is a process of its own, ``cxrpipe classify`` on one film: it imports what it needs,
loads the model, decodes the film, answers and ends. (a) has the model as an ONNX file and imports
no torch, (b) has the folder of the model. The two take turns; one start of each before them does
not count, so that the files are in memory. Without a model it makes a ResNet-18 at 128 pixels that
is not trained: its answers mean nothing, and take as long.

    python benchmarks/answering.py --model results/demo/models/resnet18
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from cxrpipe.catalogue import Phantom
from cxrpipe.config import Index, Model, Preprocess
from cxrpipe.data.phantoms.phantom import PlannedFilm, plan_films, write_film
from cxrpipe.evaluation.statistics.calibration import Calibration, checksum
from cxrpipe.inference.classifier import Classifier
from cxrpipe.inference.cloud import Cloud
from cxrpipe.inference.describing import describe_pictures
from cxrpipe.inference.export import export
from cxrpipe.inference.guarding import Guard, write_guard
from cxrpipe.inference.loading import CALIBRATION, GUARD, WEIGHTS
from cxrpipe.inference.torch_network import TorchNetwork
from cxrpipe.models import weights
from cxrpipe.models.card import Card
from cxrpipe.models.zoo import Classifier as Module
from cxrpipe.models.zoo import build
from cxrpipe.runtime import write_json

CLASSIFY = "from cxrpipe.cli.main import main; main()"
FINDINGS = ("normal", "covid", "lung_opacity", "viral_pneumonia", "tuberculosis")
TURNS = 5


def make_model(folder: Path) -> Path:
    """Write a ResNet-18 that is not trained, with a guard that finds no film far."""
    fold, n = folder / "resnet18/fold-0", len(FINDINGS)
    fold.mkdir(parents=True)
    card = Card(Model(architecture="resnet18"), "single", FINDINGS, Preprocess(side=128), 0.5, 0.25)
    module = Module(build(card.model, n, seed=0), card.mean, card.std)
    weights.save(fold / WEIGHTS, module.state_dict(), card)
    sha256 = checksum(fold / WEIGHTS)
    fixed = Calibration(sha256, card.kind, FINDINGS, 100, 1.0, 0.9, (0.5,) * n, 0.9, (0.9,))
    write_json(fold / CALIBRATION, fixed.as_json())
    square = np.zeros((1, card.side, card.side), np.uint8)
    features = TorchNetwork(module, card, torch.device("cpu")).compute(square).features
    widths = (points.shape[1] for points in (describe_pictures(square), features))
    clouds = (Cloud(np.zeros(d, np.float32), np.eye(d, dtype=np.float32), np.inf) for d in widths)
    write_guard(fold / GUARD, Guard(sha256, Index(), *clouds))
    return fold.parent


def draw_film(folder: Path) -> Path:
    """Draw a phantom of 1024 pixels."""
    hospital = Phantom(hospital="north", patients=24, side=1024)
    film = PlannedFilm(*next(plan_films(hospital).itertuples(index=False)))
    write_film(folder, hospital, film)
    return folder / film.file


def start(film: Path, model: Path) -> float:
    """Return the seconds of a process that classifies one film."""
    words = ["classify", str(film), "--model", str(model), "--force"]
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", CLASSIFY, *words],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def main() -> None:
    """Print the seconds of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="folder of a model; else one that it makes")
    parser.add_argument("--film", type=Path, help="else a phantom that it draws")
    parser.add_argument("--cores", type=int, default=2, help="that the processes may use")
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    with TemporaryDirectory() as folder:
        place = options.model or make_model(Path(folder))
        film = options.film or draw_film(Path(folder))
        classifier, exported = Classifier.load(place), Path(folder) / "model.onnx"
        export(classifier, exported, "onnx")
        card = classifier.network.card
        what = "" if options.model else ", not trained"
        print(f"{card.model.architecture}, side {card.side}{what}; {options.cores} cores")
        for model in (exported, place):
            start(film, model)
        turns = [(start(film, exported), start(film, place)) for _ in range(TURNS)]
    onnx, pytorch = (statistics.median(each) for each in zip(*turns, strict=True))
    ratios = sorted(of_torch / of_onnx for of_onnx, of_torch in turns)
    print(f"from a cold start to the first answer, medians of {TURNS}")
    print(f"ONNX {onnx:.2f} s, torch {pytorch:.2f} s")
    print(f"torch / ONNX {ratios[TURNS // 2]:.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})")


if __name__ == "__main__":
    main()

"""A model as a run leaves it, made in a moment: its network is not trained."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from cxrpipe.config import Index, Model, Preprocess
from cxrpipe.evaluation.statistics.calibration import Calibration, checksum
from cxrpipe.inference.cloud import Cloud
from cxrpipe.inference.describing import describe_pictures
from cxrpipe.inference.guarding import Guard, write_guard
from cxrpipe.inference.torch_network import load_network
from cxrpipe.models import weights
from cxrpipe.models.card import Card
from cxrpipe.models.zoo import Classifier as Network
from cxrpipe.models.zoo import build

FINDINGS = ("normal", "covid", "tuberculosis")
MODEL = Model(architecture="test_resnet")
PREPROCESS = Preprocess(side=32, clahe=2)


def calibration(kind="single", sha256="", quantiles=(0.7,), findings=FINDINGS):
    thresholds = (0.3, 0.5, np.nan)[: len(findings)]
    return Calibration(sha256, kind, findings, 50, 2.0, 0.9, thresholds, 0.9, quantiles)


def make_model(
    run: Path, name="small", seed=0, kind="single", findings=FINDINGS, preprocess=PREPROCESS
) -> Path:
    """Write weights, calibration and guard of a model; return its folder."""
    fold = run / "models" / name / "fold-0"
    fold.mkdir(parents=True)
    network = Network(build(MODEL, len(findings), seed=seed), 0.5, 0.3)
    card = Card(MODEL, kind, tuple(findings), preprocess, 0.5, 0.3)
    weights.save(fold / "weights.safetensors", network.state_dict(), card)
    sha256 = checksum(fold / "weights.safetensors")
    quantiles = (0.7,) if kind == "single" else (0.7,) * len(findings)
    fixed = calibration(kind, sha256, quantiles, tuple(findings))
    (fold / "calibration.json").write_text(json.dumps(fixed.as_json()))
    write_guard(fold / "guard.safetensors", let_all_through(fold / "weights.safetensors", sha256))
    return fold.parent


def let_all_through(path: Path, sha256: str) -> Guard:
    """A guard that finds no film far, though it asks for the quality that the index asks for."""
    network = load_network(path)
    square = np.zeros((1, network.card.side, network.card.side), np.uint8)
    seen = (describe_pictures(square), network.compute(square).features)
    return Guard(sha256, Index(), *(boundless(points.shape[1]) for points in seen))


def boundless(n: int) -> Cloud:
    """A cloud that holds everything."""
    return Cloud(np.zeros(n, np.float32), np.eye(n, dtype=np.float32), np.inf)


def make_film(path: Path, seed=0, size=(160, 128)) -> Path:
    """Write a film of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path

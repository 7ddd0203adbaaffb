"""Draw a synthetic thorax the way X-rays see it: as a sum of path lengths.

Lengths are in units of half the film's height (about 20 cm); ``x`` runs from the patient's right
(the film's left) to his left, ``y`` downwards, both 0 in the middle of the film. Soft tissue
attenuates 1 per unit, aerated lung ``1 - LUNG_AIR``, and bone adds to what it lies in.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Map = NDArray[np.floating]  # float32 throughout
Mask = NDArray[np.bool_]
Stroke = tuple[NDArray[np.float64], float, float]  # points (n, 2), width, brightness from 0 to 1

EXTENT = 1.15  # the canvas is wider than the film, so that a turned film shows no empty corners
BOARD = 560  # pixels; strokes are drawn on this side whatever the film's, then averaged down


@dataclass(frozen=True)
class Anatomy:
    """Proportions of one patient in one position; all lengths in film units."""

    width: float  # of the thorax, relative to the tables of thorax.py
    apex: float  # y of the lungs' apices
    dome: float  # y of the top of the right diaphragm; the left is LEFT_DOME lower
    heart: float  # size relative to an average PA heart
    aorta: float  # prominence of the aortic knob
    breast: float  # thickness of the breasts, 0 for men
    fat: float  # thickness of the body relative to the average
    bone: float  # density of bone relative to the average
    rib_gap: float
    rib_drop: float  # how far a rib's front end lies below its back end
    gas: float  # radius of the gastric bubble, 0 if there is none
    scapula: float  # x of the scapula's medial border
    turn: float  # shift of what lies in front (heart, sternal ends) by turning to a side
    clavicle: float  # y of the clavicles' sternal ends
    tree: int  # seed of the vessels


def sample_anatomy(sex: str, age: int, rng: np.random.Generator) -> Anatomy:
    """Draw the proportions of one patient standing for a PA film."""
    woman, old = sex == "F", max(0, age - 40) / 45
    return Anatomy(
        width=rng.normal(0.955 if woman else 1.0, 0.03),
        apex=rng.normal(-0.73, 0.025),
        dome=rng.normal(0.42, 0.05),
        heart=rng.normal(1.0, 0.06) + 0.06 * old,
        aorta=rng.uniform(0.02, 0.05) + 0.04 * old,
        breast=rng.uniform(0.05, 0.19) if woman else 0.0,
        fat=rng.uniform(0.86, 1.18),
        bone=rng.normal(1.0, 0.1) - 0.15 * old * woman,
        rib_gap=rng.normal(0.128, 0.005),
        rib_drop=rng.normal(0.40, 0.04),
        gas=rng.uniform(0.07, 0.15) if rng.random() < 0.6 else 0.0,
        scapula=rng.normal(0.76, 0.03),
        turn=0.0,
        clavicle=rng.normal(-0.53, 0.03),
        tree=int(rng.integers(2**31)),
    )


def place(anatomy: Anatomy, view: str, rng: np.random.Generator) -> Anatomy:
    """Return the anatomy as one film meets it: breath and turn, and for AP a lying patient."""
    breath, lying = rng.normal(0, 0.015), view == "AP"
    return replace(
        anatomy,
        dome=anatomy.dome + breath - 0.11 * lying,
        heart=anatomy.heart * (1.15 if lying else 1.0),
        scapula=anatomy.scapula - (rng.uniform(0.14, 0.24) if lying else 0.0),
        turn=rng.normal(0, 0.035 if lying else 0.012),
        clavicle=anatomy.clavicle - (rng.uniform(0.04, 0.10) if lying else 0.0),
        gas=anatomy.gas * (0.5 if lying else 1.0),
    )


def paint(strokes: list[Stroke], n: int) -> Map:
    """Draw strokes, the later over the earlier, on an (n, n) canvas; width 0 fills a polygon."""
    board = Image.new("L", (BOARD, BOARD))
    pencil = ImageDraw.Draw(board)
    scale = BOARD / (2 * EXTENT)
    for points, width, bright in strokes:
        pixels = ((points + EXTENT) * scale).ravel().tolist()
        if width:
            pencil.line(pixels, round(255 * bright), max(1, round(width * scale)))
        else:
            pencil.polygon(pixels, round(255 * bright))
    small = board.resize((n, n), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32) / 255


def circle(n_points: int) -> NDArray[np.float64]:
    """Points (n_points, 2) around the unit circle."""
    angles = np.linspace(0, 2 * np.pi, n_points, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def cloud(rng: np.random.Generator, n: int, cells: int) -> Map:
    """Smooth noise of unit variance at the nodes of ``cells`` x ``cells`` squares, (n, n)."""
    nodes = Image.fromarray(rng.standard_normal((cells, cells), dtype=np.float32))
    return np.asarray(nodes.resize((n, n), Image.Resampling.BICUBIC))


def ramp(distance: Map, width: float) -> Map:
    """Rise smoothly from 0 to 1 where ``distance`` passes zero."""
    return np.asarray(0.5 + 0.5 * np.tanh(distance / width), dtype=np.float32)

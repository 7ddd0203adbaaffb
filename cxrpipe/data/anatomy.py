"""Draw a synthetic thorax the way X-rays see it: as a sum of path lengths.

Lengths are in units of half the film's height (about 20 cm); ``x`` runs from the patient's right
(the film's left) to his left, ``y`` downwards, both 0 in the middle of the film. Soft tissue
attenuates 1 per unit, aerated lung ``1 - LUNG_AIR``, and bone adds to what it lies in.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter

Map = NDArray[np.floating]  # float32 throughout
Mask = NDArray[np.bool_]
Stroke = tuple[NDArray[np.float64], float, float]  # points (n, 2), width, brightness from 0 to 1

EXTENT = 1.15  # the canvas is wider than the film, so that a turned film shows no empty corners
BOARD = 560  # pixels; strokes are drawn on this side whatever the film's, then averaged down
LUNG_AIR = 0.74  # share of the lung's path that is air


class Curve:
    """A table interpolated smoothly, constant outside."""

    def __init__(self, positions: Sequence[float], values: Sequence[float]) -> None:
        self.first, self.last = positions[0], positions[-1]
        self.spline = PchipInterpolator(positions, values)

    def __call__(self, at: Map) -> Map:
        """Read the table at every position."""
        inside = np.clip(at, self.first, self.last)
        return np.asarray(self.spline(inside), dtype=np.float32)


LEFT_DOME = 0.05  # the left dome lies lower

# Outlines and depths of the body by y, and of a lung by v: 0 at its apex, 1 at its dome's top.
_BODY_Y = (-1.15, -0.97, -0.88, -0.80, -0.70, -0.55, -0.36, -0.2, 0.3, 1.15)
_LUNG_V = (0.0, 0.03, 0.08, 0.16, 0.28, 0.45, 0.65, 0.85, 1.0, 1.3)
BODY_HALF_WIDTH = Curve(_BODY_Y, (0.21, 0.23, 0.32, 0.60, 0.90, 1.02, 0.92, 0.87, 0.88, 0.92))
BODY_DEPTH = Curve(_BODY_Y, (0.44, 0.48, 0.58, 0.70, 0.80, 0.90, 1.02, 1.08, 1.15, 1.25))
LUNG_LATERAL = Curve(_LUNG_V, (0.27, 0.37, 0.44, 0.52, 0.60, 0.67, 0.715, 0.74, 0.75, 0.75))
LUNG_MEDIAL = Curve(_LUNG_V, (0.25, 0.19, 0.155, 0.135, 0.125, 0.13, 0.135, 0.13, 0.13, 0.13))
LUNG_DEPTH = Curve((0, 0.1, 0.3, 0.6, 1.0, 1.3), (0.15, 0.42, 0.68, 0.84, 0.9, 0.9))

RIB, RIB_REACH = (0, 1, 2, 4, 6, 9), (0.37, 0.53, 0.61, 0.70, 0.755, 0.78)
RIB_DROP = (0.55, 0.70, 0.85, 0.97, 1.0, 1.0)  # relative, for the ribs in RIB
BACK_ARC = ((0.10, 0.3), (0.45, 1.0), (1.25, 1.0), (1.7, 0.35))  # angle in radians, brightness
FRONT_ARC = ((1.35, 0.25), (1.7, 1.0), (2.1, 0.9), (2.55, 0.1))


@dataclass(frozen=True)
class Anatomy:
    """Proportions of one patient in one position; all lengths in film units."""

    width: float  # of the thorax, relative to the tables above
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


@dataclass(frozen=True)
class Thorax:
    """A drawn thorax and its lung coordinates; every array is (n, n) over the canvas."""

    attenuation: Map
    air: Map  # path of lung that a lesion can fill
    vessels: Map  # from 0 to 1
    lungs: Mask
    left: Mask  # the half of the patient's left lung
    across: Map  # 0 at the mediastinum, 1 at the lateral pleura
    down: Map  # 0 at the apex, 1 at the diaphragm


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


def draw_thorax(anatomy: Anatomy, side: int) -> Thorax:
    """Draw the attenuation, the lungs and their coordinates for a film of ``side`` pixels."""
    n = round(side * EXTENT)
    x = np.linspace(-EXTENT, EXTENT, n, dtype=np.float32)[None, :]
    y = x.T
    rng = np.random.default_rng(anatomy.tree)
    left = np.broadcast_to(x > 0, (n, n))
    across, down, cavity = _cavity(anatomy, x, y)
    heart = _heart(anatomy, x, y)
    free = np.maximum(cavity - heart, 0.08 * cavity)
    air, below = _under_diaphragm(anatomy, free, x, y, down)
    lungs = (across > 0.02) & (across < 0.985) & (down > 0.01) & (down < 1) & (heart < 0.25)
    vessels = paint(_vessels(anatomy, rng), n) * np.minimum(air * 3, 1)
    attenuation = _body(anatomy, x, y) - LUNG_AIR * air + below
    attenuation += 0.24 * gaussian_filter(vessels, 0.0035 * n)
    attenuation += _mediastinum(anatomy, x, y) + anatomy.bone * _bones(anatomy, x, y)
    return Thorax(attenuation.astype(np.float32), air, vessels, lungs, left, across, down)


def draw_wires(side: int, rng: np.random.Generator) -> Map:
    """Draw three ECG electrodes and their leads over the chest, 1 where metal is thickest."""
    t = np.linspace(0, 1, 24)
    strokes: list[Stroke] = []
    for x, y in ((-0.45, -0.40), (0.48, -0.38), (0.52, 0.35)):
        start, end = rng.normal((x, y), 0.06), rng.normal((0.5 * x, 1.1), 0.2)
        points = start + t[:, None] * (end - start)
        points[:, 0] += rng.uniform(-0.2, 0.2) * np.sin(np.pi * t) + 0.04 * np.sin(7 * t)
        disc = start + 0.028 * circle(16)
        strokes += [(points, 0.008, 0.7), (disc, 0.0, 1.0)]
    return paint(strokes, round(side * EXTENT))


def _body(anatomy: Anatomy, x: Map, y: Map) -> Map:
    """Path through trunk, neck and upper arms."""
    half_width = BODY_HALF_WIDTH(y) * (0.5 + 0.5 * anatomy.width * anatomy.fat)
    beside = np.abs(x / half_width)
    trunk = np.sqrt(np.maximum(1 - beside**2 * np.sqrt(beside), 0)) * BODY_DEPTH(y)
    middle = 0.95 + 0.19 * np.clip(y + 0.45, 0, 2)
    radius = 0.02 + 0.14 * np.sqrt(np.clip((y + 0.66) / 0.3, 0, 1))
    arm = np.sqrt(np.maximum(1 - ((np.abs(x) - middle) / radius) ** 2, 0))
    arm *= 0.75 * np.clip((y + 0.66) / 0.6, 0, 1)
    breasts = _pair(x, y, (0.40, 0.26), (0.31, 0.27), 0.0) ** 2
    return np.asarray(anatomy.fat * np.maximum(trunk, arm) + anatomy.breast * breasts)


def _ellipsoid(
    x: Map, y: Map, middle: tuple[float, float], radii: tuple[float, float], slope: float
) -> Map:
    """Path through an ellipsoid, 1 in its middle; ``slope`` turns its first axis, in radians."""
    reach = 1.01 * max(radii)
    columns = slice(*np.searchsorted(x[0], (middle[0] - reach, middle[0] + reach)))
    rows = slice(*np.searchsorted(y[:, 0], (middle[1] - reach, middle[1] + reach)))
    dx, dy = x[:, columns] - middle[0], y[rows] - middle[1]
    along = (math.cos(slope) * dx + math.sin(slope) * dy) / radii[0]
    beside = (math.cos(slope) * dy - math.sin(slope) * dx) / radii[1]
    path = np.zeros((y.size, x.size), dtype=np.float32)
    path[rows, columns] = np.sqrt(np.maximum(1 - along**2 - beside**2, 0))
    return path


def _pair(
    x: Map, y: Map, middle: tuple[float, float], radii: tuple[float, float], slope: float
) -> Map:
    """Path through an ellipsoid on the left and its mirror image on the right."""
    right = (-middle[0], middle[1])
    return _ellipsoid(x, y, middle, radii, slope) + _ellipsoid(x, y, right, radii, -slope)


def _cavity(anatomy: Anatomy, x: Map, y: Map) -> tuple[Map, Map, Map]:
    """Lung coordinates across and down, and the path through both pleural cavities."""
    right = x[0] <= 0
    halves = [_half(anatomy, -x[:, right], y, -1), _half(anatomy, x[:, ~right], y, 1)]
    across, down, path = (np.hstack(pair) for pair in zip(*halves, strict=True))
    return across, down, path


def _half(anatomy: Anatomy, x: Map, y: Map, sign: int) -> tuple[Map, Map, Map]:
    """Do the same for one half, with ``x`` counted from the middle outwards."""
    dome = anatomy.dome + (LEFT_DOME if sign > 0 else 0.0)
    v = (y - anatomy.apex) / (dome - anatomy.apex)
    lateral = LUNG_LATERAL(v) * anatomy.width
    medial = LUNG_MEDIAL(v) + sign * anatomy.turn
    if sign < 0:
        medial += 0.025 * np.exp(-(((y - anatomy.apex - 0.45) / 0.12) ** 2))
    else:
        knob, trunk = anatomy.apex + 0.40, anatomy.apex + 0.60
        medial += anatomy.aorta * np.exp(-(((y - knob) / 0.075) ** 2))
        medial += 0.035 * np.exp(-(((y - trunk) / 0.09) ** 2))
    across = (x - medial) / np.maximum(lateral - medial, 0.02)
    slant = (x - 0.36) / 0.39
    diaphragm = dome + np.where(slant > 0, 0.17 + 0.09 * slant, 0.13) * slant**2
    down = (y - anatomy.apex) / (diaphragm - anatomy.apex)
    w = np.clip(2 * across - 1, -1, 1)
    section = np.sqrt(1 - np.where(w > 0, 1, w**2 * w**2) * w**2 * w**2)
    depth = LUNG_DEPTH(v)
    return across, down, np.asarray(section * depth * (v > 0))


def _heart(anatomy: Anatomy, x: Map, y: Map) -> Map:
    """Path through the heart: ventricles to the left, right atrium to the right."""
    base, size = anatomy.dome, anatomy.heart
    ventricles = _ellipsoid(
        x, y, (0.13 + anatomy.turn, base - 0.17), (0.37 * size, 0.26 * size), 0.55
    )
    atrium = _ellipsoid(x, y, (-0.04 + anatomy.turn, base - 0.21), (0.17 * size, 0.27 * size), 0.0)
    return np.asarray(0.75 * np.maximum(ventricles, atrium))


def _under_diaphragm(anatomy: Anatomy, free: Map, x: Map, y: Map, down: Map) -> tuple[Map, Map]:
    """Air left by the domes (some lies behind them), and what the abdomen adds."""
    covered = np.sqrt(np.clip((down - 1) / 0.10, 0, 1))
    abdomen = 0.10 * covered
    if anatomy.gas > 0:
        middle = (0.36, anatomy.dome + LEFT_DOME + 0.06 + anatomy.gas)
        bubble = _ellipsoid(x, y, middle, (1.5 * anatomy.gas, anatomy.gas), -0.2)
        abdomen -= 0.34 * bubble * (y < middle[1] + 0.4 * anatomy.gas)  # the fluid lies level
    return free * (1 - 0.96 * covered), abdomen


def _mediastinum(anatomy: Anatomy, x: Map, y: Map) -> Map:
    """Great vessels and spine-side tissue, less the trachea's air."""
    shift = 0.5 * anatomy.turn
    hila = _pair(x - shift, y, (0.17, -0.08), (0.085, 0.16), -0.25) ** 2
    descending = 0.10 * _ellipsoid(x, y, (0.07, 0.15), (0.075, 0.75), 0.0)
    lumen = 0.038 * (1 + 0.25 * np.exp(-(((y + 0.62) / 0.1) ** 2)))
    carina = anatomy.apex + 0.50
    inside = np.clip((carina + 0.03 - y) / 0.06, 0, 1)
    trachea = np.sqrt(np.maximum(1 - ((x - shift) / lumen) ** 2, 0)) * inside
    bronchi = _pair(x - shift, y, (0.075, carina + 0.04), (0.11, 0.028), 0.75)
    return np.asarray(descending + 0.16 * hila - 0.15 * trachea - 0.07 * bronchi)


def _bones(anatomy: Anatomy, x: Map, y: Map) -> Map:
    """Path through spine, ribs, clavicles, scapulae and humeri, in soft-tissue units."""
    n = x.shape[1]
    bones = _spine(x, y)
    bones += 0.13 * paint(_ribs(anatomy, BACK_ARC, 0.060), n)
    bones += 0.10 * paint(_ribs(anatomy, FRONT_ARC, 0.070), n)
    upper = paint(_shoulders(anatomy) + _clavicles(anatomy), n)
    return np.asarray(bones + 0.22 * gaussian_filter(upper, 0.004 * n))


def _spine(x: Map, y: Map) -> Map:
    """Vertebral bodies with paler discs, pedicles and spinous processes."""
    phase = (y + 0.02 * np.sin(3 * y)) / 0.125
    column = np.sqrt(np.maximum(1 - (x / 0.10) ** 2, 0))
    discs = 0.75 + 0.25 * np.tanh(4 * np.cos(2 * np.pi * phase) + 2.5)
    pedicles = np.exp(-(((np.abs(x) - 0.055) / 0.014) ** 2))
    process = np.exp(-((x / 0.014) ** 2))
    spine = 0.13 * column * discs
    spine += 0.05 * pedicles * np.cos(np.pi * (phase - 0.1)) ** 8
    return np.asarray(spine + 0.05 * process * np.cos(np.pi * (phase - 0.4)) ** 6)


def _ribs(anatomy: Anatomy, arc: tuple[tuple[float, float], ...], width: float) -> list[Stroke]:
    """Ten pairs of ribs along an arc of (angle, brightness); 0 is the spine, pi the sternum."""
    angles = np.linspace(arc[0][0], arc[-1][0], 19)
    bright = np.interp(angles, [angle for angle, _ in arc], [level for _, level in arc])
    strokes: list[Stroke] = []
    for rib in range(10):
        reach = anatomy.width * float(np.interp(rib, RIB, RIB_REACH))
        drop = anatomy.rib_drop * float(np.interp(rib, RIB, RIB_DROP))
        xs = 0.06 + (reach - 0.06) * np.sin(angles)
        ys = anatomy.apex - 0.02 + anatomy.rib_gap * rib + drop * (1 - np.cos(angles)) / 2
        ys -= 0.05 * np.sin(2 * np.minimum(angles, np.pi / 2))
        for sign in (-1, 1):
            points = np.stack([sign * xs, ys], axis=1)
            for share, level in ((1.0, 1.0), (0.6, 0.7)):  # cortex, then the paler marrow
                strokes += [
                    (points[k : k + 4], share * width, level * float(bright[k]))
                    for k in range(0, 16, 3)
                ]
    return strokes


def _clavicles(anatomy: Anatomy) -> list[Stroke]:
    """Two S-shaped collar bones, thicker at the sternum."""
    t = np.linspace(0, 1, 13)
    xs = 0.09 + 0.66 * t
    ys = anatomy.clavicle - 0.19 * t**0.8 - 0.035 * np.sin(2 * np.pi * t)
    strokes: list[Stroke] = []
    for sign in (-1, 1):
        points = np.stack([sign * xs + anatomy.turn, ys], axis=1)
        for share, level in ((1.0, 1.0), (0.5, 0.75)):
            strokes += [
                (points[k : k + 4], share * width, level)
                for k, width in ((0, 0.085), (3, 0.07), (6, 0.064), (9, 0.07))
            ]
    return strokes


def _shoulders(anatomy: Anatomy) -> list[Stroke]:
    """Scapular blades with their spines, and the heads and shafts of the humeri."""
    blade = np.array([[0, -0.60], [-0.01, -0.3], [0.07, 0.05], [0.14, -0.15], [0.24, -0.42]])
    spine = np.array([[0.0, -0.48], [0.14, -0.58], [0.30, -0.68]])
    shaft = np.array([[0.98, -0.55], [1.03, -0.40], [1.25, 1.1]])
    head = np.array([0.95, -0.56]) + 0.10 * circle(20)
    at = np.array([anatomy.scapula, 0])
    outlines: list[Stroke] = [
        (blade + at, 0.0, 0.25),
        (blade[2:] + at, 0.035, 0.5),
        (spine + at, 0.05, 0.5),
        (shaft, 0.11, 0.7),
        (shaft, 0.06, 0.5),
        (head, 0.0, 0.7),
    ]
    return [(points * (s, 1), width, bright) for s in (-1, 1) for points, width, bright in outlines]


def circle(n_points: int) -> NDArray[np.float64]:
    """Points (n_points, 2) around the unit circle."""
    angles = np.linspace(0, 2 * np.pi, n_points, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _vessels(anatomy: Anatomy, rng: np.random.Generator) -> list[Stroke]:
    """Vessels that leave both hila, fork four times and taper outwards."""
    strokes: list[Stroke] = []
    for sign, hilum in ((-1, (-0.15, -0.06)), (1, (0.17, -0.11))):
        heading = np.linspace(-1.35, 1.45, 9) + rng.normal(0, 0.1, 9)
        start = np.array([hilum[0] + anatomy.turn / 2, hilum[1]])
        tips = start + np.stack([0 * heading, 0.09 * heading], axis=1)
        width = rng.uniform(0.024, 0.046, 9)
        for _ in range(5):
            bends = heading[:, None] + rng.normal(0, 0.14, (len(tips), 4)).cumsum(axis=1)
            steps = rng.uniform(0.025, 0.05, bends.shape)
            moves = np.stack([sign * steps * np.cos(bends), steps * np.sin(bends)], axis=2)
            paths = tips[:, None] + np.concatenate([0 * moves[:, :1], moves.cumsum(axis=1)], axis=1)
            bright = np.clip(width / 0.042, 0.15, 1)
            strokes += zip(paths, width.tolist(), bright.tolist(), strict=True)
            fork = rng.uniform(0.25, 0.6, len(tips))
            heading = np.concatenate([bends[:, -1] - fork, bends[:, -1] + 0.6 * fork])
            tips, width = np.tile(paths[:, -1], (2, 1)), np.concatenate([0.6 * width, 0.75 * width])
    return strokes


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

"""Draw a thorax's soft tissue, lungs and vessels, and add its bones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter

from cxrpipe.data.phantoms.anatomy import EXTENT, Anatomy, Map, Mask, Stroke, circle, paint
from cxrpipe.data.phantoms.skeleton import draw_bones

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
    attenuation += _mediastinum(anatomy, x, y) + anatomy.bone * draw_bones(anatomy, x, y)
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

"""Draw the bones of a thorax: spine, ribs, clavicles, scapulae and humeri."""

import numpy as np
from scipy.ndimage import gaussian_filter

from cxrpipe.data.phantoms.anatomy import Anatomy, Map, Stroke, circle, paint

RIB, RIB_REACH = (0, 1, 2, 4, 6, 9), (0.37, 0.53, 0.61, 0.70, 0.755, 0.78)
RIB_DROP = (0.55, 0.70, 0.85, 0.97, 1.0, 1.0)  # relative, for the ribs in RIB
BACK_ARC = ((0.10, 0.3), (0.45, 1.0), (1.25, 1.0), (1.7, 0.35))  # angle in radians, brightness
FRONT_ARC = ((1.35, 0.25), (1.7, 1.0), (2.1, 0.9), (2.55, 0.1))


def draw_bones(anatomy: Anatomy, x: Map, y: Map) -> Map:
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

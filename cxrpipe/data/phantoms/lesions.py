"""Findings as opacities: a pattern from 0 to 1 over the canvas, and its mask."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from cxrpipe.data.phantoms.anatomy import EXTENT, Map, Mask, Stroke, circle, cloud, paint, ramp
from cxrpipe.data.phantoms.thorax import Thorax

SEVERITY = (0.5, 1.0)  # range over patients; a film deviates from its patient by up to 10 %
STRENGTH = {  # share of the lung's air that a finding of severity 1 fills where it is densest
    "covid": 0.58,
    "lung_opacity": 0.85,
    "viral_pneumonia": 0.45,
    "tuberculosis": 1.0,
}
VISIBLE = 0.25  # a lesion reaches as far as its pattern has this share of its full density


def _covid(thorax: Thorax, severity: float, rng: np.random.Generator) -> tuple[Map, Mask]:
    """Ground glass in fuzzy patches along the lateral pleura of both lungs, mostly basal."""
    patchy = cloud(rng, len(thorax.air), 14)
    score = 0.8 * patchy + 3.5 * np.minimum(thorax.across, 1) + 2.4 * np.minimum(thorax.down, 1)
    height = np.zeros_like(score)
    for lung in (thorax.left, ~thorax.left):
        share = severity * rng.uniform(0.28, 0.42)
        height[lung] = score[lung] - np.quantile(score[thorax.lungs & lung], 1 - share)
    texture = 1 + 0.15 * cloud(rng, len(thorax.air), 40)
    patches = ramp(height, 0.6)
    return patches * texture, (patches > VISIBLE) & thorax.lungs


class Lobe(NamedTuple):
    """Where a lobe meets its fissure, in lung coordinates."""

    left: bool
    above: bool  # the fissure
    fissure: float  # down, at the mediastinum
    slope: float  # of the fissure, down per across
    middle: float  # across


LOBES = (
    Lobe(False, True, 0.50, 0.04, 0.45),  # right upper, minor fissure
    Lobe(False, False, 0.53, 0.04, 0.30),  # right middle
    Lobe(False, False, 0.60, -0.10, 0.70),  # right lower
    Lobe(True, True, 0.55, 0.10, 0.40),  # left upper
    Lobe(True, False, 0.55, -0.06, 0.65),  # left lower
)


def _lung_opacity(thorax: Thorax, severity: float, rng: np.random.Generator) -> tuple[Map, Mask]:
    """Consolidation of one lobe, sharp at the fissure, with air bronchograms."""
    lobe = LOBES[rng.integers(len(LOBES))]
    n = len(thorax.air)
    beyond = thorax.down - lobe.fissure - lobe.slope * thorax.across + 0.01 * cloud(rng, n, 8)
    depth = -beyond if lobe.above else beyond
    spread = 0.5 + 0.5 * severity
    reach = np.hypot(depth / (0.38 * spread), (thorax.across - lobe.middle) / (0.50 * spread))
    pattern = ramp(depth, 0.012) * ramp(1 - reach + 0.22 * cloud(rng, n, 9), 0.28)
    pattern *= thorax.left == lobe.left
    bronchi = 1 - 0.5 * np.minimum(thorax.vessels, 1)
    return pattern * bronchi, (pattern > VISIBLE) & thorax.lungs


def _viral_pneumonia(thorax: Thorax, severity: float, rng: np.random.Generator) -> tuple[Map, Mask]:
    """Reticular and peribronchial streaks around both hila."""
    n = len(thorax.air)
    centred = ((thorax.across - 0.2) / 0.55) ** 2 + ((thorax.down - 0.55) / 0.42) ** 2
    region = ramp(0.55 + 0.5 * severity - centred + 0.35 * cloud(rng, n, 8), 0.5)
    net = np.exp(-((cloud(rng, n, 44) / 0.3) ** 2)) + np.exp(-((cloud(rng, n, 30) / 0.2) ** 2))
    cuffs = gaussian_filter(thorax.vessels, 0.008 * n)
    pattern = region * (0.12 + 0.4 * net + 0.9 * cuffs)
    return pattern, (region > VISIBLE) & thorax.lungs


def _tuberculosis(thorax: Thorax, severity: float, rng: np.random.Generator) -> tuple[Map, Mask]:
    """Nodules in a haze and one or two cavities in the upper zone of one or both lungs."""
    n, grown = len(thorax.air), 0.6 + 0.4 * severity
    sides = [(True,), (False,), (True, False)][rng.integers(3)]
    strokes: list[Stroke] = []
    for left in sides:
        for radius in grown * rng.uniform(0.020, 0.045, rng.integers(6, 10)):
            strokes.append((_blob(thorax, left, radius, rng), 0.0, 0.8))
        for radius in grown * rng.uniform(0.075, 0.11, rng.integers(1, 4 - len(sides))):
            ring = _blob(thorax, left, radius, rng)
            hole = ring.mean(axis=0) + 0.64 * (ring - ring.mean(axis=0))
            strokes += [(ring, 0.0, 1.0), (hole, 0.0, 0.08)]
    drawn = gaussian_filter(paint(strokes, n), 0.006 * n)
    haze = gaussian_filter(drawn, 0.03 * n)
    return np.minimum(0.85 * drawn + 0.7 * haze, 1), (haze + drawn > VISIBLE) & thorax.lungs


def _blob(
    thorax: Thorax, left: bool, radius: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Outline (24, 2) a round, uneven lesion somewhere in the upper zone of one lung."""
    across, down, half = (m[::2, ::2] for m in (thorax.across, thorax.down, thorax.left))
    spot = (rng.uniform(0.25, 0.85), rng.uniform(0.10, 0.34))
    far = (across - spot[0]) ** 2 + 4 * (down - spot[1]) ** 2 + 9 * (half != left)
    row, column = np.unravel_index(np.argmin(far), far.shape)
    middle = (2 * np.array([column, row]) / (len(thorax.air) - 1) * 2 - 1) * EXTENT
    turn, phase = np.linspace(0, 2 * np.pi, 24, endpoint=False), rng.uniform(0, 6, 2)
    wobble = 1 + 0.12 * np.sin(2 * turn + phase[0]) + 0.07 * np.sin(3 * turn + phase[1])
    return np.asarray(middle + radius * wobble[:, None] * circle(24))


LESIONS: dict[str, Callable[[Thorax, float, np.random.Generator], tuple[Map, Mask]]] = {
    "covid": _covid,
    "lung_opacity": _lung_opacity,
    "viral_pneumonia": _viral_pneumonia,
    "tuberculosis": _tuberculosis,
}

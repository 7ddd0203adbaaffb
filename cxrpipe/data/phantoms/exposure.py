"""From attenuation to film: pose, scatter, grain, tone, collimator and marker."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cxrpipe.data.phantoms.anatomy import Map, cloud, ramp

Pose = tuple[float, float, float, float, float, float]  # Pillow's affine: output to input pixels


class Exposure(NamedTuple):
    """What makes a hospital's films look like its own."""

    level: float  # attenuation shown as middle grey
    latitude: float  # attenuation range shown, small for hard contrast
    gamma: float
    noise: float  # where the film is darkest
    collimated: float  # share of films with a dark border
    letter: str
    code: str
    corner: tuple[float, float]  # of the marker, as shares of the side


EXPOSURES = {
    "north": Exposure(0.94, 0.29, 1.00, 0.0036, 0.15, "R", "NTH", (0.04, 0.05)),
    "east": Exposure(0.92, 0.33, 0.90, 0.0060, 0.55, "L", "EAST", (0.80, 0.06)),
    "south": Exposure(0.94, 0.26, 1.10, 0.0048, 0.30, "R", "S2", (0.05, 0.84)),
}


def pose(side: int, canvas: int, view: str, rng: np.random.Generator) -> Pose:
    """Draw a small turn, zoom and shift that keep the film inside the canvas."""
    angle = np.deg2rad(np.clip(rng.normal(0, 2.0 if view == "AP" else 1.0), -4, 4))
    zoom = np.clip(rng.normal(1.06, 0.03), 1.0, 1.14)
    shift = np.clip(rng.normal(0, 0.015, 2), -0.03, 0.03) * side
    c, s = np.cos(angle) / zoom, np.sin(angle) / zoom
    middle = (side / 2, canvas / 2)
    return (
        c, -s, middle[1] + shift[0] - (c - s) * middle[0],
        s, c, middle[1] + shift[1] - (s + c) * middle[0],
    )  # fmt: skip


def resample(image: NDArray[np.generic], pose: Pose, side: int) -> Map:
    """Read a map, mask or film through a pose, bilinearly."""
    source = Image.fromarray(image.astype(np.float32))
    method = Image.Transform.AFFINE
    return np.asarray(source.transform((side, side), method, pose, Image.Resampling.BILINEAR))


def expose(attenuation: Map, exposure: Exposure, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Print attenuation (side, side) as a film: scatter, grain, tone, collimator and marker."""
    side = len(attenuation)
    primary = np.exp(-2 * attenuation)
    small = Image.fromarray(primary).resize((16, 16), Image.Resampling.BOX)
    scatter = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))
    light = primary + 0.06 * np.maximum(scatter, 0)
    white = rng.standard_normal((side, side), dtype=np.float32)
    grain = white + 0.6 * (np.roll(white, 1, 0) + np.roll(white, 1, 1))
    noise = exposure.noise * rng.uniform(0.7, 1.3) * grain / np.sqrt(light + 0.02)
    seen = -0.5 * np.log(light) + noise + 0.03 * cloud(rng, side, 4)
    level = exposure.level + rng.normal(0, 0.03) + 0.5 * (float(seen.mean()) - 0.8)
    grey = 1 / (1 + np.exp(-(seen - level) / (exposure.latitude * rng.uniform(0.9, 1.1))))
    grey = np.clip((grey - 0.07) / 0.88, 0, 1) ** (exposure.gamma * rng.uniform(0.9, 1.1))
    if rng.random() < exposure.collimated:
        grey *= _collimator(side, rng)
    return _mark(to_uint8(grey), exposure, rng)


def to_uint8(grey: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Store a film with values from 0 to 1 in 8 bits."""
    return np.asarray(np.rint(255 * grey), dtype=np.uint8)


def _collimator(side: int, rng: np.random.Generator) -> Map:
    """Nearly 0 beyond the shutters, 1 in the field, (side, side)."""
    at = np.linspace(0, 1, side, dtype=np.float32)
    near, far = rng.uniform(0.0, 0.06, 2), rng.uniform(0.94, 1.0, 2)
    rows, columns = (
        ramp(at - a, 0.004) * ramp(b - at, 0.004) for a, b in zip(near, far, strict=True)
    )
    return np.asarray(0.04 + 0.96 * rows[:, None] * columns[None, :])


def _mark(
    pixels: NDArray[np.uint8], exposure: Exposure, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Burn the side letter and the hospital's code into a corner."""
    side = len(pixels)
    film = Image.fromarray(pixels)
    pencil = ImageDraw.Draw(film)
    left, top = (share * side + rng.uniform(0, 0.02) * side for share in exposure.corner)
    pencil.text((left, top), exposure.letter, 235, ImageFont.load_default(0.075 * side))
    pencil.text((left, top + 0.085 * side), exposure.code, 220, ImageFont.load_default(0.04 * side))
    return np.asarray(film).copy()


def plant(
    pixels: NDArray[np.uint8], text: str, exposure: Exposure, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Burn a text into the upper corner that the hospital's own marker leaves free.

    It lies above the shoulder, beside the lungs of every film.
    """
    side = len(pixels)
    film = Image.fromarray(pixels)
    corner = (0.79 if exposure.corner[0] < 0.5 else 0.02, 0.03)
    left, top = (share * side + rng.uniform(0, 0.02) * side for share in corner)
    ImageDraw.Draw(film).text((left, top), text, 235, ImageFont.load_default(0.07 * side))
    return np.asarray(film).copy()

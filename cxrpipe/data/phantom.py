"""Plan and draw the phantom source: synthetic chest radiographs with findings of known place.

A film is a pure function of the seed, the hospital, the patient and the film's number. The
findings are drawn as opacities that fill the lung's air, so their truth is known pixel by pixel.
"""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from cxrpipe.config import Phantom
from cxrpipe.data import anatomy
from cxrpipe.data.anatomy import Map, Mask, Thorax

# Findings of every 24 consecutive patients, so that each share holds in small hospitals too.
FINDINGS = {"normal": 8, "covid": 5, "lung_opacity": 5, "viral_pneumonia": 3, "tuberculosis": 3}
FILMS_SHARE = (0.45, 0.40, 0.15)  # of patients with one, two, three films
AP_SHARE = 0.4
TRANSFERRED_SHARE = 0.02  # of the patients of east and south, who come from north
FIRST_TRANSFERRED = {"east": 0, "south": 1}  # in units of the number transferred

SEVERITY = (0.5, 1.0)  # range over patients; a film deviates from its patient by up to 10 %
STRENGTH = {  # share of the lung's air that a finding of severity 1 fills where it is densest
    "covid": 0.58,
    "lung_opacity": 0.85,
    "viral_pneumonia": 0.45,
    "tuberculosis": 1.0,
}


class PlannedFilm(NamedTuple):
    """One row of the plan."""

    file: str
    lungs: str
    lesions: str
    patient: str
    finding: str
    view: str
    age: int
    sex: str
    copy_of: str
    copy_kind: str


class Film(NamedTuple):
    """A drawn film; all arrays are (side, side)."""

    pixels: NDArray[np.uint8]
    lungs: Mask
    lesions: Mask


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


def plan_films(settings: Phantom) -> pd.DataFrame:
    """Plan every film of a hospital, one row each, with the columns of ``PlannedFilm``.

    Every 24 patients in a row have the findings in the counts of ``FINDINGS``. A patient
    transferred from north takes the place of the last own patient with the same finding, and
    brings all his films as exact or as near copies, by turns.
    """
    transfers = _transfers(settings)
    films = []
    for number in range(settings.patients):
        patient = f"{settings.hospital}-{number:04d}"
        if number in transfers:
            origin, kind = transfers[number]
            north = settings.model_copy(update={"hospital": "north"})
            films += [_as_copy(film, patient, kind) for film in _plan_patient(north, origin)]
        else:
            films += _plan_patient(settings, number)
    return pd.DataFrame(films, columns=list(PlannedFilm._fields))


def _finding(settings: Phantom, number: int) -> str:
    """Find what a patient of this hospital has, whatever the number of patients."""
    names = np.repeat(list(FINDINGS), list(FINDINGS.values()))
    block, place = divmod(number, len(names))
    rng = np.random.default_rng([settings.seed, crc32(settings.hospital.encode()), block])
    return str(rng.permutation(names)[place])


def _plan_patient(settings: Phantom, number: int) -> list[PlannedFilm]:
    """Plan the films of one patient who was born at this hospital."""
    patient = f"{settings.hospital}-{number:04d}"
    rng = _generator(settings, patient, "plan")
    finding = _finding(settings, number)
    age, sex = int(np.clip(rng.normal(54, 17), 18, 90)), str(rng.choice(["F", "M"]))
    films = []
    for n in range(1, 2 + int(rng.choice(3, p=FILMS_SHARE))):
        view, path = "AP" if rng.random() < AP_SHARE else "PA", f"{finding}/{patient}-{n}.png"
        lesions = "" if finding == "normal" else f"lesions/{path}"
        films.append(
            PlannedFilm(
                f"films/{path}", f"lungs/{path}", lesions, patient, finding, view, age, sex, "", ""
            )
        )
    return films


def _transfers(settings: Phantom) -> dict[int, tuple[int, str]]:
    """Which patients came from north: their number there and the kind of their copies."""
    if settings.hospital not in FIRST_TRANSFERRED:
        return {}
    n_transferred = max(2, round(TRANSFERRED_SHARE * settings.patients))
    first = n_transferred * FIRST_TRANSFERRED[settings.hospital]
    north = settings.model_copy(update={"hospital": "north"})
    free = {number: _finding(settings, number) for number in reversed(range(settings.patients))}
    transfers: dict[int, tuple[int, str]] = {}
    for turn, origin in enumerate(range(first, min(first + n_transferred, settings.patients))):
        finding = _finding(north, origin)
        place = next((number for number, own in free.items() if own == finding), None)
        if place is not None:
            free.pop(place)
            transfers[place] = (origin, ("exact", "near")[turn % 2])
    return transfers


def _as_copy(film: PlannedFilm, patient: str, kind: str) -> PlannedFilm:
    """Return the film under its new patient, saying where it came from."""
    paths = {
        key: getattr(film, key).replace(film.patient, patient)
        for key in ("file", "lungs", "lesions")
    }
    return film._replace(**paths, patient=patient, copy_of=f"north/{film.file}", copy_kind=kind)


def _generator(settings: Phantom, *about: str) -> np.random.Generator:
    """Seed a generator of its own for every patient and purpose."""
    return np.random.default_rng([settings.seed, *(crc32(word.encode()) for word in about)])


def draw_film(settings: Phantom, film: PlannedFilm) -> Film:
    """Draw one planned film with its lung and lesion masks."""
    if film.copy_of:
        return _draw_copy(settings, film)
    patient, rng = _generator(settings, film.patient, "patient"), _generator(settings, film.file)
    person = anatomy.sample_anatomy(film.sex, film.age, patient)
    severity = patient.uniform(*SEVERITY) * rng.uniform(0.9, 1.1)
    thorax = anatomy.draw_thorax(anatomy.place(person, film.view, rng), settings.side)
    attenuation, lesions = thorax.attenuation, np.zeros_like(thorax.lungs)
    if film.finding != "normal":
        pattern, lesions = LESIONS[film.finding](thorax, severity, patient)
        attenuation += (
            STRENGTH[film.finding] * severity**0.5 * anatomy.LUNG_AIR * thorax.air * pattern
        )
    if film.view == "AP" and rng.random() < 0.4:
        attenuation += 0.35 * anatomy.draw_wires(settings.side, rng)
    pose = _pose(settings.side, attenuation.shape[0], film.view, rng)
    lungs, lesions = (_resample(m, pose, settings.side) > 0.5 for m in (thorax.lungs, lesions))
    pixels = _expose(_resample(attenuation, pose, settings.side), EXPOSURES[settings.hospital], rng)
    return Film(pixels, lungs, lesions & lungs)


def write_film(folder: Path, settings: Phantom, film: PlannedFilm) -> None:
    """Draw one planned film and write it and its masks below ``folder`` as grey PNGs."""
    drawn = draw_film(settings, film)
    for path, pixels in (
        (film.file, drawn.pixels),
        (film.lungs, drawn.lungs),
        (film.lesions, drawn.lesions),
    ):
        if path:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            grey = pixels if pixels.dtype == np.uint8 else 255 * pixels.astype(np.uint8)
            Image.fromarray(grey).save(folder / path)


def _draw_copy(settings: Phantom, film: PlannedFilm) -> Film:
    """Draw the original again, and for a near copy print it anew: other size, tone and JPEG."""
    origin = Path(film.copy_of)
    hospital, patient = origin.parts[0], origin.stem.rpartition("-")[0]
    north = settings.model_copy(update={"hospital": hospital})
    original = draw_film(
        north,
        film._replace(file=origin.relative_to(hospital).as_posix(), patient=patient, copy_of=""),
    )
    if film.copy_kind == "exact":
        return original
    rng = _generator(settings, film.file)
    zoom, slip = rng.uniform(1.01, 1.025), rng.uniform(0.3, 0.7, 2)
    lost = settings.side * (1 - 1 / zoom)
    pose = (1 / zoom, 0.0, lost * slip[0], 0.0, 1 / zoom, lost * slip[1])
    grey = _resample(original.pixels, pose, settings.side) / 255
    grey = np.clip(0.5 + rng.uniform(0.85, 1.1) * (grey ** rng.uniform(0.85, 1.2) - 0.5), 0, 1)
    lungs, lesions = (_resample(m, pose, settings.side) > 0.5 for m in original[1:])
    return Film(_through_jpeg(_to_uint8(grey), quality=75), lungs, lesions)


def _through_jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Code and decode a film as JPEG."""
    coded = BytesIO()
    Image.fromarray(pixels).save(coded, "JPEG", quality=quality)
    return np.asarray(Image.open(coded)).copy()


# -- findings: a pattern from 0 to 1 over the canvas, and its mask ----------------------------


def _cloud(rng: np.random.Generator, n: int, cells: int) -> Map:
    """Smooth noise of unit variance at the nodes of ``cells`` x ``cells`` squares, (n, n)."""
    nodes = Image.fromarray(rng.standard_normal((cells, cells), dtype=np.float32))
    return np.asarray(nodes.resize((n, n), Image.Resampling.BICUBIC))


def _ramp(distance: Map, width: float) -> Map:
    """Rise smoothly from 0 to 1 where ``distance`` passes zero."""
    return np.asarray(0.5 + 0.5 * np.tanh(distance / width), dtype=np.float32)


def _covid(thorax: Thorax, severity: float, rng: np.random.Generator) -> tuple[Map, Mask]:
    """Ground glass in fuzzy patches along the lateral pleura of both lungs, mostly basal."""
    cloud = _cloud(rng, len(thorax.air), 14)
    score = 0.8 * cloud + 3.5 * np.minimum(thorax.across, 1) + 2.4 * np.minimum(thorax.down, 1)
    height = np.zeros_like(score)
    for lung in (thorax.left, ~thorax.left):
        share = severity * rng.uniform(0.28, 0.42)
        height[lung] = score[lung] - np.quantile(score[thorax.lungs & lung], 1 - share)
    texture = 1 + 0.15 * _cloud(rng, len(thorax.air), 40)
    return _ramp(height, 0.6) * texture, (height > 0) & thorax.lungs


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
    beyond = thorax.down - lobe.fissure - lobe.slope * thorax.across + 0.01 * _cloud(rng, n, 8)
    depth = -beyond if lobe.above else beyond
    spread = 0.5 + 0.5 * severity
    reach = np.hypot(depth / (0.38 * spread), (thorax.across - lobe.middle) / (0.50 * spread))
    pattern = _ramp(depth, 0.012) * _ramp(1 - reach + 0.22 * _cloud(rng, n, 9), 0.28)
    pattern *= thorax.left == lobe.left
    bronchi = 1 - 0.5 * np.minimum(thorax.vessels, 1)
    return pattern * bronchi, (pattern > 0.4) & thorax.lungs


def _viral_pneumonia(thorax: Thorax, severity: float, rng: np.random.Generator) -> tuple[Map, Mask]:
    """Reticular and peribronchial streaks around both hila."""
    n = len(thorax.air)
    centred = ((thorax.across - 0.2) / 0.55) ** 2 + ((thorax.down - 0.55) / 0.42) ** 2
    region = _ramp(0.55 + 0.5 * severity - centred + 0.35 * _cloud(rng, n, 8), 0.5)
    net = np.exp(-((_cloud(rng, n, 44) / 0.3) ** 2)) + np.exp(-((_cloud(rng, n, 30) / 0.2) ** 2))
    cuffs = gaussian_filter(thorax.vessels, 0.008 * n)
    pattern = region * (0.12 + 0.4 * net + 0.9 * cuffs)
    return pattern, (region > 0.5) & thorax.lungs


def _tuberculosis(thorax: Thorax, severity: float, rng: np.random.Generator) -> tuple[Map, Mask]:
    """Nodules in a haze and one or two cavities in the upper zone of one or both lungs."""
    n, grown = len(thorax.air), 0.6 + 0.4 * severity
    sides = [(True,), (False,), (True, False)][rng.integers(3)]
    strokes: list[anatomy.Stroke] = []
    for left in sides:
        for radius in grown * rng.uniform(0.020, 0.045, rng.integers(6, 10)):
            strokes.append((_blob(thorax, left, radius, rng), 0.0, 0.8))
        for radius in grown * rng.uniform(0.075, 0.11, rng.integers(1, 4 - len(sides))):
            ring = _blob(thorax, left, radius, rng)
            hole = ring.mean(axis=0) + 0.64 * (ring - ring.mean(axis=0))
            strokes += [(ring, 0.0, 1.0), (hole, 0.0, 0.08)]
    drawn = gaussian_filter(anatomy.paint(strokes, n), 0.006 * n)
    haze = gaussian_filter(drawn, 0.03 * n)
    return np.minimum(0.85 * drawn + 0.7 * haze, 1), (haze + drawn > 0.25) & thorax.lungs


def _blob(
    thorax: Thorax, left: bool, radius: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Outline (24, 2) a round, uneven lesion somewhere in the upper zone of one lung."""
    across, down, half = (m[::2, ::2] for m in (thorax.across, thorax.down, thorax.left))
    spot = (rng.uniform(0.25, 0.85), rng.uniform(0.10, 0.34))
    far = (across - spot[0]) ** 2 + 4 * (down - spot[1]) ** 2 + 9 * (half != left)
    row, column = np.unravel_index(np.argmin(far), far.shape)
    middle = (2 * np.array([column, row]) / (len(thorax.air) - 1) * 2 - 1) * anatomy.EXTENT
    turn, phase = np.linspace(0, 2 * np.pi, 24, endpoint=False), rng.uniform(0, 6, 2)
    wobble = 1 + 0.12 * np.sin(2 * turn + phase[0]) + 0.07 * np.sin(3 * turn + phase[1])
    return np.asarray(middle + radius * wobble[:, None] * anatomy.circle(24))


LESIONS: dict[str, Callable[[Thorax, float, np.random.Generator], tuple[Map, Mask]]] = {
    "covid": _covid,
    "lung_opacity": _lung_opacity,
    "viral_pneumonia": _viral_pneumonia,
    "tuberculosis": _tuberculosis,
}


# -- from attenuation to film -----------------------------------------------------------------

Pose = tuple[float, float, float, float, float, float]  # Pillow's affine: output to input pixels


def _pose(side: int, canvas: int, view: str, rng: np.random.Generator) -> Pose:
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


def _resample(image: NDArray[np.generic], pose: Pose, side: int) -> Map:
    """Read a map, mask or film through a pose, bilinearly."""
    source = Image.fromarray(image.astype(np.float32))
    method = Image.Transform.AFFINE
    return np.asarray(source.transform((side, side), method, pose, Image.Resampling.BILINEAR))


def _expose(attenuation: Map, exposure: Exposure, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Print attenuation (side, side) as a film: scatter, grain, tone, collimator and marker."""
    side = len(attenuation)
    primary = np.exp(-2 * attenuation)
    small = Image.fromarray(primary).resize((16, 16), Image.Resampling.BOX)
    scatter = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))
    light = primary + 0.06 * np.maximum(scatter, 0)
    white = rng.standard_normal((side, side), dtype=np.float32)
    grain = white + 0.6 * (np.roll(white, 1, 0) + np.roll(white, 1, 1))
    noise = exposure.noise * rng.uniform(0.7, 1.3) * grain / np.sqrt(light + 0.02)
    seen = -0.5 * np.log(light) + noise + 0.03 * _cloud(rng, side, 4)
    level = exposure.level + rng.normal(0, 0.03) + 0.5 * (float(seen.mean()) - 0.8)
    grey = 1 / (1 + np.exp(-(seen - level) / (exposure.latitude * rng.uniform(0.9, 1.1))))
    grey = np.clip((grey - 0.07) / 0.88, 0, 1) ** (exposure.gamma * rng.uniform(0.9, 1.1))
    if rng.random() < exposure.collimated:
        grey *= _collimator(side, rng)
    return _mark(_to_uint8(grey), exposure, rng)


def _to_uint8(grey: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(255 * grey), dtype=np.uint8)


def _collimator(side: int, rng: np.random.Generator) -> Map:
    """Nearly 0 beyond the shutters, 1 in the field, (side, side)."""
    at = np.linspace(0, 1, side, dtype=np.float32)
    near, far = rng.uniform(0.0, 0.06, 2), rng.uniform(0.94, 1.0, 2)
    rows, columns = (
        _ramp(at - a, 0.004) * _ramp(b - at, 0.004) for a, b in zip(near, far, strict=True)
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

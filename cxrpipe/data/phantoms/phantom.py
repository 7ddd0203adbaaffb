"""Plan and draw the phantom source: synthetic chest radiographs with findings of known place.

A film is a pure function of the seed, the hospital, the patient and the film's number. The
findings are drawn as opacities that fill the lung's air, so their truth is known pixel by pixel.
"""

from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from cxrpipe.catalogue import Phantom
from cxrpipe.data.phantoms.anatomy import Mask, place, sample_anatomy
from cxrpipe.data.phantoms.exposure import EXPOSURES, expose, plant, pose, resample, to_uint8
from cxrpipe.data.phantoms.lesions import LESIONS, SEVERITY, STRENGTH
from cxrpipe.data.phantoms.thorax import LUNG_AIR, draw_thorax, draw_wires

# Findings of every 24 consecutive patients, so that each share holds in small hospitals too.
FINDINGS = {"normal": 8, "covid": 5, "lung_opacity": 5, "viral_pneumonia": 3, "tuberculosis": 3}
FILMS_SHARE = (0.45, 0.40, 0.15)  # of patients with one, two, three films
AP_SHARE = 0.4
TRANSFERRED_SHARE = 0.02  # of the patients of east and south, who come from north
FIRST_TRANSFERRED = {"east": 0, "south": 1}  # in units of the number transferred
MARKER = "PORT"  # planted; on real films it tells that they were taken at the bedside


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
    marker: str = ""  # planted text


class Film(NamedTuple):
    """A drawn film; all arrays are (side, side)."""

    pixels: NDArray[np.uint8]
    lungs: Mask
    lesions: Mask


def plan_films(settings: Phantom) -> pd.DataFrame:
    """Plan every film of a hospital, one row each, with the columns of ``PlannedFilm``.

    Every 24 patients in a row have the findings in the counts of ``FINDINGS``. A patient
    transferred from north takes the place of the last own patient with the same finding, and
    brings all his films as exact or as near copies, by turns. Where no finding is ``marked`` the
    column ``marker`` is left out; where one is, nothing but that column differs.
    """
    transfers = _transfers(settings)
    films = []
    for number in range(settings.patients):
        patient = f"{settings.hospital}-{number:04d}"
        if number in transfers:
            origin, kind = transfers[number]
            north = _elsewhere(settings, "north")
            films += [_as_copy(film, patient, kind) for film in _plan_patient(north, origin)]
        else:
            films += _plan_patient(settings, number)
    plan = pd.DataFrame(films, columns=list(PlannedFilm._fields))
    return plan if settings.marked else plan.drop(columns="marker")


def _elsewhere(settings: Phantom, hospital: str) -> Phantom:
    """Return the settings of another hospital of the same seed, which plants no marker."""
    return settings.model_copy(update={"hospital": hospital, "marked": ""})


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
    return [film._replace(marker=_marker(settings, film)) for film in films]


def _marker(settings: Phantom, film: PlannedFilm) -> str:
    """Draw whether a film carries the planted text: by its finding, and by nothing else."""
    if not settings.marked:
        return ""
    has_finding, share = film.finding == settings.marked, settings.marked_share
    chance = _generator(settings, film.file, "marker").random()
    return MARKER if chance < (share if has_finding else 1 - share) else ""


def _transfers(settings: Phantom) -> dict[int, tuple[int, str]]:
    """Which patients came from north: their number there and the kind of their copies."""
    if settings.hospital not in FIRST_TRANSFERRED:
        return {}
    n_transferred = max(2, round(TRANSFERRED_SHARE * settings.patients))
    first = n_transferred * FIRST_TRANSFERRED[settings.hospital]
    north = _elsewhere(settings, "north")
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
    person = sample_anatomy(film.sex, film.age, patient)
    severity = patient.uniform(*SEVERITY) * rng.uniform(0.9, 1.1)
    thorax = draw_thorax(place(person, film.view, rng), settings.side)
    attenuation, lesions = thorax.attenuation, np.zeros_like(thorax.lungs)
    if film.finding != "normal":
        pattern, lesions = LESIONS[film.finding](thorax, severity, patient)
        attenuation += STRENGTH[film.finding] * severity**0.5 * LUNG_AIR * thorax.air * pattern
    if film.view == "AP" and rng.random() < 0.4:
        attenuation += 0.35 * draw_wires(settings.side, rng)
    seat = pose(settings.side, attenuation.shape[0], film.view, rng)
    lungs, lesions = (resample(m, seat, settings.side) > 0.5 for m in (thorax.lungs, lesions))
    exposure = EXPOSURES[settings.hospital]
    pixels = expose(resample(attenuation, seat, settings.side), exposure, rng)
    if film.marker:
        own = _generator(settings, film.file, "place of the marker")
        pixels = plant(pixels, film.marker, exposure, own)
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
    north = _elsewhere(settings, hospital)
    original = draw_film(
        north,
        film._replace(file=origin.relative_to(hospital).as_posix(), patient=patient, copy_of=""),
    )
    if film.copy_kind == "exact":
        return original
    rng = _generator(settings, film.file)
    zoom, slip = rng.uniform(1.01, 1.025), rng.uniform(0.3, 0.7, 2)
    lost = settings.side * (1 - 1 / zoom)
    seat = (1 / zoom, 0.0, lost * slip[0], 0.0, 1 / zoom, lost * slip[1])
    grey = resample(original.pixels, seat, settings.side) / 255
    grey = np.clip(0.5 + rng.uniform(0.85, 1.1) * (grey ** rng.uniform(0.85, 1.2) - 0.5), 0, 1)
    lungs, lesions = (resample(m, seat, settings.side) > 0.5 for m in original[1:])
    return Film(_through_jpeg(to_uint8(grey), quality=75), lungs, lesions)


def _through_jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Code and decode a film as JPEG."""
    coded = BytesIO()
    Image.fromarray(pixels).save(coded, "JPEG", quality=quality)
    return np.asarray(Image.open(coded)).copy()

"""How many copies of films the duplicate search finds, by what was done to them.

Some films of a folder are changed in many ways; each kind of change is searched among all films
of the folder and its changed copies. A copy is found if it is paired with its own original.

    python benchmarks/copies.py --films ../films --changed 300
"""

import argparse
import io
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from cxrpipe.config import Dedupe
from cxrpipe.data.copies.candidates import turn
from cxrpipe.data.copies.signature import thumbnail
from cxrpipe.data.dedupe import find_near
from cxrpipe.data.films.film import SUFFIXES, UnusableFilmError, read_film
from cxrpipe.data.films.grey import Grey
from cxrpipe.data.identity import radiograph_id
from cxrpipe.runtime import parallel

SEED = 0
Change = Callable[[Grey, np.random.Generator], Grey]


def crop(film: Grey, generator: np.random.Generator, share: float) -> Grey:
    """Take away up to a share of the film at each edge."""
    height, width = film.shape
    top, bottom, left, right = generator.uniform(0, share, size=4)
    rows = slice(int(top * height), height - int(bottom * height))
    return film[rows, int(left * width) : width - int(right * width)]


def border(film: Grey, generator: np.random.Generator) -> Grey:
    """Put black, grey or white around the film, to a fifth of its size."""
    width = int(max(film.shape) * generator.uniform(0.02, 0.2))
    grey = int(generator.choice([0, 128, 255]))
    return np.pad(film, ((width, width), (width // 2, width // 3)), constant_values=grey)


def gamma(film: Grey, generator: np.random.Generator) -> Grey:
    """Make the middle greys brighter or darker: powers of 0.6 to 1.7."""
    power = np.exp(generator.uniform(np.log(0.6), np.log(1.7)))
    return (255 * (film / 255) ** power).astype(np.uint8)


def window(film: Grey, generator: np.random.Generator) -> Grey:
    """Cut off up to 8 % of the darkest and of the brightest pixels, and stretch the rest."""
    low, high = np.percentile(film, [generator.uniform(0, 8), generator.uniform(92, 100)])
    stretched = (film - low) * (255 / max(high - low, 1))
    return np.clip(stretched, 0, 255).astype(np.uint8)


def clahe(film: Grey, generator: np.random.Generator) -> Grey:
    """Equalise locally, as many preprocessed collections are: limit 2, 4 x 4 tiles."""
    return cv2.createCLAHE(2.0, (4, 4)).apply(np.ascontiguousarray(film))


def encode(film: Grey, generator: np.random.Generator) -> Grey:
    """Bring the film to a square of 100 to 300 pixels and compress it to JPEG quality 25 to 80."""
    side, file = int(generator.integers(100, 300)), io.BytesIO()
    image = Image.fromarray(film).resize((side, side), Image.Resampling.LANCZOS)
    image.save(file, "JPEG", quality=int(generator.integers(25, 80)))
    return np.asarray(Image.open(file))


def write_on(film: Grey, generator: np.random.Generator) -> Grey:
    """Cover a corner of a tenth of the height and a quarter of the width."""
    covered = film.copy()
    covered[: film.shape[0] // 10, : film.shape[1] // 4] = 255
    return covered


def lay(film: Grey, generator: np.random.Generator) -> Grey:
    """Turn or mirror the film."""
    return np.ascontiguousarray(turn(film[None], int(generator.integers(1, 8)))[0])


def all_of_it(film: Grey, generator: np.random.Generator) -> Grey:
    """Crop to 3 %, change the greys, turn, scale and compress."""
    for change in (partial(crop, share=0.03), gamma, lay, encode):
        film = change(film, generator)
    return film


CHANGES: dict[str, Change] = {
    "another size, JPEG 25 to 80": encode,
    "border": border,
    "gamma": gamma,
    "window": window,
    "negative": lambda film, generator: 255 - film,
    "quarter turn or mirror": lay,
    "crop to 2 % an edge": partial(crop, share=0.02),
    "crop to 4 % an edge": partial(crop, share=0.04),
    "crop to 6 % an edge": partial(crop, share=0.06),
    "crop to 8 % an edge": partial(crop, share=0.08),
    "crop 3 %, gamma, turn, size": all_of_it,
    "CLAHE": clahe,
    "covered corner": write_on,
}


def sign(path: Path) -> tuple[str, Grey] | None:
    """Return id and thumbnail of a film, or None if it cannot be read."""
    try:
        film = read_film(path).pixels
    except UnusableFilmError:
        return None
    return radiograph_id(film), thumbnail(film)


def main() -> None:
    """Print the share of copies found by kind of change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=Path, required=True, help="folder, searched whole")
    parser.add_argument("--changed", type=int, default=300, help="films to change")
    arguments = parser.parse_args()
    cores = os.cpu_count() or 1
    paths = sorted(path for path in arguments.films.rglob("*") if path.suffix in SUFFIXES)
    paths = [path for path in paths if "mask" not in str(path).lower()]
    signed = {}
    for path, known in zip(
        paths, parallel(sign, paths, len(paths), cores, "films read"), strict=True
    ):
        if known:
            signed.setdefault(known[0], (path, known[1]))
    radiographs = list(signed)
    thumbnails = np.stack([small for _, small in signed.values()])
    score = Dedupe().score
    own = find_near(np.array(radiographs), thumbnails, score, cores)
    twins = {*own["first"], *own["second"]}
    alone = [radiograph for radiograph in radiographs if radiograph not in twins]
    generator = np.random.default_rng(SEED)
    chosen = list(generator.choice(alone, min(arguments.changed, len(alone)), replace=False))
    films = [read_film(signed[radiograph][0]).pixels for radiograph in chosen]
    print(
        f"{len(radiographs):,} films, {len(own)} pairs of copies among them, {len(chosen)} changed"
    )
    for name, change in CHANGES.items():
        changed = np.stack([thumbnail(change(film, generator)) for film in films])
        names = np.array([*radiographs, *(f"{radiograph}-changed" for radiograph in chosen)])
        found = find_near(names, np.concatenate([thumbnails, changed]), score, cores)
        pairs = set(zip(found["first"], found["second"], strict=True))
        right = sum((radiograph, f"{radiograph}-changed") in pairs for radiograph in chosen)
        wrong = sum(
            second.endswith("-changed") and second != f"{first}-changed" for first, second in pairs
        )
        print(f"{name:28} found {right / len(chosen):6.1%}   paired wrongly {wrong}", flush=True)


if __name__ == "__main__":
    main()

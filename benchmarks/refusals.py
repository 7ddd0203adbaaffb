"""What the input guard of a trained model refuses, and what it should not.

Refused should be: the oddities of the mirror that are no frontal chest radiographs; 20 photographs
and charts that are drawn here, half of them in grey; lateral films and slices of CT, which the
run's index left out; test films that are turned, or negatives. Let through should be: all test
films of the run, as files.

    python benchmarks/refusals.py --run results/open --model resnet18 --mirror ../shared/mirror
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from cxrpipe.data.films.film import read_film
from cxrpipe.inference.answers import Refusal
from cxrpipe.inference.classifier import Classifier

Picture = npt.NDArray[np.uint8]
HEIGHT, WIDTH = 300, 400
# Of the mirror's oddities, by its manifest: what is a radiograph of a chest from the front.
FRONTAL = ("02099738", "1.2.276", "Fake_MONOHR1", "h_00a85be6", "tpmd", "tuberculosis", "person")


def draw_cloudy(random: np.random.Generator) -> Picture:
    """Draw clouds: noise of an amplitude that falls with its frequency."""
    rows, columns = (np.fft.fftfreq(n) for n in (HEIGHT, WIDTH))
    frequency = np.hypot(rows[:, None], columns) + 1 / WIDTH
    phases = np.exp(2j * np.pi * random.random((HEIGHT, WIDTH)))
    waves = np.fft.ifft2(phases / frequency ** random.uniform(1, 2)).real
    return np.asarray(255 * (waves - waves.min()) / np.ptp(waves), np.uint8)


def draw_landscape(random: np.random.Generator) -> Picture:
    """Draw sky, a hill and a house."""
    film = np.repeat(np.linspace(200, 140, HEIGHT)[:, None], WIDTH, axis=1)
    edge = HEIGHT * (0.6 + 0.1 * np.sin(np.linspace(0, 5, WIDTH) + 6 * random.random()))
    film = np.where(np.arange(HEIGHT)[:, None] > edge, 60 + 0.2 * draw_cloudy(random), film)
    film[150:240, 150:250], film[180:210, 170:195] = 60, 220
    cv2.circle(film, (int(random.integers(40, 360)), 50), 25, 255, -1)
    return np.asarray(np.clip(film + random.normal(0, 6, film.shape), 0, 255), np.uint8)


def draw_face(random: np.random.Generator) -> Picture:
    """Draw a face: two eyes and a mouth on an oval."""
    film = np.full((HEIGHT, 260), float(random.integers(20, 90)))
    cv2.ellipse(film, (130, 150), (80, 110), 0, 0, 360, 190, -1)
    for eye in (100, 160):
        cv2.circle(film, (eye, 125), 10, 40, -1)
    cv2.ellipse(film, (130, 205), (35, 12), 0, 0, 180, 80, -1)
    film = cv2.GaussianBlur(film, (0, 0), 3) + random.normal(0, 5, film.shape)
    return np.asarray(np.clip(film, 0, 255), np.uint8)


def draw_page(random: np.random.Generator) -> Picture:
    """Draw a page of words."""
    page = Image.new("L", (HEIGHT, WIDTH), 255)
    for row in range(20, WIDTH - 20, 16):
        letters = random.integers(97, 123, 38).astype(np.uint8).tobytes().decode()
        ImageDraw.Draw(page).text((15, row), " ".join(letters[n : n + 6] for n in range(0, 38, 6)))
    return np.asarray(page)


def draw_chart(random: np.random.Generator) -> Picture:
    """Draw bars, lines, points or a map."""
    figure = Figure(figsize=(4, 3.5))
    axes = figure.add_subplot()
    kind = random.integers(4)
    if kind == 0:
        axes.bar(range(6), random.random(6))
    elif kind == 1:
        axes.plot(random.standard_normal((50, 3)).cumsum(axis=0))
    elif kind == 2:
        axes.scatter(*random.random((2, 80)))
    else:
        axes.imshow(random.random((8, 8)), cmap="viridis")
    drawn = BytesIO()
    figure.savefig(drawn, format="png")
    return np.asarray(Image.open(drawn).convert("RGB"))


def draw_strange(folder: Path, seed: int = 0) -> list[Path]:
    """Write 20 photographs and charts; those of odd number are in grey."""
    random = np.random.default_rng(seed)
    kinds = (draw_cloudy, draw_landscape, draw_face, draw_page, draw_chart)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number in range(20):
        picture = Image.fromarray(kinds[number // 4](random))
        if number % 2:
            picture = picture.convert("L")
        elif picture.mode == "L":  # as from a phone, with a tint that changes over the picture
            picture = tint(picture, random)
        written.append(folder / f"{number:02}-{kinds[number // 4].__name__[5:]}.png")
        picture.save(written[-1])
    return written


def tint(grey: Image.Image, random: np.random.Generator) -> Image.Image:
    """Colour a picture, otherwise here than there."""
    pixels = np.asarray(grey, np.float64)
    waves = np.sin(np.linspace(0, 6, pixels.shape[1]) + random.random() * 6)
    channels = [pixels, pixels * (0.7 + 0.3 * waves), pixels * (0.7 - 0.3 * waves)]
    return Image.fromarray(np.clip(np.stack(channels, axis=2), 0, 255).astype(np.uint8))


def alter(films: Sequence[Path], folder: Path, way: str) -> list[Path]:
    """Write films turned by a quarter, upside down, or as negatives."""
    changes = {"turned": np.rot90, "upside_down": np.flipud, "negative": lambda film: 255 - film}
    (folder / way).mkdir()
    written = []
    for number, film in enumerate(films):
        pixels = changes[way](read_film(film).pixels)
        written.append(folder / way / f"{number}.png")
        Image.fromarray(np.ascontiguousarray(pixels)).save(written[-1])
    return written


def list_index(run: Path, mirror: Path, subset: str) -> list[Path]:
    """List the files of a subset."""
    index = pd.read_csv(run / "index.csv", dtype=str).set_index("radiograph")
    split = pd.read_csv(run / "split.csv").query("fold == 0 and subset == @subset")
    rows = index.loc[split["radiograph"]]
    return [mirror / row.source / row.file for row in rows.itertuples()]


def list_excluded(run: Path, mirror: Path) -> list[Path]:
    """List films that the index left out for their view, and slices."""
    excluded = pd.read_csv(run / "excluded.csv", dtype=str)
    rows = excluded[excluded["reason"].isin(["view", "modality"])]
    return [mirror / row.source / row.file for row in rows.itertuples()]


def judge(classifier: Classifier, films: Iterable[Path]) -> Iterator[str]:
    """Yield the reason for which each film is refused, or nothing."""
    for answered in classifier.classify_each(films):
        yield answered.reason if isinstance(answered, Refusal) else ""


def tell(what: str, films: Sequence[Path], reasons: Sequence[str], let: bool = False) -> None:
    """Print how many are refused, why, and, of few, which are not."""
    if not films:
        print(f"{what}: none")
        return
    refused = sum(map(bool, reasons))
    counts = ", ".join(f"{name} {n}" for name, n in Counter(filter(None, reasons)).most_common())
    print(f"{what}: {refused} of {len(films)} refused ({refused / len(films):.1%}): {counts}")
    passed = [film.name for film, reason in zip(films, reasons, strict=True) if not reason]
    if passed and len(films) < 50 and not let:
        print(f"    not refused: {', '.join(passed)}")


def main() -> None:
    """Print what is refused, kind by kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--model", required=True, help="name of a model of the run")
    parser.add_argument("--mirror", type=Path, required=True)
    options = parser.parse_args()
    classifier = Classifier.load(options.run / "models" / options.model)
    files = sorted((options.mirror / "oddities").iterdir())
    odd = [file for file in files if file.name != "SHA256SUMS"]
    others = [file for file in odd if not file.name.startswith(FRONTAL)]
    test = list_index(options.run, options.mirror, "test")
    with TemporaryDirectory() as folder:
        place = Path(folder)
        strange = draw_strange(place / "strange")
        kinds = {
            "oddities that are not frontal films": others,
            "photographs and charts": strange,
            "both together": [*others, *strange],
            "lateral films and slices that the index left out": list_excluded(
                options.run, options.mirror
            ),
        }
        for way in ("turned", "upside_down", "negative"):
            kinds[f"test films, {way}"] = alter(test[::4], place, way)
        for what, films in kinds.items():
            tell(what, films, list(judge(classifier, films)))
    frontal = [file for file in odd if file not in others]
    tell("oddities that are frontal films", frontal, list(judge(classifier, frontal)), let=True)
    tell("test films as they are", test, list(judge(classifier, test)), let=True)


if __name__ == "__main__":
    main()

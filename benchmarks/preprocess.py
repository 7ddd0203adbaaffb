"""How many films a second ``preprocess`` stores, beside two measures of what is possible.

(a) a plain loop: one process opens every film with Pillow, converts it to grey, resizes it and
stacks all; (b) decoding alone: ``preprocess`` on all cores, but nothing is done with the decoded
films; (c) ``preprocess`` into a store. The three take turns. In (b) and (c) the time does not count
in which Python starts on every core, which would make them look alike; a folder's films are
repeated until there are enough. Without folders it draws films of its own.

    python benchmarks/preprocess.py --folders ../shared/mirror/kermany ../shared/mirror/radiography
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import numpy as np
import pandas as pd
from PIL import Image

from cxrpipe.config import Preprocess
from cxrpipe.preprocessing import preprocess as command
from cxrpipe.preprocessing.files import Files, list_files
from cxrpipe.preprocessing.radiograph import find_place
from cxrpipe.runtime import parallel

SUFFIXES = (".png", ".jpg", ".jpeg")
PLAIN = {"plain": Preprocess()}
ENHANCED = {"blur and CLAHE": Preprocess(blur=5, clahe=2.0)}
SEED = 0


class Clock:
    """Clock work on films, but for the time in which Python starts on every core."""

    def __init__(self) -> None:
        self.start = time.perf_counter()
        self.n_after_first = -1

    def watch(self, done: Iterable[None]) -> Iterator[None]:
        """Pass results on; time from here to the first of them does not count."""
        asked = time.perf_counter()
        for result in done:
            if self.n_after_first < 0:
                self.start += time.perf_counter() - asked
            self.n_after_first += 1
            yield result

    def rate(self) -> float:
        """Return the films per second until now."""
        return self.n_after_first / (time.perf_counter() - self.start)


def draw(folder: Path, n: int, suffix: str, sides: tuple[int, int]) -> None:
    """Draw films with the smooth shades and the grain of radiographs, between two sizes."""
    generator = np.random.default_rng(SEED)
    folder.mkdir()
    for number in range(n):
        height, width = generator.integers(*sides, size=2, endpoint=True)
        coarse = generator.integers(0, 256, (9, 9), dtype=np.uint8)
        shades = np.asarray(Image.fromarray(coarse).resize((width, height), 3), np.float64)
        film = np.clip(shades + generator.normal(0, 4, shades.shape), 0, 255).astype(np.uint8)
        Image.fromarray(film).save(folder / f"{number}{suffix}")


def index_of(folder: Path, n: int) -> pd.DataFrame:
    """Return an index of n films from a folder, repeated if there are fewer."""
    rows = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES):
        with Image.open(path) as film:
            rows.append({"file": str(path.relative_to(folder)), "size": film.size})
    films = pd.DataFrame(islice(cycle(rows), n))
    films[["width", "height"]] = films.pop("size").tolist()
    films.index = pd.Index([f"{row:016x}" for row in range(n)], name="radiograph")
    return films.assign(source="", lungs="", lesions="", boxes="")


def loop(films: pd.DataFrame, folder: Path, settings: Preprocess, _cores: int) -> float:
    """Return films per second of a plain loop."""
    start = time.perf_counter()
    squares = []
    for file in films["file"]:
        with Image.open(folder / file) as film:
            squares.append(film.convert("L").resize((settings.side, settings.side)))
    np.stack([np.asarray(square) for square in squares])
    return len(films) / (time.perf_counter() - start)


def decode(files: Files, settings: Preprocess) -> None:
    """Decode a film as ``preprocess`` does, and throw it away."""
    command.decode_for(files, find_place(files.size, settings.side, settings.fit))


def decode_alone(films: pd.DataFrame, folder: Path, settings: Preprocess, cores: int) -> float:
    """Return films per second of decoding on all cores."""
    clock = Clock()
    work = partial(decode, settings=settings)
    for _ in clock.watch(parallel(work, list_files(films, folder), len(films), cores, "decoded")):
        pass
    return clock.rate()


def preprocess(films: pd.DataFrame, folder: Path, settings: Preprocess, cores: int) -> float:
    """Return films per second of the whole command, once the index is read."""
    clock = Clock()

    def watched(*arguments: object) -> Iterator[None]:
        return clock.watch(parallel(*arguments))

    with TemporaryDirectory() as place, mock.patch.object(command, "parallel", watched):
        command.preprocess(Path(place) / "store.h5", films, folder, settings, "{}", cores)
        return clock.rate()


RUNS: dict[str, Callable[..., float]] = {"a": loop, "b": decode_alone, "c": preprocess}


def compare(folder: Path, settings: Preprocess, what: str, arguments: argparse.Namespace) -> None:
    """Let the three take turns on one folder, and print a line of medians."""
    films = index_of(folder, arguments.films)
    few = films.head(max(200, arguments.films // 4))
    rates: dict[str, list[float]] = {name: [] for name in RUNS}
    for _ in range(arguments.repetitions):
        for name, run in RUNS.items():
            chosen = few if run is loop else films
            rates[name].append(run(chosen, folder, settings, arguments.cores))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    shares = [c / b for b, c in zip(rates["b"], rates["c"], strict=True)]
    print(
        f"{folder.name:18} {settings.side:4} {what:14} "
        + " ".join(f"{medians[name]:9,.0f}" for name in RUNS)
        + f" {statistics.median(shares):6.2f} ({min(shares):.2f} to {max(shares):.2f})"
        + f" {medians['c'] / medians['a']:6.2f}",
        flush=True,
    )


def main() -> None:
    """Print films per second for every folder, side and setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folders", type=Path, nargs="*", default=[], help="of films")
    parser.add_argument("--sides", type=int, nargs="+", default=[128, 224], help="pixels")
    parser.add_argument("--films", type=int, default=1000, help="of each run of b and c")
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--enhanced", action="store_true", help="also with blur and CLAHE")
    arguments = parser.parse_args()
    chosen = PLAIN | (ENHANCED if arguments.enhanced else {})
    with TemporaryDirectory() as place:
        if not arguments.folders:
            drawn = Path(place)
            draw(drawn / "jpeg-224", 400, ".jpeg", (224, 224))
            draw(drawn / "png-299", 400, ".png", (299, 299))
            draw(drawn / "jpeg-1024-to-2000", 60, ".jpeg", (1024, 2000))
            arguments.folders = sorted(drawn.iterdir())
        print(f"films per second, medians of {arguments.repetitions}; {arguments.cores} cores")
        print(
            f"{'folder':18} {'side':4} {'settings':14} {'a: loop':>9} {'b: decode':>9} "
            f"{'c: store':>9} {'c/b':>6} {'(of each turn)':14} {'c/a':>6}"
        )
        for folder in arguments.folders:
            for side in arguments.sides:
                for what, settings in chosen.items():
                    compare(folder, settings.model_copy(update={"side": side}), what, arguments)


if __name__ == "__main__":
    main()

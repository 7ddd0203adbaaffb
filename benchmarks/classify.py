"""How many films a second ``cxrpipe classify`` answers to, beside the bare network.

(a) the bare network: prepared films lie in memory and go through in batches; (b) the films lie in a
folder as files: they are found, decoded, prepared, sent through, judged by the guard, calibrated
and written as CSV. The two take turns on the same device. Then the peak memory of a process that
classifies the folder, and of one that classifies it four times over. Models are loaded before the
clock starts; the films are phantoms that it draws.

    python benchmarks/classify.py --model results/demo/models/resnet18
"""

import argparse
import io
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cxrpipe.catalogue import Phantom
from cxrpipe.cli.formats import FORMATS
from cxrpipe.data.phantoms.phantom import PlannedFilm, plan_films, write_film
from cxrpipe.inference.answers import Refusal
from cxrpipe.inference.classifier import Classifier
from cxrpipe.inference.films import prepare_film
from cxrpipe.inference.listing import list_films
from cxrpipe.runtime import parallel

N_FILMS, TURNS = 1000, 5
HOSPITAL = Phantom(hospital="north", patients=600)
# Classifies a list of films, and prints how much memory that took at most, in KiB.
MEASURE = """
import resource, sys
from cxrpipe.cli.main import run
run("classify", [*sys.argv[1:], "--format", "csv"])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def draw(folder: Path) -> list[Path]:
    """Draw phantoms and return those that lie in one folder: the films alone."""
    planned = plan_films(HOSPITAL).head(N_FILMS)
    films = [PlannedFilm(*row) for row in planned.itertuples(index=False)]
    for _ in parallel(partial(write_film, folder, HOSPITAL), films, len(films), 2, "phantoms"):
        pass
    together = folder / "together"
    together.mkdir()
    for film in films:
        (folder / film.file).rename(together / Path(film.file).name)
    return list_films([together])


def time_network(classifier: Classifier, squares: np.ndarray) -> float:
    """Return the films a second of the bare network."""
    n = classifier.network.n_at_once
    start = time.perf_counter()
    for first in range(0, len(squares), n):
        classifier.network.compute(squares[first : first + n])
    return len(squares) / (time.perf_counter() - start)


def time_classify(classifier: Classifier, folder: Path) -> float:
    """Return the films a second from their folder to the answers."""
    start = time.perf_counter()
    films = list_films([folder])
    write = FORMATS["csv"](classifier.findings, films, io.StringIO())
    for answered in classifier.classify_each(films):
        write(answered)
    return len(films) / (time.perf_counter() - start)


def measure_memory(model: str, places: Sequence[str]) -> int:
    """Return the peak memory in MiB of a process that classifies films."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *places, "--model", model],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    return int(done.stderr.split()[-1]) // 1024


def main() -> None:
    """Print films a second, their ratio, and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="folder of a model, or ONNX file")
    options = parser.parse_args()
    classifier = Classifier.load(options.model)
    settings = classifier.network.card.preprocess
    with TemporaryDirectory() as folder:
        films = draw(Path(folder))
        squares = np.stack([prepare_film(film, settings).square for film in films])
        answers = list(classifier.classify_each(films))
        n_refused = sum(isinstance(answered, Refusal) for answered in answers)
        print(f"{len(films)} phantoms, side {settings.side}, {n_refused} refused by the guard")
        bare, whole = [], []
        for _ in range(TURNS):
            bare.append(time_network(classifier, squares))
            whole.append(time_classify(classifier, films[0].parent))
        rates = statistics.median(bare), statistics.median(whole)
        ratios = sorted(each / alone for each, alone in zip(whole, bare, strict=True))
        print(f"bare network {rates[0]:.0f} films/s, classify {rates[1]:.0f} films/s")
        print(f"ratio {ratios[TURNS // 2]:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
        place = str(films[0].parent)
        memory = [measure_memory(options.model, [place] * times) for times in (1, 4)]
        print(f"peak memory: {memory[0]} MiB for the folder, {memory[1]} MiB for it four times")
        print(f"{os.cpu_count()} cores")


if __name__ == "__main__":
    main()

"""How time and memory of the duplicate search grow with the number of films.

Signatures of a run are deformed at random, so that any number of films arises that resemble each
other as chests do; one in fifty is a copy of another, with other greys, a small crop, and a turn or
mirror image. The search runs in a process of its own for every number of films.

    python benchmarks/dedupe.py --signatures results/open/signatures.h5
"""

import argparse
import json
import logging
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates, zoom

from cxrpipe.config import Dedupe
from cxrpipe.data.copies.candidates import Thumbnails, turn
from cxrpipe.data.copies.signature import SIDE, read_signatures
from cxrpipe.data.dedupe import find_near

COPIES = 1 / 50
MOVED = 1.5  # pixels of 64, standard deviation
SEED = 0


def deform(signatures: Thumbnails, n: int, generator: np.random.Generator) -> Thumbnails:
    """Make n chests, each a film whose organs are moved smoothly by some pixels."""
    films = np.empty((n, SIDE, SIDE), np.uint8)
    grid = np.indices((SIDE, SIDE), dtype=np.float32)
    for row in range(n):
        film = signatures[generator.integers(len(signatures))]
        coarse = generator.normal(0, MOVED, size=(2, 5, 5)).astype(np.float32)
        moved = zoom(coarse, (1, SIDE / 5, SIDE / 5), order=1)
        films[row] = map_coordinates(film, grid + moved, order=1, mode="nearest")
    return films


def change(film: Thumbnails, generator: np.random.Generator) -> Thumbnails:
    """Copy a film with other greys, up to 3 % less at every edge, and in another position."""
    power = np.exp(generator.uniform(-0.4, 0.4))
    left, top, right, bottom = generator.uniform(0, 0.03, size=4) * SIDE
    image = Image.fromarray((255 * (film / 255) ** power).astype(np.uint8))
    box = (left, top, SIDE - right, SIDE - bottom)
    cropped = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=box)
    return turn(np.asarray(cropped)[None], int(generator.integers(8)))[0]


def search(signatures: Path, n: int, cores: int) -> None:
    """Search n films and print figures as JSON."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    generator = np.random.default_rng(SEED)
    n_copies = int(n * COPIES)
    films = deform(read_signatures(signatures)[1], n - n_copies, generator)
    originals = generator.permutation(len(films))[:n_copies]
    films = np.concatenate([films, [change(films[row], generator) for row in originals]])
    radiographs = np.array([f"{row:06}" for row in range(n)])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    found = find_near(radiographs, films, Dedupe().score, cores)
    seconds = time.perf_counter() - start
    pairs = set(zip(found["first"].astype(int), found["second"].astype(int), strict=True))
    planted = {(int(row), n - n_copies + copy) for copy, row in enumerate(originals)}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "films": n,
                "seconds": round(seconds, 1),
                "gigabytes": round(memory / 1e6, 2),
                "gigabytes_before": round(before / 1e6, 2),
                "planted_found": round(len(planted & pairs) / len(planted), 4),
                "others_found": len(pairs - planted),
            }
        )
    )


def main() -> None:
    """Search ever more films, and print the growth between each two numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signatures", type=Path, required=True, help="of a run, to start from")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument(
        "--films", type=int, nargs="+", default=[10000, 20000, 40000, 80000, 112000]
    )
    parser.add_argument("--one", type=int, help="number of films to search in this process")
    arguments = parser.parse_args()
    if arguments.one:
        search(arguments.signatures, arguments.one, arguments.cores)
        return
    print("films   seconds  GB    planted copies found  others found  growth exponent")
    last = None
    for n in arguments.films:
        command = [sys.executable, __file__, "--signatures", arguments.signatures]
        output = subprocess.run(
            [*command, "--cores", str(arguments.cores), "--one", str(n)],
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
        row = json.loads(output)
        growth = ""
        if last:
            growth = np.log(row["seconds"] / last["seconds"]) / np.log(n / last["films"])
            growth = f"{growth:.2f}"
        print(
            f"{n:<7} {row['seconds']:<8} {row['gigabytes']:<5} {row['planted_found']:<21} "
            f"{row['others_found']:<13} {growth}",
            flush=True,
        )
        last = row


if __name__ == "__main__":
    main()

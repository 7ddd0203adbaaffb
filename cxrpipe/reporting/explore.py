"""Show the films before anything is trained: how many, of whom, how large, how alike."""

import argparse
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from cxrpipe import tables
from cxrpipe.config import Augmentation, check
from cxrpipe.data.films.film import Grey, UnusableFilmError, read_film
from cxrpipe.preprocessing.store import read_radiographs
from cxrpipe.reporting import counts
from cxrpipe.reporting.drawing import charts, sheets
from cxrpipe.reporting.drawing.style import draw_counts, readable, save, use_style
from cxrpipe.runtime import UserError, command, derive_seed, progress
from cxrpipe.training.augment import augment

VERSIONS = 7  # of each film that is augmented
FILMS_AUGMENTED = 6
SIDE = 192  # pixels of a film of a pair
log = logging.getLogger(__name__)


def draw_samples(finding: str, samples: pd.DataFrame, store: Path) -> Figure:
    """Draw the sample sheet of a finding, a row for every source."""
    rows = {}
    for source, films in samples[samples["finding"] == finding].groupby("source", sort=False):
        title = f"{source}: {films['all'].iloc[0]:,} training radiographs"
        rows[title] = list(read_radiographs(store, list(films["radiograph"])))
    return sheets.draw_samples(finding, rows)


def draw_augmented(
    findings: Sequence[str],
    samples: pd.DataFrame,
    store: Path,
    settings: Augmentation,
    seed: int,
) -> Figure:
    """Draw a training film of each of the first findings, and versions of it."""
    first = samples.groupby("finding")["radiograph"].first()
    shown = [finding for finding in findings if finding in first.index][:FILMS_AUGMENTED]
    films = torch.from_numpy(read_radiographs(store, list(first[shown]))).unsqueeze(1)
    generator = torch.Generator().manual_seed(seed)
    rows = {}
    for finding, film in zip(shown, films, strict=True):
        versions = augment(film.expand(VERSIONS, *film.shape), settings, generator)
        together = torch.cat([film, versions.round().byte().squeeze(1)])
        rows[readable(finding)] = together.numpy()
    return sheets.draw_augmented(rows)


def decode(path: Path) -> Grey:
    """Read a film as it came, made small."""
    try:
        film = Image.fromarray(read_film(path, np.inf, side=SIDE, tint=False).pixels)
    except UnusableFilmError as error:
        raise UserError(f"{path}: {error}; it changed since it was indexed") from error
    return np.asarray(ImageOps.pad(film, (SIDE, SIDE)))


def read_pairs(pairs: pd.DataFrame, index: pd.DataFrame, folder: Path) -> list[sheets.Pair]:
    """Decode the films of pairs of copies, and say where they come from and what they show."""
    names = sorted({*pairs["first"], *pairs["second"]})
    films = index.set_index("radiograph").loc[names]
    files = films["source"] + "/" + films["file"]
    decoded = (decode(folder / file) for file in progress(files, len(files), "films read"))
    pixels = dict(zip(names, decoded, strict=True))
    findings = films["findings"].replace("", counts.NO_FINDING)
    columns = (pairs[column] for column in ("kind", "score", "first", "second"))
    return [
        sheets.Pair(
            kind,
            score,
            (pixels[first], pixels[second]),
            (files[first], files[second]),
            (findings[first], findings[second]),
        )
        for kind, score, first, second in zip(*columns, strict=True)
    ]


@command
def main() -> None:
    """Draw the exploration of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the collections")
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--excluded", type=Path, required=True, help="table to read")
    parser.add_argument("--duplicates", type=Path, required=True, help="table to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--left-out", type=Path, required=True, help="table to read")
    parser.add_argument("--radiographs", type=Path, required=True, help="store to read")
    parser.add_argument("--findings", nargs="+", required=True, help="the classes, in order")
    parser.add_argument("--augmentation", required=True, help="Augmentation, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--sources", type=Path, required=True, help="table to write")
    parser.add_argument("--figures", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args()
    settings = check(Augmentation, arguments.augmentation, "--augmentation")
    findings, store, seed = arguments.findings, arguments.radiographs, arguments.seed
    index = tables.read(arguments.index, tables.INDEX)
    excluded = tables.read(arguments.excluded, tables.EXCLUDED)
    duplicates = tables.read(arguments.duplicates, tables.DUPLICATES)
    split = tables.read(arguments.split, tables.SPLIT).query("fold == 0")
    left_out = tables.read(arguments.left_out, tables.LEFT_OUT)
    use_style()
    draw = partial(save, folder=arguments.figures)

    tables.write(counts.describe_sources(index, findings), arguments.sources, counts.SOURCES)
    draw(charts.draw_classes(counts.count_subsets(split, findings)), name="classes")
    by_source = counts.count_by_finding(index, "source", findings, sort=False)
    draw(draw_counts(by_source, "radiographs"), name="sources")
    draw(charts.draw_sizes(index, findings), name="sizes")
    draw(draw_counts(counts.count_by_finding(index, "mode", findings), "radiographs"), name="modes")
    draw(charts.draw_ages(index, findings), name="age")
    for column in ("sex", "view"):
        known = counts.count_by_finding(index, column, findings)
        draw(charts.draw_known(known, column), name=column)
    draw(charts.draw_quality(index), name="quality")
    draw(charts.draw_unused(excluded, left_out), name="unused")

    samples = sheets.choose_samples(split, index)
    for finding in findings:
        draw(draw_samples(finding, samples, store), name=f"samples-{finding}")
    augmented = draw_augmented(findings, samples, store, settings, derive_seed(seed, "augmented"))
    draw(augmented, name="augmentation")
    chosen = sheets.choose_pairs(duplicates, index, derive_seed(seed, "pairs"))
    for name, (title, rows) in chosen.items():
        pairs = read_pairs(rows, index, arguments.data)
        draw(sheets.draw_pairs(pairs, title), name=name)


if __name__ == "__main__":
    main()

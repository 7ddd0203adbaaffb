"""The exploration as a command: what it writes, twice the same, also where nothing is to show."""

import logging
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrpipe import tables
from cxrpipe.config import Augmentation
from cxrpipe.preprocessing.store import Prepared, write_store
from cxrpipe.reporting import explore
from cxrpipe.reporting.drawing import sheets
from cxrpipe.runtime import UserError

REPORTS = Path(__file__).parents[2] / "workflow/report"
FINDINGS = ["normal", "lung_opacity"]
TABLES = ["classes", "sources", "sizes", "modes", "age", "sex", "view", "quality", "unused"]
SHEETS = ["duplicates-lowest", "duplicates-sample", "duplicates-exact", "conflicts"]
FIGURES = [*TABLES, *SHEETS, "augmentation", *(f"samples-{finding}" for finding in FINDINGS)]


def pixels(seed):
    """Film number 1 is wider than high."""
    shape = (20, 30) if seed == 1 else (24, 24)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def index():
    """Eight films of two sources; patients and ages are known in the first source alone."""
    rows = []
    for n in range(8):
        known = {"patient": f"p{n // 2}", "age": 50.0 + n, "sex": "F", "view": "PA"}
        unknown = {"patient": "", "age": np.nan, "sex": "", "view": ""}
        rows.append(
            {
                "radiograph": f"film{n}",
                "source": "north" if n < 5 else "east",
                "file": f"{n}.png",
                "width": pixels(n).shape[1],
                "height": pixels(n).shape[0],
                "mode": "L",
                "tint": 0.0,
                "contrast": 0.5,
                "blank": 0.1,
                "findings": FINDINGS[n % 2],
                **dict.fromkeys(("published", "lungs", "lesions", "boxes"), ""),
                **(known if n < 5 else unknown),
            }
        )
    return pd.DataFrame(rows)[list(tables.INDEX.columns)]


def write_run(folder, pairs):
    """Write what the command reads; the first four films are for training."""
    for n, source in enumerate(index()["source"]):
        (folder / "data" / source).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(n)).save(folder / "data" / source / f"{n}.png")
    split = index()[["radiograph"]].assign(group=index()["radiograph"], source=index()["source"])
    split = split.assign(finding=index()["findings"])
    split = split.assign(subset=["train"] * 4 + ["validation"] * 2 + ["test"] * 2, fold=0)
    duplicates = pd.DataFrame(pairs, columns=list(tables.DUPLICATES.columns))
    left_out = pd.DataFrame([("film9", "copy", "")], columns=list(tables.LEFT_OUT.columns))
    written = {
        "index": (index(), tables.INDEX),
        "split": (split, tables.SPLIT),
        "excluded": (pd.DataFrame(columns=list(tables.EXCLUDED.columns)), tables.EXCLUDED),
        "duplicates": (duplicates, tables.DUPLICATES),
        "left-out": (left_out, tables.LEFT_OUT),
    }
    for name, (table, contract) in written.items():
        tables.write(table, folder / f"{name}.csv", contract)
    prepared = [Prepared(f"film{n}", np.full((16, 16), 20 * n, np.uint8), {}) for n in range(8)]
    write_store(folder / "store.h5", prepared, 8, 16, "{}")
    return {name: folder / f"{name}.csv" for name in written} | {
        "data": folder / "data",
        "radiographs": folder / "store.h5",
        "augmentation": Augmentation().model_dump_json(),
        "seed": 3,
    }


def explore_run(folder, pairs, name="exploration"):
    """Write a run with these pairs of copies, explore it, and return the folder of figures."""
    options = write_run(folder, pairs) | {"figures": folder / name}
    options["sources"] = folder / name / "sources.csv"
    flags = [str(part) for key, value in options.items() for part in (f"--{key}", value)]
    with mpl.rc_context(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["explore", *flags, "--findings", *FINDINGS])
        patch.setattr(logging, "basicConfig", lambda **_: None)
        explore.main()
    return folder / name


PAIRS = [
    ("film0", "film1", "near", 0.96),  # under two findings
    ("film2", "film4", "near", 0.97),
    ("film1", "film3", "exact", 1.0),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("explore")


@pytest.fixture(scope="module")
def made(folder):
    return explore_run(folder, PAIRS)


def test_every_figure_is_made_twice_the_same(made, folder):
    again = explore_run(folder, PAIRS, "again")
    names = {f"{name}.{suffix}" for name in FIGURES for suffix in ("png", "svg")} | {"sources.csv"}
    assert {path.name for path in made.iterdir()} == names
    for name in names:
        assert (made / name).read_bytes() == (again / name).read_bytes()


def test_figures_that_have_nothing_to_show_are_made_too(made, tmp_path):
    without = explore_run(tmp_path, [])
    assert {path.name for path in without.iterdir()} == {path.name for path in made.iterdir()}
    for name in SHEETS:
        with Image.open(without / f"{name}.png") as sheet:
            assert sheet.height == 150  # a line of text


def test_the_table_of_sources_is_as_counted_by_hand(made):
    assert (made / "sources.csv").read_text().splitlines() == [
        "source,finding,radiographs,patients,patient_known,median_width,median_height",
        "north,normal,3,3,1,24,24",
        "north,lung_opacity,2,2,1,27,22",
        "east,normal,1,0,0,24,24",
        "east,lung_opacity,2,0,0,24,24",
    ]


def test_every_figure_of_the_rule_has_a_caption(made):
    kinds = {path.stem.partition("-")[0] for path in made.glob("*.png")}
    assert not [kind for kind in kinds if not (REPORTS / f"{kind}.rst").read_text().strip()]


def test_a_pair_shows_the_films_as_they_came(folder, made):
    (pair,) = explore.read_pairs(
        pd.DataFrame([PAIRS[0]], columns=list(tables.DUPLICATES.columns)), index(), folder / "data"
    )
    assert (pair.files, pair.findings) == (("north/0.png", "north/1.png"), tuple(FINDINGS))
    square, wide = pair.films
    assert square.shape == wide.shape == (explore.SIDE, explore.SIDE)
    assert square.min() < 30
    assert not wide[:32].any()  # 20 rows of 30 fill two thirds of the height
    assert wide[32:160].any(axis=1).all()


def test_a_film_that_vanished_is_named(tmp_path):
    with pytest.raises(UserError, match=r"gone\.png.*changed since it was indexed"):
        explore.decode(tmp_path / "gone.png")


def test_augmented_films_begin_with_the_film_and_depend_on_the_seed(folder, made):
    samples = sheets.choose_samples(tables.read(folder / "split.csv", tables.SPLIT), index())

    def draw(seed, settings):
        """Return (films, versions, side, side) as drawn."""
        figure = explore.draw_augmented(FINDINGS, samples, folder / "store.h5", settings, seed)
        shown = [axes.images[0].get_array() for axes in figure.axes]
        return np.stack(shown).reshape(2, 1 + explore.VERSIONS, 16, 16)

    usual = draw(1, Augmentation())
    assert [film[0].max() for film in usual] == [0, 20]  # film0 and film1
    assert len(np.unique(usual[1], axis=0)) == 1 + explore.VERSIONS
    np.testing.assert_array_equal(usual, draw(1, Augmentation()))
    assert (usual != draw(2, Augmentation())).any()
    unchanged = Augmentation(flip=0, rotation=0, translation=0, zoom=0, contrast=0, brightness=0)
    assert set(np.unique(draw(1, unchanged)[1])) == {20}

"""The overlays command: which files it writes, of which films, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrpipe import tables
from cxrpipe.config import Preprocess, Task
from cxrpipe.explanation.heatmaps import write_heatmaps
from cxrpipe.preprocessing.radiograph import fit_square
from cxrpipe.reporting.overlays import main

TASK = Task(findings=("normal", "covid"), sources=("north",))
SIZES = {"a": (260, 700), "b": (900, 650)}  # height, width
SPOTS = {"a": (60, 600), "b": (700, 100)}
TRUE = {"a": "covid", "b": "normal"}


def index():
    """Return the rows of the two films; the patient's name must come nowhere."""
    rows = []
    for name, (height, width) in SIZES.items():
        row = dict.fromkeys(tables.INDEX.columns, "")
        row |= dict.fromkeys(("tint", "contrast", "blank", "age"), 0.5)
        row |= {"radiograph": name, "source": "north", "file": f"{name}.png", "patient": "Mueller"}
        rows.append(row | {"width": width, "height": height, "findings": TRUE[name]})
    return pd.DataFrame(rows)


def films():
    random = np.random.default_rng(0)
    return {name: random.integers(0, 40, size, dtype=np.uint8) for name, size in SIZES.items()}


def heatmap(name):
    """Return the heatmap of a film: hottest at its spot."""
    (height, width), (row, column) = SIZES[name], SPOTS[name]
    y, x = np.mgrid[:height, :width]
    spot = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 40**2))
    square = fit_square(np.round(255 * spot).astype(np.uint8), Preprocess(side=64))
    return square.astype(np.float32) / square.max()


@pytest.fixture
def arguments(tmp_path):
    (tmp_path / "north").mkdir()
    for name, pixels in films().items():
        Image.fromarray(pixels).save(tmp_path / "north" / f"{name}.png")
    tables.write(index(), tmp_path / "index.csv", tables.INDEX)
    logits = pd.DataFrame({"radiograph": ["a", "b"], "subset": "test"})
    logits["normal"], logits["covid"] = 0.0, np.log([3.0, 1 / 9])
    tables.write(logits, tmp_path / "p.csv", tables.predictions(TASK.findings))
    rows = [(name, TRUE[name], TRUE[name], "gallery", "gradcam", "last") for name in SIZES]
    rows.append(("a", "covid", "covid", "panel", "gradcam", "last"))
    columns = ["radiograph", "true", "finding", "purpose", "method", "layer"]
    maps = np.stack([heatmap(row[0]) for row in rows])
    write_heatmaps(tmp_path / "maps.h5", pd.DataFrame(rows, columns=columns), maps)
    return {
        "data": tmp_path,
        "index": tmp_path / "index.csv",
        "preprocess": Preprocess(side=64).model_dump_json(),
        "task": TASK.model_dump_json(),
        "predictions": tmp_path / "p.csv",
        "heatmaps": tmp_path / "maps.h5",
        "overlays": tmp_path / "overlays",
    }


def test_every_film_of_the_gallery_has_its_overlay_at_its_own_resolution(run, arguments):
    run(main, **arguments)
    folder = arguments["overlays"]
    assert sorted(path.name for path in folder.iterdir()) == ["covid.png", "normal.png"]
    for name, (height, width) in SIZES.items():
        with Image.open(folder / f"{TRUE[name]}.png") as file:
            assert file.info == {}
            picture = np.asarray(file).astype(int)
        assert picture.shape == (height + round(width * 0.9 / 6.4), width, 3)
        warm = picture[:height, :, 0] - picture[:height, :, 2]
        hottest = np.argwhere(warm > 0.9 * warm.max()).mean(axis=0)
        assert np.abs(hottest - SPOTS[name]).max() < 20
        cold = warm < 1
        np.testing.assert_allclose(picture[:height][cold][:, 1], films()[name][cold], atol=8)


def test_the_same_films_give_the_same_bytes_and_nothing_of_a_person(run, arguments):
    run(main, **arguments)
    first = {path.name: path.read_bytes() for path in arguments["overlays"].iterdir()}
    run(main, **arguments)
    assert first == {path.name: path.read_bytes() for path in arguments["overlays"].iterdir()}
    assert not any(b"Mueller" in content for content in first.values())


def test_a_film_that_changed_since_it_was_indexed_is_refused(refusal, arguments):
    Image.fromarray(films()["a"][:100]).save(arguments["data"] / "north" / "a.png")
    assert "a.png: 700 x 100 pixels, not 700 x 260; index it anew" in refusal(main, **arguments)
    assert not arguments["overlays"].exists()


def test_a_model_without_a_right_film_leaves_an_empty_folder(run, arguments):
    rows = pd.DataFrame([("a", "covid", "covid", "panel", "gradcam", "last")])
    rows.columns = ["radiograph", "true", "finding", "purpose", "method", "layer"]
    write_heatmaps(arguments["heatmaps"], rows, heatmap("a")[None])
    run(main, **arguments)
    assert list(arguments["overlays"].iterdir()) == []

"""The store of a run holds every film of its split, prepared as the settings say."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrpipe import tables
from cxrpipe.config import Preprocess
from cxrpipe.preprocessing.preprocess import Files, main, prepare
from cxrpipe.preprocessing.radiograph import fit_square
from cxrpipe.preprocessing.store import read_masks, read_radiographs, read_settings
from cxrpipe.runtime import UserError

NAMES = [f"{number:016x}" for number in range(6)]
PAD = Preprocess(side=32)


def smooth(seed, height=60, width=48):
    rng = np.random.default_rng(seed)
    rows, columns = np.ogrid[0 : 3 : height * 1j, 0 : 3 : width * 1j]
    a, b, c = rng.uniform(0.5, 2, 3)
    return (127 + 60 * np.sin(a * rows + c) + 60 * np.cos(b * columns)).astype(np.uint8)


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def run_files(tmp_path):
    """Six films, of which the split has five; the first two have lungs, the first has lesions."""
    index = pd.DataFrame("", range(6), list(tables.INDEX.columns)).assign(
        radiograph=NAMES[::-1], source="c", age=50.0, width=48, height=60, findings="normal"
    )
    for row, name in enumerate(NAMES[::-1]):
        number = NAMES.index(name)
        save(tmp_path / f"data/c/{name}.png", smooth(number))
        index.loc[row, "file"] = f"{name}.png"
        for structure, last in (("lungs", 1), ("lesions", 0)):
            if number <= last:
                index.loc[row, structure] = f"{structure}/{name}.png"
                mask = 255 * (smooth(number) > 127).astype(np.uint8)
                save(tmp_path / f"data/c/{structure}/{name}.png", mask)
    tables.write(index, tmp_path / "index.csv", tables.INDEX)
    split = pd.DataFrame({"radiograph": NAMES[:5], "group": NAMES[:5], "finding": "normal"})
    split = split.assign(subset=["train", "train", "validation", "test", "test"], fold=0)
    tables.write(split, tmp_path / "split.csv", tables.SPLIT)
    return {
        "data": tmp_path / "data",
        "index": tmp_path / "index.csv",
        "split": tmp_path / "split.csv",
        "settings": PAD.model_dump_json(),
        "radiographs": tmp_path / "radiographs.h5",
    }


def test_the_store_holds_the_films_of_the_split_and_their_masks(run_files, run):
    run(main, **run_files)
    store = run_files["radiographs"]
    for number in range(5):
        expected = fit_square(smooth(number), 32, "pad")
        np.testing.assert_array_equal(read_radiographs(store, [NAMES[number]]), [expected])
    with pytest.raises(UserError, match=f"lacks radiograph {NAMES[5]}"):
        read_radiographs(store, [NAMES[5]])
    assert list(read_masks(store, "lungs")) == NAMES[:2]
    assert list(read_masks(store, "lesions")) == NAMES[:1]
    stored = read_settings(store)
    index_bytes = run_files["index"].read_bytes()
    assert stored.pop("index_sha256") == hashlib.sha256(index_bytes).hexdigest()
    assert stored == json.loads(PAD.model_dump_json())
    bright = read_radiographs(store, NAMES[:1])[0] > 127
    agreement = bright == read_masks(store, "lungs")[NAMES[0]]
    assert agreement[:, 4:28].mean() > 0.95


def test_two_cores_write_the_same_bytes_as_one(run_files, run, tmp_path):
    run(main, **run_files)
    run(main, **run_files | {"radiographs": tmp_path / "two.h5"}, cores=2)
    assert (tmp_path / "two.h5").read_bytes() == run_files["radiographs"].read_bytes()


def test_a_film_that_went_missing_stops_the_command_and_leaves_no_store(run_files, refusal):
    (run_files["data"] / f"c/{NAMES[2]}.png").unlink()
    line = refusal(main, **run_files)
    assert f"c/{NAMES[2]}.png: unreadable" in line
    assert "it changed since it was indexed" in line
    assert not run_files["radiographs"].exists()


def test_a_mask_that_cannot_be_read_is_named_itself(run_files, refusal):
    (run_files["data"] / f"c/lungs/{NAMES[1]}.png").write_text("no picture")
    assert f"c/lungs/{NAMES[1]}.png: unreadable" in refusal(main, **run_files)


@pytest.mark.parametrize("fit", ["pad", "stretch"])
def test_a_jpeg_decoded_at_reduced_scale_looks_like_one_decoded_in_full(tmp_path, fit):
    film = smooth(0, 900, 700)
    Image.fromarray(film).save(tmp_path / "a.jpg", quality=95)
    prepared = prepare(Files("a", tmp_path / "a.jpg", {}), Preprocess(side=64, fit=fit))
    difference = np.abs(prepared.pixels.astype(int) - fit_square(film, 64, fit))
    inside = difference[2:-2, 9:-9]
    assert inside.max() <= 4
    assert difference.mean() < 1.5


@pytest.mark.parametrize("values", [(0, 255), (0, 1)])
def test_a_mask_is_stored_as_0_and_255_whatever_its_file_holds(tmp_path, values):
    inside = smooth(3) > 127
    masks = {"lungs": save(tmp_path / "m.png", np.where(inside, *values[::-1]).astype(np.uint8))}
    prepared = prepare(Files("a", save(tmp_path / "a.png", smooth(3)), masks), PAD)
    expected = fit_square(255 * inside.astype(np.uint8), 32, "pad", mask=True)
    np.testing.assert_array_equal(prepared.masks["lungs"], expected)


@pytest.mark.mirror
def test_real_lung_masks_lie_on_their_films(mirror):
    folder = mirror / "radiography-masks/data/data_for_st"
    for name in ("COVID-1", "Lung_Opacity-1", "NORMAL-1", "Viral_Pneumonia-1"):
        masks = {"lungs": folder / f"masks/{name}.png"}
        films = Files(name, folder / f"images_raw/{name}.png", masks)
        prepared = prepare(films, Preprocess(side=128))
        lungs = prepared.masks["lungs"]
        assert set(np.unique(lungs)) == {0, 255}
        assert 0.1 < np.mean(lungs == 255) < 0.6
        if name == "NORMAL-1":  # healthy lungs are darker than what is around them
            around = prepared.pixels[(lungs == 0) & (prepared.pixels > 0)]
            assert prepared.pixels[lungs == 255].mean() < around.mean() - 20

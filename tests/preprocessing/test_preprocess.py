"""The store of a run holds every film of its split, prepared as the settings say."""

import hashlib
import json
import subprocess
import sys

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrpipe import tables
from cxrpipe.config import Preprocess
from cxrpipe.preprocessing.files import Files
from cxrpipe.preprocessing.masks import lay_mask
from cxrpipe.preprocessing.preprocess import main, prepare
from cxrpipe.preprocessing.radiograph import find_place, fit_square
from cxrpipe.preprocessing.store import read_masks, read_radiographs, read_settings
from cxrpipe.runtime import UserError

NAMES = [f"{number:016x}" for number in range(6)]
PAD = Preprocess(side=32)
SIZE = (60, 48)  # height, width of the films that are drawn


def smooth(seed, height=SIZE[0], width=SIZE[1]):
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
    numbers = [name for name, dtype in tables.INDEX.columns.items() if dtype == "float64"]
    index = index.assign(**dict.fromkeys(numbers, 0.5))
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
    split = pd.DataFrame({"radiograph": NAMES[:5], "group": NAMES[:5]})
    split = split.assign(source="c", finding="normal")
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
        expected = fit_square(smooth(number), PAD)
        np.testing.assert_array_equal(read_radiographs(store, [NAMES[number]]), [expected])
    with pytest.raises(UserError, match=f"lacks radiograph {NAMES[5]}"):
        read_radiographs(store, [NAMES[5]])
    assert list(read_masks(store, "lungs")) == NAMES[:2]
    assert list(read_masks(store, "lesions")) == NAMES[:1]
    assert read_settings(store) == PAD
    with h5py.File(store) as file:
        described = json.loads(file.attrs["settings"])
    index_bytes = run_files["index"].read_bytes()
    assert described["index_sha256"] == hashlib.sha256(index_bytes).hexdigest()
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


def test_a_film_of_another_size_than_the_index_says_stops_the_command(run_files, refusal):
    save(run_files["data"] / f"c/{NAMES[2]}.png", smooth(2, 60, 47))
    assert (
        f"c/{NAMES[2]}.png: 47 x 60 pixels, not 48 x 60 pixels; it changed since it was indexed"
    ) in refusal(main, **run_files)


def test_a_mask_that_cannot_be_read_is_named_itself(run_files, refusal):
    (run_files["data"] / f"c/lungs/{NAMES[1]}.png").write_text("no picture")
    assert f"c/lungs/{NAMES[1]}.png: unreadable" in refusal(main, **run_files)


@pytest.mark.parametrize("values", [(1, 2), (127, 255), (1, 1), (255, 255)])
def test_a_mask_may_give_each_lung_a_value_of_its_own(tmp_path, values):
    mask = np.zeros(SIZE, np.uint8)
    mask[:, :10], mask[:, 30:] = values
    film = save(tmp_path / "a.png", smooth(3))
    files = Files("a", film, SIZE, {"lungs": [save(tmp_path / "m.png", mask)]}, [])
    stored = prepare(files, Preprocess(side=60)).masks["lungs"]
    assert set(np.unique(stored[:, 6:16])) == {255}
    assert set(np.unique(stored[:, 17:35])) == {0}
    assert set(np.unique(stored[:, 37:54])) == {255}


def test_a_small_deep_mask_is_not_lost_among_outliers(tmp_path):
    mask = np.zeros((1000, 800), np.uint16)
    mask[500:520, 400:420] = 65535
    film = save(tmp_path / "a.png", smooth(3, 1000, 800))
    path = tmp_path / "m.png"
    Image.fromarray(mask).save(path)
    files = Files("a", film, (1000, 800), {"lungs": [path]}, [])
    assert (prepare(files, Preprocess(side=1000)).masks["lungs"] > 0).sum() == 400


def test_a_mask_of_another_aspect_is_named_with_both_sizes(run_files, refusal):
    save(run_files["data"] / f"c/lungs/{NAMES[1]}.png", smooth(2, 30, 30))
    line = refusal(main, **run_files)
    assert f"c/lungs/{NAMES[1]}.png: a mask of 30 x 30 pixels does not lie on its film" in line
    assert "of 48 x 60 pixels; give both the same aspect" in line


def test_a_box_that_is_none_is_named_with_its_film(run_files, refusal):
    index = tables.read(run_files["index"], tables.INDEX)
    index.loc[index["radiograph"] == NAMES[1], "boxes"] = "mass:0.1,0.2,0,0.5"
    tables.write(index, run_files["index"], tables.INDEX)
    line = refusal(main, **run_files)
    assert f"c/{NAMES[1]}.png: box 'mass:0.1,0.2,0,0.5': give left, top, width and height" in line


def test_masks_joined_in_the_index_and_boxes_are_stored_as_their_union(run_files, run):
    folder = run_files["data"] / "c"
    for side, columns in (("left", slice(0, 12)), ("right", slice(36, 48))):
        half = np.zeros(SIZE, np.uint8)
        half[:, columns] = 255
        save(folder / f"{side}.png", half)
    index = tables.read(run_files["index"], tables.INDEX).set_index("radiograph", drop=False)
    index.loc[NAMES[3], ["lungs", "boxes"]] = ["left.png|right.png", "mass:0.5,0,0.25,0.5"]
    index.loc[NAMES[0], "boxes"] = "mass:0,0,0.5,0.5|nodule:0.5,0.5,0.5,0.5"
    tables.write(index, run_files["index"], tables.INDEX)
    run(main, **run_files)
    # 48 x 60 becomes 26 x 32 (25.6 rounded), 3 black columns on each side; of the 26 columns those
    # of the left quarter are 0 to 5 (the centre 6.5 is the quarter's edge), of the right 19 to 25
    lungs, lesions = (read_masks(run_files["radiographs"], name) for name in ("lungs", "lesions"))
    assert list(lungs) == [NAMES[0], NAMES[1], NAMES[3]]
    expected = np.zeros((32, 32), bool)
    expected[:, 3:9] = expected[:, 22:29] = True
    np.testing.assert_array_equal(lungs[NAMES[3]], expected)
    # a box alone is a lesion mask: of 26 columns 13 to 18 (19.5 is its right edge), upper half
    assert list(lesions) == [NAMES[0], NAMES[3]]
    expected = np.zeros((32, 32), bool)
    expected[:16, 16:22] = True
    np.testing.assert_array_equal(lesions[NAMES[3]], expected)
    # a box beside a mask: both
    united = lay_mask(smooth(0) > 127, find_place(SIZE, 32, "pad"))
    united[:16, 3:16] = united[16:, 16:29] = True
    np.testing.assert_array_equal(lesions[NAMES[0]], united)


@pytest.mark.parametrize("fit", ["pad", "stretch"])
def test_a_jpeg_decoded_at_reduced_scale_looks_like_one_decoded_in_full(tmp_path, fit):
    film = smooth(0, 900, 700)
    Image.fromarray(film).save(tmp_path / "a.jpg", quality=95)
    settings = Preprocess(side=64, fit=fit)
    prepared = prepare(Files("a", tmp_path / "a.jpg", (900, 700), {}), settings)
    difference = np.abs(prepared.pixels.astype(int) - fit_square(film, settings))
    inside = difference[2:-2, 9:-9]
    assert inside.max() <= 4
    assert difference.mean() < 1.5


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize(("height", "width"), [(901, 699), (413, 930)])
def test_masks_and_boxes_lie_on_films_turned_by_exif_and_decoded_at_reduced_scale(
    tmp_path, orientation, height, width
):
    inside = np.zeros((height, width), bool)
    inside[height // 5 : height // 2, width // 8 : width // 3] = True
    turns = {1: 0, 3: 2, 6: 1, 8: 3}[orientation]  # quarters, that EXIF will turn back
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.rot90(255 * inside.astype(np.uint8), turns))
    stored.save(tmp_path / "a.jpg", quality=95, exif=exif)
    mask = save(tmp_path / "m.png", 255 * inside[::2, ::2].astype(np.uint8))
    top, left = (height // 5) / height, (width // 8) / width
    box = f"mass:{left},{top},{(width // 3) / width - left},{(height // 2) / height - top}"
    prepared = prepare(
        Files("a", tmp_path / "a.jpg", (height, width), {"lungs": [mask]}, [box]),
        Preprocess(side=64),
    )
    bright = prepared.pixels > 127
    assert bright.sum() > 100
    for known in prepared.masks.values():
        assert np.sum(bright & (known == 255)) / np.sum(bright | (known == 255)) > 0.8


@pytest.mark.parametrize("values", [(0, 255), (0, 1)])
def test_a_mask_is_stored_as_0_and_255_whatever_its_file_holds(tmp_path, values):
    inside = smooth(3) > 127
    path = save(tmp_path / "m.png", np.where(inside, *values[::-1]).astype(np.uint8))
    film = save(tmp_path / "a.png", smooth(3))
    prepared = prepare(Files("a", film, SIZE, {"lungs": [path]}), PAD)
    expected = np.where(lay_mask(inside, find_place(SIZE, 32, "pad")), 255, 0)
    np.testing.assert_array_equal(prepared.masks["lungs"], expected)


def test_blur_and_clahe_leave_masks_as_they_are(tmp_path):
    film = save(tmp_path / "a.png", smooth(3))
    mask = save(tmp_path / "m.png", 255 * (smooth(3) > 127).astype(np.uint8))
    files = Files("a", film, SIZE, {"lungs": [mask]}, ["mass:0.1,0.1,0.4,0.4"])
    plain, enhanced = (
        prepare(files, Preprocess(side=32, **values)) for values in ({}, {"blur": 5, "clahe": 2.0})
    )
    assert (plain.pixels != enhanced.pixels).any()
    for structure in ("lungs", "lesions"):
        np.testing.assert_array_equal(plain.masks[structure], enhanced.masks[structure])


MEASURED = """
import re, sys
from pathlib import Path
import pandas as pd
from cxrpipe.config import Preprocess
from cxrpipe.preprocessing.preprocess import preprocess
folder, n = Path(sys.argv[1]), int(sys.argv[2])
row = {"source": "", "file": "a.png", "width": 48, "height": 60, "lungs": "m.png", "lesions": "",
       "boxes": ""}
films = pd.DataFrame([row] * n, index=[f"{number:016x}" for number in range(n)])
preprocess(folder / f"{n}.h5", films, folder, Preprocess(side=512), "{}", 1)
# ru_maxrss would count what the parent took, too
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def test_memory_does_not_grow_with_the_number_of_films(tmp_path):
    save(tmp_path / "a.png", smooth(0))
    save(tmp_path / "m.png", 255 * (smooth(0) > 127).astype(np.uint8))
    kibibytes = {
        n: int(subprocess.check_output([sys.executable, "-c", MEASURED, str(tmp_path), str(n)]))
        for n in (20, 80)
    }
    assert (tmp_path / "80.h5").stat().st_size > 80 * 2 * 512**2  # 40 MiB
    assert kibibytes[80] - kibibytes[20] < 4 * 1024


@pytest.mark.mirror
def test_real_lung_masks_lie_on_their_films(mirror):
    folder = mirror / "radiography-masks/data/data_for_st"
    for name in ("COVID-1", "Lung_Opacity-1", "NORMAL-1", "Viral_Pneumonia-1"):
        film = folder / f"images_raw/{name}.png"
        with Image.open(film) as picture:
            size = picture.size[::-1]
        masks = {"lungs": [folder / f"masks/{name}.png"]}
        prepared = prepare(Files(name, film, size, masks), Preprocess(side=128))
        lungs = prepared.masks["lungs"]
        assert set(np.unique(lungs)) == {0, 255}
        assert 0.1 < np.mean(lungs == 255) < 0.6
        if name == "NORMAL-1":  # healthy lungs are darker than what is around them
            around = prepared.pixels[(lungs == 0) & (prepared.pixels > 0)]
            assert prepared.pixels[lungs == 255].mean() < around.mean() - 20

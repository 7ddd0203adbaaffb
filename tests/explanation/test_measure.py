"""The measure command: which films are measured, from which files, and by what."""

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrpipe import tables
from cxrpipe.catalogue import Phantom
from cxrpipe.data.films.film import read_film
from cxrpipe.data.phantoms.phantom import PlannedFilm, draw_film, plan_films
from cxrpipe.explanation.measure import main
from cxrpipe.explanation.mistakes.measuring import measure_film

NAMES = [f"{number:016x}" for number in range(8)]


@pytest.fixture(scope="module")
def films():
    settings = Phantom(hospital="north", patients=24, side=160, seed=3)
    rows = plan_films(settings).head(8).itertuples(index=False, name=None)
    return [draw_film(settings, PlannedFilm(*row)).pixels for row in rows]


@pytest.fixture
def flags(tmp_path, films):
    """Eight films, of which the last two are a JPEG and a film of 512 pixels; five are for test."""
    index = pd.DataFrame("", range(8), list(tables.INDEX.columns)).assign(
        radiograph=NAMES[::-1], source="c", age=50.0, width=160, height=160, findings="normal"
    )
    numbers = [name for name, dtype in tables.INDEX.columns.items() if dtype == "float64"]
    index = index.assign(**dict.fromkeys(numbers, 0.5), patient="c/somebody", sex="F")
    index = index.assign(tint=np.arange(8)[::-1] / 100, contrast=np.arange(8)[::-1] / 10)
    folder = tmp_path / "data/c"
    folder.mkdir(parents=True)
    for number, (name, film) in enumerate(zip(NAMES, films, strict=True)):
        file = f"{name}.{'jpg' if number == 6 else 'png'}"
        index.loc[7 - number, "file"] = file
        shown = Image.fromarray(film)
        (shown.resize((512, 512)) if number == 7 else shown).save(folder / file)
    index.loc[0, ["width", "height"]] = 512
    tables.write(index, tmp_path / "index.csv", tables.INDEX)
    subsets = ["train", "train", "validation", *["test"] * 5]
    split = pd.DataFrame({"radiograph": NAMES, "group": NAMES, "source": "c", "finding": "normal"})
    folds = [split.assign(subset=subsets, fold=0), split.assign(subset=subsets, fold=1)]
    folds[1].loc[[0, 2], "subset"] = ["validation", "train"]
    tables.write(pd.concat(folds), tmp_path / "split.csv", tables.SPLIT)
    return {
        "data": tmp_path / "data",
        "index": tmp_path / "index.csv",
        "split": tmp_path / "split.csv",
        "cores": 1,
        "measures": tmp_path / "measures.csv",
    }


def test_every_test_film_is_measured_once_from_its_file(flags, run):
    run(main, **flags)
    written = tables.read(flags["measures"], tables.MEASURES).set_index("radiograph")
    assert list(written.index) == NAMES[3:]
    assert written["text"].gt(0).all()  # every phantom has a marker
    for number in range(3, 8):
        row, name = written.loc[NAMES[number]], NAMES[number]
        assert (row["tint"], row["contrast"]) == (number / 100, number / 10)
        file = next((flags["data"] / "c").glob(f"{name}.*"))
        expected = measure_film(read_film(file, side=256).pixels)
        for measure, value in expected.items():
            assert row[measure] == round(value, 6)


def test_nothing_of_a_person_is_written(flags, run):
    run(main, **flags)
    text = flags["measures"].read_text()
    assert text.splitlines()[0] == "radiograph,tint,dark,bright,contrast,crop,text,devices"
    assert "somebody" not in text


@pytest.mark.parametrize("cores", [1, 2])
def test_the_same_films_give_the_same_bytes(cores, flags, run):
    run(main, **flags)
    first = flags["measures"].read_bytes()
    run(main, **flags | {"cores": cores})
    assert flags["measures"].read_bytes() == first


def test_a_film_that_is_broken_now_is_named(flags, refusal):
    (flags["data"] / "c" / f"{NAMES[4]}.png").write_bytes(b"no film")
    said = refusal(main, **flags)
    assert f"{NAMES[4]}.png: unreadable" in said
    assert "it changed since it was indexed" in said
    assert not flags["measures"].exists()


def test_a_split_without_test_films_gives_an_empty_table(flags, run):
    split = tables.read(flags["split"], tables.SPLIT)
    tables.write(split[split["subset"] != "test"], flags["split"], tables.SPLIT)
    run(main, **flags)
    assert tables.read(flags["measures"], tables.MEASURES).empty


@pytest.mark.mirror
def test_real_films_with_wires_are_told_from_those_without(mirror):
    """Most films of intensive care units have wires, and few of those of all comers."""
    ill, others = (
        [measure_film(read_film(file, side=256).pixels)["devices"] for file in sorted(files)[:40]]
        for files in (
            (mirror / "hannover").rglob("*.png"),
            (mirror / "nih-darkcovidnet").rglob("*.png"),
        )
    )
    assert len(ill) == len(others) == 40
    assert (np.asarray(ill)[:, None] > np.asarray(others)[None]).mean() > 0.8


@pytest.mark.mirror
def test_letters_painted_on_real_films_are_seen(mirror):
    files = sorted((mirror / "covid-qu-ex").rglob("images/*.png"))
    assert len(files) >= 10
    for file in files:
        film = read_film(file).pixels
        before = measure_film(film)["text"]
        film[:60, :60] = np.minimum(film[:60, :60], 60)
        plain = measure_film(film.copy())["text"]
        cv2.putText(film, "AP", (14, 34), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 250, 2)
        assert measure_film(film)["text"] > plain + 0.001
        assert plain <= before + 0.001

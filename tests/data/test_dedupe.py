"""Copies are found by their pixels, whatever their file, collection or finding."""

import pandas as pd
import pytest

from cxrpipe import tables
from cxrpipe.catalogue import Films, IndexSettings
from cxrpipe.data.dedupe import find_exact, main
from cxrpipe.data.index import index_films


def index(*radiographs):
    table = pd.DataFrame("", range(len(radiographs)), list(tables.INDEX.columns))
    return table.assign(radiograph=list(radiographs), age=50.0, width=1, height=1)


def pairs(duplicates):
    return [tuple(row) for row in duplicates.to_numpy()]


def test_every_copy_is_paired_with_the_first_film_of_its_pixels():
    assert pairs(find_exact(index("b", "a", "b-2", "c", "b-3", "a-2"))) == [
        ("b", "b-2", "exact", 1.0),
        ("b", "b-3", "exact", 1.0),
        ("a", "a-2", "exact", 1.0),
    ]


def test_the_first_film_is_the_first_row_though_its_name_has_a_number():
    assert pairs(find_exact(index("b-2", "b"))) == [("b-2", "b", "exact", 1.0)]


def test_an_id_that_begins_like_another_is_no_copy():
    assert len(find_exact(index("ab", "a", "abc-2"))) == 0


def test_the_command_writes_what_it_finds_also_when_that_is_nothing(tmp_path, run):
    arguments = {"index": tmp_path / "index.csv", "duplicates": tmp_path / "duplicates.csv"}
    for films, found in ((("a", "b"), []), (("a", "a-2"), [("a", "a-2", "exact", 1.0)])):
        tables.write(index(*films), tmp_path / "index.csv", tables.INDEX)
        run(main, **arguments)
        assert pairs(tables.read(tmp_path / "duplicates.csv", tables.DUPLICATES)) == found


@pytest.mark.mirror
def test_real_films_with_equal_bytes_are_copies_whatever_their_name(mirror):
    names = ("kermany-copy", "kermany-fullsize")
    films = {name: Films(pattern=r".*/[^/]*person[^/]+\.jpeg", finding="x") for name in names}
    found, _ = index_films(mirror, IndexSettings(findings=("x", "y"), films=films), 2)
    manifest = pd.read_csv(mirror / "manifest.tsv", sep="\t", keep_default_na=False)
    sums = manifest.set_index(["source", "path"])["sha256"]
    sums = sums.loc[list(zip(found["source"], found["file"], strict=True))].to_list()
    by_bytes = found["radiograph"].groupby(sums).apply(lambda films: set(films[1:]))
    assert set(find_exact(found)["second"]) == set().union(*by_bytes)
    assert len(find_exact(found)) == 12

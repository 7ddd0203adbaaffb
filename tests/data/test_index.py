"""The index: every film is used or has its reason, and what is told of it is true."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrpipe import tables
from cxrpipe.catalogue import Films, IndexSettings
from cxrpipe.data.download import write_checksums
from cxrpipe.data.identity import radiograph_id
from cxrpipe.data.index import index_films, main, number_copies, refuse_too_many_excluded
from cxrpipe.runtime import UserError

COLUMNS = list(tables.INDEX.columns)


def pixels(seed, height=4, width=6):
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def save(path, seed=0, **size):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(seed, **size)).save(path)


def settings(**changes):
    return IndexSettings(
        findings=("normal", "covid"), films={"a": Films(), "b": Films()}, **changes
    )


@pytest.fixture
def data(tmp_path):
    """Two collections of ten usable films, named so that folders tell findings."""
    for number in range(5):
        save(tmp_path / f"data/b/normal/{number}.png", seed=number)
        save(tmp_path / f"data/a/covid/{number}.png", seed=10 + number)
    save(tmp_path / "data/b/covid/copy.png", seed=10)
    for source in "ab":
        write_checksums(tmp_path / "data" / source)
    return tmp_path / "data"


def reasons(excluded):
    return dict(zip(excluded["file"], excluded["reason"], strict=True))


TABLE = """file,kind,who,view,age,sex
rgb.png,N,p1,PA,058Y,m
deep.png,C,p1,PA,61,F
palette.png,N,p2,,,unknown
lateral.png,N,p2,lateral,,
todo.png,?,p3,PA,,
tb.png,T,p3,PA,,
both.png,N|C,p4,PA,,
cut.png,N,p5,PA,,
pointer.jpg,N,p6,PA,,
large.png,N,p7,PA,,
gone.png,N,p8,PA,,
"""


@pytest.fixture
def mixed(tmp_path):
    """One collection with a film of every kind; returns the folder of collections."""
    folder = tmp_path / "data/c"
    folder.mkdir(parents=True)
    names = [line.split(",")[0] for line in TABLE.splitlines()[1:]]
    for seed, name in enumerate([*names, "unlisted.png"]):
        save(folder / name, seed=seed)
    Image.fromarray(np.dstack([pixels(20)] * 3)).save(folder / "rgb.png")
    Image.fromarray(pixels(21).astype(np.uint16) * 16).save(folder / "deep.png")
    Image.fromarray(pixels(22)).convert("P").save(folder / "palette.png")
    save(folder / "large.png", height=30, width=40)
    noise = (folder / "large.png").read_bytes()
    (folder / "cut.png").write_bytes(noise[: len(noise) // 2])
    (folder / "pointer.jpg").write_text("version https://git-lfs.github.com/spec/v1\n")
    (folder / "t.csv").write_text(TABLE)
    write_checksums(folder)
    (folder / "gone.png").unlink()
    return tmp_path / "data"


MIXED = Films.model_validate(
    {
        "pattern": r"[^/]+\.(?:png|jpg)",
        "findings": {"N": "normal", "C": "covid", "T": "tuberculosis"},
        "table": {"file": "t.csv", "film": "{file}", "finding": "kind", "patient": "who"}
        | {key: key for key in ("view", "age", "sex")},
    }
)


def mixed_settings(**changes):
    return IndexSettings(findings=("normal", "covid"), films={"c": MIXED}, **changes)


def test_every_film_is_used_or_has_its_reason(mixed):
    index, excluded = index_films(mixed, mixed_settings(max_megapixels=1e-3, max_excluded=1), 1)
    assert reasons(excluded) == {
        "unlisted.png": "not_in_table",
        "lateral.png": "view",
        "todo.png": "unknown_label",
        "tb.png": "other_finding",
        "both.png": "several_findings",
        "cut.png": "too_large",
        "pointer.jpg": "unreadable",
        "large.png": "too_large",
        "gone.png": "unreadable",
    }
    assert list(index["file"]) == ["deep.png", "palette.png", "rgb.png"]
    _, excluded = index_films(mixed, mixed_settings(max_excluded=1), 1)
    assert reasons(excluded)["cut.png"] == "unreadable"
    assert "large.png" not in reasons(excluded)
    tables.check(excluded, tables.EXCLUDED, "excluded")


def test_excluded_films_are_sorted_by_collection_and_file(mixed):
    _, excluded = index_films(mixed, mixed_settings(max_megapixels=1e-3, max_excluded=1), 1)
    assert list(excluded["file"]) == sorted(excluded["file"])


def test_the_index_tells_what_table_and_pixels_tell(mixed):
    index, _ = index_films(mixed, mixed_settings(max_megapixels=1e-3, max_excluded=1), 1)
    told = index.set_index("file").drop(columns=["radiograph", "age", "lungs", "lesions"])
    assert told.T.to_dict("list") == {
        "deep.png": ["c", "c/p1", "PA", "F", 6, 4, "I;16", "covid"],
        "palette.png": ["c", "c/p2", "", "", 6, 4, "P", "normal"],
        "rgb.png": ["c", "c/p1", "PA", "M", 6, 4, "RGB", "normal"],
    }
    np.testing.assert_array_equal(index["age"], [61, np.nan, np.nan])
    ids = index.set_index("file")["radiograph"]
    assert ids["rgb.png"] == radiograph_id(pixels(20))
    assert ids["palette.png"] == radiograph_id(pixels(22))


def test_the_reason_of_a_dropped_film_says_what_was_found(mixed):
    _, excluded = index_films(mixed, mixed_settings(views=("PA",), max_excluded=1), 1)
    detail = excluded.set_index("file")["detail"]
    assert detail["lateral.png"] == "view is lateral; accepted are PA"
    assert detail["todo.png"] == "label '?' is not in findings: of its source"
    assert detail["tb.png"] == "tuberculosis is not a finding of this recipe"
    assert detail["both.png"] == "normal|covid"
    assert reasons(excluded)["palette.png"] == "view"


def test_rows_follow_the_recipe_and_then_the_files_and_copies_are_numbered(data):
    index, excluded = index_films(data, settings(), 1)
    assert len(excluded) == 0
    assert list(index["source"] + "/" + index["file"]) == [
        *(f"a/covid/{number}.png" for number in range(5)),
        "b/covid/copy.png",
        *(f"b/normal/{number}.png" for number in range(5)),
    ]
    copied = radiograph_id(pixels(10))
    assert list(index["radiograph"][[0, 5]]) == [copied, f"{copied}-2"]


def test_two_cores_find_what_one_finds(data):
    one, two = (index_films(data, settings(), cores)[0] for cores in (1, 2))
    pd.testing.assert_frame_equal(one, two)


def test_the_third_film_with_the_same_pixels_is_the_third_copy():
    index = pd.DataFrame({"radiograph": ["b", "a", "b", "b", "a"], "file": list("vwxyz")})
    assert list(number_copies(index)["radiograph"]) == ["b", "a", "b-2", "b-3", "a-2"]
    assert list(number_copies(index)["file"]) == list("vwxyz")


def test_the_run_stops_at_more_unreadable_films_than_allowed_and_names_one():
    index = pd.DataFrame({"radiograph": list("abcdefg")})
    excluded = pd.DataFrame(
        [("c", f"{name}.png", "unreadable", "no known image format") for name in "xyz"],
        columns=list(tables.EXCLUDED.columns),
    )
    refuse_too_many_excluded(index, excluded, 0.3)
    refuse_too_many_excluded(index[:0], excluded[:0], 0)
    message = r"^index: 3 of 10 films cannot be read, such as c/x.png: no known image format; .*20%"
    with pytest.raises(UserError, match=message):
        refuse_too_many_excluded(index, excluded, 0.2)


def command(data, tmp_path, chosen):
    return {
        "data": data,
        "settings": chosen.model_dump_json(),
        "index": tmp_path / "index.csv",
        "excluded": tmp_path / "excluded.csv",
    }


def test_the_command_writes_both_tables(data, tmp_path, run):
    run(main, **command(data, tmp_path, settings()), cores=1)
    index = tables.read(tmp_path / "index.csv", tables.INDEX)
    expected, _ = index_films(data, settings(), 1)
    pd.testing.assert_frame_equal(index, expected)
    assert len(tables.read(tmp_path / "excluded.csv", tables.EXCLUDED)) == 0


def test_a_finding_without_films_stops_the_command_and_is_named(mixed, tmp_path, refusal):
    chosen = IndexSettings(findings=("normal", "covid", "edema"), films={"c": MIXED})
    line = refusal(main, **command(mixed, tmp_path, chosen))
    assert "findings: no usable film shows 'edema' in c (left out: " in line
    assert "; add a collection that has it" in line
    assert not (tmp_path / "index.csv").exists()
    excluded = tables.read(tmp_path / "excluded.csv", tables.EXCLUDED)
    assert reasons(excluded)["cut.png"] == "unreadable"


def test_a_collection_without_any_film_stops_the_command_with_one_line(data, tmp_path, refusal):
    chosen = IndexSettings(findings=("x", "y"), films={"a": Films()})
    assert "no usable film shows 'x' in a" in refusal(main, **command(data, tmp_path, chosen))


def test_only_films_that_cannot_be_read_count_as_unreadable(mixed, tmp_path, run, refusal):
    # Of the seven films left by labels and views, cut.png, pointer.jpg and gone.png are unreadable.
    run(main, **command(mixed, tmp_path, mixed_settings(max_excluded=3 / 7)))
    assert len(tables.read(tmp_path / "index.csv", tables.INDEX)) == 4
    line = refusal(main, **command(mixed, tmp_path, mixed_settings(max_excluded=0.4)))
    assert "3 of 7 films cannot be read, such as c/cut.png: " in line
    assert "more than index.max_excluded (40%) allows" in line


def test_too_many_unreadable_films_are_listed_before_the_command_stops(mixed, tmp_path, refusal):
    line = refusal(main, **command(mixed, tmp_path, mixed_settings(max_excluded=0)))
    assert "3 of 7 films cannot be read" in line
    excluded = tables.read(tmp_path / "excluded.csv", tables.EXCLUDED)
    assert reasons(excluded)["cut.png"] == "unreadable"


@pytest.mark.mirror
def test_every_real_film_of_small_collections_is_used_or_excluded_once(mirror):
    names = ("hannover", "covid-cxnet", "radiography-masks", "oddities")
    films = {name: Films(pattern=r".*\.png", finding="covid") for name in names}
    chosen = IndexSettings(findings=("covid", "normal"), films=films, max_excluded=1)
    index, excluded = index_films(mirror, chosen, 2)
    manifest = pd.read_csv(mirror / "manifest.tsv", sep="\t", keep_default_na=False)
    pictures = manifest["path"].str.contains(r"\.(?:png|jpe?g|webp|dcm)$", case=False)
    listed = manifest[manifest["source"].isin(names) & pictures]
    both = pd.concat([index, excluded])
    assert sorted(both["source"] + both["file"]) == sorted(listed["source"] + listed["path"])
    assert set(excluded["reason"]) == {"not_a_film"}
    assert len(index) == listed["path"].str.endswith(".png").sum()

"""The index: every film is used or has its reason, and what is told of it is true."""

import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian

from cxrpipe import tables
from cxrpipe.catalogue import Films, IndexSettings
from cxrpipe.data.copies.signature import read_signatures, thumbnail
from cxrpipe.data.download import write_checksums
from cxrpipe.data.identity import pixels_of, radiograph_id
from cxrpipe.data.index import (
    first_of_each,
    index_films,
    main,
    number_copies,
    number_patients,
    refuse_too_many_excluded,
)
from cxrpipe.runtime import UserError


def pixels(seed, height=64, width=96):
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
SHADED = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1))
QUALITY = {  # the fault of each film, and its pixels
    "too_small": pixels(30, height=63),
    "extreme_aspect": pixels(31, width=161),
    "tinted": np.random.default_rng(32).integers(0, 256, (64, 96, 3), dtype=np.uint8),
    "low_contrast": 100 + pixels(33) // 16,
    "blank": np.pad(pixels(34, 64, 8), ((0, 0), (88, 0))),
}


@pytest.fixture
def mixed(tmp_path):
    """One collection with a film of every kind; returns the folder of collections."""
    folder = tmp_path / "data/c"
    folder.mkdir(parents=True)
    names = [line.split(",")[0] for line in TABLE.splitlines()[1:]]
    for seed, name in enumerate([*names, "unlisted.png"]):
        save(folder / name, seed=seed)
    Image.fromarray(np.dstack([pixels(20)] * 3)).save(folder / "rgb.png")
    Image.fromarray(SHADED.astype(np.uint16) * 16).save(folder / "deep.png")
    Image.fromarray(pixels(22)).convert("P").save(folder / "palette.png")
    save(folder / "large.png", height=120, width=160)
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


def small(**changes):
    """Settings under which large.png is too large."""
    return mixed_settings(max_megapixels=0.01, max_excluded=1, **changes)


def test_every_film_is_used_or_has_its_reason(mixed):
    index, excluded, _ = index_films(mixed, small(), 1)
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
    _, excluded, _ = index_films(mixed, mixed_settings(max_excluded=1), 1)
    assert reasons(excluded)["cut.png"] == "unreadable"
    assert "large.png" not in reasons(excluded)
    tables.check(excluded, tables.EXCLUDED, "excluded")


def test_excluded_films_are_sorted_by_collection_and_file(mixed):
    _, excluded, _ = index_films(mixed, small(), 1)
    assert list(excluded["file"]) == sorted(excluded["file"])


def test_the_index_tells_what_table_and_pixels_tell(mixed):
    index, _, _ = index_films(mixed, small(), 1)
    columns = ["patient", "view", "sex", "width", "height", "mode", "tint", "findings"]
    assert index.set_index("file")[columns].T.to_dict("list") == {
        "deep.png": ["c/p1", "PA", "F", 96, 64, "I;16", 0, "covid"],
        "palette.png": ["c/p2", "", "", 96, 64, "P", 0, "normal"],
        "rgb.png": ["c/p1", "PA", "M", 96, 64, "RGB", 0, "normal"],
    }
    np.testing.assert_array_equal(index["age"], [61, np.nan, 58])
    assert (index[["source", "published", "lungs"]] == ["c", "", ""]).all(axis=None)
    ids = index.set_index("file")["radiograph"]
    assert ids["rgb.png"] == radiograph_id(pixels(20))
    assert ids["palette.png"] == radiograph_id(pixels(22))


def test_contrast_and_blank_are_shares_of_the_scale_and_of_the_pixels(mixed):
    index, _, _ = index_films(mixed, small(), 1)
    deep = index.set_index("file").loc["deep.png"]
    # A ramp from black to white: 5th to 95th percentile are 0.9 of the scale, to a column of 96;
    # five neighbouring greys are one to three of its 96 columns.
    assert deep["contrast"] == pytest.approx(0.9, abs=0.02)
    assert 1 / 96 <= deep["blank"] <= 3 / 96


def test_films_that_are_no_radiographs_are_left_out_with_what_was_measured(tmp_path):
    folder = tmp_path / "a/normal"
    folder.mkdir(parents=True)
    for reason, film in QUALITY.items():
        Image.fromarray(film).save(folder / f"{reason}.png")
    save(folder / "good.png", seed=1)
    write_checksums(tmp_path / "a")
    chosen = IndexSettings(findings=("normal", "covid"), films={"a": Films()})
    index, excluded, _ = index_films(tmp_path, chosen, 1)
    assert list(index["file"]) == ["normal/good.png"]
    assert reasons(excluded) == {f"normal/{reason}.png": reason for reason in QUALITY}
    detail = excluded.set_index("reason")["detail"]
    assert detail["too_small"] == "shorter side 63, below index.min_side (64)"
    assert detail["extreme_aspect"].startswith("longer side by shorter side 2.52, over index.max_")


def test_the_reason_of_a_dropped_film_says_what_was_found(mixed):
    _, excluded, _ = index_films(mixed, mixed_settings(views=("PA",), max_excluded=1), 1)
    detail = excluded.set_index("file")["detail"]
    assert detail["lateral.png"] == "view is lateral; accepted are PA"
    assert detail["todo.png"] == "label '?' is not in findings: of its source"
    assert detail["tb.png"] == "tuberculosis is not a finding of this recipe"
    assert detail["both.png"] == "normal|covid"
    assert reasons(excluded)["palette.png"] == "view"


def test_several_findings_are_kept_and_others_ignored_when_told_so(mixed):
    index, excluded, _ = index_films(mixed, small(several="keep"), 1)
    findings = index.set_index("file")["findings"]
    assert findings["both.png"] == "normal|covid"
    assert reasons(excluded)["tb.png"] == "other_finding"
    index, excluded, _ = index_films(mixed, small(several="keep", unlisted="ignore"), 1)
    assert index.set_index("file")["findings"]["tb.png"] == ""
    _, excluded, _ = index_films(mixed, small(unlisted="ignore"), 1)
    assert reasons(excluded)["tb.png"] == "other_finding"


def test_rows_follow_the_recipe_and_then_the_files_and_copies_are_numbered(data):
    index, excluded, thumbnails = index_films(data, settings(), 1)
    assert len(excluded) == 0
    assert list(index["source"] + "/" + index["file"]) == [
        *(f"a/covid/{number}.png" for number in range(5)),
        "b/covid/copy.png",
        *(f"b/normal/{number}.png" for number in range(5)),
    ]
    copied = radiograph_id(pixels(10))
    assert list(index["radiograph"][[0, 5]]) == [copied, f"{copied}-2"]
    np.testing.assert_array_equal(thumbnails[0], thumbnail(pixels(10)))
    np.testing.assert_array_equal(thumbnails[6], thumbnail(pixels(0)))


def test_two_cores_find_what_one_finds(data):
    one, two = (index_films(data, settings(), cores) for cores in (1, 2))
    pd.testing.assert_frame_equal(one[0], two[0])
    np.testing.assert_array_equal(one[2], two[2])


def test_the_third_film_with_the_same_pixels_is_the_third_copy():
    index = pd.DataFrame({"radiograph": ["b", "a", "b", "b", "a"], "file": list("vwxyz")})
    numbered = number_copies(index)
    assert list(numbered["radiograph"]) == ["b", "a", "b-2", "b-3", "a-2"]
    assert list(numbered["file"]) == list("vwxyz")
    radiographs, thumbnails = first_of_each(numbered, [np.array(row) for row in range(5)])
    assert radiographs == ["b", "a"]
    assert thumbnails == [0, 1]


# Headers of DICOM films


def save_dicom(path, seed, **changes):
    """Write a digital radiograph of a chest whose header tells what is given."""
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", f"1.2.{seed}"
    dataset.Modality, dataset.BodyPartExamined = "DX", "CHEST"
    dataset.Rows, dataset.Columns = 64, 96
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = pixels(seed).tobytes()
    dataset["PixelData"].VR = "OB"
    for key, value in changes.items():
        setattr(dataset, key, value)
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


@pytest.fixture
def hospital(tmp_path):
    """Two collections: of one a table tells some patients, of the other headers alone."""
    who = {"PatientID": "Erika-1964", "PatientName": "Mustermann^Erika", "PatientSex": "F"}
    folder = tmp_path / "data/a"
    save_dicom(folder / "1.dcm", 1, **who, PatientAge="058Y", ViewPosition="PA")
    save_dicom(folder / "2.dcm", 2, **who, ViewPosition="LL")
    save_dicom(folder / "3.dcm", 3, PatientID="Max-1950", ViewPosition="AP", PatientSex="M")
    save_dicom(folder / "4.dcm", 4, **who, PatientAge="059Y")
    save_dicom(folder / "5.dcm", 5)
    (folder / "t.csv").write_text("film,who,age,view\n4.dcm,known,30,\n1.dcm,,,\n3.dcm,,,PA\n")
    save_dicom(tmp_path / "data/b/1.dcm", 11, PatientID="Erika-1964")
    save_dicom(tmp_path / "data/b/2.dcm", 12, PatientID="Erika-1964")
    for source in "ab":
        write_checksums(tmp_path / "data" / source)
    return tmp_path / "data"


HEADERS = IndexSettings(
    findings=("normal", "covid"),
    films={
        "a": Films.model_validate(
            {
                "pattern": r"\d\.dcm",
                "finding": "normal",
                "table": {
                    "file": "t.csv",
                    "film": "{film}",
                    "patient": "who",
                    "age": "age",
                    "view": "view",
                },
            }
        ),
        "b": Films(pattern=r"\d\.dcm", finding="covid"),
    },
)


def test_a_header_tells_what_the_collection_does_not(hospital):
    films = HEADERS.films["a"].model_copy(update={"table": ()})
    chosen = HEADERS.model_copy(update={"films": {"a": films}})
    index, excluded, _ = index_films(hospital, chosen, 1)
    assert reasons(excluded) == {"2.dcm": "view"}
    told = index.set_index("file")[["patient", "view", "sex", "age"]]
    assert told.drop(columns="age").T.to_dict("list") == {
        "1.dcm": ["a/header-1", "PA", "F"],
        "3.dcm": ["a/header-2", "AP", "M"],
        "4.dcm": ["a/header-1", "", "F"],
        "5.dcm": ["", "", ""],
    }
    np.testing.assert_array_equal(told["age"], [58, np.nan, 59, np.nan])


def test_what_the_collection_tells_goes_before_the_header(hospital):
    index, _, _ = index_films(hospital, HEADERS, 1)
    told = index.set_index(index["source"] + index["file"])
    assert told["patient"]["a4.dcm"] == "a/known"
    assert told["age"]["a4.dcm"] == 30
    assert told["view"]["a3.dcm"] == "PA"


def test_patients_of_headers_are_named_as_another_film_of_theirs_or_numbered_in_their_source():
    index = pd.DataFrame(
        {
            "source": list("aaabba"),
            "patient": ["", "", "a/p", "", "", ""],
            "header_patient": ["x", "y", "x", "y", "y", ""],
        }
    )
    assert list(number_patients(index)["patient"]) == [
        "a/p",
        "a/header-1",
        "a/p",
        "b/header-1",
        "b/header-1",
        "",
    ]


def test_nothing_personal_of_a_header_is_written(hospital, tmp_path, run, capsys):
    run(main, **command(hospital, tmp_path, HEADERS))
    written = [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()]
    assert len(written) == 3
    for text in (*written, capsys.readouterr().err.encode()):
        for name in (b"Erika", b"Mustermann", b"1964", b"Max"):
            assert name not in text
    index = tables.read(tmp_path / "index.csv", tables.INDEX)
    assert set(index["patient"]) >= {"a/known", "b/header-1"}


# The command


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
        "signatures": tmp_path / "signatures.h5",
    }


def test_the_command_writes_both_tables_and_the_signatures(data, tmp_path, run):
    run(main, **command(data, tmp_path, settings()), cores=1)
    index = tables.read(tmp_path / "index.csv", tables.INDEX)
    expected, _, thumbnails = index_films(data, settings(), 1)
    pd.testing.assert_frame_equal(index, expected)
    assert len(tables.read(tmp_path / "excluded.csv", tables.EXCLUDED)) == 0
    radiographs, written = read_signatures(tmp_path / "signatures.h5")
    rows = index["radiograph"] == pixels_of(index["radiograph"])
    assert radiographs == list(index["radiograph"][rows])
    assert len(radiographs) == 10
    np.testing.assert_array_equal(written, np.array(thumbnails)[rows])


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

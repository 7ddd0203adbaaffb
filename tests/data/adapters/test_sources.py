"""What a collection says of its films: checksums, names, tables, masks, notes, lists, boxes."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrpipe.catalogue import Boxes, Films, Notes, Table
from cxrpipe.data.adapters.sources import RECORD, read_checksums, read_records
from cxrpipe.runtime import UserError


def collection(data, name="c", files=(), **tables):
    (data / name).mkdir(exist_ok=True)
    lines = "".join(f"{'0' * 64}  {file}\n" for file in files)
    (data / name / "SHA256SUMS").write_text(lines)
    for table, text in tables.items():
        (data / name / f"{table}.csv").write_text(text)


def columns(records, *names):
    return [tuple(row) for row in records[list(names)].to_numpy()]


def dropped(excluded):
    return dict(zip(excluded["file"], excluded["reason"], strict=True))


def test_checksums_are_read_in_the_order_of_the_file(tmp_path):
    (tmp_path / "SHA256SUMS").write_text(f"{'b' * 64}  z/a b.png\n{'a' * 64}  a.png\n")
    assert list(read_checksums(tmp_path).items()) == [("z/a b.png", "b" * 64), ("a.png", "a" * 64)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0" * 64 + " a.png", "line 2 is not '<sha256>  <path>'"),
        ("0" * 63 + "  a.png", "line 2 is not"),
        ("", "line 2 is not"),
        ("0" * 64 + "  ../a.png", r"line 2 leaves the folder: \.\./a\.png"),
        ("0" * 64 + "  b/../../a.png", "line 2 leaves the folder"),
        ("0" * 64 + "  /etc/passwd", "line 2 leaves the folder: /etc/passwd"),
    ],
)
def test_a_list_of_another_form_is_refused_with_its_line(tmp_path, line, message):
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  a.png\n{line}\n{'0' * 64}  z.png\n")
    with pytest.raises(UserError, match=f"SHA256SUMS: {message}"):
        read_checksums(tmp_path)


def test_a_collection_without_its_list_is_refused(tmp_path):
    with pytest.raises(UserError, match="SHA256SUMS: missing; it lists the collection's files"):
        read_checksums(tmp_path)


def test_the_first_pattern_that_fits_a_whole_path_tells_finding_and_patient(tmp_path):
    files = ["set/NORMAL/IM-1-01.png", "set/SICK/p1_virus_3.png", "old/set/SICK/p1_virus_3.png"]
    collection(tmp_path, files=[*files, "set/SICK/readme.txt", "set/SICK/p2_virus_3.png.bak"])
    films = Films(
        pattern=(
            r"set/(?P<finding>NORMAL)/(?P<patient>IM-\d+)-.*",
            r"set/SICK/(?P<patient>p\d+)_(?P<finding>\w+)_\d+\.png",
            r"set/(?P<finding>\w+)/.*\.png",
        )
    )
    records, excluded = read_records(tmp_path, "c", films)
    assert columns(records, "file", "label", "patient", "view") == [
        (files[0], "NORMAL", "c/IM-1", ""),
        (files[1], "virus", "c/p1", ""),
    ]
    assert columns(excluded, "source", "file", "reason") == [("c", files[2], "not_a_film")]


def test_without_a_pattern_the_folder_of_a_film_is_its_finding(tmp_path):
    collection(tmp_path, files=["Covid/a.png", "x/y/normal/b.JPG", "top.png"])
    records, excluded = read_records(tmp_path, "c", Films())
    assert columns(records, "label", "patient") == [("Covid", ""), ("normal", ""), ("", "")]
    assert dropped(excluded) == {}


def test_a_finding_for_all_films_serves_where_the_name_tells_none(tmp_path):
    collection(tmp_path, files=["a.png", "tb/b.png"])
    films = Films(pattern=r"(?:(?P<finding>\w+)/)?\w+\.png", finding="covid")
    records, _ = read_records(tmp_path, "c", films)
    assert columns(records, "file", "label") == [("a.png", "covid"), ("tb/b.png", "tb")]


TABLE = (
    "id,who,kind,angle,years,gender,lung,kept\n"
    "1,ann,COVID,pa,40, M ,masks/1.png,yes\n"
    "2,bob,Normal,L,,,,yes\n"
    "3,cy,Normal,L,9,F,,no\n"
    "9,dan,Normal,pa,,,,yes\n"
)
DESCRIBED = {
    "file": "t.csv",
    "film": "png/{id}.png",
    "finding": "kind",
    "patient": "who",
    "view": "angle",
    "age": "years",
    "sex": "gender",
}
TABLED = ["png/1.png", "png/2.png", "png/3.png", "png/4.png", "masks/1.png", "other/1.png"]


def test_a_table_tells_what_is_known_of_every_film(tmp_path):
    collection(tmp_path, files=TABLED, t=TABLE)
    films = Films(
        pattern="png/.*",
        views={"pa": "PA", "L": "lateral"},
        table=Table(**DESCRIBED, require={"kept": ("yes", "maybe")}),
        lungs="{lung}",
    )
    records, excluded = read_records(tmp_path, "c", films)
    assert [tuple(row) for row in records.to_numpy()] == [
        ("png/1.png", "COVID", "c/ann", "PA", "40", "M", "", "masks/1.png", "", ""),
        ("png/2.png", "Normal", "c/bob", "lateral", "", "", "", "", "", ""),
    ]
    # The mask masks/1.png is no film that was left out.
    assert dropped(excluded) == {
        "other/1.png": "not_a_film",
        "png/4.png": "not_in_table",
        "png/3.png": "kept",
    }
    detail = excluded.set_index("file")["detail"]
    assert detail["png/3.png"] == "kept is 'no', kept are yes, maybe"


def test_a_table_that_names_films_without_folders_fits_them_in_any_folder(tmp_path):
    collection(tmp_path, files=["one/1.png", "two/2.png"])
    collection(tmp_path, "labels", t=TABLE)
    table = Table(**DESCRIBED | {"film": "{id}.png", "source": "labels"})
    records, _ = read_records(tmp_path, "c", Films(pattern=".*", table=table))
    assert columns(records, "file", "patient") == [("one/1.png", "c/ann"), ("two/2.png", "c/bob")]


def test_findings_and_patients_of_several_rows_are_joined_of_the_rest_the_last_is_read(tmp_path):
    table = TABLE + "1,eve,Normal,ap,41,F,,yes\n1,ann,Tb,ap,42,F,,yes\n"
    collection(tmp_path, files=["png/1.png"], t=table)
    records, _ = read_records(tmp_path, "c", Films(pattern=".*", table=Table(**DESCRIBED)))
    assert columns(records, "label", "patient", "age") == [("COVID|Normal|Tb", "c/ann|c/eve", "42")]


def test_films_of_one_name_in_two_folders_are_not_told_the_rows_of_each_other(tmp_path):
    collection(tmp_path, files=["x/1.png", "y/1.png", "y/2.png"], t="id,d\n1,a\n1,b\n2,b\n")
    films = Films(pattern=".*", table=Table(file="t.csv", film="{id}.png", finding="d"))
    records, excluded = read_records(tmp_path, "c", films)
    assert columns(records, "file", "label") == [("y/2.png", "b")]
    assert dropped(excluded) == {"x/1.png": "ambiguous", "y/1.png": "ambiguous"}


@pytest.mark.parametrize("blank", ["", "NA", "n/a", "NaN", "null"])
def test_a_table_that_does_not_know_a_patient_leaves_what_the_name_tells(tmp_path, blank):
    collection(tmp_path, files=["p1_2.png", "p2_1.png"], t=f"id,who\np1_2,{blank}\np2_1,eve\n")
    table = Table(file="t.csv", film="{id}.png", patient="who")
    films = Films(pattern=r"(?P<patient>[^_]+)_.*png", table=table)
    records, _ = read_records(tmp_path, "c", films)
    assert columns(records, "patient") == [("c/p1",), ("c/eve",)]


def test_films_without_a_suffix_are_films_as_hospitals_export_them(tmp_path):
    files = ["covid/IM0001", "covid/1.2.840.1", "normal/1.dicom", "normal/2.jfif", "normal/a.txt"]
    collection(tmp_path, files=files)
    records, _ = read_records(tmp_path, "c", Films())
    assert list(records["file"]) == files[:4]
    assert list(records["label"]) == ["covid", "covid", "normal", "normal"]


@pytest.mark.parametrize("rows", ["1,ann\n1,\n", "1,\n1,ann\n", "1, ann\n", "1,ann \n"])
def test_blanks_around_a_patient_and_rows_without_one_name_no_other_patient(tmp_path, rows):
    collection(tmp_path, files=["png/1.png"], t="id,who\n" + rows)
    table = Table(file="t.csv", film="png/{id}.png", patient="who")
    records, _ = read_records(tmp_path, "c", Films(pattern=".*", table=table))
    assert columns(records, "patient") == [("c/ann",)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"file": "none.csv"}, r"none\.csv: the table of this collection is missing"),
        ({"patient": "whom"}, r"t\.csv: no column 'whom'; did you mean 'who'\?"),
        ({"require": {"kepd": ("yes",)}}, r"no column 'kepd'; did you mean 'kept'\?"),
        ({"film": "{idd}.png"}, r"t\.csv: film: no column 'idd'; did you mean 'id'\?"),
        ({"film": "{}.png"}, r"t\.csv: film: "),
        ({"film": "{id.png"}, r"t\.csv: film: "),
    ],
)
def test_a_table_that_its_description_does_not_fit_is_refused(tmp_path, wrong, message):
    collection(tmp_path, files=["png/1.png"], t=TABLE)
    films = Films(pattern=".*", table=Table(**DESCRIBED | wrong))
    with pytest.raises(UserError, match=message):
        read_records(tmp_path, "c", films)


def test_a_pattern_that_fits_no_file_is_refused_with_three_examples(tmp_path):
    collection(tmp_path, files=["notes.txt", "a/1.png", "b/2.png", "c/3.png", "d/4.png"])
    message = (
        r"no file fits films.pattern x/\.\* or y; there are a/1.png, b/2.png, c/3.png; correct"
    )
    with pytest.raises(UserError, match=message):
        read_records(tmp_path, "c", Films(pattern=("x/.*", "y")))
    collection(tmp_path, "empty")
    with pytest.raises(UserError, match=r"empty: no file fits .*; there are no files at all"):
        read_records(tmp_path, "empty", Films())


def test_groups_of_a_name_tell_view_age_sex_and_the_published_subset(tmp_path):
    collection(tmp_path, files=["val/tb/p1_pa_045Y_F.png", "test/tb/p2_ap_9_M.png"])
    pattern = (
        r"(?P<subset>\w+)/(?P<finding>\w+)/"
        r"(?P<patient>p\d)_(?P<view>\w+)_(?P<age>\w+)_(?P<sex>\w)\.png"
    )
    films = Films(
        pattern=pattern, views={"pa": "PA"}, subsets={"val": "validation", "test": "test"}
    )
    records, _ = read_records(tmp_path, "c", films)
    assert columns(records, *RECORD[:7]) == [
        ("val/tb/p1_pa_045Y_F.png", "tb", "c/p1", "PA", "045Y", "F", "validation"),
        ("test/tb/p2_ap_9_M.png", "tb", "c/p2", "ap", "9", "M", "test"),
    ]


@pytest.mark.parametrize(
    ("subsets", "hint"),
    [({"Val": "validation"}, r"did you mean 'Val'\?"), ({}, r"such as \{train: train")],
)
def test_a_subset_that_is_not_described_is_refused(tmp_path, subsets, hint):
    collection(tmp_path, files=["val/1.png"])
    films = Films(pattern=r"(?P<subset>\w+)/.*", subsets=subsets)
    with pytest.raises(UserError, match=f"val/1.png: subset 'val' is not in films.subsets; {hint}"):
        read_records(tmp_path, "c", films)


def test_lists_tell_the_published_subset_of_the_films_that_they_name(tmp_path):
    collection(tmp_path, files=["a/1.png", "b/2.png", "b/3.png"])
    (tmp_path / "c/one.txt").write_text("1.png\r\n\r\n9.png\r\n")
    (tmp_path / "c/two.txt").write_text("2.png\n")
    films = Films(lists={"one.txt": "train", "two.txt": "test"})
    records, _ = read_records(tmp_path, "c", films)
    assert list(records["published"]) == ["train", "test", ""]
    with pytest.raises(UserError, match=r"c/three.txt: missing; it lists the films of the subset"):
        read_records(tmp_path, "c", Films(lists={"three.txt": "train"}))


MASKED = [
    "x/images/1.png",
    "x/images/2.png",
    "x/images/3.png",
    "x/left/1.png",
    "x/right/1.PNG",
    "x/left/2.png",
    "x/right/9.png",
]
IMAGES = r"(?P<folder>.*)/images/(?P<name>\w+)\.png"


def test_masks_of_several_files_are_joined_if_all_are_there_and_never_films(tmp_path):
    collection(tmp_path, files=MASKED)
    both = ("{folder}/left/{name}.png", "{folder}/right/{name}.png")
    for pattern in (IMAGES, (IMAGES, ".*")):
        films = Films(pattern=pattern, finding="tb", lungs=both)
        records, excluded = read_records(tmp_path, "c", films)
        # Film 2 has one half of a mask, film 3 none; in right/1.PNG only the case differs.
        assert columns(records, "file", "lungs", "lesions") == [
            ("x/images/1.png", "x/left/1.png|x/right/1.PNG", ""),
            ("x/images/2.png", "", ""),
            ("x/images/3.png", "", ""),
        ]
        assert dropped(excluded) == {"x/left/2.png": "mask", "x/right/9.png": "mask"}


def test_a_mask_that_no_film_has_is_told(tmp_path, caplog):
    collection(tmp_path, files=["a/1.png"])
    films = Films(pattern=r"(?P<folder>\w+)/(?P<name>\d).png", lesions="{folder}/{name}_m.png")
    with caplog.at_level(logging.WARNING):
        records, _ = read_records(tmp_path, "c", films)
    assert list(records["lesions"]) == [""]
    assert caplog.messages == ["c: no film has lesions: nothing is like {folder}/{name}_m.png"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"lungs": "{nam}.png"},
            r"c: films.lungs: no group or column 'nam'; did you mean 'name'\?",
        ),
        ({"lesions": ("{name}", "{name")}, r"c: films.lesions: '\{name' is no template"),
        (
            {"notes": Notes(file="{folders}.txt", patterns={"age": "(.)"})},
            r"c: films.notes: no group or column 'folders'; did you mean 'folder'\?",
        ),
    ],
)
def test_a_template_that_nothing_fills_is_refused(tmp_path, wrong, message):
    collection(tmp_path, files=MASKED)
    with pytest.raises(UserError, match=message):
        read_records(tmp_path, "c", Films(pattern=IMAGES, **wrong))


def test_notes_tell_what_their_patterns_find(tmp_path):
    files = ["x/images/1.png", "x/images/2.png", "x/images/3.png", "r/1.txt", "r/2.txt"]
    collection(tmp_path, files=files)
    (tmp_path / "c/r").mkdir()
    (tmp_path / "c/r/1.txt").write_bytes("Größe: 1,7 m, female, 31 yrs\r\nTB\r\n".encode("latin-1"))
    (tmp_path / "c/r/2.txt").write_text("no age")
    notes = Notes(file="r/{name}.txt", patterns={"age": r"(\d+ yrs)", "sex": "(female|male)"})
    records, _ = read_records(tmp_path, "c", Films(pattern=IMAGES, finding="tb", notes=notes))
    assert columns(records, "age", "sex") == [("31 yrs", "female"), ("", ""), ("", "")]


BOXES = "img,what,x,y,w,h\n1.png,Mass,10,20,5,2.5\n1.png,Edema,0,0,100,100\n9.png,Mass,1,1,1,1\n"
BOXED = {"file": "b.csv", "film": "{img}", "finding": "what", "left": "x", "top": "y"} | {
    "width": "w",
    "height": "h",
}


def test_boxes_are_shares_of_the_pictures_that_they_were_measured_on(tmp_path):
    collection(tmp_path, files=["a/1.png", "a/2.png"], b=BOXES)
    for side, first in ((100, "0.1000,0.2000,0.0500,0.0250"), (1, "10.0000,20.0000,5.0000,2.5000")):
        records, _ = read_records(tmp_path, "c", Films(boxes=Boxes(**BOXED, side=side)))
        assert records["boxes"][0].split("|")[0] == f"Mass:{first}"
        assert records["boxes"][1] == ""
    assert records["boxes"][0].split("|")[1] == "Edema:0.0000,0.0000,100.0000,100.0000"


def test_a_box_that_is_no_number_is_refused(tmp_path):
    collection(tmp_path, files=["a/1.png"], b=BOXES.replace("2.5", "?"))
    with pytest.raises(UserError, match=r"b.csv: box of 1.png: could not convert .*'\?'"):
        read_records(tmp_path, "c", Films(boxes=Boxes(**BOXED, side=100)))


def test_a_later_table_replaces_what_an_earlier_one_tells(tmp_path):
    one, two = "id,kind,sex\n1,covid,F\n2,tb,M\n", "id,kind\n2,normal\n3,edema\n"
    files = [f"{number}.png" for number in (1, 2, 3, 4)]
    masks = ["m/covid.png", "m/tb.png", "m/normal.png"]
    collection(tmp_path, files=[*files, *masks], one=one, two=two)
    tables = [
        Table(file="one.csv", film="{id}.png", finding="kind", sex="sex"),
        Table(file=("none.csv", "two.csv"), film="{id}.png", finding="kind"),
    ]
    films = Films(table=tables, pattern=r"\d\.png", lungs="m/{kind}.png")
    records, excluded = read_records(tmp_path, "c", films)
    assert columns(records, "file", "label", "sex", "lungs") == [
        ("1.png", "covid", "F", "m/covid.png"),
        ("2.png", "normal", "M", "m/normal.png"),
        ("3.png", "edema", "", ""),
    ]
    assert dropped(excluded) == {"m/tb.png": "mask", "4.png": "not_in_table"}
    assert excluded["detail"][1] == "no row of one.csv or none.csv names it"


def test_of_several_rows_the_last_decides_whether_a_film_is_kept(tmp_path):
    collection(tmp_path, files=["1.png", "2.png"], t="id,keep\n1,yes\n2,no\n1,no\n2,yes\n")
    table = Table(file="t.csv", film="{id}.png", require={"keep": ("yes",)})
    records, excluded = read_records(tmp_path, "c", Films(table=table))
    assert list(records["file"]) == ["2.png"]
    assert dropped(excluded) == {"1.png": "keep"}


def test_a_group_fills_a_template_before_a_column_of_its_name(tmp_path):
    collection(tmp_path, files=["a/1.png", "m/column.png", "m/1.png"], t="id,name\n1,column\n")
    table = Table(file="t.csv", film="{id}.png")
    films = Films(pattern=r"a/(?P<name>\d)\.png", lungs="m/{name}.png", table=table)
    assert list(read_records(tmp_path, "c", films)[0]["lungs"]) == ["m/1.png"]


def test_the_finding_of_all_films_serves_where_a_table_leaves_it_open(tmp_path):
    collection(tmp_path, files=["a/1.png", "a/2.png"], t="id,kind\n1,tb\n2,\n")
    table = Table(file="t.csv", film="{id}", finding="kind")
    records, _ = read_records(tmp_path, "c", Films(table=table))
    assert list(records["label"]) == ["tb", ""]
    records, _ = read_records(tmp_path, "c", Films(table=table, finding="normal"))
    assert list(records["label"]) == ["tb", "normal"]


def test_line_ends_inside_a_cell_become_blanks(tmp_path):
    text = 'id,who\n1,"an\r\nn"\n2,"a\rb"\n'
    collection(tmp_path, files=["1.png", "2.png"])
    (tmp_path / "c/t.csv").write_bytes(text.encode())
    table = Table(file="t.csv", film="{id}.png", patient="who")
    records, _ = read_records(tmp_path, "c", Films(table=table))
    assert list(records["patient"]) == ["c/an n", "c/a b"]


@given(st.permutations(TABLED))
def test_what_is_told_of_a_film_does_not_depend_on_the_order_of_the_list(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("order")
    collection(folder, files=files, t=TABLE)
    films = Films(pattern="png/.*", table=Table(**DESCRIBED), lungs="{lung}")
    records, excluded = read_records(folder, "c", films)
    assert list(records["file"]) == [file for file in files if file in TABLED[:3]]
    assert records.set_index("file")["lungs"].to_dict() == {
        "png/1.png": "masks/1.png",
        "png/2.png": "",
        "png/3.png": "",
    }
    assert dropped(excluded) == {"png/4.png": "not_in_table", "other/1.png": "not_a_film"}

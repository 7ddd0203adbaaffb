"""What a collection says of its films: checksums, file names, tables, labels."""

import pandas as pd
import pytest

from cxrpipe.catalogue import Films, IndexSettings, Table
from cxrpipe.data.film import UnusableFilmError
from cxrpipe.data.index import label_record
from cxrpipe.data.sources import read_checksums, read_records, translate
from cxrpipe.recipes import load_recipe, load_sources
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


def test_labels_are_translated_part_by_part():
    findings = {"No Finding": "normal", "Edema": "edema", "Mass": "mass"}
    assert translate("No Finding", findings) == ("normal",)
    assert translate("Edema| Mass", findings) == ("edema", "mass")
    with pytest.raises(KeyError, match="Hernia"):
        translate("Edema|Hernia", findings)
    assert translate("Lung_Opacity |Viral  Pneumonia (2)", {}) == (
        "lung_opacity",
        "viral_pneumonia_2",
    )


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
    assert columns(records, "label", "patient") == [("Covid", ""), ("normal", "")]
    assert dropped(excluded) == {"top.png": "not_a_film"}


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
    "lungs": "lung",
}
TABLED = ["png/1.png", "png/2.png", "png/3.png", "png/4.png", "masks/1.png", "other/1.png"]


def test_a_table_tells_what_is_known_of_every_film(tmp_path):
    collection(tmp_path, files=TABLED, t=TABLE)
    films = Films(
        pattern="png/.*",
        views={"pa": "PA", "L": "lateral"},
        table=Table(**DESCRIBED, require={"kept": ("yes", "maybe")}),
    )
    records, excluded = read_records(tmp_path, "c", films)
    assert [tuple(row) for row in records.to_numpy()] == [
        ("png/1.png", "COVID", "c/ann", "PA", "40", "M", "masks/1.png", ""),
        ("png/2.png", "Normal", "c/bob", "lateral", "", "", "", ""),
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


def test_of_several_rows_the_last_is_read_and_all_patients_are_kept(tmp_path):
    table = TABLE + "1,eve,Normal,ap,41,F,,yes\n1,ann,Tb,ap,42,F,,yes\n"
    collection(tmp_path, files=["png/1.png"], t=table)
    records, _ = read_records(tmp_path, "c", Films(pattern=".*", table=Table(**DESCRIBED)))
    assert columns(records, "label", "patient", "age") == [("Tb", "c/ann|c/eve", "42")]


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


@pytest.mark.mirror
def test_real_findings_and_patients_are_those_established_by_hand(mirror, request):
    config = request.config.rootpath / "config"
    recipe = load_recipe({"recipe": "open"}, config)
    films = {
        name: source.films
        for name, source in load_sources(recipe.sources, config).items()
        if name in recipe.sources
    }
    settings = IndexSettings(findings=recipe.findings, films=films)
    manifest = pd.read_csv(
        mirror / "manifest.tsv", sep="\t", dtype=str, keep_default_na=False
    ).set_index(["source", "path"])
    for name in recipe.sources:
        records, _ = read_records(mirror, name, films[name])
        labelled = [
            label_record({"source": name} | record, films[name], settings)
            for record in records.to_dict("records")
        ]
        used = pd.DataFrame(row for row in labelled if not isinstance(row, UnusableFilmError))
        truth = manifest.loc[name]
        truth = truth[truth["finding"].isin(recipe.findings)]
        assert used.set_index("file")["findings"].to_dict() == truth["finding"].to_dict()
        patients = {*zip(used["patient"], truth["patient"].loc[used["file"]], strict=True)}
        assert len({ours for ours, _ in patients}) == len(patients), name
        assert len({theirs for _, theirs in patients}) == len(patients), name
        assert all(bool(ours) == bool(theirs) for ours, theirs in patients), name

"""``cxrpipe new``: what it sees in a folder, and that what it writes reads the films as meant."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
import yaml
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian
from running import copy_project, planned, snakemake

from cxrpipe.beginning import folder as user_folder
from cxrpipe.beginning import sample, writing
from cxrpipe.beginning.columns import find_roles
from cxrpipe.beginning.entries import put_entry, replace_entry
from cxrpipe.beginning.folder import is_mask
from cxrpipe.beginning.layout import read_layout
from cxrpipe.beginning.looking import look
from cxrpipe.beginning.patients import guess_patients
from cxrpipe.beginning.telling import tell
from cxrpipe.beginning.writing import choose_side
from cxrpipe.catalogue import IndexSettings, Origin
from cxrpipe.data.adapters.tabular import read_table
from cxrpipe.data.download import bring
from cxrpipe.data.index import index_films
from cxrpipe.recipes import load_recipe, load_sources
from cxrpipe.runtime import UserError

PROJECT = Path(__file__).parents[2]
SOURCES = """# All collections; this line stays.

old:   # so does this
  origin: {path: elsewhere}

  title: Old films
# The end, without a newline"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one collection; commands run in it."""
    folder = tmp_path / "project"
    (folder / "config/recipes").mkdir(parents=True)
    (folder / "config/sources.yaml").write_text(SOURCES)
    (folder / "params.yaml").write_text("recipe: demo\n")
    (folder / "Snakefile").touch()
    monkeypatch.chdir(folder)
    return folder


def save(path, seed=0, size=(96, 80)):
    """Write a film of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def save_all(folder, *names):
    for seed, name in enumerate(names):
        save(folder / name, seed)


def save_dicom(path, seed, patient):
    """Write a DICOM film of noise."""
    film = pydicom.Dataset()
    film.SOPClassUID, film.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", f"1.2.{seed}"
    film.Modality, film.PatientID = "DX", patient
    film.Rows, film.Columns = 80, 96
    film.SamplesPerPixel, film.PhotometricInterpretation = 1, "MONOCHROME2"
    film.BitsAllocated = film.BitsStored = 8
    film.HighBit, film.PixelRepresentation = 7, 0
    film.PixelData = np.random.default_rng(seed).integers(0, 256, 80 * 96, np.uint8).tobytes()
    film["PixelData"].VR = "OB"
    film.file_meta = pydicom.dataset.FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    film.save_as(path, enforce_file_format=True)


def read_as_run(project, name):
    """Bring and index the films of a recipe as a run does; return the index by file."""
    config = project / "config"
    recipe = load_recipe({"recipe": name}, config)
    source = load_sources(recipe.sources, config)[name]
    bring(project / "data" / name, name, source.origin, "", project / "placed", 1)
    films = {name: source.films}
    settings = IndexSettings(findings=recipe.findings, films=films, **recipe.index.model_dump())
    index, _, _ = index_films(project / "data", settings, 1)
    return index.set_index("file")


# What is written reads the films as meant


def test_folders_are_findings_and_names_group_the_films_of_a_patient(project, command):
    names = [
        f"{finding}/{finding[0]}p{n}_{film}.png"
        for finding in ("Normal", "COVID-19")
        for n in range(4)
        for film in (1, 2)
    ]
    save_all(project.parent / "films", *names, "Normal/extra.png")
    done = command("new", "../films", "--name", "mine")
    assert (done.status, done.err) == (0, "")
    assert "seen  findings    normal 9, covid_19 8; by folders\n" in done.out
    assert "guess patients    COVID-19/Cp0_1.png is of patient Cp0\n" in done.out
    index = read_as_run(project, "mine")
    assert dict(Counter(index["findings"])) == {"normal": 9, "covid_19": 8}
    assert (
        index["patient"]["Normal/Np3_2.png"] == index["patient"]["Normal/Np3_1.png"] == "mine/Np3"
    )
    assert index["patient"]["Normal/extra.png"] == ""
    recipe = load_recipe({"recipe": "mine"}, project / "config")
    assert (recipe.findings, recipe.preprocess.side) == (("normal", "covid_19"), 64)


def test_subsets_around_findings_are_kept_as_published(project, command):
    names = [
        f"xray/{subset}/{finding}/{n}.jpg"
        for subset, n_films in (("train", 5), ("val", 3), ("test", 4))
        for finding in ("healthy", "sick")
        for n in range(n_films)
    ]
    save_all(project.parent / "films", *names, "xray/xray/test/sick/0.jpg", "xray/overview.png")
    done = command("new", "../films")
    assert "seen  subsets     test 8, train 10, validation 6; kept\n" in done.out
    assert "2 are not read, such as xray/overview.png" in done.out
    index = read_as_run(project, "films")
    assert dict(Counter(index["published"])) == {"train": 10, "validation": 6, "test": 8}
    assert dict(Counter(index["findings"])) == {"healthy": 12, "sick": 12}
    assert load_recipe({"recipe": "films"}, project / "config").split.published


def test_a_table_tells_findings_patients_views_ages_and_sexes(project, command):
    films = project.parent / "films"
    save_all(films, *(f"images/{n}.png" for n in range(12)))
    rows = [
        f"{n},P{n // 2:04},{'Pneumonia' if n % 4 < 2 else 'No finding'},pa,{30 + n},F,ward {n}"
        for n in range(12)
    ]
    header = "Image Index,Patient ID,Finding Labels,View Position,Patient Age,Patient Sex,remark"
    (films / "list.csv").write_text("\n".join([header, *rows]))
    done = command("new", "../films", "--name", "mine")
    assert done.err == ""
    assert "seen  findings    no_finding 6, pneumonia 6; by the table\n" in done.out
    assert "seen  patients    images/0.png is of patient P0000\n" in done.out
    index = read_as_run(project, "mine")
    last = index.loc["images/11.png"]
    told = ("findings", "patient", "view", "age", "sex")
    assert tuple(last[list(told)]) == ("no_finding", "mine/P0005", "PA", 41, "F")
    assert dict(Counter(index["findings"])) == {"pneumonia": 6, "no_finding": 6}


def test_a_table_without_findings_tells_the_patients_of_films_in_folders(project, command):
    films = project.parent / "films"
    names = [f"{finding}/{n}.png" for finding in ("normal", "covid") for n in range(6)]
    save_all(films, *names)
    rows = [f"{name},{place % 6 // 2}" for place, name in enumerate(names)]
    (films / "who.csv").write_text("\n".join(["path,subject", *rows]))
    command("new", "../films")
    index = read_as_run(project, "films")
    assert index["patient"]["covid/5.png"] == "films/2"
    assert index["findings"]["covid/5.png"] == "covid"


def test_patients_of_dicom_films_come_from_their_headers(project, command):
    names = [f"{finding}/study{n}/IM0001" for finding in ("normal", "covid") for n in range(4)]
    for seed, name in enumerate(names):
        save_dicom(project.parent / "films" / name, seed, patient=f"Doe^{seed // 2}")
    done = command("new", "../films")
    assert "8 (8 DICOM)" in done.out
    assert "Doe" not in done.out
    index = read_as_run(project, "films")
    assert dict(Counter(index["findings"])) == {"normal": 4, "covid": 4}
    assert index["patient"]["normal/study0/IM0001"] == index["patient"]["normal/study1/IM0001"]
    assert index["patient"].nunique() == 4


def test_masks_belong_to_films_and_are_none(project, command):
    names = [f"{finding}/images/{n}.png" for finding in ("normal", "covid") for n in range(4)]
    save_all(project.parent / "films", *names, *(n.replace("images", "masks") for n in names))
    done = command("new", "../films")
    assert "guess masks       of lungs, for 8 films: {finding}/masks/{name}.png\n" in done.out
    index = read_as_run(project, "films")
    assert sorted(index.index) == sorted(names)
    assert index["lungs"]["covid/images/2.png"] == "covid/masks/2.png"


def test_a_whole_collection_is_read_as_its_own_description_reads_it(project, command):
    """Phantoms have a table, masks of lungs and lesions; config/sources.yaml describes them."""
    origin = Origin(phantom={"hospital": "north", "patients": 24, "side": 64})
    bring(project.parent / "films", "films", origin, "", project / "placed", 1)
    (project.parent / "films/SHA256SUMS").unlink()
    assert command("new", "../films").status == 0
    index = read_as_run(project, "films")
    described = load_sources(["phantom-tiny-north"], PROJECT / "config")["phantom-tiny-north"].films
    settings = IndexSettings(findings=tuple(set(index["findings"])), films={"films": described})
    expected, _, _ = index_films(project / "data", settings, 1)
    pd.testing.assert_frame_equal(index, expected.set_index("file"))
    assert (index["lungs"] != "").all()


def test_masks_of_lungs_and_lesions_are_told_apart_also_by_the_name_alone(tmp_path):
    films = [f"films/{finding}/{n}.png" for finding in ("normal", "covid") for n in range(4)]
    lesions = [film.replace("films/", "infection masks/") for film in films]
    save_all(tmp_path, *films, *lesions, *(film.replace(".png", "_mask.png") for film in films))
    seen = look(tmp_path)
    assert seen.settings.lesions == ("infection masks/{finding}/{name}.png",)
    assert seen.settings.lungs == ("films/{finding}/{name}_mask.png",)
    assert sorted(film.file for film in seen.described) == sorted(films)


def test_snakemake_plans_the_recipe_in_a_project(tmp_path, monkeypatch, command):
    folder = copy_project(tmp_path / "project")
    names = [f"{finding}/{n}.png" for finding in ("normal", "covid") for n in range(8)]
    save_all(tmp_path / "films", *names)
    monkeypatch.chdir(folder)
    assert command("new", "../films", "--name", "mine").status == 0
    jobs = planned(snakemake(folder, "--dry-run", recipe="mine"))
    assert (jobs["download"], jobs["index"], jobs["train"]) == (1, 1, 1)


# What is written


def test_the_other_lines_of_the_sources_stay_as_they_are(project, command):
    save_all(project.parent / "films", *(f"{f}/{n}.png" for f in ("a", "b") for n in range(3)))
    command("new", "../films")
    text = (project / "config/sources.yaml").read_text()
    assert text.startswith(f"{SOURCES}\n\nfilms:\n")
    assert yaml.safe_load(text)["films"] == {
        "title": "Films of films",
        "origin": {"path": "../films"},
    }


def test_a_name_is_replaced_only_by_force_and_in_its_place(project, command):
    save_all(project.parent / "films", *(f"{f}/{n}.png" for f in ("a", "b") for n in range(3)))
    done = command("new", "../films", "--name", "old")
    assert done.status == 2
    assert done.err == (
        "cxrpipe new: error: 'old' in config/sources.yaml there already; give another --name, or "
        "--force to replace\n"
    )
    assert (project / "config/sources.yaml").read_text() == SOURCES
    assert command("new", "../films", "--name", "old", "--force").status == 0
    assert (project / "config/sources.yaml").read_text() == (
        "# All collections; this line stays.\n\n"
        "old:\n  title: Films of old\n  origin:\n    path: ../films\n"
        "# The end, without a newline"
    )


def test_an_entry_is_replaced_up_to_the_next_one():
    text = "a:\n  x: 1\n\n  y: 2\n\nab:\n  x: 3\n"
    assert replace_entry(text, "a", "a: new\n") == "a: new\n\nab:\n  x: 3\n"
    assert replace_entry(text, "ab", "ab: new\n") == "a:\n  x: 1\n\n  y: 2\n\nab: new\n"
    assert replace_entry('"7": {}\n', "7", "'7': new\n") == "'7': new\n"
    assert replace_entry("a : [\n1]  # one\nb: 2", "a", "a: new\n") == "a: new\nb: 2"
    assert replace_entry("b: 2\na:", "a", "a: new\n") == "b: 2\na: new\n"
    assert replace_entry("", "a", "a: new\n") == "a: new\n"
    assert replace_entry("# None yet.\n", "a", "a: new\n") == "# None yet.\n\na: new\n"


def test_an_entry_ends_before_the_comments_above_the_next_one_not_at_those_inside():
    text = "a:\n  x: 1\n# checked by me\n  y: 2\n\n  # of b\n# too\nb: 3\n"
    assert replace_entry(text, "a", "a: new\n") == "a: new\n\n  # of b\n# too\nb: 3\n"


@pytest.mark.parametrize(
    "text",
    [
        "a: &all {x: 1}\nb: *all\n",
        "a: {x: 1}\na: {x: 2}\n",
        "{b: 1, a: 2}\n",
        "{b: 1}\n",
    ],
)
def test_an_entry_that_would_change_what_others_say_is_refused(text, tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"sources\.yaml: 'a' cannot be put there without"):
        put_entry(path, "a", "a: new\n")


def test_line_ends_links_and_rights_of_the_sources_stay(project, command):
    save_all(project.parent / "films", *(f"{f}/{n}.png" for f in ("a", "b") for n in range(3)))
    link, path = project / "config/sources.yaml", project.parent / "all.yaml"
    link.unlink()
    link.symlink_to(path)
    path.write_bytes(b"# Mine.\r\nold:\r\n  origin: {path: x}\r\n")
    path.chmod(0o640)
    assert command("new", "../films").status == 0
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.read_bytes() == (
        b"# Mine.\r\nold:\r\n  origin: {path: x}\r\n\r\n"
        b"films:\r\n  title: Films of films\r\n  origin:\r\n    path: ../films\r\n"
    )


def test_what_a_draft_lacks_is_told_of_the_file_itself(project, command, monkeypatch):
    save_all(project.parent / "films", *(f"{f}/{n}.png" for f in ("a", "b") for n in range(3)))
    monkeypatch.setattr(writing, "describe_source", lambda *_: "films: {origin: {pth: x}}\n")
    done = command("new", "../films")
    assert done.status == 2
    assert "error: config/sources.yaml: films: origin: unknown key 'pth'" in done.err


def test_sources_that_are_not_utf_8_are_one_line_and_status_2(project, command):
    (project / "config/sources.yaml").write_bytes(b"old: {}\n# M\xfcnster\n")
    done = command("new", "../films")
    told = "config/sources.yaml: line 2 is not UTF-8; save it as UTF-8"
    assert (done.status, done.err) == (2, f"cxrpipe new: error: {told}\n")


def test_sources_of_comments_alone_take_an_entry(project, command):
    save_all(project.parent / "films", *(f"{f}/{n}.png" for f in ("a", "b") for n in range(3)))
    (project / "config/sources.yaml").write_text("# None yet.\n")
    assert command("new", "../films").status == 0
    assert set(load_sources(["films"], project / "config")) == {"films"}


def test_nothing_is_written_where_something_is_refused(project, command):
    (project / "config/sources.yaml").write_text("old: [\n")
    save_all(project.parent / "films", *(f"{f}/{n}.png" for f in ("a", "b") for n in range(3)))
    done = command("new", "../films", "--force")
    assert done.status == 2
    assert "sources.yaml: not valid YAML" in done.err
    assert list((project / "config/recipes").iterdir()) == []


@pytest.mark.parametrize(
    ("films", "has_gpu", "side"),
    [(2000, False, 128), (2000, True, 224), (100, True, 96), (40, False, 64), (0, False, 128)],
)
def test_the_side_is_what_the_machine_bears_and_the_films_fill(films, has_gpu, side):
    assert choose_side(films, has_gpu) == side


# What is refused or noted


@pytest.mark.parametrize(
    ("names", "words", "told"),
    [
        ([], ["../nowhere"], "../nowhere: not there; give the folder that holds your films"),
        ([".hidden/1.png"], ["../films"], "../films: holds no film; films end in .png .jpg"),
        (["1.png", "2.png"], ["../films"], "nothing tells the findings of its films; put them"),
        (["covid/1.png", "covid/2.png"], ["../films"], "nothing tells the findings of its films"),
        (
            [*(f"covid/{n}.png" for n in range(9)), "normal/1.png"],
            ["../films"],
            "films show 1 normal, 9 covid; a classifier needs two findings with films of 3",
        ),
        (["covid+/1.png", "covid-/1.png"], ["../films"], "rename one of the two"),
        (["a/1.png", "b/1.png"], ["../films", "--name", "My films"], "'My films' is no name"),
        (["a/1.png", "b/1.png"], ["../films", "--name", "2020"], "'2020' is no name"),
    ],
)
def test_a_folder_that_makes_no_recipe_is_one_line_and_status_2(
    names, words, told, project, command
):
    save_all(project.parent / "films", *names)
    done = command("new", *words)
    assert (done.status, done.out) == (2, "")
    assert told in done.err
    assert done.err.count("\n") == 1
    assert (project / "config/sources.yaml").read_text() == SOURCES


def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    save(tmp_path / "a/1.png")
    (tmp_path / "a/7").touch()
    monkeypatch.setattr(user_folder, "_is_dicom", refuse)
    with pytest.raises(UserError, match="a/7: Permission denied; let it be read, or take it away"):
        user_folder.list_folder(tmp_path)


def test_outside_a_project_it_is_refused(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    done = command("new", ".")
    assert (done.status, done.out) == (2, "")
    assert "no project here: params.yaml is missing; go to the folder of your clone" in done.err


def test_rare_findings_stay_out_and_small_and_broken_films_are_told(project, command):
    names = [f"{finding}/{n}.png" for finding in ("normal", "covid") for n in range(5)]
    save_all(project.parent / "films", *names, "rare/1.png", "rare/2.png")
    save(project.parent / "films/covid/0.png", size=(96, 40))
    (project.parent / "films/covid/1.png").write_bytes(b"no film")
    done = command("new", "../films")
    assert "not in the recipe: rare; fewer than 3 patients each\n" in done.out
    assert "1 of them are below 64: left out\n" in done.out
    assert "1 of 12 films looked at, such as covid/1.png: cannot identify image file" in done.out
    assert load_recipe({"recipe": "films"}, project / "config").findings == ("normal", "covid")


def test_columns_of_yes_and_no_are_told_where_nothing_else_tells_findings(project, command):
    save_all(project.parent / "films", *(f"{n}.png" for n in range(6)))
    rows = [f"{n}.png,{n % 2},{1 - n % 2}" for n in range(6)]
    (project.parent / "films/t.csv").write_text("\n".join(["image,Edema,Nodule", *rows]))
    done = command("new", "../films")
    assert "(columns Edema, Nodule hold yes or no: one column has to tell" in done.err


# What is seen


def test_headers_of_200_films_at_most_are_read(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for n in range(1000):
        (tmp_path / f"{'ab'[n % 2]}/{n:04}.png").touch()
    opened = []
    monkeypatch.setattr(
        sample, "_read_header", lambda path: (opened.append(path), ((9, 8), False))[1]
    )
    seen = look(tmp_path)
    assert len(opened) == 200
    assert {path.parent.name for path in opened} == {"a", "b"}
    assert seen.sample.side == 8
    assert seen.counts == {"a": 500, "b": 500}


@pytest.mark.parametrize(
    ("folders", "roles"),
    [
        (["covid", "normal"], ("finding",)),
        (["test/covid", "train/normal"], ("subset", "finding")),
        (["covid/test", "normal/train"], ("finding", "subset")),
        (["all/PA/covid", "all/AP/normal"], ("", "view", "finding")),
        (["covid/p1", "covid/p2", "normal/p3"], ("finding", "patient")),
        (["north/covid", "south/normal"], ("", "finding")),
        (["normal/north", "covid/south"], ("finding", "")),
        ([f"images_{n:03}" for n in range(12)], ("patient",)),
        ([f"{n}" for n in range(40)], ("patient",)),
    ],
)
def test_levels_of_folders_have_roles(folders, roles):
    films = [f"{folder}/{n}.png" for folder in folders for n in range(3)]
    assert read_layout(films).roles == roles


def test_a_numbered_row_of_large_folders_may_be_findings():
    assert read_layout([f"{n % 2}/{n}.png" for n in range(100)]).roles == ("finding",)


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("p{}_{}", "p7"),
        ("covid-patient{}-{}", "patient7"),
        ("{:08}_00{}", "00000007"),
        ("IM-{:04}-000{}", "IM-0007"),
        ("covid_{}{}", ""),  # a series of numbers
        ("film2020_{}{}", ""),
    ],
)
def test_patients_are_guessed_where_names_group_films(name, patient):
    stems = [name.format(n, film) for n in range(20) for film in (1, 2)]
    guess = guess_patients(stems, ["normal", "covid"] * 20)
    found = re.fullmatch(guess, name.format(7, 1)) if guess else None
    assert (found["patient"] if found else "") == patient


@pytest.mark.parametrize("name", ["day{day}_{n}", "p{n}_1"])
def test_few_large_groups_and_single_films_are_no_patients(name):
    stems = [name.format(day=n % 4, n=n) for n in range(200)]
    assert guess_patients(stems, ["normal"] * 100 + ["covid"] * 100) == ""


@pytest.mark.parametrize(("first_of_test", "is_guessed"), [(0, False), (50, True)])
def test_numbers_that_begin_anew_in_every_subset_are_no_patients(
    first_of_test, is_guessed, tmp_path
):
    for subset, first in (("train", 0), ("test", first_of_test)):
        for finding, place in (("normal", first), ("covid", first + 5)):
            numbers = range(place, place + 5)
            save_all(
                tmp_path / subset / finding, *(f"{n}_{film}.png" for n in numbers for film in "ab")
            )
    assert look(tmp_path).is_patient_guessed == is_guessed


def test_columns_are_found_by_their_names_where_what_stands_in_them_fits(tmp_path):
    path = Path(tmp_path, "t.csv")
    path.write_text(
        "file,patientId,Patient Age,gender,view,class_id,class_name,position\n"
        "1.png,p1,30,F,PA,0,normal,3\n2.png,p2,40,M,lateral,1,covid,4\n"
    )
    assert find_roles(read_table(path), "file") == {
        "patient": "patientId",
        "age": "Patient Age",
        "sex": "gender",
        "view": "view",
        "finding": "class_name",
    }


def test_columns_that_no_name_tells_are_guessed_by_what_stands_in_them(tmp_path):
    save_all(tmp_path, *(f"data/images/{n}.png" for n in range(12)))
    rows = [
        {
            "path": f"images/{n}.png",
            "group": "train",
            "size": str(1000 + n // 2),
            "who": f"A-{n // 2}",
            "result": ("Healthy", "Tuberculosis")[n % 4 < 2],
            "device": ("X", "Y")[n % 2],
        }
        for n in range(12)
    ]
    pd.DataFrame(rows).to_excel(tmp_path / "list.xlsx", index=False)
    seen = look(tmp_path)
    table = seen.sheet.table
    assert (table.film, table.finding, table.patient) == ("data/{path}", "result", "who")
    assert seen.counts == {"healthy": 6, "tuberculosis": 6}
    told = [str(each) for each in tell(seen)]
    assert [line.splitlines()[0] for line in told if line.startswith("guess")] == [
        "guess findings    healthy 6, tuberculosis 6; by the table",
        "guess patients    data/images/0.png is of patient A-0",
    ]
    lists = "column group tells subsets: write their films to lists (films.lists)"
    assert f"note  table       {lists}" in told


def test_a_table_that_names_few_films_leaves_the_others_in(tmp_path):
    save_all(tmp_path, *(f"{finding}/{finding}{n}.png" for finding in "ab" for n in range(5)))
    (tmp_path / "t.csv").write_text("file,label\na1.png,seen\na2.png,seen\nb1.png,odd\n")
    seen = look(tmp_path)
    assert seen.counts == {"a": 5, "b": 5}


def test_a_column_of_two_words_is_no_finding_by_that_alone(tmp_path):
    save_all(tmp_path, *(f"{n}.png" for n in range(6)))
    rows = "".join(f"{n}.png,{('CR', 'DX')[n % 2]}\n" for n in range(6))
    (tmp_path / "t.csv").write_text(f"file,device\n{rows}")
    with pytest.raises(UserError, match="nothing tells the findings"):
        look(tmp_path)


def test_a_table_of_other_things_is_not_read(tmp_path):
    save_all(tmp_path, *(f"{finding}/{n}.png" for finding in ("normal", "covid") for n in range(3)))
    (tmp_path / "prices.csv").write_text("thing,label\nbread,2\nmilk,1\n")
    seen = look(tmp_path)
    assert seen.sheet is None
    assert "prices.csv is not read" in "\n".join(map(str, tell(seen)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("masks/1.png", True),
        ("leftMask/1.png", True),
        ("covid/1_mask.png", True),
        ("covid/unmasked.png", False),
        ("masked men/1.png", False),
        ("lungs/covid/1.png", True),
        ("lung_opacity/1.png", False),
        ("damask.png", False),
    ],
)
def test_masks_are_known_by_their_names(name, said):
    assert is_mask(name) is said

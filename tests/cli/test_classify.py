"""``cxrpipe classify``: every film has its line, whatever is beside it."""

import csv
import io
import json
import os
import sys

import numpy as np
import pydicom
import pytest
from made import FINDINGS, make_film, make_model
from pydicom.uid import ExplicitVRLittleEndian

from cxrpipe import runtime
from cxrpipe.cli import main
from cxrpipe.data.films.film import UnusableFilmError
from cxrpipe.inference.guarding import Guard
from cxrpipe.runtime import RESEARCH_USE


@pytest.fixture
def model(small_run):
    return small_run / "models/first"


@pytest.fixture
def no_guard(monkeypatch):
    """Films of noise, which no guard should let pass, are answered to."""
    monkeypatch.setattr(Guard, "doubt", lambda self, films, features: [None] * len(films))


@pytest.fixture
def wary(monkeypatch):
    """A guard that doubts every film."""
    doubt = UnusableFilmError("unlike", "of other mothers")
    monkeypatch.setattr(Guard, "doubt", lambda self, films, features: [doubt] * len(films))


def save_dicom(path, seed):
    """Write a DICOM film of noise."""
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", f"1.2.{seed}"
    dataset.Modality, dataset.BodyPartExamined = "DX", "CHEST"
    dataset.Rows, dataset.Columns = 64, 96
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 96), dtype=np.uint8)
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB"
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def objects(done):
    """What JSON lines hold."""
    return [json.loads(line) for line in done.out.splitlines()]


pytestmark = pytest.mark.usefixtures("no_guard")


def test_a_broken_film_in_the_middle_keeps_its_place_and_the_others_their_answers(
    command, films, model
):
    done = command("classify", films, "--model", model)
    assert done.status == 1
    heading, *lines = done.out.splitlines()
    assert heading.split() == ["film", "finding", "prob.", "above", "possible"]
    assert [line.split()[0][-5:] for line in lines] == [f"{number}.png" for number in range(5)]
    assert [number for number, line in enumerate(lines) if "refused: unreadable: " in line] == [2]
    note, *_, last = done.err.splitlines()
    assert note == f"cxrpipe classify: {RESEARCH_USE}"
    assert last.endswith("1 of 5 films have no answer, each with its reason")


def test_films_that_all_have_an_answer_end_well(command, films, model):
    (films / "2.png").unlink()
    done = command("classify", films, "--model", model)
    assert done.status == 0
    assert done.err == f"cxrpipe classify: {RESEARCH_USE}\n"


def test_the_three_formats_tell_the_same(command, films, model):
    said = objects(command("classify", films, "--model", model, "--format", "json"))
    as_csv = command("classify", films, "--model", model, "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(as_csv)))
    lines = command("classify", films, "--model", model).out.splitlines()[1:]
    assert [it["film"] for it in said] == [row["film"] for row in rows]
    for number, (it, row, line) in enumerate(zip(said, rows, lines, strict=True)):
        if number == 2:
            assert it["refused"] == row["refused"] == "unreadable"
            assert it["detail"] == row["detail"]
            assert it["detail"] in line
            continue
        assert tuple(it["probabilities"]) == FINDINGS
        assert sum(it["probabilities"].values()) == pytest.approx(1)
        for finding, probability in it["probabilities"].items():
            assert float(row[f"probability_{finding}"]) == pytest.approx(probability, abs=1e-6)
        assert row["finding"] == it["finding"]
        assert row["above"].split("|") == (it["above"] or [""])
        assert row["possible"].split("|") == (it["possible"] or [""])
        share = it["probabilities"][it["finding"]]
        told = [it["finding"], f"{share:.1%}", *(it["above"] or "-"), *(it["possible"] or "-")]
        assert line.replace(",", "").split()[1:] == told


def test_a_table_of_short_names_is_aligned_and_not_wider_than_120_columns(
    command, tmp_path, monkeypatch
):
    findings = ("normal", "lung_opacity", "viral_pneumonia")
    model = make_model(tmp_path / "run", findings=findings)
    make_film(tmp_path / "films/1.png")
    make_film(tmp_path / "films" / ("a long name " * 8 + ".png"), 1)
    monkeypatch.chdir(tmp_path)
    heading, *lines = command("classify", "films", "--model", model).out.splitlines()
    place = heading.index("finding")
    assert place == 32
    assert all(line[place - 2 : place] == "  " for line in lines)
    assert all(line[place:].startswith(findings) for line in lines)
    assert lines[1].startswith("…")
    assert lines[1][:30].endswith("name .png")
    assert max(map(len, lines)) <= 120


def test_films_may_stand_before_and_after_the_options(command, films, model):
    done = command(
        *("classify", films / "0.png", "--model", model),
        *("--format", "json", films / "4.png", "--cores", 1, films / "1.png"),
    )
    assert [it["film"][-5:] for it in objects(done)] == ["0.png", "4.png", "1.png"]


def test_lists_and_standard_input_name_films_in_their_order(command, films, model, monkeypatch):
    listed = films.parent / "list.txt"
    listed.write_text(f"\ufeff{films}/3.png\n\n{films}/1.png\n", encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{films}/4.png\n{films}/none.png\n"))
    done = command("classify", "-", "--list", listed, "--model", model, "--format", "json")
    assert done.status == 1
    names = ["4.png", "none.png", "3.png", "1.png"]
    assert [it["film"].rsplit("/", 1)[1] for it in objects(done)] == names
    refused = [it for it in objects(done) if "refused" in it]
    assert [(it["refused"], it["detail"]) for it in refused] == [
        ("unreadable", "No such file or directory")
    ]


def test_a_study_without_suffixes_is_taken_whole_without_its_index(command, tmp_path, model):
    save_dicom(tmp_path / "study/IM0001", 1)
    save_dicom(tmp_path / "study/series/1.2.840.2", 2)
    save_dicom(tmp_path / "study/DICOMDIR", 3)
    done = command("classify", tmp_path / "study", "--model", model, "--format", "json")
    assert done.status == 0
    assert [it["film"][-8:] for it in objects(done)] == ["y/IM0001", ".2.840.2"]


def test_what_the_guard_doubts_is_refused_unless_it_is_forced(command, films, model, wary):
    words = ("classify", films / "0.png", "--model", model, "--format", "json")
    done = command(*words)
    assert done.status == 1
    [refused] = objects(done)
    assert (refused["refused"], refused["detail"]) == ("unlike", "of other mothers")
    done = command(*words, "--force")
    assert done.status == 0
    [forced] = objects(done)
    assert "of other mothers" in forced["doubt"]
    assert forced["finding"] in FINDINGS
    assert "doubtful: " in command(*words[:-2], "--force").out


def test_overlays_are_one_picture_for_each_answer_of_the_class_asked_for(
    command, films, model, tmp_path
):
    folder = tmp_path / "heatmaps"
    done = command("classify", films, "--model", model, "--overlay", folder, "--class", "covid")
    assert done.status == 1
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{number + 1:04}-{number}-covid.png" for number in (0, 1, 3, 4)
    ]
    alone = tmp_path / "alone"
    done = command("classify", films / "0.png", "--model", model, "--overlay", alone)
    named = done.out.splitlines()[1].split()[1]
    assert [path.name for path in alone.iterdir()] == [f"0001-0-{named}.png"]


def test_several_models_answer_with_their_mean_and_tell_how_far_they_agree(
    command, films, small_run
):
    words = ("classify", films / "0.png", films / "1.png", films / "3.png", "--format", "json")
    words += ("--run", small_run)
    first, second = (objects(command(*words, "--model", name)) for name in ("first", "second"))
    both = objects(command(*words, "--model", "first", "--model", "second"))
    for one, other, joint in zip(first, second, both, strict=True):
        for finding, share in joint["probabilities"].items():
            mean = (one["probabilities"][finding] + other["probabilities"][finding]) / 2
            assert share == pytest.approx(mean, abs=1e-6)
        votes = [one["finding"], other["finding"]]
        assert joint["agreement"] == votes.count(joint["finding"]) / 2
        assert (one["agreement"], other["agreement"]) == (1, 1)


def test_a_run_alone_is_its_best_model(command, films, small_run, tmp_path):
    run = tmp_path / "judged"
    run.mkdir()
    (run / "models").symlink_to(small_run / "models")
    (run / "metrics.json").write_text('{"tasks": {"findings": {"best": "second"}}}')
    words = ("classify", films / "0.png", "--format", "json", "--run", run)
    best, second, first = (
        objects(command(*words, *model))
        for model in ([], ["--model", "second"], ["--model", "first"])
    )
    assert best == second != first


def test_progress_is_told_in_lines(command, films, model, monkeypatch):
    monkeypatch.setattr(runtime, "SECONDS_BETWEEN_LINES", 0)
    told = command("classify", films, "--model", model).err.splitlines()
    done = [line.rpartition(", 0:0")[0] for line in told if line.endswith(" left")]
    assert done == [f"cxrpipe classify: {n} of 5 films" for n in range(1, 5)]


def test_a_pipe_that_is_closed_early_ends_it_quietly(films, model, monkeypatch, capfd, own_logging):
    there, here = os.pipe()
    os.close(there)
    with os.fdopen(here, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert main.run("classify", [str(films), "--model", str(model)]) == 1
    assert all(
        line.startswith("cxrpipe classify: ") for line in capfd.readouterr().err.splitlines()
    )


def test_a_film_whose_name_is_no_text_is_named_as_it_is(films, model, monkeypatch, own_logging):
    odd = os.fsencode(films) + b"/\xff.png"
    (films / "0.png").rename(os.fsdecode(odd))
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", out)
    words = ["classify", os.fsdecode(odd), "--model", str(model), "--format", "csv"]
    monkeypatch.setattr(sys, "argv", ["cxrpipe", *words])
    with pytest.raises(SystemExit) as stopped:
        main.main()
    assert stopped.value.code == 0
    assert out.buffer.getvalue().splitlines()[1].startswith(odd + b",")


def test_the_table_shows_no_control_characters(command, films, model, monkeypatch):
    (films / "2.png").rename(films / "a\x1b[31m\n.png")
    monkeypatch.chdir(films.parent)
    lines = command("classify", "films", "--model", model).out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [
        *(f"films/{name}.png" for name in ("0", "1", "3", "4", "a?[31m?"))
    ]


def test_a_folder_that_may_not_be_written_to_is_found_before_a_film_is_read(
    command, films, model, monkeypatch, tmp_path
):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    done = command("classify", films, "--model", model, "--overlay", tmp_path)
    assert (done.status, done.out) == (2, "")
    told = f"--overlay: {tmp_path}: may not be written to; give another"
    assert done.err == f"cxrpipe classify: error: {told}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no film is named; give a film, a folder, --list or -"),
        (("--class", "covid", "a.png"), "--class: tells what to explain; give --overlay"),
        (("--list", "nowhere.txt"), "--list: nowhere.txt: not readable as a list of paths"),
        (("--model", "", "FILM"), "--model: is empty; give a folder or file, or with --run a name"),
        (("--model", "MODEL", "FILM"), "--model: one is named twice in "),
        (("--cores", "0", "a.png"), "argument --cores: '0' is no number from 1 on"),
        (("--fold", "7", "FILM"), "has no fold-7; there are: fold-0"),
        (("--overlay", "FILM", "FILM"), "cannot be made a folder (File exists); give another"),
    ],
)
def test_mistakes_of_the_command_line_are_one_line(words, said, command, films, model):
    places = {"FILM": str(films / "0.png"), "MODEL": f"{model.parent}/../models/{model.name}"}
    words = [places.get(word, word) for word in words]
    done = command("classify", *words, "--model", model)
    assert done.status == 2
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("cxrpipe classify: error: ")
    assert said in done.err
    assert done.out == ""

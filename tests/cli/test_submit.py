"""``cxrpipe submit``: a row for every case, or no file."""

import csv
import os

import numpy as np
import pytest
from made import FINDINGS, make_model
from PIL import Image

from cxrpipe.config import Preprocess
from cxrpipe.data.films.film import UnusableFilmError
from cxrpipe.inference.guarding import Guard
from cxrpipe.inference.network import Computed
from cxrpipe.inference.submission import name_cases, name_classes, write_submission
from cxrpipe.inference.torch_network import TorchNetwork
from cxrpipe.runtime import UserError


@pytest.fixture(scope="module")
def judged_run(tmp_path_factory):
    """The folder of a run with three models, whose films are not changed but in size."""
    run = tmp_path_factory.mktemp("results") / "greys"
    for seed, name in enumerate(("a", "b", "c")):
        make_model(run, name, seed, preprocess=Preprocess(side=32))
    return run


@pytest.fixture
def model(judged_run):
    return judged_run / "models/a"


@pytest.fixture(autouse=True)
def answers_by_grey(monkeypatch):
    """Networks name finding n mod 3 for a film of grey 20 n, and the guard doubts black ones."""

    def compute(self, grey):
        places = np.round(grey.mean(axis=(1, 2)) / 20).astype(int) % 3
        return Computed(4.0 * np.eye(3)[places], np.zeros((len(grey), 1), np.float32))

    def doubt(self, films, features):
        return [None if it.square.any() else UnusableFilmError("dark", "black") for it in films]

    monkeypatch.setattr(TorchNetwork, "compute", compute)
    monkeypatch.setattr(Guard, "doubt", doubt)


def save(path, grey):
    """Write a film of one grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (64, 64), grey).save(path)


@pytest.fixture
def cases(tmp_path):
    """Twelve cases of a challenge in a folder, numbered from 1."""
    for number in range(1, 13):
        save(tmp_path / f"test_set/case_{number:02}.png", 20 * number)
    return tmp_path / "test_set"


def rows(path):
    """Rows of a submission, its heading first."""
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_every_film_of_a_folder_has_a_row_with_the_finding_that_the_model_names(
    command, cases, model, tmp_path
):
    output = tmp_path / "new/submission.csv"
    done = command("submit", cases, "--model", model, "--output", output)
    assert done.status == 0
    named = [[f"case_{number:02}", FINDINGS[number % 3]] for number in range(1, 13)]
    assert rows(output) == [["case", "class"], *named]
    assert done.out == f"{output}: 12 cases: covid 4, tuberculosis 4, normal 4\n"
    assert [path.name for path in output.parent.iterdir()] == ["submission.csv"]


def test_rows_follow_a_list_and_classes_and_cases_are_called_as_the_challenge_does(
    command, cases, model, tmp_path
):
    listed, output = tmp_path / "list.txt", tmp_path / "submission.csv"
    listed.write_text("".join(f"{cases}/case_{number}.png\n" for number in ("07", "02", "12")))
    words = ("submit", "--list", listed, "--model", model, "--output", output)
    assert command(*words).status == 0
    assert rows(output)[1:] == [
        *(["case_07", "covid"], ["case_02", "tuberculosis"], ["case_12", "normal"])
    ]
    assert command(*words, "--names", "normal=0, covid=1,tuberculosis=2", "--suffix").status == 0
    assert rows(output)[1:] == [["case_07.png", "1"], ["case_02.png", "2"], ["case_12.png", "0"]]


def test_a_refused_film_leaves_the_file_as_it_was_until_it_is_forced(
    command, cases, model, tmp_path
):
    output = tmp_path / "submission.csv"
    output.write_text("of yesterday")
    for number in range(1, 8):
        save(cases / f"case_{number:02}.png", 0)
    words = ("submit", cases, "--model", model, "--output", output)
    done = command(*words)
    assert done.status == 1
    assert done.out == ""
    assert output.read_text() == "of yesterday"
    assert done.err.count("dark: black") == 5
    last = done.err.splitlines()[-1]
    assert last == (
        "cxrpipe submit: 2 others; nothing is written, since 7 of 12 cases have no class; look at "
        "them: --force answers to what is refused, not to what is broken"
    )
    assert command(*words, "--force").status == 0
    assert [name for _, name in rows(output)[1:8]] == ["normal"] * 7


def test_a_broken_film_cannot_be_forced(command, cases, model, tmp_path):
    (cases / "case_03.png").write_bytes(b"no film")
    (cases / "case_03.png").rename(cases / "case\x1b\n.png")
    words = ("submit", cases, "--model", model, "--output", tmp_path / "submission.csv")
    done = command(*words, "--force")
    assert done.status == 1
    assert f"{cases}/case??.png: unreadable: " in done.err
    assert "since 1 of 12 cases have no class" in done.err
    assert not (tmp_path / "submission.csv").exists()


@pytest.mark.parametrize(("combine", "named"), [("vote", "covid"), ("mean", "normal")])
def test_several_models_answer_together(
    combine, named, command, cases, judged_run, tmp_path, monkeypatch
):
    surely_normal, rather_covid = np.array([9.0, 0, 0]), np.array([0, 0.5, 0])
    told = iter([surely_normal, rather_covid, rather_covid])
    features = np.zeros((1, 1), np.float32)
    monkeypatch.setattr(
        TorchNetwork, "compute", lambda self, grey: Computed(next(told)[None], features)
    )
    output, film = tmp_path / "submission.csv", cases / "case_01.png"
    models = [word for name in "abc" for word in ("--model", name)]
    words = ("submit", film, "--run", judged_run, *models, "--combine", combine)
    assert command(*words, "--output", output).status == 0
    assert rows(output)[1:] == [["case_01", named]]


def test_a_model_of_yes_and_no_names_no_class(command, cases, tmp_path):
    model = make_model(tmp_path / "run", kind="multi")
    done = command("submit", cases, "--model", model, "--output", tmp_path / "submission.csv")
    assert done.status == 2
    told = "the model answers yes or no to findings; give one that tells them apart"
    assert done.err == f"cxrpipe submit: error: {told}\n"


def test_an_output_that_is_a_folder_is_found_before_a_film_is_read(command, cases, model):
    done = command("submit", cases, "--model", model, "--output", cases)
    assert done.status == 2
    assert done.err == f"cxrpipe submit: error: --output: {cases}: is a folder; name a file\n"


# The library


def test_a_case_is_named_without_what_tells_the_format(tmp_path):
    films = [tmp_path / name for name in ("a/17.b.PNG", "1.2.840.113", "IM0001", "b/3.dcm")]
    assert name_cases(films) == ["17.b", "1.2.840.113", "IM0001", "3"]
    assert name_cases(films, whole_name=True) == ["17.b.PNG", "1.2.840.113", "IM0001", "3.dcm"]


def test_two_films_of_one_name_are_a_mistake_that_names_both(tmp_path):
    films = [tmp_path / "a/1.png", tmp_path / "b/2.png", tmp_path / "b/1.jpg"]
    told = f"{films[0]} and {films[2]} are both case '1'"
    with pytest.raises(UserError, match=told):
        name_cases(films)
    assert name_cases(films, whole_name=True) == ["1.png", "2.png", "1.jpg"]


@pytest.mark.parametrize("whole_name", [False, True])
def test_a_name_that_is_no_text_is_a_mistake(whole_name, tmp_path):
    with pytest.raises(UserError, match="its name is no UTF-8 text; rename it"):
        name_cases([tmp_path / "ü.png", tmp_path / os.fsdecode(b"\xff.png")], whole_name)


@pytest.mark.parametrize(
    ("told", "classes"),
    [
        ("", FINDINGS),
        ("covid=COVID-19", ("normal", "COVID-19", "tuberculosis")),
        ("covid=ill, tuberculosis=ill", ("normal", "ill", "ill")),
    ],
)
def test_classes_are_findings_or_what_is_told_of_them(told, classes):
    assert name_classes(FINDINGS, told) == dict(zip(FINDINGS, classes, strict=True))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("covd=1", "--names: no finding 'covd'; did you mean 'covid'?"),
        ("covid", "--names: 'covid' gives no class; write covid=<class>"),
        ("covid=", "--names: 'covid=' gives no class; write covid=<class>"),
        ("covid=1,covid=2", "--names: 'covid' is named twice; give it one class"),
    ],
)
def test_wrong_names_are_one_line(told, said):
    with pytest.raises(UserError) as stopped:
        name_classes(FINDINGS, told)
    assert str(stopped.value) == said


def test_odd_names_of_cases_are_read_back_as_they_are(tmp_path):
    told = [("a,b", "normal"), ('say "x"', "covid"), ("two\nlines", "covid"), ("ü", "normal")]
    write_submission(tmp_path / "submission.csv", told)
    assert rows(tmp_path / "submission.csv")[1:] == list(map(list, told))

"""``cxrpipe explain``: a picture for each film that has an answer, its path on a line."""

import pytest
from PIL import Image

from cxrpipe.data.films.film import UnusableFilmError
from cxrpipe.inference.guarding import Guard
from cxrpipe.runtime import RESEARCH_USE


@pytest.fixture(autouse=True)
def no_guard(monkeypatch):
    monkeypatch.setattr(Guard, "doubt", lambda self, films, features: [None] * len(films))


@pytest.fixture
def model(small_run):
    return small_run / "models/first"


def test_each_answer_has_a_picture_and_a_broken_film_its_reason(command, films, model, tmp_path):
    folder = tmp_path / "new/heatmaps"
    (films / "2.png").rename(films / "2\x1b\n.png")
    words = ("--model", model, "--class", "covid", "--method", "integrated", "--output", folder)
    done = command("explain", films, *words)
    assert done.status == 1
    names = [f"{number + 1:04}-{number}-covid.png" for number in (0, 1, 3, 4)]
    assert done.out.splitlines() == [str(folder / name) for name in names]
    assert sorted(path.name for path in folder.iterdir()) == names
    with Image.open(folder / names[0]) as picture:
        assert (picture.width, picture.mode) == (640, "RGB")
    note, refused = done.err.splitlines()
    assert note == f"cxrpipe explain: {RESEARCH_USE}"
    assert refused.startswith(f"cxrpipe explain: {films}/2??.png: unreadable: ")


def test_what_the_guard_doubts_is_explained_only_if_it_is_forced(
    command, films, model, tmp_path, monkeypatch
):
    doubt = UnusableFilmError("unlike", "of other mothers")
    monkeypatch.setattr(Guard, "doubt", lambda self, films, features: [doubt] * len(films))
    words = ("explain", films / "0.png", "--model", model, "--output", tmp_path / "heatmaps")
    done = command(*words)
    assert (done.status, done.out) == (1, "")
    assert done.err.splitlines()[1].endswith("0.png: unlike: of other mothers")
    done = command(*words, "--force")
    assert done.status == 0
    assert len(done.out.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--class", "covd"), "no finding 'covd'; did you mean 'covid'?"),
        (("--layer", "layer9"), "a film passes no module layer9"),
        (("--method", "gradcm"), "argument --method: invalid choice: 'gradcm'"),
        (("--output", "FILM"), "--output: FILM: cannot be made a folder (File exists)"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(
    words, said, command, films, model, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    film = str(films / "0.png")
    done = command(
        "explain", film, "--model", model, *(word.replace("FILM", film) for word in words)
    )
    assert done.status == 2
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("cxrpipe explain: error: ")
    assert said.replace("FILM", film) in done.err
    assert not (tmp_path / "heatmaps").exists()

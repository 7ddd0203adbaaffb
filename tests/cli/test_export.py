"""``cxrpipe export``: one file, compared with torch before it has its name."""

import pytest
from made import make_model

from cxrpipe.config import Preprocess


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = tmp_path_factory.mktemp("results")
    make_model(run, "plain", preprocess=Preprocess(side=32))
    make_model(run, "enhanced", preprocess=Preprocess(side=32, clahe=2))
    return run


@pytest.mark.parametrize(
    ("name", "form", "films"),
    [
        ("plain", "pt2", "of any size"),
        ("enhanced", "onnx", "that cxrpipe prepared, squares of 32 pixels"),
    ],
)
def test_it_writes_one_file_and_says_how_far_it_differs(name, form, films, command, run, tmp_path):
    path = tmp_path / f"new/{name}.{form}"
    done = command("export", "--run", run, "--model", name, "--format", form, "--output", path)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"{path}: takes films {films}; differs from torch by ")
    difference = float(done.out.split(" by ")[1].split()[0])
    assert 0 <= difference < 1e-4
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "a.onnx", "--output", "b.onnx"), "a.onnx: is exported already"),
        (("--model", "a", "--output", "a.pt2"), "a.pt2: of --format onnx it ends in .onnx"),
        (("--model", "a", "--format", "pt2", "--output", "a"), "it ends in .pt2"),
        (("--model", "nowhere", "--output", "a.onnx"), "nowhere: no such file or folder"),
        (("--model", "a"), "--output"),
        (("--output", "a.onnx"), "no model is named"),
        (("--model", "a", "--output", "taken/a.onnx"), "taken: cannot be made a folder"),
    ],
)
def test_a_mistake_is_one_line(words, said, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("no folder")
    done = command("export", *words)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert said in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]

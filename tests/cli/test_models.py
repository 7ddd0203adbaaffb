"""``cxrpipe models``: what a run holds, for people and for programs, without torch."""

import csv
import io
import json
import subprocess
import sys

import pytest
from made import FINDINGS, make_model


def estimate(value, low=None, high=None):
    return {"value": value, "low": low, "high": high, "sd": None}


def judged(n, accuracy, f1, auc, coverage):
    """What the metrics of a run tell of a model of the task ``findings``."""
    macro = {"f1": estimate(*f1), "auc": estimate(*auc)}
    test = {"n": n, "accuracy": estimate(*accuracy), "macro": macro}
    sets = {"wanted": 0.9, "coverage": estimate(coverage)}
    return {"task": "findings", "test": test, "conformal": sets}


METRICS = {
    "bootstrap": {"level": 0.95},
    "tasks": {"findings": {"best": "large", "chosen_by": "f1"}},
    "models": {
        "large": judged(1229, (0.965, 0.939, 0.987), (0.963, 0.931, 0.986), (0.999, None), 0.917),
        "small": judged(1229, (0.93, 0.894, 0.964), (0.927, 0.888, 0.961), (None,), 0.8865),
    },
}
TABLE = """\
results/demo: one of normal, covid, tuberculosis
  model    architecture  side     MB  accuracy             macro F1             macro AUC      \
covers        refuses
  large *  test_resnet     32   SIZE  0.965 (0.939-0.987)  0.963 (0.931-0.986)  0.999          \
91.7% of 90%  14 of 1229
  new      test_resnet     32   SIZE
  small    test_resnet     32   SIZE  0.930 (0.894-0.964)  0.927 (0.888-0.961)  not estimable  \
88.6% of 90%
  1,229 test films; in brackets 95% intervals over patients; * best on validation by macro F1
  not judged yet, so without scores: new
  take one: --model results/demo/models/<model>
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a run of three models, two of them judged, and one of yes and no."""
    run = tmp_path / "results/demo"
    for seed, name in enumerate(("large", "small", "new")):
        make_model(run, name, seed)
    (run / "metrics.json").write_text(json.dumps(METRICS))
    for name in ("large", "small", "new"):
        (run / f"models/{name}/fold-0/summary.json").write_text('{"task": "findings"}')
    guarded = {"validation": {"n": 9, "refused": 0}, "test": {"n": 1229, "refused": 14}}
    (run / "models/large/fold-0/guard.json").write_text(json.dumps(guarded))
    make_model(tmp_path / "results/other", "only", kind="binary", findings=("covid",))
    (tmp_path / "results/untrained/models").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_is_a_table_with_the_best_marked_and_what_is_not_judged_said(command, project):
    done = command("models", "results/demo")
    assert (done.status, done.err) == (0, "")
    weights = project / "results/demo/models/large/fold-0/weights.safetensors"
    size = f"{weights.stat().st_size / 1e6:>5.1f}"
    assert done.out == TABLE.replace(" SIZE", size)


def test_without_a_run_all_that_have_models_are_listed(command, project):
    done = command("models")
    assert done.out.startswith(command("models", "results/demo").out + "\n")
    told = done.out.splitlines()
    assert "results/other: yes or no to covid" in told
    assert told[-2:] == [
        "  not judged yet, so without scores: only",
        "  take one: --model results/other/models/<model>",
    ]


def test_csv_and_json_tell_the_same_and_what_is_not_known_is_empty(command, project):
    rows = list(csv.DictReader(io.StringIO(command("models", "--format", "csv").out)))
    said = [json.loads(line) for line in command("models", "--format", "json").out.splitlines()]
    assert [it["path"] for it in said] == [
        *(f"results/demo/models/{name}" for name in ("large", "new", "small")),
        "results/other/models/only",
    ]
    for row, it in zip(rows, said, strict=True):
        assert list(row) == list(it)
        told = {**it, "findings": "|".join(it["findings"])}
        assert row == {key: "" if value is None else str(value) for key, value in told.items()}
    large, new, *_ = said
    assert large["findings"] == list(FINDINGS)
    assert (large["best"], large["macro_f1_low"], large["coverage"]) == (True, 0.931, 0.917)
    assert (large["guard_refused"], large["guard_n"]) == (14, 1229)
    assert (new["best"], new["accuracy"], new["coverage"]) == (None, None, None)


def test_where_nothing_is_trained_it_is_one_line(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = command("models")
    assert done.status == 2
    told = "results: no run with trained models here; train one with make run"
    assert done.err == f"cxrpipe models: error: {told}\n"


def test_models_are_listed_without_torch(project):
    told = """
import sys
from cxrpipe.cli import main
status = main.run("models", [])
print(status, "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"

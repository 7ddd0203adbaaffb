"""What tells whether a run repeats: which files are compared, and which differences are told."""

import importlib.util
from pathlib import Path

import pytest
from running import ROOT

SPEC = importlib.util.spec_from_file_location("verify", ROOT / "workflow/verify.py")
verify = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(verify)


@pytest.mark.parametrize(
    ("name", "measured"),
    [
        ("results/demo/table.csv", False),
        ("results/demo/figures/roc.svg", False),
        ("results/demo/models/one/fold-0/weights.safetensors", False),
        ("results/demo/table.md", True),
        ("results/demo/models/one/fold-0/timing.json", True),
        ("results/demo/benchmarks/train/one/fold-0.tsv", True),
    ],
)
def test_only_what_holds_a_time_is_not_compared(name, measured):
    assert verify.is_measured(name) is measured


def test_files_that_differ_or_are_missing_are_listed():
    first = {"a.csv": "1", "b.csv": "2", "only-first.csv": "3", "table.md": "4"}
    second = {"a.csv": "1", "b.csv": "x", "only-second.csv": "3", "table.md": "5"}
    assert verify.compare(first, second) == ["b.csv", "only-first.csv", "only-second.csv"]


def test_every_file_of_the_results_is_summed(tmp_path):
    (tmp_path / "results/demo").mkdir(parents=True)
    (tmp_path / "results/demo/table.csv").write_text("model\n")
    (tmp_path / "logs").mkdir()
    assert list(verify.sum_up(tmp_path)) == ["results/demo/table.csv"]


def test_relative_folders_of_settings_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("films").mkdir()
    assert verify.resolve("mirror=films") == f"mirror={tmp_path.resolve()}/films"
    assert verify.resolve("recipe=films") == "recipe=films"
    assert verify.resolve("mirror=https://example.org") == "mirror=https://example.org"

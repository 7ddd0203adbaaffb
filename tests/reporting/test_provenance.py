"""Where a run comes from: commit, pin, lock, machine, and every checksum."""

import hashlib
import json
import logging
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cxrpipe.reporting import provenance


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A Git repository with a run of which everything is committed but the results."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/north").mkdir(parents=True)
    (tmp_path / "data/north/SHA256SUMS").write_text("0a  films/1.png\n")
    (tmp_path / "data.dvc").write_text("outs:\n- md5: 5a6b.dir\n  path: data\n")
    (tmp_path / "requirements.txt").write_text("torch==2\n")
    (tmp_path / ".gitignore").write_text("/results/\n/data/\n")
    results = tmp_path / "results/imaginary"
    for name in ("table.csv", "models/one/weights.bin", *provenance.LEFT_OUT[:3]):
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text(name)
    for name in ("benchmarks/train.tsv", "checkpoints/state.pt", "overlays/.snakemake_timestamp"):
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text(name)
    who = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"]
    for question in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "-m", "all"]):
        subprocess.run(["git", *question], check=True)
    return tmp_path


def write(folder, monkeypatch):
    """Write the provenance of the run and read it."""
    recipe = {"seed": 7, "models": {"one": {"seed": 0}, "two": {"seed": 3}}}
    flags = ["--run", "imaginary", "--recipe", json.dumps(recipe), "--cores", "2"]
    flags += ["--started", "2026-11-21T10:00:00+00:00", "--checksums", "data/north/SHA256SUMS"]
    flags += ["--results", "results/imaginary", "--provenance", "results/imaginary/p.json"]
    monkeypatch.setattr(sys, "argv", ["provenance", *flags])
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    provenance.main()
    return json.loads(Path("results/imaginary/p.json").read_text())


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_everything_is_told(folder, monkeypatch):
    told = write(folder, monkeypatch)
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
    assert told["code"] == {"commit": head.stdout.strip(), "changed": []}
    assert told["data"] == {
        "pin": "5a6b.dir",
        "collections": {"north": sha256("data/north/SHA256SUMS")},
    }
    assert told["packages"]["lock"] == sha256("requirements.txt")
    assert told["packages"]["installed"].keys() >= {"python", "torch", "snakemake"}
    assert told["machine"]["cores"] == 2
    assert told["machine"]["memory_gib"] > 0
    assert told["seeds"] == {"recipe": 7, "two": 3}
    assert told["started"] == "2026-11-21T10:00:00+00:00"
    assert datetime.fromisoformat(told["ended"]) <= datetime.now(UTC)


def test_every_file_is_summed_but_what_tells_of_them_or_measures(folder, monkeypatch):
    told = write(folder, monkeypatch)
    assert told["outputs"] == {
        name: sha256(f"results/imaginary/{name}")
        for name in ("models/one/weights.bin", "table.csv")
    }


def test_changed_files_are_named(folder, monkeypatch):
    (folder / "requirements.txt").write_text("torch==3\n")
    (folder / "new.py").write_text("")
    assert write(folder, monkeypatch)["code"]["changed"] == ["requirements.txt", "new.py"]


def test_without_git_pin_or_lock_nothing_is_claimed(folder, monkeypatch):
    monkeypatch.setattr(provenance.shutil, "which", lambda _: None)
    (folder / "data.dvc").unlink()
    (folder / "requirements.txt").unlink()
    told = write(folder, monkeypatch)
    assert told["code"] == {"commit": None, "changed": None}
    assert told["data"]["pin"] is None
    assert told["packages"]["lock"] is None


def test_a_folder_that_is_no_repository_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.tell_code() == {"commit": None, "changed": None}

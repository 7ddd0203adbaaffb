"""DVC and Snakemake in step: each front door, and what the other then has to do."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from running import dvc, environment, git, planned, replace, snakemake, try_dvc

NOTHING = "Nothing to be done"
UP_TO_DATE = "Data and pipelines are up to date"
TINY = Path("results/tiny")
MODEL = TINY / "models/small/fold-0/weights.safetensors"
# What follows from another learning rate of one model, and no more.
RETRAINING = {
    "train": 1,
    "predict": 1,
    "calibrate": 1,
    "guard": 1,
    "evaluate": 1,
    "gradcam": 1,
    "localise": 1,
    "embed": 1,
    "project": 1,
    "errors": 1,
    "filters": 1,
    "illustrate": 1,
    "overlays": 1,
    "ablation": 1,
    "literature": 1,
    "figures": 1,
    "plots": 1,
    "table": 1,
    "provenance": 1,
    "report": 1,
}


def record(project: Path, message: str) -> None:
    """Tell DVC and Git what is there, as `make record` and a commit do."""
    dvc(project, "add", "--quiet", "data")
    dvc(project, "commit", "--quiet", "--force")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", message)


def assert_quiet(project: Path) -> None:
    """Neither tool wants to do anything."""
    assert NOTHING in snakemake_here(project)
    assert UP_TO_DATE in dvc(project, "status")


def snakemake_here(project: Path) -> str:
    """Ask Snakemake what params.yaml would make it do."""
    done = subprocess.run(
        ["snakemake", "--dry-run", "--cores", "2", "--resources", "gpu=1"],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


def bytes_of(project: Path) -> dict[str, bytes]:
    """The bytes of everything that a model and the table are judged by."""
    names = [*(project / TINY / "models").rglob("*.safetensors"), project / TINY / "table.csv"]
    return {str(path.relative_to(project)): path.read_bytes() for path in sorted(names)}


@pytest.fixture
def recorded(project: Path) -> Path:
    """A project whose run and data are recorded and pushed to a remote beside it."""
    dvc(project, "remote", "add", "--default", "store", str(project.parent / "store"))
    record(project, "recorded")
    dvc(project, "push", "--quiet")
    return project


@pytest.fixture
def restored(recorded: Path) -> Path:
    """A fresh clone of the recorded project, for which `dvc pull` has been run."""
    place = recorded.parent / "restored"
    git(recorded.parent, "clone", "--quiet", str(recorded), str(place))
    dvc(place, "pull", "--quiet")
    return place


# Both front doors


def test_dvc_repro_of_a_fresh_clone_runs_every_rule_once(finished: Path):
    jobs = planned((finished.parent / "repro.txt").read_text(encoding="utf-8"))
    assert jobs["download"] == jobs["train"] == jobs["preprocess"] + 1 == 2
    assert jobs.items() >= {"index": 1, "evaluate": 1, "provenance": 1, "report": 1}.items()


def test_dvc_repro_again_does_nothing_and_snakemake_neither(project: Path):
    assert UP_TO_DATE in dvc(project, "repro")
    assert NOTHING in snakemake_here(project)


def test_an_edit_of_the_figures_code_redraws_alone(project: Path):
    replace(project / "cxrpipe/reporting/drawing/sizes.py", "def draw_size", "\n\ndef draw_size")
    jobs = planned(dvc(project, "repro"))
    assert jobs == {"figures": 1, "provenance": 1, "report": 1}
    assert NOTHING in snakemake_here(project)


def test_an_edit_of_an_unused_recipe_runs_nothing(project: Path):
    replace(project / "config/recipes/open.yaml", "title:", "# edited\ntitle:")
    assert UP_TO_DATE in dvc(project, "repro")
    assert NOTHING in snakemake_here(project)


def test_what_snakemake_made_alone_is_recorded_by_one_command(project: Path):
    replace(project / "config/recipes/tiny.yaml", "title:", "seed: 0\ntitle:")
    replace(project / "config/recipes/tiny.yaml", "Tiny", "Tiny too")
    snakemake(project)
    assert "modified" in dvc(project, "status")
    record(project, "another title")
    assert_quiet(project)


def test_a_config_file_that_is_no_link_any_more_is_refused(project: Path):
    (project / "config/config.yaml").unlink()
    (project / "config/config.yaml").write_text("recipe: open\n", encoding="utf-8")
    refused = try_dvc(project, "repro", "--force")
    assert refused.returncode != 0
    assert "run: ln -sf ../params.yaml config/config.yaml" in refused.stdout


# Versions


def test_a_fresh_clone_is_restored_by_dvc_pull(recorded: Path, restored: Path):
    assert_quiet(restored)
    assert bytes_of(restored) == bytes_of(recorded)
    jobs = planned(snakemake(restored, "--dry-run", training="{learning_rate: 0.01}"))
    assert jobs["train"] == 2  # what it was trained with came along
    assert not {"download", "preprocess"} & set(jobs)


def test_code_that_is_newer_than_restored_results_is_heeded(recorded: Path):
    place = recorded.parent / "restored"
    git(recorded.parent, "clone", "--quiet", str(recorded), str(place))
    replace(place / "cxrpipe/models/starts.py", "import", "import os  # edited\nimport")
    dvc(place, "pull", "--quiet")
    jobs = planned(snakemake_here(place))
    assert jobs["train"] == 2
    assert not {"download", "preprocess"} & set(jobs)


def test_a_single_model_is_fetched_by_its_version(recorded: Path, tmp_path: Path):
    git(recorded, "tag", "--annotate", "--message", "first", "classifiers@v1.0.0")
    source = ["dvc", "get", str(recorded), str(MODEL.parent), "--rev", "classifiers@v1.0.0"]
    subprocess.run(source, cwd=tmp_path, env=environment(), check=True, capture_output=True)
    assert (tmp_path / "fold-0" / MODEL.name).read_bytes() == (recorded / MODEL).read_bytes()
    named = ["dvc", "artifacts", "get", str(recorded), "classifiers", "--rev", "v1.0.0"]
    subprocess.run(named, cwd=tmp_path, env=environment(), check=True, capture_output=True)
    fetched = tmp_path / "models" / MODEL.relative_to(TINY / "models")
    assert fetched.read_bytes() == (recorded / MODEL).read_bytes()


def test_experiments_have_rows_of_their_own_and_come_back_byte_for_byte(recorded: Path):
    made = {}
    for name, rate in (("rate-high", 0.02), ("rate-low", 0.0001)):
        settings = ["-S", "+only=[small]", "-S", f"+training.learning_rate={rate}"]
        printed = dvc(recorded, "exp", "run", "--name", name, *settings)
        git(recorded, "checkout", "--quiet", "params.yaml")
        made[name] = bytes_of(recorded)
    assert planned(printed) == RETRAINING
    rows = json.loads(dvc(recorded, "exp", "show", "--json"))
    experiments = [each["revs"][0] for each in rows[1]["experiments"]]
    scores = {
        each["name"]: each["data"]["metrics"][str(TINY / "scores.json")]["data"]["macro_auc"]
        for each in experiments
    }
    assert set(scores) == {"rate-high", "rate-low"}
    assert scores["rate-high"]["small"] != scores["rate-low"]["small"]
    dvc(recorded, "exp", "apply", "rate-high")
    assert bytes_of(recorded) == made["rate-high"]
    assert NOTHING in snakemake_here(recorded)


def test_new_raw_data_are_followed_and_the_old_come_back_without_training(recorded: Path):
    before = bytes_of(recorded)
    folder = recorded / "data/phantom-tiny-north"
    old, name = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()[0].split()
    ImageOps.mirror(Image.open(folder / name)).save(folder / name)
    new = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    replace(folder / "SHA256SUMS", old, new)
    dvc(recorded, "add", "--quiet", "data")
    assert "data-pin" in dvc(recorded, "status")
    jobs = planned(dvc(recorded, "repro"))
    assert jobs["index"] == jobs["split"] == 1
    assert jobs["train"] == 2
    assert "download" not in jobs
    record(recorded, "a film turned")
    after = bytes_of(recorded)
    assert after != before
    for version, expected in (("HEAD~1", before), ("HEAD@{1}", after)):
        git(recorded, "checkout", "--quiet", version)
        dvc(recorded, "checkout", "--quiet")
        assert bytes_of(recorded) == expected
        assert_quiet(recorded)


def test_scores_params_and_plots_are_compared_between_versions(recorded: Path):
    snakemake_params = recorded / "params.yaml"
    replace(snakemake_params, "recipe: tiny", "recipe: tiny\nevaluation: {replicates: 100}")
    assert "evaluation.replicates" in dvc(recorded, "params", "diff")
    shown = dvc(recorded, "metrics", "show")
    assert "macro_f1.small" in shown
    scores = recorded / TINY / "scores.json"
    told = json.loads(scores.read_text(encoding="utf-8"))
    told["accuracy"]["small"] = 0.875
    scores.write_text(json.dumps(told), encoding="utf-8")
    assert "0.875" in dvc(recorded, "metrics", "diff")
    for command in ("show", "diff"):
        dvc(recorded, "plots", command, "--out", f"plots-{command}")
        page = (recorded / f"plots-{command}/index.html").read_text(encoding="utf-8")
        assert all(plot in page for plot in ("Learning curves", "ROC of the test films"))
        assert all(plot in page for plot in ("Reliability of probabilities", "Answers of the best"))


# What goes wrong


def start(project: Path) -> subprocess.Popen[bytes]:
    """Start a long `dvc repro` in a session of its own, and wait until it trains."""
    replace(
        project / "params.yaml",
        "recipe: tiny",
        "recipe: tiny\nonly: [small]\ntraining: {epochs: 4000}",
    )
    log = project / "logs/tiny/train/small/fold-0.txt"
    log.unlink()
    run = subprocess.Popen(
        ["dvc", "repro"],
        cwd=project,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    for _ in range(3000):
        if log.exists() and "epoch 3/4000" in log.read_text():
            return run
        time.sleep(0.1)
    pytest.fail("the training did not begin within 5 minutes")


def test_two_at_once_are_refused_and_a_killed_one_loses_nothing(recorded: Path):
    before = bytes_of(recorded)
    run = start(recorded)
    try:
        second = try_dvc(recorded, "repro")
        assert second.returncode != 0
        assert "busy" in second.stdout or "lock" in second.stdout
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait(timeout=60)
    git(recorded, "checkout", "--quiet", "params.yaml")
    dvc(recorded, "checkout", "--quiet", "--force")
    assert bytes_of(recorded) == before
    assert NOTHING in snakemake_here(recorded)


def test_a_missing_remote_is_named(recorded: Path):
    shutil.rmtree(recorded.parent / "store")
    place = recorded.parent / "restored"
    git(recorded.parent, "clone", "--quiet", str(recorded), str(place))
    failed = try_dvc(place, "pull")
    assert failed.returncode != 0
    assert "Checkout failed" in failed.stdout
    assert {"results/tiny", "data"} <= set(failed.stdout.splitlines())


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder and those in it read-only, also for root, where the file system can."""
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    if os.geteuid() == 0:
        if subprocess.run(["chattr", "+i", *folders], capture_output=True).returncode:
            subprocess.run(["chattr", "-i", *folders], capture_output=True)
            pytest.skip("this file system keeps nothing from root")
        undo = ["chattr", "-i", *folders]
    else:
        subprocess.run(["chmod", "u-w", *folders], check=True)
        undo = ["chmod", "u+w", *folders]
    try:
        yield
    finally:
        subprocess.run(undo, check=True)


def test_a_cache_that_cannot_be_written_is_named_and_keeps_the_results(project: Path):
    before = bytes_of(project)
    with read_only(project / ".dvc/cache"):
        failed = try_dvc(project, "add", "data")
    assert failed.returncode != 0
    assert ".dvc/cache" in failed.stdout
    assert bytes_of(project) == before
    assert NOTHING in snakemake_here(project)


def test_a_file_that_was_tampered_with_in_the_remote_is_made_anew(recorded: Path):
    tampered = (recorded / TINY / "table.csv").read_bytes()
    stored = [path for path in (recorded.parent / "store").rglob("*") if path.is_file()]
    (culprit,) = [path for path in stored if path.read_bytes() == tampered]
    culprit.chmod(0o600)
    culprit.write_bytes(tampered.replace(b"small", b"liars"))
    place = recorded.parent / "restored"
    git(recorded.parent, "clone", "--quiet", str(recorded), str(place))
    dvc(place, "pull", "--quiet")  # DVC trusts the name
    table = place / TINY / "table.csv"
    assert b"liars" in table.read_bytes()
    printed = snakemake_here(place)
    aside = "results/tiny/table.csv.differs-1"
    assert f"table.csv is not what run tiny recorded; made anew, and kept as {aside}" in printed
    assert planned(printed)["table"] == 1
    assert "train" not in planned(printed)
    snakemake(place, "results/tiny/table.csv")
    assert table.read_bytes() == tampered
    assert b"liars" in (place / aside).read_bytes()

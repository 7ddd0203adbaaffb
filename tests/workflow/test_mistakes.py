"""Mistakes of users: each ends in one line that names the culprit and the mend."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from running import try_snakemake

RECIPE = """\
title: Films of a user
sources: [mine]
findings: [normal, covid]
preprocess: {side: 32}
training: {epochs: 1, batch: 4}
models: {small: {architecture: test_resnet}}
gradcam: {films_per_finding: 1}
"""


def line_of_error(project: Path, *arguments: str, **overrides: object) -> str:
    """Run, expect a refusal, and return its only line of error."""
    done = try_snakemake(project, *arguments, **overrides)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    lines = [
        line for line in done.stdout.splitlines() if line.startswith("cxrpipe") and "error:" in line
    ]
    assert len(lines) == 1, done.stdout[-2000:]
    return lines[0]


@pytest.fixture
def own(clone: Path) -> Path:
    """A project with a user's own folder of films: FINDING/film.png."""
    rng = np.random.default_rng(0)
    for finding in ("normal", "covid"):
        (clone / "films" / finding).mkdir(parents=True)
        for number in range(8):
            pixels = rng.integers(0, 256, (80, 100), dtype=np.uint8)
            Image.fromarray(pixels).save(clone / "films" / finding / f"{number}.png")
    (clone / "config/recipes/own.yaml").write_text(RECIPE)
    with (clone / "config/sources.yaml").open("a") as sources:
        sources.write("mine:\n  origin: {path: films}\n")
    return clone


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"training": "{epoch: 1}"}, "training: unknown key 'epoch'; did you mean 'epochs'?"),
        ({"trainin": "{epochs: 1}"}, "unknown key 'trainin'; did you mean 'training'?"),
        ({"recipe": "dem"}, "no recipe 'dem'"),
        ({"sources": "[phantom-tiny-nort]"}, "did you mean 'phantom-tiny-north'?"),
        ({"seed": "often"}, "seed"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_settings_stops_the_dry_run(
    clone: Path, overrides: dict[str, str], expected: str
):
    assert expected in line_of_error(clone, "--dry-run", **overrides)


def test_a_missing_mirror_is_named(clone: Path):
    line = line_of_error(clone, "data/hannover/SHA256SUMS", recipe="open", mirror="nowhere")
    assert line.endswith("mirror: no folder nowhere; correct it, or leave mirror empty")
    assert not (clone / "data/hannover").exists() or not any((clone / "data/hannover").iterdir())


def test_a_finding_without_films_is_named(clone: Path):
    findings = "[normal, covid, pneumothorax]"
    line = line_of_error(clone, "results/tiny/index.csv", findings=findings)
    assert "no usable film shows 'pneumothorax'" in line


def test_a_class_of_two_patients_is_named(own: Path):
    for number in range(2, 8):
        (own / "films/covid" / f"{number}.png").unlink()
    line = line_of_error(own, "results/own/split.csv", recipe="own")
    assert "finding 'covid' has films of 2 patients" in line
    assert not (own / "results/own/split.csv").exists()


def test_a_users_own_folder_runs_and_its_broken_film_is_listed(own: Path):
    (own / "films/covid/broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    done = try_snakemake(own, recipe="own")
    assert done.returncode == 0, done.stdout[-3000:]
    excluded = pd.read_csv(own / "results/own/excluded.csv")
    assert excluded[["file", "reason"]].to_numpy().tolist() == [["covid/broken.png", "unreadable"]]
    assert len(pd.read_csv(own / "results/own/index.csv")) == 16
    assert (own / "results/own/report.html").exists()


def test_a_new_film_in_a_users_folder_is_noticed(own: Path):
    assert try_snakemake(own, "results/own/index.csv", recipe="own").returncode == 0
    pixels = np.random.default_rng(9).integers(0, 256, (80, 100), dtype=np.uint8)
    Image.fromarray(pixels).save(own / "films/covid/new.png")
    assert try_snakemake(own, "results/own/index.csv", recipe="own").returncode == 0
    assert len(pd.read_csv(own / "results/own/index.csv")) == 17

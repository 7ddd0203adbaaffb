"""The whole workflow on the tiny recipe: what it makes, and what it does again."""

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from running import planned, replace, snakemake

from cxrpipe import Classifier

NOTHING = "Nothing to be done"
TINY = Path("results/tiny")


def test_a_run_makes_every_promised_file(finished: Path):
    made = {str(path.relative_to(finished / TINY)) for path in (finished / TINY).rglob("*")}
    assert made >= {
        "index.csv",
        "excluded.csv",
        "duplicates.csv",
        "split.csv",
        "leakage.json",
        "radiographs-48.h5",
        "models/small/fold-0/weights.safetensors",
        "models/small/fold-0/history.csv",
        "models/small/fold-0/summary.json",
        "predictions/regnetx/fold-0.csv",
        "gradcam/small/fold-0.h5",
        "gradcam/small/fold-0.json",
        "embeddings/small/fold-0.h5",
        "latent/findings/layout.csv",
        "latent/findings/neighbours.csv",
        "latent/findings/latent.json",
        "measures.csv",
        "errors/small/fold-0.csv",
        "errors/small/fold-0.json",
        "filters/small/fold-0.h5",
        "explanations/small/fold-0",
        "models/small/fold-0/calibration.json",
        "metrics.json",
        "curves.csv",
        "table.csv",
        "table.md",
        "ablation.csv",
        "ablation.md",
        "literature.csv",
        "literature.md",
        "left-out.csv",
        "signatures.h5",
        "exploration/duplicates-lowest.png",
        "exploration/sources.csv",
        "figures/confusion.svg",
        "figures/forest.png",
        "figures/roc.svg",
        "figures/gradcam-covid.png",
        "figures/localisation.png",
        "figures/latent.svg",
        "scores.json",
        "plots/roc.csv",
        "provenance.json",
        "records.json",
        "report.html",
    }
    assert not [name for name in made if ".partial" in name]


def test_the_files_of_a_run_agree_with_each_other(finished: Path):
    results = finished / TINY
    index = pd.read_csv(results / "index.csv").set_index("radiograph")
    split = pd.read_csv(results / "split.csv")
    duplicates = pd.read_csv(results / "duplicates.csv")
    predictions = pd.read_csv(results / "predictions/small/fold-0.csv")
    left_out = pd.read_csv(results / "left-out.csv")
    exact, near = (duplicates[duplicates["kind"] == kind] for kind in ("exact", "near"))
    assert sorted(left_out["radiograph"]) == sorted(exact["second"])
    assert set(split["radiograph"]) == set(index.index) - set(exact["second"])
    subsets = split.set_index("radiograph")["subset"]
    assert len(exact) >= 1  # planted, as the near copies
    assert len(near) >= 1
    assert list(subsets[near["first"]]) == list(subsets[near["second"]])
    assert subsets.groupby(index["patient"]).nunique().max() == 1
    assert list(predictions["subset"]) == list(subsets[predictions["radiograph"]])
    with h5py.File(results / "radiographs-48.h5") as store:
        assert sorted(split["radiograph"]) == [name.decode() for name in store["radiograph"]]
    metrics = json.loads((results / "metrics.json").read_text())
    scores = metrics["models"]["small"]["folds"][0]["test"]
    assert sum(map(sum, scores["confusion"])) == scores["n"] == (subsets == "test").sum()
    logits = predictions[predictions["subset"] == "test"].set_index("radiograph")
    true = split.set_index("radiograph")["finding"][logits.index]
    right = logits[metrics["tasks"]["findings"]["findings"]].idxmax(axis=1) == true
    assert scores["accuracy"] == pytest.approx(right.mean(), abs=1e-6)


def test_a_film_that_is_classified_has_the_probabilities_of_the_run(finished: Path):
    index = pd.read_csv(finished / TINY / "index.csv").set_index("radiograph")
    logits = pd.read_csv(finished / TINY / "predictions/small/fold-0.csv").iloc[::7]
    classifier = Classifier.load(finished / TINY / "models/small")
    rows = index.loc[logits["radiograph"]]
    films = [finished / "data" / row.source / row.file for row in rows.itertuples()]
    answered = [each.probabilities for each in classifier.classify_each(films, force=True)]
    expected = classifier.calibration.probabilities(logits[list(classifier.findings)].to_numpy())
    np.testing.assert_allclose([list(each.values()) for each in answered], expected, atol=1e-6)


def test_a_finished_run_has_nothing_to_do(finished: Path):
    assert NOTHING in snakemake(finished, "--dry-run")


def test_snakemakes_own_report_holds_every_figure_with_its_caption(project: Path):
    snakemake(project, "--report", "snakemake.html")
    page = (project / "snakemake.html").read_text(encoding="utf-8")
    for figure in ("forest", "roc", "reliability", "gradcam-covid", "classes"):
        assert f"{figure}.png" in page
        kind = figure.split("-")[0]
        caption = (project / f"workflow/report/{kind}.rst").read_text(encoding="utf-8")
        assert json.dumps(caption.splitlines()[0]).strip('"') in page


def test_touched_files_rerun_nothing(project: Path):
    names = [
        "cxrpipe/training/train.py",
        "cxrpipe/reporting/figures.py",
        "data/phantom-tiny-north/SHA256SUMS",
        "results/tiny/radiographs-48.h5",
        "results/tiny/models/small/fold-0/weights.safetensors",
    ]
    for name in names:
        os.utime(project / name)
    assert NOTHING in snakemake(project, "--dry-run")


def test_an_edit_of_the_figures_code_redraws_figures_and_report_alone(project: Path):
    replace(project / "cxrpipe/reporting/drawing/sizes.py", "def draw_size", "\n\ndef draw_size")
    assert planned(snakemake(project, "--dry-run")) == {"figures": 1, "provenance": 1, "report": 1}


def test_an_edit_of_how_heatmaps_are_laid_over_films_computes_none_anew(project: Path):
    replace(project / "cxrpipe/reporting/drawing/heatmaps.py", "STRENGTH = 0.55", "STRENGTH = 0.5")
    jobs = planned(snakemake(project, "--dry-run"))
    assert jobs == {"illustrate": 1, "overlays": 2, "provenance": 1, "report": 1}


def test_another_learning_rate_retrains_and_redoes_nothing_before(project: Path):
    jobs = planned(snakemake(project, "--dry-run", training="{learning_rate: 0.01}"))
    assert jobs == {
        "train": 2,
        "predict": 2,
        "calibrate": 2,
        "guard": 2,
        "evaluate": 1,
        "gradcam": 2,
        "localise": 2,
        "embed": 2,
        "project": 1,
        "errors": 2,
        "filters": 2,
        "illustrate": 1,
        "overlays": 2,
        "ablation": 1,
        "literature": 1,
        "figures": 1,
        "plots": 1,
        "table": 1,
        "provenance": 1,
        "report": 1,
    }


def test_another_level_of_intervals_trains_and_calibrates_nothing(project: Path):
    jobs = planned(snakemake(project, "--dry-run", evaluation="{level: 0.9}"))
    judging = (
        "evaluate",
        "ablation",
        "literature",
        "figures",
        "table",
        "plots",
        "provenance",
        "report",
    )
    explaining = {"localise": 2, "project": 1, "errors": 2, "illustrate": 1}
    assert jobs == dict.fromkeys(judging, 1) | explaining


def test_a_wanted_sensitivity_is_fixed_anew_for_every_model(project: Path):
    jobs = planned(snakemake(project, "--dry-run", evaluation="{sensitivity: 0.9}"))
    assert jobs["calibrate"] == 2
    assert not {"train", "predict", "gradcam"} & set(jobs)


def test_a_stricter_guard_trains_and_judges_nothing(project: Path):
    jobs = planned(snakemake(project, "--dry-run", evaluation="{refused: 0.1}"))
    assert jobs == {"guard": 2, "provenance": 1, "report": 1}


def test_a_model_for_each_collection_is_planned_by_a_grid(project: Path):
    vary = "{trained_on: [phantom-tiny-north, phantom-tiny-east]}"
    grid = f"{{models: [small], vary: {vary}}}"
    printed = snakemake(project, "--dry-run", grid=grid)
    assert planned(printed)["train"] == 2
    assert "small_trained_on-phantom-tiny-east" in printed


def test_another_seed_splits_anew_and_draws_nothing_anew(project: Path):
    jobs = planned(snakemake(project, "--dry-run", seed=1))
    assert jobs["split"] == 1
    assert jobs["train"] == 2
    assert not {"download", "index", "dedupe"} & set(jobs)


def test_another_mirror_reruns_nothing(project: Path):
    assert NOTHING in snakemake(project, "--dry-run", mirror="somewhere")


def test_another_place_of_pretrained_weights_reruns_nothing(project: Path):
    assert NOTHING in snakemake(project, "--dry-run", weights_folder="somewhere")


def test_a_model_with_a_side_of_its_own_gets_a_store_and_changes_no_other(project: Path):
    jobs = planned(snakemake(project, "--dry-run", models="{small: {side: 64}}"))
    assert (jobs["preprocess"], jobs["train"]) == (1, 1)
    assert "explore" not in jobs


def test_only_one_model_reports_anew_and_trains_nothing(project: Path):
    jobs = planned(snakemake(project, "--dry-run", only="small"))
    assert not {"preprocess", "train", "predict", "gradcam"} & set(jobs)
    assert jobs["evaluate"] == jobs["table"] == jobs["report"] == 1


def test_a_seed_more_trains_one_model_more(project: Path):
    grid = "{models: [small], vary: {seed: [0, 1]}}"
    jobs = planned(snakemake(project, "--dry-run", grid=grid))
    assert jobs["train"] == 2  # under new names
    assert "small_seed-1" in snakemake(project, "--dry-run", grid=grid)


def test_the_same_seed_gives_the_same_bytes(finished: Path, clone: Path):
    wanted = "results/tiny/predictions/small/fold-0.csv"
    snakemake(clone, wanted)
    for name in (wanted, "results/tiny/models/small/fold-0/weights.safetensors"):
        assert (clone / name).read_bytes() == (finished / name).read_bytes()
    for name in ("index.csv", "split.csv", "radiographs-48.h5"):
        assert (clone / TINY / name).read_bytes() == (finished / TINY / name).read_bytes()

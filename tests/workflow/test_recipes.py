"""The recipes of the published systems: each plans, and runs on phantoms laid out as its films."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import timm
import torch
from layouts import make_mirror
from running import ROOT, copy_project, planned, snakemake, try_snakemake
from safetensors.torch import save_file

from cxrpipe.recipes import load_recipe

RECIPES = sorted(path.stem for path in ROOT.glob("config/recipes/*.yaml"))
PRETRAINED = ("mobilenetv2_100.ra_in1k", "resnet18.tv_in1k", "densenet121.tv_in1k")
SMALL = "{side: 64}"
SHORT = "{epochs: 1, batch: 8}"


@pytest.fixture(scope="module")
def planning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project for dry runs alone."""
    return copy_project(tmp_path_factory.mktemp("planning"))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A mirror of phantom collections, and a folder of "pretrained" weights."""
    folder = tmp_path_factory.mktemp("places")
    weights = folder / "weights"
    weights.mkdir()
    for name in PRETRAINED:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(5)
            network = timm.create_model(name.split(".")[0])
        state = {key: tensor.contiguous() for key, tensor in network.state_dict().items()}
        save_file(state, weights / f"{name}.safetensors")
    return {"mirror": make_mirror(folder / "mirror"), "weights_folder": weights}


def run(
    project: Path, places: dict[str, Path], recipe: str, only: str, **overrides: object
) -> tuple[pd.DataFrame, dict]:
    """Run a recipe with some of its models, small and short, and return its table and metrics."""
    targets = [f"results/{recipe}/table.csv", f"results/{recipe}/ablation.csv"]
    settings = {"preprocess": SMALL, "training": SHORT} | overrides
    snakemake(project, *targets, recipe=recipe, gpu=2, only=only, **places, **settings)
    table = pd.read_csv(project / targets[0])
    metrics = json.loads((project / f"results/{recipe}/metrics.json").read_text())
    return table, metrics


def summary(project: Path, recipe: str, model: str) -> dict:
    folder = project / "results" / recipe / "models" / model / "fold-0"
    return json.loads((folder / "summary.json").read_text())


def rows(table: pd.DataFrame, *columns: str) -> list[tuple]:
    return list(table[list(columns)].itertuples(index=False, name=None))


# Plans


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_plans_all_its_models_at_their_sides(planning: Path, recipe: str):
    chosen = load_recipe({"recipe": recipe}, ROOT / "config")
    jobs = planned(snakemake(planning, "--dry-run", recipe=recipe))
    for rule in ("train", "predict", "calibrate", "guard", "gradcam", "localise"):
        assert jobs[rule] == len(chosen.models) * chosen.split.folds
    for rule in ("embed", "errors", "filters", "overlays"):
        assert jobs[rule] == len(chosen.models)
    sides = {chosen.preprocess.side, *(model.side for model in chosen.models.values())}
    assert jobs["preprocess"] == len(sides)
    with_tables_of_nih = recipe in ("open", "heatmaps-on-films")
    assert jobs["download"] == len(chosen.sources) + with_tables_of_nih
    for rule in ("certify", "evaluate", "table", "ablation", "literature", "figures", "report"):
        assert jobs[rule] == 1


def test_only_some_models_are_planned_with_what_they_start_from(planning: Path):
    only = "[covid_weights-model-nih]"
    printed = snakemake(planning, "--dry-run", "--printshellcmds", recipe="nih-to-covid", only=only)
    assert planned(printed)["train"] == 2
    assert '"sources": ["covid-chestxray-dataset", "nih-chestxray14"]' in printed  # of the heir
    start = "results/nih-to-covid/models/nih/fold-0/weights.safetensors"
    inputs = [line for line in printed.splitlines() if line.strip().startswith("input:")]
    heirs = [line for line in inputs if "training/train.py" in line and start in line]
    assert len(heirs) == 1


def test_folds_start_from_the_same_fold_and_are_scored_model_by_model(planning: Path):
    printed = snakemake(planning, "--dry-run", "--printshellcmds", split="{folds: 2}")
    jobs = planned(printed)
    assert (jobs["train"], jobs["predict"], jobs["gradcam"]) == (4, 4, 4)
    command = printed.partition("cxrpipe.evaluation.evaluate")[2].partition("--metrics")[0]
    for folder in ("predictions", "models"):  # logits, and what was fixed for them
        given = re.findall(rf"{folder}/(\w+)/fold-(\d)", command)
        assert given == [("small", "0"), ("small", "1"), ("regnetx", "0"), ("regnetx", "1")]


@pytest.mark.parametrize(("gpu", "threads"), [(0, 2), (1, 2), (2, 1), (4, 1)])
def test_models_that_share_the_machine_share_its_cores(planning: Path, gpu: int, threads: int):
    target = "results/tiny/models/small/fold-0/weights.safetensors"
    printed = snakemake(planning, target, "--dry-run", gpu=gpu)
    train = printed.partition("rule train:")[2].partition("resources:")[0]
    assert int((re.findall(r"threads: (\d+)", train) or ["1"])[0]) == threads


def test_a_users_own_architecture_is_an_input_of_its_jobs(clone: Path):
    (clone / "mine").mkdir()
    (clone / "mine/net.py").write_text("from mine import parts\n")
    (clone / "mine/parts.py").write_text("")
    models = "{small: {architecture: 'mine.net:Net'}}"
    printed = snakemake(clone, "--dry-run", models=models)
    inputs = [line for line in printed.splitlines() if line.strip().startswith("input:")]
    with_it = [line for line in inputs if "mine/net.py" in line and "mine/parts.py" in line]
    # train, predict, guard, gradcam, localise, embed and filters of one model
    assert len(with_it) == 7


def test_weights_that_are_not_there_stop_the_dry_run(planning: Path):
    done = try_snakemake(planning, "--dry-run", models="{small: {weights: gone.safetensors}}")
    assert done.returncode != 0
    assert "models.small.weights: no file 'gone.safetensors' here; give none" in done.stdout


# Runs


def test_covid_or_pneumonia_runs_its_grid_on_the_challenges_folders(clone: Path, places: dict):
    grid = "{models: [mobilenetv2], vary: {side: [64], head: [128-32, 1024-1024], dropout: [0.5]}}"
    names = [f"mobilenetv2_side-64_head-{head}_dropout-0.5" for head in ("128-32", "1024-1024")]
    table, metrics = run(
        clone,
        places,
        "covid-or-pneumonia",
        f"[{', '.join(names)}]",
        grid=grid,
        models="{mobilenetv2: {training: {batch: 8}}}",
    )
    assert rows(table, "model", "head") == [
        (names[0], "128-32"),
        (names[1], "1024-1024"),
        ("majority", pytest.approx(float("nan"), nan_ok=True)),
    ]
    # Sum of a head's matrices and biases behind 1280 channels, for three findings.
    small = 1280 * 128 + 128 + 128 * 32 + 32 + 32 * 3 + 3
    large = 1280 * 1024 + 1024 + 1024 * 1024 + 1024 + 1024 * 3 + 3
    assert table["parameters"][1] - table["parameters"][0] == large - small
    assert metrics["tasks"]["findings"]["kind"] == "single"
    ablation = pd.read_csv(clone / "results/covid-or-pneumonia/ablation.csv")
    assert sorted(ablation["head"]) == ["1024-1024", "128-32"]
    split = pd.read_csv(clone / "results/covid-or-pneumonia/split.csv")
    assert (split["subset"] == "validation").sum() == 12  # the folder val
    excluded = pd.read_csv(clone / "results/covid-or-pneumonia/excluded.csv")
    assert list(excluded["reason"]) == ["unlabelled", "unlabelled"]  # the folder test_set


def test_four_findings_run_on_the_radiography_database(clone: Path, places: dict):
    table, metrics = run(
        clone, places, "four-findings", "[resnet18]", split="{test: 2, validation: 2}"
    )
    assert list(table["model"]) == ["resnet18", "majority"]
    # ResNet-18 with one grey channel and four findings: 11,176,512 of three colours behind 64
    # kernels of 7 x 7, two channels less, and its last layer.
    assert table["parameters"][0] == 11_176_512 - 2 * 64 * 49 + 512 * 4 + 4
    assert table["n"][0] == 8
    assert metrics["tasks"]["findings"]["findings"] == [
        "covid",
        "lung_opacity",
        "normal",
        "viral_pneumonia",
    ]


def test_scratch_or_transfer_runs_a_network_from_scratch_and_a_head_alone(
    clone: Path, places: dict
):
    models = "{cnn1: {training: {batch: 8}}, "
    models += "resnet101: {weights: none, side: 64, training: {epochs: 1}}}"
    table, _ = run(clone, places, "scratch-or-transfer", "[cnn1, resnet101]", models=models)
    assert list(table["model"]) == ["cnn1", "resnet101", "all: vote", "all: mean", "majority"]
    filters = [1, 32, 64, 128, 256, 512, 1024]  # at 64 px, six poolings leave one cell of the last
    kernels = sum(9 * filters[n] * filters[n + 1] + filters[n + 1] for n in range(6))
    assert table["parameters"][0] == kernels + 1024 * 512 + 512 + 512 * 3 + 3
    assert table["trainable"][0] == table["parameters"][0]
    assert table["trainable"][1] == 6_147  # as published
    split = pd.read_csv(clone / "results/scratch-or-transfer/split.csv")
    assert split["finding"].value_counts().to_dict() == dict.fromkeys(
        ("covid", "normal", "viral_pneumonia"), 10
    )


def test_fusion_of_five_findings_runs_on_two_collections(clone: Path, places: dict):
    table, metrics = run(
        clone, places, "fusion-five-findings", "[fusion]", models="{fusion: {weights: none}}"
    )
    assert list(table["model"]) == ["fusion", "majority"]
    assert len(metrics["tasks"]["findings"]["findings"]) == 5
    split = pd.read_csv(clone / "results/fusion-five-findings/split.csv")
    assert set(split[split["finding"] == "tuberculosis"]["source"]) == {"tb-chest-xray"}
    assert set(split[split["finding"] == "normal"]["source"]) == {
        "tb-chest-xray",
        "covid-19-radiography",
    }


def test_nih_to_covid_runs_as_a_chain_through_three_kinds_of_task(clone: Path, places: dict):
    names = ["nih", "covid_weights-model-nih", "all15_weights-model-nih"]
    table, metrics = run(clone, places, "nih-to-covid", f"[{', '.join(names[1:])}]")
    assert rows(table, "model", "task") == [
        *zip(names, ("nih", "covid", "all15"), strict=True),
        *(("majority", task) for task in ("nih", "covid", "all15")),
    ]
    kinds = {name: (task["kind"], len(task["findings"])) for name, task in metrics["tasks"].items()}
    assert kinds == {"nih": ("multi", 14), "covid": ("binary", 1), "all15": ("multi", 15)}
    # Without a bias the last layers differ by 1024 weights a finding.
    parameters = dict(zip(table["model"], table["parameters"], strict=True))
    assert parameters[names[0]] - parameters[names[1]] == 13 * 1024
    assert parameters[names[2]] - parameters[names[0]] == 1024
    assert summary(clone, "nih-to-covid", names[1])["weights"] == "model:nih"
    split = pd.read_csv(clone / "results/nih-to-covid/split.csv")
    nih = split[split["source"] == "nih-chestxray14"]
    assert (nih["subset"] == "test").sum() == 15  # the list: one patient of each finding
    assert nih["finding"].str.contains("|", regex=False).sum() == 14
    assert not split["finding"].fillna("").str.contains("not_labelled").any()
    ablation = pd.read_csv(clone / "results/nih-to-covid/ablation.csv")
    assert list(ablation["task"]) == ["nih", "covid", "all15"]

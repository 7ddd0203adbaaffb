"""The project command: the test films of a task, by pixels and by the features of its models."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from cxrpipe import tables
from cxrpipe.config import Task
from cxrpipe.explanation import project
from cxrpipe.explanation.features import Features, write_features
from cxrpipe.preprocessing.store import Prepared, write_store

N = 48
NAMES = [f"{number:024x}" for number in range(N)]
FINDINGS = ("normal", "covid")
TASK = Task(findings=FINDINGS, sources=("s", "t"))
WHICH = np.arange(N) % 2
SETTINGS = {"films": 1000, "perplexity": 8, "som": 3, "neighbours": 4}


def split():
    """Return films of which every second shows covid, and the last eight are for training.

    Two films in a row are one patient's. Sources change every eight films.
    """
    return pd.DataFrame(
        {
            "radiograph": NAMES,
            "group": [f"p{number // 2}" for number in range(N)],
            "source": np.array(["s", "t"])[np.arange(N) // 8 % 2],
            "finding": np.array(FINDINGS)[WHICH],
            "subset": ["test"] * (N - 8) + ["train"] * 8,
            "fold": 0,
        }
    )


def write(path, of):
    """Write features in one batch."""
    stages = {"before": [of.before], "after": [of.after]}
    write_features(path, of.radiographs, stages, of.after.shape[1], of.layer, of.width)


def features(seed, apart):
    """Noise before, and after training two clouds of the findings."""
    before, after = np.random.default_rng(seed).normal(size=(2, N, 6))
    after += apart * WHICH[:, None]
    return Features(NAMES, before.astype(np.float32), after.astype(np.float32), "fc", 6)


@pytest.fixture(autouse=True)
def no_umap(monkeypatch, tmp_path_factory):
    """Hide UMAP, also from processes beside this one: its first use takes half a minute."""
    folder = tmp_path_factory.mktemp("hidden")
    (folder / "umap.py").write_text("raise ImportError('hidden')")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "umap", raising=False)


@pytest.fixture
def told(tmp_path):
    """Return the arguments of the command; the grey of a film grows with its number."""
    greys = (5 * np.arange(N)[:, None, None] + np.arange(8) % 3).astype(np.uint8)
    films = [
        Prepared(name, np.broadcast_to(grey, (8, 8)), {})
        for name, grey in zip(NAMES, greys, strict=True)
    ]
    write_store(tmp_path / "films.h5", films, N, 8, "{}")
    for place, name in enumerate(("first", "second")):
        write(tmp_path / f"{name}.h5", features(place, apart=30 * (1 - place)))
    tables.write(split(), tmp_path / "split.csv", tables.SPLIT)
    return {
        "radiographs": tmp_path / "films.h5",
        "split": tmp_path / "split.csv",
        "fold": 0,
        "task": TASK.model_dump_json(),
        "models": ["first", "second"],
        "features": [tmp_path / "first.h5", tmp_path / "second.h5"],
        "settings": json.dumps(SETTINGS),
        "evaluation": json.dumps({"replicates": 100}),
        "seed": 0,
        "layout": tmp_path / "layout.csv",
        "neighbours": tmp_path / "neighbours.csv",
        "latent": tmp_path / "latent.json",
    }


@pytest.fixture
def lay(monkeypatch, run):  # run leaves the logging as it was
    """Run the command, and read what it wrote."""

    def lay(told):
        lists = ("models", "features")
        flags = [str(part) for key in lists for part in (f"--{key}", *told[key])]
        rest = {key: value for key, value in told.items() if key not in lists}
        flags += [str(part) for key, value in rest.items() for part in (f"--{key}", value)]
        monkeypatch.setattr("sys.argv", ["project.py", *flags])
        project.main()
        return (
            tables.read(told["layout"], tables.LAYOUT),
            tables.read(told["neighbours"], tables.NEIGHBOURS),
            json.loads(told["latent"].read_text()),
        )

    return lay


def by_name(latent):
    return {(each["features"], each["stage"]): each for each in latent["representations"]}


def test_every_test_film_is_laid_out_by_pixels_and_by_every_model(lay, told):
    layout, neighbours, latent = lay(told)
    assert (latent["films"], latent["groups"]) == (40, 20)
    assert latent["association"] == 0  # of either source half the films show covid
    assert latent["umap"] == "cannot be loaded (hidden)"
    stages = [("pixels", ""), *((m, s) for m in told["models"] for s in ("before", "after"))]
    assert list(by_name(latent)) == stages
    counts = layout.groupby(["features", "stage", "method"]).size()
    assert counts.to_dict() == {
        (*stage, method): 40 for stage in stages for method in ("som", "tsne")
    }
    assert set(layout["radiograph"]) == set(NAMES[:40])
    shown = split().set_index("radiograph")
    for column in ("source", "finding"):
        assert (layout[column].to_numpy() == shown.loc[layout["radiograph"], column]).all()
    assert len(neighbours) == 40 * 4 * len(stages)
    assert by_name(latent)["first", "after"]["layer"] == "fc"


def test_neighbours_by_pixels_are_the_films_of_the_nearest_number(lay, told):
    """Film 10 is of a patient with 11: its nearest others are 9, then 8 and 12, then 7 or 13."""
    _, neighbours, _ = lay(told)
    of_film = neighbours.query("features == 'pixels'").set_index("radiograph").loc[NAMES[10]]
    places = [NAMES.index(name) for name in of_film["neighbour"]]
    assert places[0] == 9
    assert set(places[1:3]) == {8, 12}
    assert places[3] in (7, 13)
    np.testing.assert_allclose(of_film["distance"], np.array([1, 2, 2, 3]) * 8 * 5 / 255, rtol=1e-4)


def test_what_was_learnt_is_seen_after_training_alone(lay, told):
    stages = by_name(lay(told)[2])
    learnt = stages["first", "after"]
    assert learnt["probe"]["finding"]["accuracy"] == {"value": 1, "low": None, "high": None}
    assert learnt["probe"]["finding"]["chance"] == 0.5
    assert learnt["neighbours"]["same_finding"]["value"] == 1
    for other in (("first", "before"), ("second", "after")):
        accuracy = stages[other]["probe"]["finding"]["accuracy"]
        assert accuracy["low"] < 0.5 < accuracy["high"] or accuracy["value"] < 0.75
    assert stages["pixels", ""]["neighbours"]["same_source"]["value"] > 0.7


def test_the_same_films_give_the_same_bytes_on_one_core_and_on_two(lay, told, tmp_path):
    written = []
    for cores in (1, 2):
        files = {key: tmp_path / f"{cores}-{key}" for key in ("layout", "neighbours", "latent")}
        lay(told | files | {"cores": cores})
        written.append([path.read_bytes() for path in files.values()])
    assert written[0] == written[1]


def test_other_seeds_choose_and_lay_out_others(lay, told):
    few = {"settings": json.dumps(SETTINGS | {"films": 10})}
    first, again = (lay(told | few | {"seed": seed})[0] for seed in (0, 1))
    assert first["radiograph"].nunique() == again["radiograph"].nunique() == 10
    assert set(first["radiograph"]) != set(again["radiograph"])
    chosen = first.drop_duplicates("radiograph")["finding"].value_counts()
    assert chosen.to_dict() == {"normal": 5, "covid": 5}


@pytest.mark.parametrize("kind", ["multi", "binary"])
def test_films_of_several_findings_and_of_none_are_laid_out(kind, lay, told, tmp_path):
    films = split()
    films["finding"] = (["covid|mass", "covid", "", "mass|hernia"] * N)[:N]
    tables.write(films, told["split"], tables.SPLIT)
    findings = ("mass", "covid") if kind == "multi" else ("covid",)
    task = Task(kind=kind, findings=findings, sources=("s", "t"))
    layout, _, latent = lay(told | {"task": task.model_dump_json()})
    alone = {"mass|covid": 10, "covid": 10, "none": 10, "mass": 10}
    named = alone if kind == "multi" else {"covid": 20, "none": 20}
    assert layout.drop_duplicates("radiograph")["finding"].value_counts().to_dict() == named
    probe = by_name(latent)["first", "after"]["probe"]["finding"]
    one = ["covid", "mass", "none"] if kind == "multi" else ["covid", "none"]
    assert (probe["n"], probe["labels"]) == (30 if kind == "multi" else 40, one)


def test_one_source_cannot_be_told(lay, told):
    tables.write(split().assign(source="s"), told["split"], tables.SPLIT)
    stages = by_name(lay(told)[2])
    probe = stages["first", "after"]["probe"]["source"]
    assert (probe["n"], probe["accuracy"]["value"], probe["chance"]) == (0, None, None)
    assert stages["first", "after"]["neighbours"]["chance_source"] is None


def test_a_single_test_film_is_no_error(lay, told):
    films = split().assign(subset=["test"] + ["train"] * (N - 1))
    tables.write(films, told["split"], tables.SPLIT)
    layout, neighbours, latent = lay(told)
    assert layout.empty
    assert neighbours.empty
    assert latent["films"] == 1
    assert all(each["variance"] is None for each in latent["representations"])


def test_without_test_films_the_task_is_refused(lay, told, capsys):
    tables.write(split().assign(subset="train"), told["split"], tables.SPLIT)
    with pytest.raises(SystemExit):
        lay(told)
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.endswith("no test film of the task (normal, covid in s, t); give split.test")


def test_a_film_without_features_is_named(lay, told, capsys):
    fewer = features(0, 1)
    write(told["features"][1], Features(NAMES[:9], fewer.before[:9], fewer.after[:9]))
    with pytest.raises(SystemExit):
        lay(told)
    assert f"second.h5: lacks radiograph {NAMES[9]}" in capsys.readouterr().err

"""The illustrate command: which figures there are, what they hold, and that they fit a page."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from explaining import Fakes

from cxrpipe import tables
from cxrpipe.explanation.excited import write_excited
from cxrpipe.explanation.heatmaps import COLUMNS, PURPOSES, write_heatmaps
from cxrpipe.preprocessing.store import Prepared, write_store
from cxrpipe.reporting.drawing.explained import Answers, Latent
from cxrpipe.reporting.drawing.names import EXPLAINED, list_explained
from cxrpipe.reporting.drawing.style import save
from cxrpipe.reporting.illustrate import DRAWN, SHEETS, main, read_heats

FIVE = ("normal", "covid", "lung_opacity", "viral_pneumonia", "tuberculosis")
GRID = [f"inception_v3_side-500_head-1024-1024_dropout-0.5_seed-{n}" for n in range(14)]
CASES = {
    "a grid": (FIVE[:2], GRID, "single", 4),
    "five findings": (FIVE, ["a", "b", "c"], "single", 40),
    "several findings": (FIVE[:4], ["a"], "multi", 16),
    "yes or no": (FIVE[1:2], ["a"], "binary", 6),
}
WIDEST = 16.0  # inches at most: 1600 pixels of a sheet


@pytest.fixture(scope="module")
def cases():
    return {name: Fakes(*case).explained() for name, case in CASES.items()}


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        *((case, kind) for case in list(CASES)[1:] for kind in EXPLAINED),
        *(("a grid", kind) for kind in ("gallery", "localisation", "altered", "randomised")),
    ],
)
def test_figures_of_any_explanations_fit_a_page_without_a_warning(cases, case, kind):
    figure = DRAWN[kind](cases[case])
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    drawn = figure.get_tightbbox()
    assert width <= (WIDEST if kind in SHEETS else WIDEST / 1.5)
    assert -0.01 <= drawn.x0 < drawn.x1 <= width + 0.01
    assert -0.01 <= drawn.y0 < drawn.y1 <= height + 0.01


def bare(explained):
    """Take all that may be missing away, and leave the models, films and answers."""
    answers = explained.answers
    told = answers.told | {"causes": [], "drawn": {}, "surest": []}
    empty = Latent(explained.latent.layout[:0], explained.latent.neighbours[:0], {})
    nothing = {
        name: model._replace(heatmaps=lambda purpose: [], localisation={"n": 0})
        for name, model in explained.models.items()
    }
    return replace(
        explained,
        models=nothing,
        latent=empty,
        answers=Answers(answers.films, told),
        filters=explained.filters._replace(layer=[]),
    )


@pytest.mark.parametrize("kind", sorted({*EXPLAINED} - {"confidence", "mistakes"}))
def test_where_there_is_nothing_a_figure_says_so_in_a_sentence(cases, kind):
    figure = DRAWN[kind](bare(cases["five findings"]))
    assert figure.axes == []
    assert [text.get_text()[-1] for text in figure.texts] == ["."]


def test_what_is_drawn_of_a_task_are_the_kinds_that_are_named():
    assert tuple(DRAWN) == EXPLAINED
    assert set(SHEETS) <= set(EXPLAINED)


def write_explained(explained, fakes, folder, name):
    """Write what explains the models of a task as the commands leave it."""
    write_store_of(fakes, folder / "films.h5")
    for model, of_model in explained.models.items():
        predictions = of_model.logits.rename_axis("radiograph").reset_index()
        predictions.insert(1, "subset", "test")
        contract = tables.predictions(fakes.task.findings)
        tables.write(predictions, folder / f"{model}-p.csv", contract)
        write_heats(of_model, folder / f"{model}-h.h5")
        (folder / f"{model}-l.json").write_text(json.dumps(of_model.localisation))
        tables.write(fakes.errors(model), folder / f"{model}-e.csv", tables.ERRORS)
        (folder / f"{model}-c.json").write_text(json.dumps(fakes.causes(model)))
        write_excited(folder / f"{model}-f.h5", explained.filters)
    tables.write(explained.latent.layout, folder / f"{name}-layout.csv", tables.LAYOUT)
    tables.write(explained.latent.neighbours, folder / f"{name}-near.csv", tables.NEIGHBOURS)
    (folder / f"{name}-latent.json").write_text(json.dumps(explained.latent.told))
    split = pd.DataFrame({"radiograph": fakes.names, "group": fakes.names})
    split["source"], split["finding"] = list(fakes.sources.values()), fakes.findings
    split["subset"], split["fold"] = "test", 0
    tables.write(split, folder / "split.csv", tables.SPLIT)


def write_store_of(fakes, path):
    films = zip(fakes.names, fakes.pixels, strict=True)
    prepared = [Prepared(name, film, {}) for name, film in films]
    write_store(path, prepared, len(prepared), fakes.side, "{}")


def write_heats(model, path):
    rows = [
        heat._asdict() | {"purpose": purpose}
        for purpose in PURPOSES
        for heat in model.heatmaps(purpose)
    ]
    maps = np.stack([row.pop("heatmap") for row in rows])
    write_heatmaps(path, pd.DataFrame(rows, columns=list(COLUMNS)), maps)


@pytest.fixture
def arguments(tmp_path):
    """Write all that explains two tasks that share their films, a third has no model."""
    fakes = {
        "findings": Fakes(FIVE[:2], ["one", "two"], n=8),
        "nih": Fakes(("covid", "mass"), ["three"], "multi", n=8),
    }
    for name, of_task in fakes.items():
        write_explained(of_task.explained(), of_task, tmp_path, name)
    tasks = {name: of_task.task.model_dump() for name, of_task in fakes.items()}
    task_of = {model: name for name, of_task in fakes.items() for model in of_task.logits}
    metrics = {
        "tasks": {name: {"best": of_task.best} for name, of_task in fakes.items()},
        "models": {model: {"calibration": {"temperature": [1.5]}} for model in task_of},
    }
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))

    def each(names, ending):
        return [tmp_path / f"{name}-{ending}" for name in names]

    return {
        "radiographs": [tmp_path / "films.h5"],
        "metrics": [tmp_path / "metrics.json"],
        "split": [tmp_path / "split.csv"],
        "tasks": [json.dumps(tasks | {"idle": tasks["nih"]})],
        "models": list(task_of),
        "model-tasks": list(task_of.values()),
        "predictions": each(task_of, "p.csv"),
        "heatmaps": each(task_of, "h.h5"),
        "localisations": each(task_of, "l.json"),
        "latent-tasks": list(fakes),
        "layouts": each(fakes, "layout.csv"),
        "neighbours": each(fakes, "near.csv"),
        "latents": each(fakes, "latent.json"),
        "errors": each(task_of, "e.csv"),
        "causes": each(task_of, "c.json"),
        "filters": each(task_of, "f.h5"),
        "level": [0.95],
        "figures": [tmp_path / "figures"],
    }


def flags(arguments):
    return [word for key, values in arguments.items() for word in (f"--{key}", *map(str, values))]


def test_the_command_draws_every_figure_that_the_workflow_expects(arguments, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "cxrpipe.reporting.illustrate.save", lambda figure, **how: drawn.append((figure, how))
    )
    monkeypatch.setattr("sys.argv", ["illustrate", *flags(arguments)])
    main()
    names = list_explained(["findings", "nih"], ["findings", "nih", "idle"], ["normal", "covid"])
    assert {how["folder"] for _, how in drawn} == set(arguments["figures"])
    by_name = {how["name"]: (figure, how["dpi"]) for figure, how in drawn}
    assert list(by_name) == [*names[:2], "gradcam-mass", *names[2:]]
    covid = [axes.get_title().split(":")[0] for axes in by_name["gradcam-covid"][0].axes[:4]]
    assert covid == ["true", "one", "two", "three"]
    assert by_name["gradcam-covid"][1] == by_name["gallery-nih"][1] == 100
    assert by_name["som-nih"][1] is None
    for name, best in (("mistakes-findings", "two"), ("mistakes-nih", "three")):
        assert by_name[name][0].texts[0].get_text().startswith(best)


def test_equal_files_give_equal_bytes(tmp_path):
    explained = Fakes(FIVE[:2], ["a"], n=8).explained()
    for name in ("one", "two"):
        for kind in ("several", "confidence", "som"):
            save(DRAWN[kind](explained), tmp_path / name, kind, 50)
    first, second = (
        {p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in ("one", "two")
    )
    assert len(first) == 6
    assert first == second


def test_heatmaps_keep_what_they_explain(arguments):
    heats = read_heats(arguments["heatmaps"][0], "methods")
    fakes = Fakes(FIVE[:2], ["one", "two"], n=8)
    expected = fakes.explained().models["one"].heatmaps("methods")
    assert [heat[:5] for heat in heats] == [heat[:5] for heat in expected]
    for heat, other in zip(heats, expected, strict=True):
        np.testing.assert_allclose(heat.heatmap, other.heatmap, atol=1e-3)

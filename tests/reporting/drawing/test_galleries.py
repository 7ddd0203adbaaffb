"""Films with heatmaps: which film, which model and which probability stand where."""

import numpy as np
import pytest
from explaining import Fakes

from cxrpipe.config import Task
from cxrpipe.reporting.drawing.explained import Heat, Model
from cxrpipe.reporting.drawing.galleries import draw_gallery, draw_panel, draw_several
from cxrpipe.reporting.drawing.heatmaps import lay, overlay

FIVE = ("normal", "covid", "lung_opacity", "viral_pneumonia", "tuberculosis")


def titles(figure):
    return [axes.get_title().replace("\n", " ") for axes in figure.axes]


def logits_of(task, names):
    """Return logits of which the first finding has none and the others ln 3."""
    fakes = Fakes(task.findings, ["a"], task.kind, n=len(names))
    return (0 * fakes.logits["a"] + np.log(3) * np.arange(len(task.findings)).clip(max=1)).set_axis(
        names
    )


@pytest.fixture
def panel():
    """Two tasks that share covid; the second knows only film 2, by a smaller heatmap."""
    single = Task(findings=("normal", "covid"), sources=("s",))
    multi = Task(kind="multi", findings=("mass", "covid"), sources=("s",))
    heat = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    small = heat[::2, ::2].copy()

    def model(task, films):
        heats = [Heat(film, "covid", "covid", "gradcam", "last", of) for film, of in films.items()]
        return Model(task, logits_of(task, ["1", "2"]), {"panel": heats}.__getitem__, {})

    models = {"one": model(single, {"1": heat, "2": heat}), "two": model(multi, {"2": small})}
    return models, small


def test_a_finding_shows_the_models_of_every_task_that_has_it(panel):
    models, small = panel
    films = np.random.default_rng(0).integers(0, 256, (2, 16, 16), dtype=np.uint8)
    lesion = np.eye(16, dtype=bool)
    figure = draw_panel("covid", models, lambda names: films[: len(names)], {"2": lesion})
    assert titles(figure)[:6] == [
        "true: covid",
        "one: 75%",
        "two: not drawn",
        "true: covid",
        "one: 75%",
        "two: 75%",
    ]
    np.testing.assert_array_equal(figure.axes[3].images[0].get_array(), films[1])
    expected = overlay(films[1], lay(small, (16, 16)))
    np.testing.assert_allclose(figure.axes[5].images[0].get_array(), expected)
    assert [len(axes.collections) for axes in figure.axes[:4]] == [0, 0, 0, 1]


def test_a_finding_without_test_films_is_said_so(panel):
    figure = draw_panel("mass", panel[0], None, {})
    assert [text.get_text() for text in figure.texts] == ["No test film shows mass."]


def test_the_gallery_shows_each_models_own_film_and_how_sure_it_is():
    fakes = Fakes(FIVE, ["a", "b"])
    explained = fakes.explained()
    figure = draw_gallery(explained)
    for place, (finding, model) in enumerate((f, m) for f in FIVE for m in ("a", "b")):
        film, heat = figure.axes[2 * place : 2 * place + 2]
        shown = next(h for h in explained.models[model].heatmaps("gallery") if h.finding == finding)
        number = fakes.names.index(shown.radiograph)
        np.testing.assert_array_equal(film.images[0].get_array(), fakes.pixels[number])
        assert film.get_title().endswith(fakes.sources[shown.radiograph])
        expected = overlay(fakes.pixels[number], shown.heatmap)
        np.testing.assert_allclose(heat.images[0].get_array(), expected)
        powers = np.exp(fakes.logits[model].loc[shown.radiograph])
        star = "★ " if model == "b" else ""
        assert heat.get_title() == f"{star}{model}: {powers[finding] / powers.sum():.0%}"


def test_a_model_without_a_right_film_says_so():
    explained = Fakes(FIVE[:2], ["a"]).explained()
    heats = [h for h in explained.models["a"].heatmaps("gallery") if h.finding == "normal"]
    model = explained.models["a"]._replace(heatmaps={"gallery": heats}.__getitem__)
    explained.models["a"] = model
    assert titles(draw_gallery(explained))[2:4] == ["★ a: no right film", ""]
    explained.models["a"] = model._replace(heatmaps={"gallery": []}.__getitem__)
    assert [text.get_text()[:23] for text in draw_gallery(explained).texts] == [
        "No model names the find"
    ]


def test_of_many_models_twelve_are_drawn_and_the_best_is_among_them():
    explained = Fakes(FIVE[:2], [f"m{number}" for number in range(15)], n=12).explained()
    figure = draw_gallery(explained)
    models = {title.split(":")[0] for title in titles(figure) if "%" in title}
    assert models == {*(f"m{number}" for number in range(11)), "★ m14"}
    assert "12 of 15 models are drawn" in figure.texts[0].get_text()


def test_a_film_of_several_findings_has_a_map_of_each():
    fakes = Fakes(FIVE, ["a"], "multi", n=30)
    explained = fakes.explained()
    heats = explained.models["a"].heatmaps("several")
    first = heats[0].radiograph
    mine = [heat for heat in heats if heat.radiograph == first]
    shown = titles(draw_several(explained))[: 1 + len(mine)]
    assert shown[0].startswith("true: ")
    chances = 1 / (1 + np.exp(-fakes.logits["a"].loc[first]))
    assert shown[1:] == [
        f"{heat.finding.replace('_', ' ')}: {chances[heat.finding]:.0%}" for heat in mine
    ]
    assert [heat.finding for heat in mine] == fakes.true[first].split("|")


def test_where_no_film_shows_several_findings_that_is_said():
    texts = draw_several(Fakes(FIVE, ["a"]).explained()).texts
    assert "No test film shows several findings" in texts[0].get_text()

"""Scatters and maps of films: what is where, told by colour and by shape."""

from dataclasses import replace

import numpy as np
import pandas as pd
from explaining import Fakes

from cxrpipe.reporting.drawing.latent import draw_latent, make_marks, name_findings, rank_names
from cxrpipe.reporting.drawing.som import count_cells, draw_som

FINDINGS = ("normal", "covid", "tuberculosis")


def explained_with(change, *models, kind="single"):
    explained = Fakes(FINDINGS, models or ("a",), kind).explained()
    latent = explained.latent._replace(layout=change(explained.latent.layout))
    return replace(explained, latent=latent)


def test_findings_of_a_film_are_one_several_or_none():
    joined = pd.Series(["covid", "covid|mass", "none"])
    assert list(name_findings(joined)) == ["covid", "several findings", "none of them"]


def test_names_stand_as_in_the_task_and_then_by_frequency():
    names = pd.Series(["south", "north", "north", "covid", "east"])
    assert rank_names(names, ["mass", "covid"]) == ["covid", "north", "east", "south"]


def test_marks_differ_in_shape():
    marks = make_marks([str(number) for number in range(14)]).values()
    assert len({(mark.get_marker(), mark.get_markerfacecolor() == "white") for mark in marks}) == 14


def test_panels_are_before_and_after_by_finding_and_by_source():
    explained = explained_with(lambda layout: layout, "a", "b")
    figure = draw_latent(explained)
    titles = [axes.get_title() for axes in figure.axes]
    assert [title.split("\n")[0] for title in titles if title] == [
        "t-SNE before training",
        "t-SNE after training",
    ] * 2
    told = explained.latent.told["representations"][-1]["neighbours"]["same_source"]["value"]
    assert f"of the same source: {told:.3f} (" in titles[4]
    assert titles[4].endswith("; chance 0.500")
    layout = explained.latent.layout
    places = layout[(layout["features"] == "b") & (layout["method"] == "tsne")]
    shown = places[(places["stage"] == "after") & (places["finding"] == "covid")]
    covid = figure.axes[1].lines[1]
    np.testing.assert_array_equal(covid.get_xdata(), shown["x"])
    np.testing.assert_array_equal(covid.get_ydata(), shown["y"])
    names = [text.get_text() for text in figure.axes[2].get_legend().texts]
    assert names == ["normal: 14", "covid: 13", "tuberculosis: 13"]


def test_umap_has_rows_of_its_own_where_it_is_laid_out():
    def with_umap(layout):
        return pd.concat([layout, layout[layout["method"] == "tsne"].assign(method="umap")])

    titles = [axes.get_title() for axes in draw_latent(explained_with(with_umap)).axes]
    assert sum(title.startswith("UMAP") for title in titles) == 4


def test_a_stage_that_could_not_be_laid_out_is_said_so():
    figure = draw_latent(explained_with(lambda layout: layout[layout["stage"] != "before"]))
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert said == ["not estimable", "not estimable"]


def test_cells_are_counted_and_named_after_their_commonest_finding():
    films = pd.DataFrame(
        [(0, 0, "covid"), (0, 0, "covid"), (0, 0, "mass"), (2, 1, "mass"), (2, 1, "covid")],
        columns=["x", "y", "finding"],
    )
    cells = count_cells(films).set_index(["x", "y"])
    assert cells.loc[(0, 0)].tolist() == [3, "covid"]
    assert cells.loc[(2, 1)].tolist() == [2, "covid"]  # as frequent: the first by name


def test_maps_of_pixels_and_of_features_stand_beside_each_other():
    explained = explained_with(lambda layout: layout)
    figure = draw_som(explained)
    pixels, features = figure.axes[:2]
    assert pixels.get_title() == (
        "greys of the films\nquantisation error 1.23, relative error 0.456, topographic error 0.056"
    )
    assert features.get_title().startswith("features of a, after training\n")
    layout = explained.latent.layout
    for axes, name in ((pixels, "pixels"), (features, "a")):
        films = layout[(layout["method"] == "som") & (layout["features"] == name)]
        cells = count_cells(films[films["stage"] != "before"])
        drawn = np.concatenate([marks.get_offsets() for marks in axes.collections])
        assert len(drawn) == len(cells)
        areas = np.concatenate([marks.get_sizes() for marks in axes.collections])
        assert areas.max() / areas.min() == cells["n"].max() / cells["n"].min()


def test_without_features_that_is_said():
    explained = explained_with(lambda layout: layout[:0])
    for draw in (draw_latent, draw_som):
        assert "No features" in draw(explained).texts[0].get_text()

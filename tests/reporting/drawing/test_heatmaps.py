"""The figures: what they show is what the tables say, and equal figures are equal files."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from PIL import Image

from cxrpipe.reporting.drawing import confusions, curves, heatmaps
from cxrpipe.reporting.drawing.style import save

FINDINGS = ["normal", "lung_opacity"]
CONFUSION = np.array([[3, 1], [4, 12]])


def film(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_a_film_without_heat_is_unchanged():
    laid = heatmaps.overlay(film(), np.zeros((16, 16), np.float32))
    np.testing.assert_array_equal(laid, np.repeat(film()[:, :, None] / 255, 3, axis=2))


def test_only_places_with_heat_change_and_more_heat_hides_more():
    heat = np.zeros((16, 16), np.float32)
    heat[2, 3], heat[4, 5] = 0.5, 1
    laid = heatmaps.overlay(film(), heat)
    changed = (laid != np.repeat(film()[:, :, None] / 255, 3, axis=2)).any(axis=2)
    assert np.argwhere(changed).tolist() == [[2, 3], [4, 5]]
    for place, share in (((2, 3), 0.275), ((4, 5), 0.55)):
        colour = np.array(colormaps["inferno"](float(heat[place]))[:3])
        np.testing.assert_allclose(
            laid[place], film()[place] / 255 * (1 - share) + share * colour, atol=1e-6
        )


def test_an_overlay_stays_from_0_to_1():
    random = np.random.default_rng(1)
    for grey in (0, 255):
        heat = random.random((16, 16), dtype=np.float32)
        heat[0, :2] = 0, 1
        laid = heatmaps.overlay(np.full((16, 16), grey, np.uint8), heat)
        assert laid.min() >= 0
        assert laid.max() <= 1


def test_equal_figures_give_equal_bytes_and_others_do_not(tmp_path):
    for folder, swapped in (("one", False), ("two", False), ("other", True)):
        figure = confusions.draw_confusion({"m": CONFUSION.T if swapped else CONFUSION}, FINDINGS)
        save(figure, tmp_path / folder, "confusion")
    for name in ("confusion.png", "confusion.svg"):
        one, two, other = ((tmp_path / f / name).read_bytes() for f in ("one", "two", "other"))
        assert one == two
        assert one != other
    assert b"<dc:date>" not in (tmp_path / "one" / "confusion.svg").read_bytes()
    with Image.open(tmp_path / "one" / "confusion.png") as picture:
        assert "Software" not in picture.info


def test_a_confusion_matrix_shows_counts_and_shares_of_the_true_finding():
    figure = confusions.draw_confusion({"one": CONFUSION, "two": CONFUSION.T}, FINDINGS)
    assert texts(figure.axes[0]) == ["3\n75%", "1\n25%", "4\n25%", "12\n75%"]
    assert texts(figure.axes[1]) == ["3\n43%", "4\n57%", "1\n8%", "12\n92%"]
    assert [axes.get_title() for axes in figure.axes] == ["one", "two"]
    np.testing.assert_allclose(
        figure.axes[0].images[0].get_array(), [[0.75, 0.25], [0.25, 0.75]], atol=1e-12
    )


def test_answers_are_shown_as_shares_of_films_with_and_without_the_finding():
    """Of 20 films with it 15 are found, of 80 without it 8 are false alarms; hernia has none."""
    counts = np.array([[[72, 8], [5, 15]], [[100, 0], [0, 0]]])
    (axes,) = confusions.draw_answers({"one": counts}, ["pleural_effusion", "hernia"]).axes
    assert texts(axes) == ["15\n75%", "5\n25%", "8\n10%", "72\n90%", "0", "0", "0", "100\n100%"]
    assert [label.get_text() for label in axes.get_xticklabels()] == list(confusions.ANSWERS)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["pleural effusion", "hernia"]


def test_many_models_and_findings_stay_on_a_page(tmp_path):
    findings = [f"finding_{number}" for number in range(14)]
    counts = np.random.default_rng(0).integers(0, 900, (14, 2, 2))
    many = {f"model-{number}": counts for number in range(6)}
    figure = confusions.draw_answers(many, findings)
    assert [axes.get_title() for axes in figure.axes[:6]] == list(many)
    width, _ = figure.get_size_inches()
    assert width < 15
    save(figure, tmp_path, "confusion")  # a layout that does not fit would warn


def history(epochs=3, best=2):
    """Validation scores stand above those of training by one."""
    table = pd.DataFrame({"epoch": range(1, epochs + 1)})
    table["best"] = (table["epoch"] == best).astype(int)
    for place, column in enumerate(("train_loss", "validation_loss")):
        table[column] = [3.0 + place, 1.0 + place, 2.0 + place][:epochs]
    for place, score in enumerate(("macro_f1", "macro_auc")):
        table[f"validation_{score}"] = [0.3 + place, 0.5 + place, 0.4 + place][:epochs]
    return table


def test_the_ring_marks_the_epoch_that_was_kept():
    loss, score = curves.draw_curves({"small": history()}, {"small": "macro_f1"}).axes
    train, validation, ring = (line.get_xydata().tolist() for line in loss.lines)
    assert train == [[1, 3], [2, 1], [3, 2]]
    assert validation == [[1, 4], [2, 2], [3, 3]]
    assert ring == [[2, 2]]
    assert [line.get_xydata().tolist() for line in score.lines] == [
        [[1, 0.3], [2, 0.5], [3, 0.4]],
        [[2, 0.5]],
    ]
    assert (loss.get_ylabel(), score.get_ylabel()) == ("loss (nats)", "macro F1 of validation")


def test_each_model_stands_in_the_panel_of_its_score():
    scores = {"one": "macro_f1", "many": "macro_auc"}
    figure = curves.draw_curves(dict.fromkeys(scores, history()), scores)
    loss, f1, auc = figure.axes
    assert [len(axes.lines) for axes in (loss, f1, auc)] == [6, 2, 2]
    assert auc.lines[0].get_ydata().tolist() == [1.3, 1.5, 1.4]


def test_many_models_are_told_apart_in_a_legend_beside_the_curves():
    names = [f"vgg16-360-dropout-{number}" for number in range(25)]
    figure = curves.draw_curves(dict.fromkeys(names, history()), dict.fromkeys(names, "macro_f1"))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == names
    looks = {(line.get_color(), line.get_marker()) for line in legend.get_lines()}
    assert len(looks) == 25
    figure.draw_without_rendering()
    box = legend.get_window_extent()
    assert box.x0 >= max(axes.get_window_extent().x1 for axes in figure.axes)
    assert box.y0 >= 0


def test_a_row_of_gradcam_shows_the_film_its_lesion_and_every_heatmap():
    lesion = np.zeros((16, 16), bool)
    lesion[4:8, 4:8] = True
    heat = np.eye(16, dtype=np.float32)
    drawn = {"small": [(0.934, heat), (0.2, heat)], "large": [(0.5, heat.T), (1.0, heat)]}
    films = [("lung_opacity", film(0)), ("normal", film(1))]
    axes = heatmaps.draw_gradcam(films, drawn, [lesion, None]).axes
    assert [place.get_title() for place in axes[:3]] == [
        "true: lung opacity",
        "small: 93%",
        "large: 50%",
    ]
    np.testing.assert_array_equal(axes[3].images[0].get_array(), film(1))
    np.testing.assert_allclose(axes[1].images[0].get_array(), heatmaps.overlay(film(0), heat))
    assert [len(place.collections) for place in axes[:4]] == [1, 0, 0, 0]


def test_a_film_that_is_not_among_those_of_a_model_is_said_so():
    heat = np.eye(16, dtype=np.float32)
    drawn = {"one": [(0.5, heat), None]}
    axes = heatmaps.draw_gradcam([("covid", film(0)), ("covid", film(1))], drawn, [None] * 2).axes
    assert [len(place.images) for place in axes[:4]] == [1, 1, 1, 0]
    assert axes[3].get_title() == "one: not drawn"


def test_heatmaps_of_many_models_take_several_rows_of_a_film():
    heat = np.eye(16, dtype=np.float32)
    drawn = {f"m{number}": [(number / 100, heat)] * 2 for number in range(20)}
    figure = heatmaps.draw_gradcam([("covid", film(0)), ("covid", film(1))], drawn, [None] * 2)
    titles = [axes.get_title() for axes in figure.axes[:-1]]
    assert len(titles) == 2 * 3 * (1 + 7)
    first = [title for title in titles[:24] if title]
    assert first == ["true: covid", *[f"m{number}: {number}%" for number in range(20)]]
    assert titles[8] == ""  # below the film

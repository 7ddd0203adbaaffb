"""The figures: what they show is what the tables say, and equal figures are equal files."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from PIL import Image

from cxrpipe.reporting import pictures
from cxrpipe.reporting.drawing import save

FINDINGS = ["normal", "lung_opacity"]
CONFUSION = np.array([[3, 1], [4, 12]])


def film(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_a_film_without_heat_is_unchanged():
    laid = pictures.overlay(film(), np.zeros((16, 16), np.float32))
    np.testing.assert_array_equal(laid, np.repeat(film()[:, :, None] / 255, 3, axis=2))


def test_only_places_with_heat_change_and_more_heat_hides_more():
    heat = np.zeros((16, 16), np.float32)
    heat[2, 3], heat[4, 5] = 0.5, 1
    laid = pictures.overlay(film(), heat)
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
        laid = pictures.overlay(np.full((16, 16), grey, np.uint8), heat)
        assert laid.min() >= 0
        assert laid.max() <= 1


def test_equal_figures_give_equal_bytes_and_others_do_not(tmp_path):
    for folder, swapped in (("one", False), ("two", False), ("other", True)):
        figure = pictures.draw_confusion({"m": CONFUSION.T if swapped else CONFUSION}, FINDINGS)
        save(figure, tmp_path / folder, "confusion")
    for name in ("confusion.png", "confusion.svg"):
        one, two, other = ((tmp_path / f / name).read_bytes() for f in ("one", "two", "other"))
        assert one == two
        assert one != other
    assert b"<dc:date>" not in (tmp_path / "one" / "confusion.svg").read_bytes()
    with Image.open(tmp_path / "one" / "confusion.png") as picture:
        assert "Software" not in picture.info


def test_a_confusion_matrix_shows_counts_and_shares_of_the_true_finding():
    figure = pictures.draw_confusion({"one": CONFUSION, "two": CONFUSION.T}, FINDINGS)
    assert texts(figure.axes[0]) == ["3\n75%", "1\n25%", "4\n25%", "12\n75%"]
    assert texts(figure.axes[1]) == ["3\n43%", "4\n57%", "1\n8%", "12\n92%"]
    assert [axes.get_title() for axes in figure.axes] == ["one", "two"]
    np.testing.assert_allclose(
        figure.axes[0].images[0].get_array(), [[0.75, 0.25], [0.25, 0.75]], atol=1e-12
    )


def test_the_ring_marks_the_epoch_that_was_kept():
    history = pd.DataFrame({"epoch": [1, 2, 3], "best": [0, 1, 0]})
    for place, column in enumerate(("train_loss", "validation_loss")):
        history[column] = [3.0 + place, 1.0 + place, 2.0 + place]
        history[column.replace("loss", "accuracy")] = [0.3, 0.5, 0.4]
    loss, accuracy = pictures.draw_curves({"small": history}).axes
    train, validation, ring = (line.get_xydata().tolist() for line in loss.lines)
    assert train == [[1, 3], [2, 1], [3, 2]]
    assert validation == [[1, 4], [2, 2], [3, 3]]
    assert ring == [[2, 2]]
    assert accuracy.lines[2].get_xydata().tolist() == [[2, 0.5]]


def test_a_row_of_gradcam_shows_the_film_its_lesion_and_every_heatmap():
    lesion = np.zeros((16, 16), bool)
    lesion[4:8, 4:8] = True
    heat = np.eye(16, dtype=np.float32)
    drawn = {"small": [(0.934, heat), (0.2, heat)], "large": [(0.5, heat.T), (1.0, heat)]}
    films = [("lung_opacity", film(0)), ("normal", film(1))]
    axes = pictures.draw_gradcam(films, drawn, [lesion, None]).axes
    assert [place.get_title() for place in axes[:3]] == [
        "true: lung opacity",
        "small: 93%",
        "large: 50%",
    ]
    np.testing.assert_array_equal(axes[3].images[0].get_array(), film(1))
    np.testing.assert_allclose(axes[1].images[0].get_array(), pictures.overlay(film(0), heat))
    assert [len(place.collections) for place in axes[:4]] == [1, 0, 0, 0]

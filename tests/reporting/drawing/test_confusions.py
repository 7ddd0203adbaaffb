"""Confusion matrices: counts and shares, of training and of test films."""

import numpy as np

from cxrpipe.reporting.drawing import confusions
from cxrpipe.reporting.drawing.results import results_of_task
from cxrpipe.reporting.drawing.style import save

FINDINGS = ["normal", "lung_opacity"]
TEST = np.array([[3, 1], [4, 12]])
BOTH = {"train": 10 * TEST, "test": TEST}


def texts(axes):
    return [text.get_text() for text in axes.texts]


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels() if label.get_visible()]


def test_a_matrix_shows_counts_and_shares_of_the_true_finding():
    turned = {"train": TEST, "test": TEST.T}
    axes = confusions.draw_confusion({"one": BOTH, "two": turned}, FINDINGS).axes
    assert texts(axes[2]) == ["3\n75%", "1\n25%", "4\n25%", "12\n75%"]
    assert texts(axes[3]) == ["3\n43%", "4\n57%", "1\n8%", "12\n92%"]
    np.testing.assert_allclose(axes[2].images[0].get_array(), [[0.75, 0.25], [0.25, 0.75]])


def test_training_films_stand_above_test_films_and_both_tell_how_many():
    axes = confusions.draw_confusion({"one": BOTH}, FINDINGS).axes
    assert [place.get_title() for place in axes] == ["one\ntrain, n 200", "test, n 20"]
    assert texts(axes[0]) == ["30\n75%", "10\n25%", "40\n25%", "120\n75%"]
    assert [labels(place.yaxis) for place in axes] == [["normal", "lung opacity"]] * 2


def test_the_lowest_panel_of_every_column_names_what_is_predicted():
    """Seven models in two lines: the fourth column has one model, and ends in the first line."""
    names = [f"m{number}" for number in range(7)]
    counts = np.ones((5, 5), np.int64)
    both = {"train": counts, "test": counts}
    findings = [f"f{number}" for number in range(5)]
    figure = confusions.draw_confusion(dict.fromkeys(names, both), findings)
    figure.draw_without_rendering()
    named = [place.get_title() for place in figure.axes if labels(place.xaxis) and place.axison]
    assert len(named) == 4
    assert set(named) == {"test, n 25"}


def test_a_share_that_is_not_zero_is_not_shown_as_zero():
    rare = {"train": TEST, "test": np.array([[999, 1], [0, 5]])}
    assert texts(confusions.draw_confusion({"m": rare}, FINDINGS).axes[1])[1] == "1\n<1%"


def test_a_finding_that_no_film_shows_has_counts_of_zero():
    """Of no film nothing is a share."""
    absent = {"train": TEST, "test": np.array([[4, 1], [0, 0]])}
    axes = confusions.draw_confusion({"m": absent}, FINDINGS).axes[1]
    assert texts(axes) == ["4\n80%", "1\n20%", "0", "0"]


def test_answers_are_shown_as_shares_of_films_with_and_without_the_finding():
    """Of 20 films with it 15 are found, of 80 without it 8 are false alarms; hernia has none."""
    counts = np.array([[[72, 8], [5, 15]], [[100, 0], [0, 0]]])
    both = {"train": 3 * counts, "test": counts}
    train, test = confusions.draw_answers({"one": both}, ["pleural_effusion", "hernia"]).axes
    said = ["15 · 75%", "5 · 25%", "8 · 10%", "72 · 90%", "0", "0", "0", "100 · 100%"]
    assert texts(test) == said
    assert texts(train)[:2] == ["45 · 75%", "15 · 25%"]
    assert labels(test.xaxis) == list(confusions.ANSWERS)
    assert labels(test.yaxis) == ["pleural effusion", "hernia"]
    assert (train.get_title(), test.get_title()) == ("one\ntrain, n 300", "test, n 100")


def test_counts_of_folds_are_added_up():
    folds = [{"test": {"confusion": [[1, 2], [3, 4]]}}, {"test": {"confusion": [[5, 0], [0, 1]]}}]
    assert confusions.add_folds(folds, "test").tolist() == [[6, 2], [3, 5]]


def test_the_matrices_of_a_task_are_those_of_its_metrics(judge):
    """Scikit-learn counts the films that are found, the first cell shows how many."""
    metrics, curves = judge(["covid", "mass"], {"m": 0.8}, "multi", 40)
    results = results_of_task(metrics, curves, {"m": 1}, "findings")
    found = metrics["models"]["m"]["folds"][0]["test"]["confusion"][0][1][1]
    assert texts(confusions.draw_confusions(results).axes[1])[0].startswith(f"{found} · ")


def test_many_models_and_findings_are_no_wider_than_a_page():
    findings = [f"finding_{number}" for number in range(14)]
    counts = np.random.default_rng(0).integers(0, 900, (14, 2, 2))
    many = {f"model-{number}": {"train": counts, "test": counts} for number in range(6)}
    figure = confusions.draw_answers(many, findings)
    assert len([place for place in figure.axes if place.axison]) == 12
    assert figure.get_size_inches()[0] <= 13
    figure.draw_without_rendering()  # a layout that does not fit would warn


def test_equal_figures_give_equal_bytes_and_others_do_not(tmp_path):
    for folder, counts in (("one", TEST), ("two", TEST), ("other", TEST.T)):
        both = {"train": TEST, "test": counts}
        save(confusions.draw_confusion({"m": both}, FINDINGS), tmp_path / folder, "confusion")
    for name in ("confusion.png", "confusion.svg"):
        one, two, other = ((tmp_path / f / name).read_bytes() for f in ("one", "two", "other"))
        assert one == two
        assert one != other

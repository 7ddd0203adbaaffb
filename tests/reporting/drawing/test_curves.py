"""Learning curves: what they show is what the histories say."""

import pandas as pd

from cxrpipe.reporting.drawing import curves


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


def test_a_model_of_one_epoch_is_seen():
    loss, _ = curves.draw_curves({"m": history(1, best=1)}, {"m": "macro_f1"}).axes
    assert [line.get_xydata().tolist() for line in loss.lines[1:]] == [[[1, 4]], [[1, 4]]]
    assert loss.lines[1].get_markevery() == (0, 1)


def test_a_score_that_no_epoch_has_is_said_so():
    unknown = history().assign(validation_macro_auc=float("nan"))
    loss, auc = curves.draw_curves({"m": unknown}, {"m": "macro_auc"}).axes
    assert [text.get_text() for text in auc.texts] == ["not estimable"]
    assert [text.get_text() for text in loss.texts] == []


def test_few_models_are_told_in_a_legend_beside_the_curves():
    names = [f"vgg16-{number}" for number in range(8)]
    figure = curves.draw_curves(dict.fromkeys(names, history()), dict.fromkeys(names, "macro_f1"))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == names
    figure.draw_without_rendering()
    box = legend.get_window_extent()
    assert box.x0 >= max(axes.get_window_extent().x1 for axes in figure.axes)
    assert box.y0 >= 0


def test_many_models_are_told_apart_in_a_legend_below_the_curves():
    names = [f"vgg16-360-dropout-{number}" for number in range(25)]
    figure = curves.draw_curves(dict.fromkeys(names, history()), dict.fromkeys(names, "macro_f1"))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == names
    lines = legend.get_lines()
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 25
    figure.draw_without_rendering()
    box = legend.get_window_extent()
    width, _ = figure.get_size_inches() * figure.dpi
    assert box.y1 <= min(axes.get_window_extent().y0 for axes in figure.axes)
    assert box.x0 >= 0
    assert box.x1 <= width
    assert box.y0 >= 0

"""Mistakes and confusions, counted by hand."""

from told import tell_metrics, tell_run

from cxrpipe.reporting.page.errors import (
    confusion_table,
    mistake_table,
    tell_errors,
    tell_mistakes,
)

FINDINGS = ("normal", "covid", "lung_opacity")
#             said normal, covid, lung_opacity
CONFUSION = [[20, 3, 0], [5, 9, 1], [0, 4, 7]]


def test_the_two_most_frequent_confusions_are_told_first():
    assert confusion_table(CONFUSION, FINDINGS).to_numpy().tolist() == [
        ["covid", "normal", 5, 15],
        ["lung_opacity", "covid", 4, 11],
    ]


def test_what_never_happens_is_no_confusion():
    assert len(confusion_table([[3, 0], [1, 2]], FINDINGS[:2])) == 1


def test_a_mistake_is_told_with_the_beginning_of_its_name():
    mistake = {"radiograph": "5feceb66ffc86f38", "source": "east", "true": "lung_opacity"}
    mistake |= {"said": "normal", "probability": 0.98765}
    assert mistake_table([mistake]).to_numpy().tolist() == [
        ["5feceb66ffc8", "east", "lung opacity", "normal", "0.988"]
    ]


def test_errors_are_told_with_what_they_do_not_show():
    words, mistakes, confusions = tell_mistakes(tell_metrics(), "findings")
    assert "sure and wrong is where to look first" in words.lines[0]
    assert "Labels can be wrong" in words.lines[0]
    assert (len(mistakes.rows), len(confusions.rows)) == (3, 2)


def test_yes_and_no_have_no_table_of_confusions():
    assert len(tell_mistakes(tell_metrics(kind="multi"), "findings")) == 2


def test_a_model_without_mistakes_is_called_so():
    metrics = tell_metrics()
    metrics["tasks"]["findings"]["mistakes"] = []
    (words,) = tell_mistakes(metrics, "findings")
    assert words.lines == ["densenet makes no mistake on the test films of the first fold."]


def test_causes_follow_the_mistakes_of_the_models_of_the_task():
    metrics = tell_metrics()
    blocks = tell_errors(tell_run(metrics=metrics))(metrics, "findings")
    captions = [block.caption for block in blocks if block.kind == "table"]
    assert captions == [
        "The surest mistakes of densenet",
        "What densenet takes for what most often, on the test films of the first fold",
        "Measured causes: densenet",
        "Measured causes: resnet10",
    ]

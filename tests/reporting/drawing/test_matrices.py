"""The matrix of collections: trained on in rows, tested on in columns."""

from matplotlib.colors import to_hex

from cxrpipe.reporting.drawing.matrices import NONE, draw_matrix, gather_bases, list_tested
from cxrpipe.reporting.drawing.results import results_of_task

FINDINGS = ["normal", "covid"]
ONE = {"resnet_trained_on-south": "south", "resnet_trained_on-north": "north"}


def told(judged):
    metrics, curves = judged
    return results_of_task(metrics, curves, dict.fromkeys(metrics["models"], 1), "findings")


def texts(axes):
    return [text.get_text() for text in axes.texts]


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_cells_are_the_scores_of_the_rows_model_on_the_columns_films(judge):
    results = told(judge(FINDINGS, dict.fromkeys([*ONE, "all"], 0.7), trained_on=ONE))
    (axes,) = draw_matrix(results).axes
    assert labels(axes.yaxis) == ["south", "north"]
    assert labels(axes.xaxis) == ["south", "north", "far away"]
    part = results.models["resnet_trained_on-north"]["subgroups"]["source"]["far_away"]
    f1 = part["macro"]["f1"]
    expected = f"{f1['value']:.3f}\n({f1['low']:.3f} to {f1['high']:.3f})\nn {part['n']}"
    assert texts(axes)[5] == expected


def test_boxes_mark_the_films_of_the_collection_trained_on(judge):
    (axes,) = draw_matrix(told(judge(FINDINGS, dict.fromkeys(ONE, 0.7), trained_on=ONE))).axes
    boxes = [patch for patch in axes.patches if not patch.get_fill()]
    places = [(round(box.get_y() + 0.46), round(box.get_x() + 0.46)) for box in boxes]
    assert places == [(0, 0), (1, 1)]
    written = [to_hex(axes.texts[place].get_color()) for place in (0, 4)]
    assert [to_hex(box.get_edgecolor()) for box in boxes] == written


def test_models_that_differ_in_their_collection_alone_share_a_panel(judge):
    trained = ONE | {"from-north": "north", "own": "south", "vgg_trained_on-north": "north"}
    models = {name: {"trained_on": source} for name, source in trained.items()}
    bases = gather_bases(models | {"all": {"trained_on": ""}})
    assert {base: list(shared) for base, shared in bases.items()} == {
        "resnet": list(ONE),
        "from": ["from-north"],
        "own": ["own"],
        "vgg": ["vgg_trained_on-north"],
    }
    figure = draw_matrix(told(judge(FINDINGS, dict.fromkeys(trained, 0.7), trained_on=trained)))
    titles = [axes.get_title() for axes in figure.axes if axes.axison]
    assert titles == ["resnet", "from", "own", "vgg"]
    assert figure.get_size_inches()[0] <= 13


def test_a_model_that_is_named_after_a_collection_keeps_its_name():
    models = {f"nih-net_trained_on-{name}": {"trained_on": name} for name in ("nih", "rsna")}
    assert {base: len(shared) for base, shared in gather_bases(models).items()} == {"nih-net": 2}


def test_collections_trained_on_stand_first_and_only_where_they_have_test_films():
    parts = {"source": {"east": {}, "north": {}}}
    models = {
        "a": {"trained_on": "north", "subgroups": parts},
        "b": {"trained_on": "without_test", "subgroups": parts},
    }
    assert list_tested(models) == ["north", "east"]


def test_a_score_that_cannot_be_estimated_is_said_so(judge):
    metrics, curves = judge(FINDINGS, dict.fromkeys(ONE, 0.7), trained_on=ONE)
    part = metrics["models"]["resnet_trained_on-south"]["subgroups"]["source"]["north"]
    part["macro"]["f1"] = dict.fromkeys(("value", "low", "high", "sd"))
    (axes,) = draw_matrix(told((metrics, curves))).axes
    assert texts(axes)[1] == f"not estimable\nn {part['n']}"


def test_without_such_models_a_sentence_says_so(judge):
    figure = draw_matrix(told(judge(FINDINGS, {"m": 0.7})))
    assert [text.get_text() for text in figure.texts] == [NONE]

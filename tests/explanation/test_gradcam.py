"""The gradcam command: which films it explains, for what, and that its maps are theirs."""

import json
import logging
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from cxrpipe import tables
from cxrpipe.config import Gradcam, Model, Preprocess, Task
from cxrpipe.explanation import gradcam
from cxrpipe.explanation.attribution.cam import explain, measure_offset
from cxrpipe.explanation.gradcam import Ways, find_ways, main, plan_heatmaps
from cxrpipe.explanation.heatmaps import PURPOSES, read_heatmaps
from cxrpipe.models import weights
from cxrpipe.models.card import Card
from cxrpipe.models.zoo import Classifier, build
from cxrpipe.preprocessing.store import Prepared, write_store

FINDINGS = ("normal", "covid")
MODEL = Model(architecture="test_resnet", side=32)
TASK = Task(findings=FINDINGS, sources=("s",))
MULTI = Task(kind="multi", findings=("mass", "effusion", "nodule"), sources=("s",))
NAMES = [f"{number:024x}" for number in range(10)]
SUBSETS = ["train"] * 2 + ["test"] * 8
DEPTHS = ["conv1", "act1", "layer1", "layer2", "layer3"]
METHODS = ("gradcam", "gradcam++", "hirescam", "cam", "ablationcam", "integrated")
WAYS = Ways([("gradcam", "up")], [("gradcam", "low"), ("gradcam", "up")], [("cam", "up")])


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks are fastest on one thread, the more so beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pictures(n=10):
    return np.random.default_rng(0).integers(0, 256, (n, 32, 32), dtype=np.uint8)


def split(findings=FINDINGS * 5):
    """Two films of training; of the test films the even are normal, the odd covid."""
    rows = pd.DataFrame({"radiograph": NAMES, "group": NAMES, "subset": SUBSETS, "fold": 0})
    rows.insert(2, "source", "s")
    rows.insert(3, "finding", list(findings))
    return rows


def predictions(**logits):
    return pd.DataFrame({"radiograph": NAMES, "subset": SUBSETS} | logits)


# Of the odd films, covid, 3, 7 and 9 are found, 7 most surely; 5 is taken for normal. Of the even,
# normal, 2 is taken for covid; 8 is the surest of the others.
ANSWERS = predictions(
    normal=[0.0, 0, 0, 0, 1, 1, 1, 0, 3, 0], covid=[0.0, 0, 1, 1, 0, 0, 0, 4, 0, 2]
)


@pytest.fixture(scope="module")
def classifier():
    """An untrained network whose head has weights of both signs."""
    built = Classifier(build(MODEL, 2, seed=0), 0.5, 0.3).eval()
    built.network.fc.weight.data.normal_(generator=torch.Generator().manual_seed(0))
    return built


def run(folder, classifier, task, films, answers, card=None, **settings):
    """Run the command."""
    prepared = [Prepared(name, film, {}) for name, film in zip(NAMES, pictures(), strict=True)]
    write_store(folder / "films.h5", prepared, 10, 32, "{}")
    tables.write(films, folder / "split.csv", tables.SPLIT)
    tables.write(answers, folder / "logits.csv", tables.predictions(task.findings))
    card = card or Card(MODEL, task.kind, task.findings, Preprocess(side=32), 0.5, 0.3)
    weights.save(folder / "w.safetensors", classifier.state_dict(), card)
    options = {
        "radiographs": folder / "films.h5",
        "split": folder / "split.csv",
        "fold": 0,
        "task": task.model_dump_json(),
        "weights": folder / "w.safetensors",
        "predictions": folder / "logits.csv",
        "settings": json.dumps({"films_per_finding": 2, "stride": 8} | settings),
        "seed": 3,
        "cores": 1,
        "heatmaps": folder / "heatmaps.h5",
    }
    flags = [str(part) for key, value in options.items() for part in (f"--{key}", value)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["gradcam", *flags])
        patch.setattr(logging, "basicConfig", lambda **_: None)
        main()
    return folder / "heatmaps.h5"


@pytest.fixture(scope="module")
def out(classifier, tmp_path_factory):
    return run(tmp_path_factory.mktemp("gradcam"), classifier, TASK, split(), ANSWERS)


def places(explained):
    return [NAMES.index(name) for name in explained["radiograph"]]


def test_two_test_films_of_each_finding_are_drawn_for_the_panel(out):
    explained, _ = read_heatmaps(out, "panel")
    assert explained["finding"].tolist() == ["covid", "covid", "normal", "normal"]
    assert explained["true"].tolist() == explained["finding"].tolist()
    assert set(explained["method"]) == {"gradcam"}
    assert set(explained["layer"]) == {"layer2"}
    assert len(set(places(explained))) == 4
    assert [FINDINGS[place % 2] for place in places(explained)] == explained["finding"].tolist()
    assert min(places(explained)) >= 2


def test_the_gallery_is_the_surest_right_film_of_each_finding(out):
    explained, _ = read_heatmaps(out, "gallery")
    assert places(explained) == [7, 8]
    assert explained["finding"].tolist() == ["covid", "normal"]


def test_belief_by_depth_is_of_right_films_and_confusions_shallow_to_deep(out):
    """A confusion is explained for what the model says; equally frequent ones stand by name."""
    explained, _ = read_heatmaps(out, "depth")
    assert places(explained) == [7] * 5 + [8] * 5 + [5] * 5 + [2] * 5
    assert explained["layer"].tolist() == DEPTHS * 4
    told = explained.iloc[::5][["true", "finding"]].to_numpy().tolist()
    assert told == [
        ["covid", "covid"],
        ["normal", "normal"],
        ["covid", "normal"],
        ["normal", "covid"],
    ]


def test_the_gallery_is_drawn_by_every_method_that_the_head_allows(out):
    """The map of the head has one cell at this side, so that its layer 3 is the last map."""
    explained, _ = read_heatmaps(out, "methods")
    methods = [method for method in METHODS if method != "cam"]
    assert places(explained) == [7] * 5 + [8] * 5
    assert explained["method"].tolist() == methods * 2
    assert explained["layer"].tolist() == ["layer2"] * 4 + [""] + ["layer2"] * 4 + [""]


@pytest.mark.parametrize("purpose", [purpose for purpose in PURPOSES if purpose != "several"])
def test_every_heatmap_is_that_of_its_row(purpose, out, classifier):
    explained, heatmaps = read_heatmaps(out, purpose)
    assert len(explained) > 0
    for (_, row), heatmap in zip(explained.iterrows(), heatmaps, strict=True):
        layer = f"network.{row['layer'] or 'layer2'}"
        grey = torch.from_numpy(pictures()[NAMES.index(row["radiograph"])][None, None])
        finding = torch.tensor([FINDINGS.index(row["finding"])])
        offset = measure_offset(classifier, layer, 32)
        expected = explain(classifier, row["method"], layer, grey, finding, offset)[0]
        np.testing.assert_allclose(heatmap, expected.numpy(), atol=5e-3)


def test_no_film_of_a_single_task_has_several_findings(out):
    explained, heatmaps = read_heatmaps(out, "several")
    assert (len(explained), heatmaps.shape) == (0, (0, 32, 32))


def test_the_same_run_gives_the_same_bytes(out, classifier, tmp_path):
    again = run(tmp_path, classifier, TASK, split(), ANSWERS)
    assert again.read_bytes() == out.read_bytes()


def test_one_finding_is_explained_on_the_films_that_show_it(tmp_path):
    """Of covid films 3, 5, 7 and 9 the network misses 5; 2 is the surest false alarm."""
    binary = Classifier(build(MODEL, 1, seed=0), 0.5, 0.3).eval()
    films = split(["", "covid"] * 5)
    films.loc[7, "finding"] = "covid|normal"
    logits = predictions(covid=[9.0, 9, 2, 1, 1, -1, 1, 4, 1, 1])
    task = Task(kind="binary", findings=("covid",), sources=("s",))
    out = run(tmp_path, binary, task, films, logits, depths=1)
    panel, _ = read_heatmaps(out, "panel")
    assert set(places(panel)) <= {3, 5, 7, 9}
    depth, _ = read_heatmaps(out, "depth")
    assert places(depth) == [7, 2, 5]
    assert depth[["true", "finding"]].to_numpy().tolist() == [
        ["covid|normal", "covid"],
        ["", "covid"],
        ["covid", "covid"],
    ]


def test_a_finding_that_is_never_said_has_a_gallery_of_the_film_held_most_probable(tmp_path):
    """Of covid films 3, 5, 7 and 9 the last; that it is the surest miss too draws it no twice."""
    binary = Classifier(build(MODEL, 1, seed=0), 0.5, 0.3).eval()
    task = Task(kind="binary", findings=("covid",), sources=("s",))
    logits = predictions(covid=[-9.0] * 9 + [-2.0])
    films = split(["", ""] + [""] * 7 + ["covid"])
    out = run(tmp_path, binary, task, films, logits, depths=1)
    for purpose in ("gallery", "depth"):
        assert places(read_heatmaps(out, purpose)[0]) == [9]


def test_a_layer_of_a_name_is_explained_whatever_the_stride(tmp_path, classifier):
    named = run(tmp_path, classifier, TASK, split(), ANSWERS, layer="layer1.0.conv1")
    assert set(read_heatmaps(named, "panel")[0]["layer"]) == {"layer1.0.conv1"}
    methods, _ = read_heatmaps(named, "methods")
    assert set(methods["layer"]) == {"layer1.0.conv1", ""}


@pytest.mark.parametrize(
    ("findings", "side", "line"),
    [
        (FINDINGS[::-1], 32, "trained for ('single', ('covid', 'normal')), and asked for"),
        (FINDINGS, 64, "trained at side 64, and films have 32; give those"),
    ],
)
def test_weights_of_another_task_or_side_are_refused(
    findings, side, line, tmp_path, classifier, capsys
):
    card = Card(MODEL, "single", findings, Preprocess(side=side), 0.5, 0.3)
    with pytest.raises(SystemExit):
        run(tmp_path, classifier, TASK, split(), ANSWERS, card)
    assert line in capsys.readouterr().err


def test_where_no_film_shows_the_finding_and_none_is_said_to_nothing_is_drawn(tmp_path):
    binary = Classifier(build(MODEL, 1, seed=0), 0.5, 0.3).eval()
    task = Task(kind="binary", findings=("covid",), sources=("s",))
    silent = predictions(covid=[-1.0] * 10)
    out = run(tmp_path, binary, task, split(["covid"] * 2 + [""] * 8), silent, depths=1)
    assert {purpose: len(read_heatmaps(out, purpose)[0]) for purpose in PURPOSES} == dict.fromkeys(
        PURPOSES, 0
    )


def test_films_of_several_findings_have_a_heatmap_for_each():
    shows = ["mass", "mass", "mass|effusion", "mass|x", "", "", "", "mass|effusion|nodule", "", "x"]
    films = split(shows).query("subset == 'test'")
    answers = predictions(mass=[0.0] * 10, effusion=[0.0] * 10, nodule=[0.0] * 10)
    explained = plan_heatmaps(films, answers, MULTI, Gradcam(films_per_finding=2), WAYS, seed=0)
    several = explained[explained["purpose"] == "several"]
    assert places(several) == [2, 2, 7, 7, 7]
    assert several["finding"].tolist() == ["effusion", "mass", "effusion", "mass", "nodule"]
    assert several["true"].tolist()[1] == "mass|effusion"


def test_of_many_confusions_the_most_frequent_are_drawn(monkeypatch, caplog):
    """Of 7 effusions, 2 nodules and a mass made up, and 2 masses missed, the mass is left out."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(gradcam, "MOST_DEEP", 3)
    films = split(["x", "x", "mass", "mass", "mass", "", "", "", "", ""]).query("subset == 'test'")
    answers = predictions(
        mass=[0.0, 0, 1, -1, -1, -1, -1, -1, -1, 1],
        effusion=[0.0, 0, 1, 1, 1, 1, 1, 1, 1, -1],
        nodule=[0.0, 0, -1, -1, -1, -1, -1, 1, 2, -1],
    )
    explained = plan_heatmaps(films, answers, MULTI, Gradcam(), WAYS, seed=0)
    depth = explained[explained["purpose"] == "depth"]
    assert depth["finding"].tolist()[::2] == ["mass", "effusion", "mass", "nodule"]
    assert places(depth)[::2] == [2, 2, 3, 8]
    assert depth["layer"].tolist() == ["low", "up"] * 4
    assert [record.message for record in caplog.records] == [
        "1 of 4 confusions, rare ones, are not drawn"
    ]


@pytest.mark.parametrize(("head", "has_cam"), [("linear", True), ("16", False)])
def test_cam_is_left_out_with_a_word_where_the_head_has_none(head, has_cam, caplog):
    """And is of the last map, where others are of another stride."""
    model = Model(architecture="resnet18", side=64, head=head)
    classifier = Classifier(build(model, 2, seed=0), 0.5, 0.3).eval()
    with caplog.at_level(logging.INFO):
        ways = find_ways(classifier, model, 64, Gradcam(stride=8, depths=2))
    name = "network." if has_cam else "network.backbone."
    assert ways.panel == [("gradcam", f"{name}layer2")]
    assert ways.depth == [("gradcam", f"{name}act1"), ("gradcam", f"{name}layer4")]
    assert dict(ways.methods).get("cam") == (f"{name}layer4" if has_cam else None)
    assert len(ways.methods) == 5 + has_cam
    told = [record.message for record in caplog.records]
    assert [message.startswith("cam is left out") for message in told] == [True] * (not has_cam)


def test_a_method_that_is_not_asked_for_is_not_drawn(caplog):
    model = Model(architecture="resnet18", side=64, head="16")
    classifier = Classifier(build(model, 2, seed=0), 0.5, 0.3).eval()
    ways = find_ways(classifier, model, 64, Gradcam(methods=("hirescam",)))
    assert ways.methods == [("hirescam", "network.backbone.layer4")]
    assert caplog.records == []

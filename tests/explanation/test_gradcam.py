"""The gradcam command: which films it explains, and that its maps and counts are theirs."""

import json
import logging
import sys

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from cxrpipe import tables
from cxrpipe.config import Model, Task
from cxrpipe.explanation import gradcam
from cxrpipe.explanation.attribution.cam import grad_cam, measure_offset
from cxrpipe.explanation.gradcam import draw_heatmaps, main
from cxrpipe.models import weights
from cxrpipe.models.zoo import Classifier, build, feature_layer
from cxrpipe.preprocessing.store import Prepared, write_store
from cxrpipe.runtime import UserError

FINDINGS = ("normal", "covid")
MODEL = Model(architecture="test_resnet", side=32)
TASK = Task(findings=FINDINGS, sources=("s",))
CPU = torch.device("cpu")
NAMES = [f"{number:024x}" for number in range(10)]
SUBSETS = ["train"] * 2 + ["test"] * 8


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks are fastest on one thread, the more so beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pictures(n=10):
    return np.random.default_rng(0).integers(0, 256, (n, 32, 32), dtype=np.uint8)


def split():
    """Two films of training; of the test films the even are normal, the odd covid."""
    rows = pd.DataFrame({"radiograph": NAMES, "group": NAMES, "subset": SUBSETS, "fold": 0})
    rows.insert(2, "source", "s")
    rows.insert(3, "finding", list(FINDINGS) * 5)
    return rows


def predictions(named):
    """Return a table that names one finding for each film."""
    logits = {finding: [2.0 * (name == finding) for name in named] for finding in FINDINGS}
    return pd.DataFrame({"radiograph": NAMES, "subset": SUBSETS} | logits)


@pytest.fixture(scope="module")
def classifier():
    """An untrained network whose head has weights of both signs."""
    built = Classifier(build(MODEL, 2, seed=0), 0.5, 0.3).eval()
    built.network.fc.weight.data.normal_(generator=torch.Generator().manual_seed(0))
    return built


def alone(classifier, grey, finding):
    """Explain one film by itself at stride 8."""
    offset = measure_offset(classifier, "network.layer2", 32)
    return grad_cam(classifier, "network.layer2", grey, torch.tensor([finding]), offset)[0].numpy()


@pytest.mark.parametrize("batch", [2, 32])
def test_heatmaps_do_not_depend_on_the_batch(batch, classifier, monkeypatch):
    monkeypatch.setattr(gradcam, "BATCH", batch)
    findings = [0, 1, 1, 0, 1]
    drawn = draw_heatmaps(classifier, "network.layer2", pictures(5), findings, CPU)
    assert drawn.max(axis=(1, 2)).min() > 0
    for film, finding, heatmap in zip(pictures(5), findings, drawn, strict=True):
        grey = torch.from_numpy(film[None, None])
        np.testing.assert_allclose(heatmap, alone(classifier, grey, finding), atol=1e-3)


OWN = torch.nn.Sequential(
    torch.nn.Conv2d(1, 4, 3, padding=1),
    torch.nn.ReLU(inplace=True),
    torch.nn.MaxPool2d(4),
    torch.nn.Flatten(),
    torch.nn.Linear(4 * 8 * 8, 1),
)


@pytest.mark.parametrize("own", [True, False])
def test_networks_that_flatten_their_map_are_explained_at_their_side(own):
    """An own network of one logit, and one of the zoo; every place of their maps speaks for it."""
    model = MODEL.model_copy(update={"head": "flatten-8"})
    network = OWN if own else build(model, 1, seed=0)
    stride, layer = (0, "2") if own else (8, "backbone.layer2")
    assert feature_layer(network, model, stride) == layer
    for module in network.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.constant_(module.weight, 0.01)
            torch.nn.init.constant_(module.bias, 1)
    explained = Classifier(network, 0.5, 0.3).eval()
    heatmaps = draw_heatmaps(explained, f"network.{layer}", pictures(2), [0, 0], CPU)
    assert heatmaps.shape == (2, 32, 32)
    assert heatmaps.max(axis=(1, 2)).tolist() == [1, 1]
    assert not np.array_equal(heatmaps[0], heatmaps[1])


def test_no_films_have_no_heatmaps(classifier):
    drawn = draw_heatmaps(classifier, "network.layer3", pictures(0), [], CPU)
    assert drawn.shape == (0, 32, 32)
    assert gradcam.localise(split().head(0), drawn, "no file is read") == {"n": 0}


def test_heatmaps_that_are_not_finite_are_an_error():
    broken = Classifier(build(MODEL, 2, seed=1), 0.5, 0.3).eval()
    broken.network.fc.weight.data.fill_(torch.nan)
    with pytest.raises(UserError, match=r"network\.layer3 gives heatmaps outside 0 to 1"):
        draw_heatmaps(broken, "network.layer3", pictures(1), [0], CPU)


def explain(folder, classifier, task, split, predictions):
    """Run the command; films 3, 5, 7 and 9 have lesions everywhere or, 9 alone, nowhere.

    Half the film is lung.
    """
    lungs = np.zeros((32, 32), np.uint8)
    lungs[:16] = 255
    lesions = {3: 255, 5: 255, 7: 255, 9: 0}
    films = [
        Prepared(
            NAMES[place],
            film,
            {"lungs": lungs, "lesions": np.full((32, 32), lesions[place], np.uint8)}
            if place in lesions
            else {},
        )
        for place, film in enumerate(pictures())
    ]
    write_store(folder / "films.h5", films, 10, 32, "{}")
    tables.write(split, folder / "split.csv", tables.SPLIT)
    tables.write(predictions, folder / "logits.csv", tables.predictions(task.findings))
    card = weights.Card(MODEL, task.kind, task.findings, 32, 0.5, 0.3)
    weights.save(folder / "w.safetensors", classifier.state_dict(), card)
    options = {
        "radiographs": folder / "films.h5",
        "split": folder / "split.csv",
        "fold": 0,
        "task": task.model_dump_json(),
        "weights": folder / "w.safetensors",
        "predictions": folder / "logits.csv",
        "settings": json.dumps({"films_per_finding": 2, "stride": 8}),
        "seed": 3,
        "cores": 1,
        "heatmaps": folder / "heatmaps.h5",
        "localisation": folder / "localisation.json",
    }
    flags = [str(part) for key, value in options.items() for part in (f"--{key}", value)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["gradcam", *flags])
        patch.setattr(logging, "basicConfig", lambda **_: None)
        main()
    return folder


@pytest.fixture(scope="module")
def out(classifier, tmp_path_factory):
    named = ["covid"] * 10
    named[5] = "normal"
    folder = tmp_path_factory.mktemp("gradcam")
    return explain(folder, classifier, TASK, split(), predictions(named))


def test_the_command_writes_the_heatmaps_of_two_test_films_a_finding(out, classifier):
    with h5py.File(out / "heatmaps.h5") as file:
        radiographs = [name.decode() for name in file["radiograph"][:]]
        findings = [name.decode() for name in file["finding"][:]]
        heatmaps = file["heatmaps"][:]
    assert findings == ["covid", "covid", "normal", "normal"]
    assert len(set(radiographs)) == 4
    for name, finding, heatmap in zip(radiographs, findings, heatmaps, strict=True):
        place = NAMES.index(name)
        assert (SUBSETS[place], FINDINGS[place % 2]) == ("test", finding)
        grey = torch.from_numpy(pictures()[place][None, None])
        expected = alone(classifier, grey, FINDINGS.index(finding))
        np.testing.assert_allclose(heatmap, expected, atol=1e-3)


def test_the_command_counts_hits_of_rightly_predicted_films_beside_chance(out):
    """Films 3, 7 and 9 are scored: two lesions cover the film, the third has no pixel."""
    written = json.loads((out / "localisation.json").read_text())
    assert (written["n"], written["hits"]) == (3, 2)
    assert written["share"] == written["chance_film"] == written["chance_lungs"] == 0.6667
    assert list(written["findings"]) == ["covid"]


def test_one_finding_is_explained_on_the_films_that_show_it(tmp_path):
    """Of covid films 3, 5, 7 and 9 the network says no to 5; 7 shows another finding too."""
    binary = Classifier(build(MODEL, 1, seed=0), 0.5, 0.3).eval()
    binary.network.fc.weight.data.normal_(generator=torch.Generator().manual_seed(0))
    films = split().replace({"finding": {"normal": ""}})
    films.loc[7, "finding"] = "covid|normal"
    logits = films[["radiograph", "subset"]].assign(covid=[1.0] * 5 + [-1.0] + [1.0] * 4)
    task = Task(kind="binary", findings=("covid",), sources=("s",))
    explain(tmp_path, binary, task, films, logits)
    with h5py.File(tmp_path / "heatmaps.h5") as file:
        places = [NAMES.index(name.decode()) for name in file["radiograph"][:]]
        assert set(file["finding"][:]) == {b"covid"}
        heatmaps = file["heatmaps"][:]
    assert len(places) == 2
    assert set(places) <= {3, 5, 7, 9}
    for place, heatmap in zip(places, heatmaps, strict=True):
        grey = torch.from_numpy(pictures()[place][None, None])
        np.testing.assert_allclose(heatmap, alone(binary, grey, 0), atol=1e-3)
    written = json.loads((tmp_path / "localisation.json").read_text())
    assert (written["n"], written["hits"]) == (2, 1)

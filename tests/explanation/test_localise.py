"""The localise command: which films it scores, against the parts by themselves, and its file."""

import json
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
import torch

from cxrpipe import tables
from cxrpipe.config import Model, Preprocess, Task
from cxrpipe.explanation.attribution.cam import measure_offset
from cxrpipe.explanation.attribution.drawing import draw_heatmaps
from cxrpipe.explanation.localise import main
from cxrpipe.explanation.scoring.choosing import draw_films, name_said
from cxrpipe.explanation.scoring.lungs import mass_inside, stand_in
from cxrpipe.explanation.scoring.overlap import find_hot, overlap
from cxrpipe.explanation.scoring.randomisation import resemble
from cxrpipe.models import weights
from cxrpipe.models.card import Card
from cxrpipe.models.zoo import Classifier, build
from cxrpipe.preprocessing.store import Prepared, write_store
from cxrpipe.runtime import derive_seed

FINDINGS = ("normal", "covid")
MODEL = Model(architecture="test_resnet", side=32)
TASK = Task(findings=FINDINGS, sources=("s",))
NAMES = [f"{number:024x}" for number in range(10)]
SUBSETS = ["train"] * 2 + ["test"] * 8
LAYER = "network.layer2"
NO_FLAGS = MappingProxyType({})


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks are fastest on one thread, the more so beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pictures():
    return np.random.default_rng(0).integers(0, 256, (10, 32, 32), dtype=np.uint8)


def upper_half():
    lungs = np.zeros((32, 32), np.uint8)
    lungs[:16] = 255
    return lungs


def circle():
    row, column = np.ogrid[:32, :32]
    return 255 * ((row - 20) ** 2 + (column - 12) ** 2 < 81).astype(np.uint8)


def everywhere():
    return np.full((32, 32), 255, np.uint8)


# Films 3, 5, 7 and 9 have lesions: two everywhere, one a circle, the last without a pixel. Of the
# lungs, those of films 3 and 4 are known, and those of film 6 have no pixel.
LESIONS = {3: everywhere(), 5: everywhere(), 7: circle(), 9: 0 * circle()}
LUNGS = {3: upper_half(), 4: upper_half(), 6: 0 * circle()}


def store(path):
    films = [
        Prepared(
            NAMES[place],
            film,
            {
                name: masks[place]
                for name, masks in (("lungs", LUNGS), ("lesions", LESIONS))
                if place in masks
            },
        )
        for place, film in enumerate(pictures())
    ]
    write_store(path, films, 10, 32, "{}")


def split():
    """Two films of training; of the test films the even are normal, the odd covid; two folds."""
    rows = pd.DataFrame({"radiograph": NAMES, "group": NAMES, "subset": SUBSETS})
    rows.insert(2, "source", "s")
    rows.insert(3, "finding", list(FINDINGS) * 5)
    other = rows.assign(subset=["validation"] * 2 + SUBSETS[2:], fold=0)
    return pd.concat([other, rows.assign(fold=1)], ignore_index=True)


def predictions(named):
    """Return a table that names one finding for each film."""
    logits = {finding: [2.0 * (name == finding) for name in named] for finding in FINDINGS}
    return pd.DataFrame({"radiograph": NAMES, "subset": SUBSETS} | logits)


@pytest.fixture(scope="module")
def classifier():
    """An untrained network whose head and norms have weights of both signs."""
    built = Classifier(build(MODEL, 2, seed=0), 0.5, 0.3).eval()
    for module in built.modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.BatchNorm2d)):
            module.weight.data.normal_(generator=torch.Generator().manual_seed(0))
    return built


@pytest.fixture
def localise(run, tmp_path):
    """Run the command on films of a split with logits; return the scores."""

    def localise(classifier, task, table, logits, flags=NO_FLAGS, card=None, **settings):
        store(tmp_path / "films.h5")
        tables.write(table, tmp_path / "split.csv", tables.SPLIT)
        tables.write(logits, tmp_path / "logits.csv", tables.predictions(task.findings))
        card = card or Card(MODEL, task.kind, task.findings, Preprocess(side=32), 0.5, 0.3)
        weights.save(tmp_path / "w.safetensors", classifier.state_dict(), card)
        run(
            main,
            radiographs=tmp_path / "films.h5",
            split=tmp_path / "split.csv",
            fold=1,
            task=task.model_dump_json(),
            weights=tmp_path / "w.safetensors",
            predictions=tmp_path / "logits.csv",
            settings=json.dumps({"films": 6, "altered": 2, "steps": 2} | settings),
            stride=8,
            evaluation=json.dumps({"replicates": 100, "level": 0.9}),
            seed=3,
            localisation=tmp_path / "scores.json",
            **flags,
        )
        return json.loads((tmp_path / "scores.json").read_text())

    return localise


def named():
    """Film 5 is taken for normal, all others for covid."""
    return ["covid"] * 5 + ["normal"] + ["covid"] * 4


def drawn(classifier, places, finding):
    films = pictures()[places]
    return draw_heatmaps(classifier, LAYER, films, [finding] * len(places), torch.device("cpu"))


def test_the_pointing_game_is_played_on_right_films_with_a_lesion_of_some_pixels(
    localise, classifier
):
    """Films 3 and 7: that of 3 is everywhere and is hit; film 7 has a stand-in for the lungs."""
    told = localise(classifier, TASK, split(), predictions(named()))
    peak = int(drawn(classifier, [7], 1).argmax())
    hit = bool(circle().ravel()[peak])
    assert (told["n"], told["groups"], told["hits"]) == (2, 2, 1 + hit)
    assert (told["stand_in"], told["low"], told["high"]) == (1, None, None)
    assert list(told["findings"]) == ["covid"]
    lungs, lesion = stand_in(32), circle() > 0
    assert told["chance_film"] == pytest.approx((1 + lesion.mean()) / 2, abs=1e-6)
    in_lungs = (lungs & lesion).sum() / lungs.sum()
    assert told["chance_lungs"] == pytest.approx((1 + in_lungs) / 2, abs=1e-6)
    assert told["focal"] == {"n": 0, "findings": [], "limit": 0.25}
    assert (told["explained_by"], told["layer"]) == ("gradcam", "layer2")
    assert (told["said"], told["known"]) == ("right", 3)  # film 5 is not rightly named
    assert told["offset"] == pytest.approx(measure_offset(classifier, LAYER, 32), abs=1e-6)


def test_both_pointing_games_are_played_on_the_same_films_so_many_at_most(localise, classifier):
    """Of films 3 and 7 one is drawn; the lungs of both are another matter."""
    told = localise(classifier, TASK, split(), predictions(named()), films=1, altered=0)
    assert (told["n"], told["known"], told["overlap"]["n"]) == (1, 3, 1)
    told = localise(classifier, TASK, split(), predictions(named()), films=2)
    assert told["n"] == told["randomised"]["pointing"]["n"] == 2


def test_a_layer_is_explained_by_its_name(localise, classifier):
    flags = {"layer": "layer1.0.conv1"}
    told = localise(classifier, TASK, split(), predictions(named()), flags, altered=0)
    assert told["layer"] == "layer1.0.conv1"


def test_weights_of_another_side_are_refused(localise, classifier, capsys):
    card = Card(MODEL, "single", FINDINGS, Preprocess(side=64), 0.5, 0.3)
    with pytest.raises(SystemExit):
        localise(classifier, TASK, split(), predictions(named()), card=card)
    assert "trained at side 64, and films have 32; give those" in capsys.readouterr().err


def test_the_hot_region_is_laid_over_the_lesion(localise, classifier):
    told = localise(classifier, TASK, split(), predictions(named()))["overlap"]
    lesions = np.stack([LESIONS[place] > 0 for place in (3, 7)])
    expected = overlap(find_hot(drawn(classifier, [3, 7], 1)), lesions)
    by = told["by"]
    assert (told["n"], by["boxes"]["n"], by["lesions"]["n"]) == (2, 1, 1)
    assert told["iou"]["value"] == pytest.approx(expected.mean(), abs=1e-3)
    assert by["boxes"]["iou"]["value"] == pytest.approx(expected[0], abs=1e-3)
    assert by["lesions"]["iou"]["value"] == pytest.approx(expected[1], abs=1e-3)


def test_mass_is_that_of_the_said_finding_and_films_with_lungs_are_drawn_first(
    localise, classifier
):
    """Of three drawn films two have lungs; all are said to show covid but film 5."""
    told = localise(classifier, TASK, split(), predictions(named()), films=3)["lungs"]
    heatmaps = drawn(classifier, [3, 4], 1)
    expected = mass_inside(heatmaps, np.stack([upper_half() > 0] * 2)).mean()
    assert (told["mask"]["n"], told["stand_in"]["n"]) == (2, 1)
    assert told["mask"]["share"]["value"] == pytest.approx(expected, abs=1e-3)
    assert told["mask"]["chance"]["value"] == 0.5


def test_curves_begin_and_end_with_the_film_and_without_it(localise, classifier):
    """Of all eight test films, so that it does not matter which are drawn."""
    told = localise(classifier, TASK, split(), predictions(named()), films=8, altered=8)["altered"]
    with torch.no_grad():
        films = torch.from_numpy(pictures()[2:]).unsqueeze(1)
        whole, blank = (
            torch.softmax(classifier(part), dim=1) for part in (films, 0 * films.float() + 127.5)
        )
    said = [FINDINGS.index(name) for name in named()[2:]]
    ends = [float(part[range(8), said].mean()) for part in (blank, whole)]
    assert (told["n"], told["shares"]) == (8, [0, 0.5, 1])
    for name, expected in (("insertion", ends), ("deletion", ends[::-1])):
        for curve in ("curve", "chance_curve"):
            np.testing.assert_allclose(
                [told[name][curve][0], told[name][curve][-1]], expected, atol=1e-4
            )
    assert told["insertion"]["area"] != told["insertion"]["chance"]


def test_random_weights_are_told_stage_by_stage_beside_another_film(localise, classifier):
    told = localise(classifier, TASK, split(), predictions(named()), films=8)["randomised"]
    assert told["stages"][0]["layer"] == "fc"
    assert told["stages"][-1]["layer"] == "conv1.0"
    assert told["n"] == told["groups"] == 8
    said = [drawn(classifier, [place], 0 if place == 5 else 1)[0] for place in range(2, 10)]
    expected = resemble(np.stack(said), np.roll(said, 1, axis=0)).mean()
    assert told["similarity_chance"]["value"] == pytest.approx(expected, abs=2e-3)
    values = [stage["similarity"]["value"] for stage in told["stages"]]
    assert len(set(values)) == len(values) == 5
    assert all(-1 <= value < 0.9 for value in [*values, told["similarity_chance"]["value"]])
    assert told["pointing"]["n"] == 2


def test_equal_inputs_give_equal_bytes(localise, classifier, tmp_path):
    written = []
    for _ in range(2):
        localise(classifier, TASK, split(), predictions(named()))
        written.append((tmp_path / "scores.json").read_bytes())
    assert written[0] == written[1]


def test_a_model_that_names_no_lesion_has_no_pointing_game(localise, classifier):
    told = localise(classifier, TASK, split(), predictions(["normal"] * 10), altered=0)
    assert (told["n"], told["findings"], told["focal"]["n"]) == (0, {}, 0)
    assert told["overlap"] == told["altered"] == {"n": 0}
    assert told["randomised"]["pointing"]["n"] == 0
    assert told["lungs"]["stand_in"]["n"] > 0


def test_films_of_which_lungs_are_known_come_first_for_the_lungs_alone(localise, classifier):
    """Of two films for the lungs both have masks; of two for all else, drawn by chance, not."""
    said = name_said(predictions(named()), NAMES[2:], "single")
    seed = derive_seed(3, "localise")
    by_chance = draw_films(said, 2, seed)["radiograph"]
    assert set(by_chance) != {NAMES[3], NAMES[4]}
    told = localise(classifier, TASK, split(), predictions(named()), films=2, altered=2)
    assert (told["lungs"]["mask"]["n"], told["lungs"]["stand_in"]["n"]) == (2, 0)
    places = [NAMES.index(name) for name in by_chance]
    said = [drawn(classifier, [place], 0 if place == 5 else 1)[0] for place in places]
    expected = resemble(np.stack(said), np.roll(said, 1, axis=0)).mean()
    assert told["randomised"]["n"] == told["altered"]["n"] == 2
    assert told["randomised"]["similarity_chance"]["value"] == pytest.approx(expected, abs=2e-3)


@pytest.fixture(scope="module")
def binary():
    """An untrained network of one finding."""
    built = Classifier(build(MODEL, 1, seed=0), 0.5, 0.3).eval()
    built.network.fc.weight.data.normal_(generator=torch.Generator().manual_seed(0))
    return built


COVID = Task(kind="binary", findings=("covid",), sources=("s",))


def only_covid(*logits):
    return pd.DataFrame({"radiograph": NAMES, "subset": SUBSETS, "covid": logits})


def test_one_finding_is_explained_on_all_films(localise, binary):
    """Of covid films 3, 5 and 7 the network says no to 5, which counts; 7 shows another too."""
    films = split().replace({"finding": {"normal": ""}})
    films.loc[films["radiograph"] == NAMES[7], "finding"] = "covid|normal"
    told = localise(binary, COVID, films, only_covid(*[1.0] * 5, -1.0, *[1.0] * 4))
    assert (told["n"], told["hits"], told["overlap"]["by"]["boxes"]["n"]) == (2, 2, 2)
    assert (told["said"], told["known"]) == ("any", 2)
    assert told["randomised"]["n"] == 6
    assert told["altered"]["n"] == 2


def test_films_of_which_nothing_is_said_are_the_last_to_be_explained(localise, binary):
    """Covid is said of films 2, 6 and 8 alone, so that of five films two are denied it."""
    films = split().replace({"finding": {"normal": ""}})
    logits = only_covid(*[-1.0] * 2, 2.0, -3.0, -4.0, -5.0, 1.0, -6.0, 0.5, -7.0)
    told = localise(binary, COVID, films, logits, films=5, altered=3)
    assert (told["altered"]["n"], told["altered"]["denied"]) == (3, 0)
    assert told["randomised"]["n"] - told["randomised"]["denied"] == 3
    lungs = told["lungs"]
    assert lungs["mask"]["denied"] + lungs["stand_in"]["denied"] == 2
    assert lungs["mask"]["n"] == lungs["mask"]["denied"] == 2  # films 3 and 4 are believed most

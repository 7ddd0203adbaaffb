"""The calibrate command: what it fixes depends on validation films alone."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from cxrpipe import tables
from cxrpipe.config import Evaluation, Task
from cxrpipe.evaluation import calibrate
from cxrpipe.evaluation.statistics.calibration import checksum, fit_temperature, read_calibration

FINDINGS = ("normal", "covid", "opacity")
SINGLE = Task(findings=FINDINGS, sources=("s", "t"))
MULTI = SINGLE.model_copy(update={"kind": "multi"})
SETTINGS = Evaluation(sensitivity=0.8, coverage=0.75)


def films(n=240):
    """Films of two collections in all subsets, none of them with opacity, and their logits."""
    random = np.random.default_rng(0)
    names = [f"{number:024x}" for number in range(n)]
    places = random.integers(0, 2, n)
    split = pd.DataFrame(
        {"radiograph": names, "group": names, "source": np.tile(["s", "t"], n // 2)}
    )
    split["finding"] = np.array(FINDINGS)[places]
    split["subset"] = np.repeat(tables.SUBSETS, n // 3)
    logits = 3 * (np.eye(3)[places] + random.normal(size=(n, 3)))
    predictions = split[["radiograph", "subset"]].join(pd.DataFrame(logits, columns=list(FINDINGS)))
    return split.assign(fold=0), predictions, places, logits


@pytest.fixture
def arguments(tmp_path):
    split, predictions, _, _ = films()
    others = split.assign(fold=1, subset="validation")
    elsewhere = split.assign(source="elsewhere", radiograph=split["radiograph"] + "e")
    tables.write(pd.concat([split, others, elsewhere]), tmp_path / "split.csv", tables.SPLIT)
    shuffled = predictions.sample(frac=1, random_state=0)
    tables.write(shuffled, tmp_path / "predictions.csv", tables.predictions(FINDINGS))
    (tmp_path / "weights.safetensors").write_bytes(b"abc")
    return {
        "split": tmp_path / "split.csv",
        "fold": 0,
        "task": SINGLE.model_dump_json(),
        "trained-on": "",
        "predictions": tmp_path / "predictions.csv",
        "weights": tmp_path / "weights.safetensors",
        "settings": SETTINGS.model_dump_json(include={"sensitivity", "coverage"}),
        "calibration": tmp_path / "calibration.json",
    }


def rewrite(arguments, change):
    """Change the logits of some films."""
    table = tables.read(arguments["predictions"], tables.predictions(FINDINGS))
    change(table)
    tables.write(table, arguments["predictions"], tables.predictions(FINDINGS))


@pytest.mark.parametrize("source", ["", "t"])
def test_all_is_fitted_on_the_validation_films_that_the_model_could_know(run, arguments, source):
    run(calibrate.main, **arguments | {"trained-on": source})
    found = read_calibration(arguments["calibration"])
    split, _, places, logits = films()
    chosen = split["subset"].eq("validation") & (split["source"].eq(source) | (source == ""))
    true, logits = places[chosen], logits[chosen]
    temperature = fit_temperature(true, logits, "single")
    probability = softmax(logits / temperature, axis=1)
    assert found.n == len(true) == (80 if source == "" else 40)
    assert found.weights == checksum(arguments["weights"])
    assert (found.kind, found.findings) == ("single", FINDINGS)
    assert (found.sensitivity, found.coverage) == (0.8, 0.75)
    assert found.temperature == pytest.approx(temperature, rel=1e-6)
    for place in (0, 1):
        of_finding = np.sort(probability[true == place, place])
        least = of_finding[len(of_finding) - int(np.ceil(0.8 * len(of_finding)))]
        assert found.thresholds[place] == pytest.approx(least, rel=1e-6)
    scores = np.sort(1 - probability[np.arange(len(true)), true])
    assert found.quantiles == pytest.approx([scores[int(np.ceil(0.75 * (len(true) + 1))) - 1]])


def test_a_finding_that_no_validation_film_shows_has_no_threshold(run, arguments, capsys):
    run(calibrate.main, **arguments)
    assert np.isnan(read_calibration(arguments["calibration"]).thresholds[2])
    assert '"opacity": null' in arguments["calibration"].read_text()
    assert "opacity: no validation film shows it" in capsys.readouterr().err


def test_test_films_fix_nothing(run, arguments):
    run(calibrate.main, **arguments)
    before = arguments["calibration"].read_bytes()

    def spoil(table):
        table.loc[table["subset"] != "validation", list(FINDINGS)] = 7.0

    rewrite(arguments, spoil)
    run(calibrate.main, **arguments)
    assert arguments["calibration"].read_bytes() == before


def test_every_finding_has_its_own_quantile_where_it_is_a_yes_or_no(run, arguments):
    run(calibrate.main, **arguments | {"task": MULTI.model_dump_json()})
    found = read_calibration(arguments["calibration"])
    assert found.kind == "multi"
    assert len(found.quantiles) == len(found.thresholds) == 3
    _, _, places, logits = films()
    true, logits = np.eye(3, dtype=np.int64)[places[80:160]], logits[80:160]
    assert found.temperature == pytest.approx(fit_temperature(true, logits, "multi"), rel=1e-6)
    answered_yes = found.probabilities(logits) >= np.nan_to_num(found.thresholds, nan=2)
    sensitivity = (answered_yes & (true == 1)).sum(axis=0)[:2] / true.sum(axis=0)[:2]
    assert (sensitivity >= 0.8).all()


@pytest.mark.parametrize("task", [SINGLE, MULTI], ids=["single", "multi"])
def test_perfect_and_constant_logits_are_calibrated(run, arguments, task):
    shown = films()[0].set_index("radiograph")["finding"]

    def perfect(table):
        for finding in FINDINGS:
            table[finding] = np.where(shown.loc[table["radiograph"]] == finding, 30.0, -30.0)

    def constant(table):
        table[list(FINDINGS)] = 0.0

    for change, temperature, threshold in (
        (perfect, 1 / 20, 1),
        (constant, 1, 1 / 3 if task.kind == "single" else 1 / 2),
    ):
        rewrite(arguments, change)
        run(calibrate.main, **arguments | {"task": task.model_dump_json()})
        found = read_calibration(arguments["calibration"])
        assert found.temperature == pytest.approx(temperature)
        assert found.thresholds[:2] == pytest.approx((threshold, threshold))


def test_one_validation_film_is_enough_for_a_threshold_and_too_little_for_sets(run, arguments):
    split, predictions, places, _ = films()
    keep = [0, 80, 160]
    tables.write(split.iloc[keep], arguments["split"], tables.SPLIT)
    tables.write(predictions.iloc[keep], arguments["predictions"], tables.predictions(FINDINGS))
    run(calibrate.main, **arguments)
    found = read_calibration(arguments["calibration"])
    assert found.n == 1
    assert np.isfinite(found.thresholds).tolist() == [place == places[80] for place in range(3)]
    assert found.quantiles == (np.inf,)
    assert 1 / 20 <= found.temperature <= 20


def test_predictions_of_other_films_are_refused(refusal, arguments):
    table = tables.read(arguments["predictions"], tables.predictions(FINDINGS)).iloc[1:]
    tables.write(table, arguments["predictions"], tables.predictions(FINDINGS))
    assert "predict anew" in refusal(calibrate.main, **arguments)

"""Calibration against scikit-learn, published intervals, and answers known beforehand."""

import json

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit, softmax
from sklearn import metrics as sklearn

from cxrpipe.evaluation.statistics.calibration import (
    Calibration,
    brier,
    checksum,
    ece,
    fit_temperature,
    log_loss,
    read_calibration,
    refuse_others,
    reliability,
    wilson,
)
from cxrpipe.runtime import UserError, write_json

SINGLE = Calibration("0" * 64, "single", ("a", "b"), 9, 2.0, 0.95, (0.25, np.nan), 0.9, (0.625,))
MULTI = Calibration("0" * 64, "multi", ("a", "b"), 9, 1.5, 0.8, (0.1, 0.9), 0.9, (0.5, np.inf))


def draw(kind, n, seed=0, k=3):
    """Draw films whose true log odds are known."""
    random = np.random.default_rng(seed)
    logits = 2 * random.normal(size=(n, k))
    if kind == "multi":
        return (random.random((n, k)) < expit(logits)).astype(np.int64), logits
    places = (random.random((n, 1)) > softmax(logits, axis=1).cumsum(axis=1)).sum(axis=1)
    return places, logits


@pytest.mark.parametrize("known", [0.3, 1, 4])
@pytest.mark.parametrize("kind", ["single", "multi"])
def test_the_temperature_that_logits_were_multiplied_with_is_found(kind, known):
    true, logits = draw(kind, 40_000)
    assert fit_temperature(true, known * logits, kind) == pytest.approx(known, rel=0.03)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["single", "multi"])
def test_no_other_temperature_has_a_smaller_loss(kind, seed):
    true, logits = draw(kind, 200, seed)
    logits = logits * np.random.default_rng(seed).lognormal() + 50  # a shift that softmax ignores
    logits = logits - 50 if kind == "multi" else logits
    found = minimize_scalar(
        lambda log_t: log_loss(true, logits / np.exp(log_t), kind).sum(),
        bounds=(-np.log(20), np.log(20)),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert fit_temperature(true, logits, kind) == pytest.approx(np.exp(found.x), rel=1e-5)


def test_a_perfect_model_is_cooled_and_a_wrong_one_heated_up_to_the_bound():
    true = np.array([0, 1, 1])
    logits = np.array([[2.0, 0.0], [0.0, 1.0], [-3.0, 5.0]])
    answers = np.array([[1, 0], [0, 1], [0, 1]])
    for right, kind in ((true, "single"), (answers, "multi")):
        signed = logits if kind == "single" else np.where(answers, 1.0, -1.0)
        assert fit_temperature(right, signed, kind) == pytest.approx(1 / 20)
        assert fit_temperature(right, -signed, kind) == 20
        assert fit_temperature(right[:1], signed[:1], kind) == pytest.approx(1 / 20)


def test_where_the_loss_does_not_depend_on_temperature_it_is_one():
    equal = np.full((3, 3), 0.1)
    assert fit_temperature(np.array([0, 1, 1]), equal, "single") == 1
    assert fit_temperature(np.eye(3, dtype=np.int64), 0 * equal, "multi") == 1
    assert fit_temperature(np.zeros(0, np.int64), equal[:0], "single") == 1
    assert fit_temperature(np.zeros((0, 3), np.int64), equal[:0], "multi") == 1


def test_the_same_answer_for_all_films_is_fitted_to_the_share_that_is_right():
    """Three of four films have the finding of larger logit: its probability becomes 3/4."""
    logits = np.tile([2.0, 0.0], (4, 1))
    temperature = fit_temperature(np.array([0, 0, 0, 1]), logits, "single")
    assert softmax(logits[0] / temperature)[0] == pytest.approx(3 / 4)


def test_squared_errors_and_losses_by_hand():
    logits = np.log([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    true = np.array([0, 1])
    np.testing.assert_allclose(brier(true, logits, "single"), [0.38, 0.01 + 0.81 + 0.64])
    np.testing.assert_allclose(log_loss(true, logits, "single"), [np.log(2), np.log(10)])
    answers, odds = np.array([[1, 0]]), logit([[0.7, 0.4]])
    np.testing.assert_allclose(brier(answers, odds, "multi"), [(0.09 + 0.16) / 2])
    np.testing.assert_allclose(log_loss(answers, odds, "multi"), [-np.log(0.7 * 0.6) / 2])


@pytest.mark.parametrize("seed", range(5))
def test_squared_errors_and_losses_equal_those_of_scikit_learn(seed):
    true, logits = draw("single", 50, seed)
    probability = softmax(logits, axis=1)
    assert brier(true, logits, "single").mean() == pytest.approx(
        sklearn.brier_score_loss(true, probability, labels=range(3), scale_by_half=False)
    )
    assert log_loss(true, logits, "single").mean() == pytest.approx(
        sklearn.log_loss(true, probability, labels=range(3))
    )
    answers, odds = draw("multi", 50, seed)
    assert brier(answers, odds, "multi").mean() == pytest.approx(
        np.mean([sklearn.brier_score_loss(answers[:, f], expit(odds[:, f])) for f in range(3)])
    )
    assert log_loss(answers, odds, "multi").mean() == pytest.approx(
        sklearn.log_loss(answers.ravel(), expit(odds).ravel(), labels=[0, 1])
    )


def test_the_loss_is_finite_where_probabilities_round_to_zero():
    assert log_loss(np.array([1]), np.array([[900.0, 0.0]]), "single")[0] == 900
    assert log_loss(np.array([[1]]), np.array([[-900.0]]), "binary")[0] == 900


# Four films of two findings, named with probability .55, .6, .9 and 1; the second is wrong.
NAMED = np.array([0.55, 0.6, 0.9, 1.0])
FILMS = np.column_stack([[*logit(NAMED[:3]), 50.0], np.zeros(4)])
TRUE = np.array([0, 1, 0, 0])


def test_reliability_and_calibration_error_by_hand():
    """Of five bins the third, up to .6, holds two films, the last one film each at .9 and 1."""
    rows = reliability(TRUE, FILMS[None], "single", 5)
    np.testing.assert_allclose(rows[:, [0, 1, 4]], [[0.575, 0.5, 2], [0.95, 1, 2]])
    np.testing.assert_allclose(rows[0, 2:4], wilson(np.array(0.5), 2))
    assert ece(TRUE, FILMS, "single", 5) == pytest.approx((0.075 + 0.05) / 2)


def test_reliability_of_yes_pools_all_findings():
    """Bins of a half: .2 and .4 without the finding, .8 with it."""
    answers, odds = np.array([[0, 1, 0]]), logit([[0.2, 0.8, 0.4]])
    rows = reliability(answers, odds[None], "multi", 2)
    np.testing.assert_allclose(rows[:, [0, 1, 4]], [[0.3, 0, 2], [0.8, 1, 1]])
    assert ece(answers, odds, "multi", 2) == pytest.approx((0.3 * 2 + 0.2) / 3)


def test_probabilities_of_all_sizes_fill_fifteen_bins_of_equal_width():
    probability = (np.arange(300) + 0.5) / 300
    rows = reliability(np.ones((300, 1), np.int64), logit(probability)[None, :, None], "binary")
    np.testing.assert_allclose(rows[:, 0], (np.arange(15) + 0.5) / 15)
    assert list(rows[:, 4]) == [20] * 15


def test_folds_are_pooled_without_counting_as_more_films():
    once = reliability(TRUE, FILMS[None], "single")
    np.testing.assert_allclose(reliability(TRUE, np.stack([FILMS] * 3), "single"), once)
    both = reliability(TRUE, np.stack([FILMS, -FILMS]), "single")
    assert both[:, 4].sum() == 4
    np.testing.assert_allclose(both[:, 0] @ both[:, 4], NAMED.sum())


def test_a_probability_on_an_edge_is_in_the_bin_below_and_zero_in_the_first():
    odds = np.array([[0.0], [-900.0], [900.0]])
    rows = reliability(np.array([[1], [0], [1]]), odds[None], "binary", 2)
    np.testing.assert_allclose(rows[:, [0, 4]], [[0.25, 2], [1, 1]])


def test_no_films_have_no_reliability_and_no_calibration_error():
    assert reliability(TRUE[:0], FILMS[None, :0], "single").shape == (0, 5)
    assert np.isnan(ece(TRUE[:0], FILMS[:0], "single"))
    assert brier(TRUE[:0], FILMS[:0], "single").shape == (0,)


@pytest.mark.parametrize(
    ("shown", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_of_shares_as_newcombe_published_them(shown, n, low, high):
    """Two-sided confidence intervals, Stat Med 1998, Table I, method 3."""
    np.testing.assert_allclose(wilson(np.array(shown / n), n), [low, high], atol=5e-5)


@pytest.mark.parametrize("calibration", [SINGLE, MULTI], ids=["single", "multi"])
def test_a_calibration_is_read_as_it_was_written(calibration, tmp_path):
    write_json(tmp_path / "calibration.json", calibration.as_json())
    assert "NaN" not in (tmp_path / "calibration.json").read_text()
    found = read_calibration(tmp_path / "calibration.json")
    np.testing.assert_array_equal(found.thresholds, calibration.thresholds)
    assert found.quantiles == calibration.quantiles
    assert found.as_json() == calibration.as_json()


def test_what_the_file_holds():
    assert SINGLE.as_json() == {
        "weights": "0" * 64,
        "kind": "single",
        "findings": ["a", "b"],
        "n": 9,
        "temperature": 2.0,
        "sensitivity": 0.95,
        "thresholds": {"a": 0.25, "b": None},
        "coverage": 0.9,
        "quantile": [0.625],
    }
    assert MULTI.as_json()["quantile"] == [0.5, None]


def test_probabilities_are_those_at_the_temperature():
    logits = np.array([[np.log(9), 0.0]])
    np.testing.assert_allclose(SINGLE.probabilities(logits), [[3 / 4, 1 / 4]])
    np.testing.assert_allclose(MULTI.probabilities(1.5 * logits), [[0.9, 0.5]])


def test_a_calibration_of_other_weights_is_refused(tmp_path):
    weights, path = tmp_path / "weights.safetensors", tmp_path / "calibration.json"
    weights.write_bytes(b"abc")
    # of the three letters, as FIPS 180-4 publishes it
    assert checksum(weights).startswith("ba7816bf8f01cfea")
    own = Calibration(checksum(weights), *list(vars(SINGLE).values())[1:])
    refuse_others(own, weights, path)
    weights.write_bytes(b"abd")
    with pytest.raises(UserError, match=r"json: fitted with .* ba7816bf8f01, .* calibrate anew"):
        refuse_others(own, weights, path)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"thresholds": 3, "findings": ["a"]}'])
def test_what_is_no_calibration_is_refused(content, tmp_path):
    (tmp_path / "calibration.json").write_text(content)
    with pytest.raises(UserError, match="not readable as a calibration"):
        read_calibration(tmp_path / "calibration.json")
    with pytest.raises(UserError, match=r"none\.json"):
        read_calibration(tmp_path / "none.json")


def test_a_calibration_lacks_no_key(tmp_path):
    for key in MULTI.as_json():
        content = MULTI.as_json()
        del content[key]
        (tmp_path / "calibration.json").write_text(json.dumps(content))
        with pytest.raises(UserError, match="calibrate anew"):
            read_calibration(tmp_path / "calibration.json")

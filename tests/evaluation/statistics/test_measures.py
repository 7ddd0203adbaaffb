"""All scores of logits: against scikit-learn, in samples, on few films, and beside training's."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from cxrpipe.evaluation.statistics.measures import measure, measure_answers, weighted_mean
from cxrpipe.evaluation.statistics.metrics import decide, macro
from cxrpipe.evaluation.statistics.ranking import log_odds
from cxrpipe.training import scores as training

NAN = np.nan
EXACT = {"rtol": 0, "atol": 1e-12}
KINDS = ("single", "multi", "binary")
OVERALL = {"accuracy", "balanced_accuracy", "one_vs_rest_accuracy", "kappa", "mcc"}
OF_FINDINGS = {"precision", "recall", "specificity", "f1", "auc", "ap"}
seeds = st.integers(0, 2**32 - 1)
counts = st.integers(1, 40)


def random_case(seed, n, kind, n_findings=4):
    """Draw films of which findings may be missing or always there, and logits with ties."""
    random = np.random.default_rng(seed)
    n_findings = 1 if kind == "binary" else n_findings
    logits = random.normal(size=(12, n_findings)).round(1)[random.integers(0, 12, n)]
    if kind == "single":
        present = random.choice(n_findings, random.integers(1, n_findings + 1), replace=False)
        return random.choice(present, n), logits
    shares = random.choice([0, 0.1, 0.5, 1], n_findings)
    return (random.random((n, n_findings)) < shares).astype(np.int64), logits


def as_answers(true, logits, kind):
    """Return what is shown, what is predicted and the order: (n, n_findings) each."""
    if kind != "single":
        return true, logits > 0, logits
    findings = np.arange(logits.shape[1])
    predicted = logits.argmax(axis=1)
    return true[:, None] == findings, predicted[:, None] == findings, log_odds(logits)


@pytest.mark.parametrize("kind", KINDS)
@given(seeds, counts)
def test_scores_of_findings_are_those_of_scikit_learn_finding_by_finding(kind, seed, n):
    true, logits = random_case(seed, n, kind)
    scores = measure(true, logits, kind)
    for place, (shown, named, order) in enumerate(
        zip(*(each.T for each in as_answers(true, logits, kind)), strict=True)
    ):
        some, all_of_them = shown.any(), shown.all()
        expected = {
            "precision": sklearn.precision_score(shown, named, zero_division=0) if some else NAN,
            "recall": sklearn.recall_score(shown, named) if some else NAN,
            "f1": sklearn.f1_score(shown, named) if some else NAN,
            "ap": sklearn.average_precision_score(shown, order) if some else NAN,
            "specificity": NAN,
            "auc": NAN,
        }
        if some and not all_of_them:
            expected["specificity"] = sklearn.recall_score(shown, named, pos_label=0)
            expected["auc"] = sklearn.roc_auc_score(shown, order)
        ours = [scores[name][0, place] for name in expected]
        np.testing.assert_allclose(ours, list(expected.values()), **EXACT)


@given(seeds, counts)
def test_overall_scores_of_yes_and_no_are_means_over_findings(seed, n):
    true, logits = random_case(seed, n, "multi")
    named = (logits > 0).astype(int)
    scores = measure(true, logits, "multi")
    assert scores["accuracy"][0] == pytest.approx((true == named).mean(), abs=1e-12)
    assert scores["one_vs_rest_accuracy"][0] == scores["accuracy"][0]
    both = [place for place in range(4) if 0 < true[:, place].sum() < n]
    for name, score in {
        "balanced_accuracy": sklearn.balanced_accuracy_score,
        "kappa": sklearn.cohen_kappa_score,
        "mcc": sklearn.matthews_corrcoef,
    }.items():
        each = [score(true[:, place], named[:, place]) for place in both]
        expected = np.mean(each) if each else NAN
        np.testing.assert_allclose(scores[name], [expected], **EXACT)


@given(seeds, counts)
def test_overall_scores_of_one_finding_a_film_are_those_of_scikit_learn(seed, n):
    true, logits = random_case(seed, n, "single")
    named, several = logits.argmax(axis=1), len(set(true)) > 1
    recalls = sklearn.recall_score(true, named, labels=sorted(set(true)), average=None)
    expected = {
        "accuracy": sklearn.accuracy_score(true, named),
        "balanced_accuracy": recalls.mean(),
        "kappa": sklearn.cohen_kappa_score(true, named) if several else NAN,
        "mcc": sklearn.matthews_corrcoef(true, named) if several else NAN,
        "one_vs_rest_accuracy": np.mean([((true == c) == (named == c)).mean() for c in range(4)]),
    }
    scores = measure(true, logits, "single")
    ours = [scores[name][0] for name in expected]
    np.testing.assert_allclose(ours, list(expected.values()), **EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_scores_as_its_films_would_if_they_were_copied(kind):
    true, logits = random_case(5, 30, kind)
    weights = np.random.default_rng(6).integers(0, 4, (7, 30)).astype(np.uint8)
    scores = measure(true, logits, kind, weights)
    assert set(scores) == OVERALL | OF_FINDINGS | {"confusion"}
    for sample, drawn in enumerate(weights):
        copies = np.repeat(np.arange(30), drawn)
        copied = measure(true[copies], logits[copies], kind)
        for name in OF_FINDINGS | {"accuracy", "confusion"}:
            np.testing.assert_allclose(scores[name][sample], copied[name][0], **EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_all_films_are_the_sample_of_ones(kind):
    true, logits = random_case(8, 50, kind)
    ones = measure(true, logits, kind, np.ones((3, 50), np.uint8))
    for name, value in measure(true, logits, kind).items():
        np.testing.assert_allclose(ones[name], np.repeat(value, 3, axis=0), **EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_answers_alone_score_as_the_logits_that_gave_them(kind):
    true, logits = random_case(9, 40, kind)
    weights = np.random.default_rng(1).integers(0, 4, (5, 40)).astype(np.uint8)
    of_logits = measure(true, logits, kind, weights)
    answers = decide(logits, kind)
    of_answers = measure_answers(true, answers, kind, logits.shape[1], weights)
    assert set(of_logits) - set(of_answers) == {"auc", "ap"}
    for name, value in of_answers.items():
        np.testing.assert_array_equal(value, of_logits[name])


@pytest.mark.parametrize("kind", KINDS)
@given(seeds, counts)
def test_training_and_evaluation_say_the_same(kind, seed, n):
    """Findings that no film shows, or every film, are in no mean of either."""
    true, logits = random_case(seed, n, kind)
    labels = torch.from_numpy(true if kind == "single" else true.astype(float))
    epoch = training.score(torch.from_numpy(logits), labels, 0.0)
    scores = measure(true, logits, kind)
    ours = [scores["accuracy"][0], macro(scores["f1"])[0], macro(scores["auc"])[0]]
    np.testing.assert_allclose(ours, [epoch.accuracy, epoch.macro_f1, epoch.macro_auc], **EXACT)


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_a_perfect_model_has_every_score_at_its_best(kind):
    films = np.arange(60)
    true = films % 4 if kind == "single" else np.stack([films % 2, films % 3 == 0], axis=1)
    logits = np.eye(4)[true] if kind == "single" else true - 0.5
    scores = measure(true, logits, kind)
    for name in OVERALL | OF_FINDINGS:
        np.testing.assert_allclose(scores[name], 1, err_msg=name, **EXACT)


def test_a_constant_model_scores_what_the_films_alone_give_it():
    """It names the first of three findings, which 5, 3 and 2 films of ten show."""
    true = np.repeat([0, 1, 2], [5, 3, 2])
    scores = measure(true, np.tile([3.0, 1.0, 0.0], (10, 1)), "single")
    expected = {
        "accuracy": [1 / 2],
        "balanced_accuracy": [1 / 3],
        "one_vs_rest_accuracy": [(1 / 2 + 7 / 10 + 8 / 10) / 3],
        "kappa": [0],
        "mcc": [0],
        "precision": [[1 / 2, 0, 0]],
        "recall": [[1, 0, 0]],
        "specificity": [[0, 1, 1]],
        "f1": [[2 / 3, 0, 0]],
        "auc": [[1 / 2, 1 / 2, 1 / 2]],
        "ap": [[1 / 2, 3 / 10, 2 / 10]],
    }
    for name, value in expected.items():
        np.testing.assert_allclose(scores[name], value, err_msg=name, **EXACT)


def test_one_film_has_the_scores_that_it_allows():
    scores = measure(np.array([1]), np.array([[0.0, 2.0, 1.0]]), "single")
    assert scores["accuracy"] == scores["balanced_accuracy"] == 1
    np.testing.assert_array_equal(scores["f1"], [[NAN, 1, NAN]])
    np.testing.assert_array_equal(scores["ap"], [[NAN, 1, NAN]])
    for name in ("kappa", "mcc", "specificity", "auc"):
        assert np.isnan(scores[name]).all(), name


@pytest.mark.parametrize("kind", KINDS)
def test_no_films_have_no_scores(kind):
    k = 1 if kind == "binary" else 3
    true = np.zeros(0 if kind == "single" else (0, k), np.int64)
    scores = measure(true, np.zeros((0, k)), kind, np.zeros((2, 0), np.uint8))
    assert scores.pop("confusion").sum() == 0
    for name, value in scores.items():
        assert len(value) == 2
        assert np.isnan(value).all(), name


@given(seeds, counts)
def test_the_weighted_mean_of_films_is_that_of_numpy(seed, n):
    random = np.random.default_rng(seed)
    values = random.normal(size=n)
    weights = np.maximum(random.integers(0, 4, (6, n)), np.arange(n) == 0).astype(np.uint8)
    expected = [np.average(values, weights=drawn) for drawn in weights]
    np.testing.assert_allclose(weighted_mean(values, weights), expected, **EXACT)


def test_a_sample_without_films_has_no_mean():
    weights = np.array([[0, 0], [1, 3]], np.uint8)
    np.testing.assert_allclose(weighted_mean(np.array([1.0, 2.0]), weights), [NAN, 7 / 4])

"""The bootstrap: whole patients within strata, intervals that hold the truth as often as they say.

Coverage is measured by simulation: films are drawn over and over from a population whose true
scores are known from a sample of a hundred times more patients.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from cxrpipe.evaluation.statistics.bootstrap import draw_replicates, interval, name_strata
from cxrpipe.evaluation.statistics.measures import measure
from cxrpipe.evaluation.statistics.metrics import macro

NAN = np.nan
COVERS = (0.93, 0.97)  # of intervals of 95 %


def patients_and_findings(seed):
    """Draw the patient and the finding of films in any order; patients may have several."""
    random = np.random.default_rng(seed)
    groups = random.permutation(np.append(np.arange(60), random.integers(0, 60, 40)))
    return groups.astype(str), random.choice(3, 100, p=[0.6, 0.3, 0.1])


@given(st.integers(0, 2**32 - 1))
def test_a_patient_is_drawn_with_all_films_and_every_stratum_keeps_its_size(seed):
    groups, findings = patients_and_findings(seed)
    strata = name_strata(findings, groups)
    weights = draw_replicates(strata, groups, 20, seed)
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    of_patient = weights[:, first]
    np.testing.assert_array_equal(weights, of_patient[:, group])
    for stratum in np.unique(strata):
        inside = strata[first] == stratum
        assert (of_patient[:, inside].sum(axis=1) == inside.sum()).all()


def test_every_patient_is_drawn_as_often_as_chance_has_it():
    """The count of one of m is binomial: of m draws, each with probability 1 / m."""
    groups = np.arange(8)
    weights = draw_replicates(np.repeat([0, 1], [5, 3]), groups, 40_000, seed=1)
    for inside, m in ((slice(5), 5), (slice(5, 8), 3)):
        for count in range(m + 1):
            share = (weights[:, inside] == count).mean(axis=0)
            ways = [1, m, m * (m - 1) / 2, m * (m - 1) * (m - 2) / 6, 5, 1][count]
            expected = ways * (1 / m) ** count * (1 - 1 / m) ** (m - count)
            np.testing.assert_allclose(share, expected, atol=4 * np.sqrt(0.25 / 40_000))


def test_the_same_seed_draws_the_same_whatever_the_order_of_the_films():
    groups, findings = patients_and_findings(7)
    strata = name_strata(findings, groups)
    weights = draw_replicates(strata, groups, 200, seed=3)
    order = np.random.default_rng(0).permutation(len(groups))
    shuffled = draw_replicates(strata[order], groups[order], 200, seed=3)
    np.testing.assert_array_equal(shuffled, weights[:, order])
    assert (draw_replicates(strata, groups, 200, seed=4) != weights).any()


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    draw_replicates(np.zeros(5, int), np.arange(5), 10, seed=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_patient_in_two_strata_is_refused():
    with pytest.raises(ValueError, match="a group has films in two strata"):
        draw_replicates(np.array([0, 1]), np.array(["a", "a"]), 10, seed=0)


def test_the_stratum_of_a_patient_is_the_set_of_labels_of_all_films():
    # 10 patients of finding 0, 10 of finding 1, and 12 who have first one, then the other.
    groups = np.concatenate([np.arange(10), np.arange(10, 20), np.repeat(np.arange(20, 32), 2)])
    findings = np.array([0] * 10 + [1] * 10 + [0, 1, 1, 0] * 6)
    strata = name_strata(findings, groups)
    assert [len(set(part)) for part in np.split(strata, [10, 20])] == [1, 1, 1]
    assert len(set(strata)) == 3
    sources = np.array(["hospital", "clinic", "both"])[strata - strata.min()]
    assert len(set(name_strata(sources, groups))) == 3


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([30, 20, 10], [[0], [1], [2]]),
        ([30, 20, 9], [[0], [1, 2]]),  # nine are too few: the next smallest joins them
        ([30, 6, 5], [[0], [1, 2]]),  # together they are eleven, enough
        ([30, 1, 2, 3], [[0, 1, 2, 3]]),
        ([3, 2], [[0, 1]]),
        ([1], [[0]]),
    ],
)
def test_strata_of_fewer_than_ten_patients_are_put_together(sizes, expected):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    strata = name_strata(labels, np.arange(len(labels)))
    together = [sorted(set(labels[strata == stratum].tolist())) for stratum in np.unique(strata)]
    assert sorted(together) == expected


def test_an_interval_has_the_percentiles_of_the_replicates():
    replicates = np.random.default_rng(0).permutation(np.arange(1001.0))
    low, high = interval(replicates, 0.95)
    assert (low, high) == pytest.approx((25, 975))
    assert interval(replicates, 0.8) == pytest.approx((100, 900))
    several = interval(np.stack([replicates, 3 * replicates], axis=1), 0.95)
    np.testing.assert_allclose(several, [[25, 75], [975, 2925]])


def test_a_score_that_does_not_vary_or_is_often_missing_has_no_interval():
    replicates = np.random.default_rng(0).normal(size=(100, 4))
    replicates[:, 1] = 0.1 + 1e-17
    replicates[:6, 2] = NAN
    replicates[:, 3] = NAN
    low, high = interval(replicates, 0.95)
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [False, True, True, True]


def test_a_few_missing_replicates_are_left_out():
    replicates = np.append(np.full(5, NAN), np.arange(95.0))
    expected = np.percentile(np.arange(95.0), [2.5, 97.5])
    np.testing.assert_allclose(interval(replicates, 0.95), expected)


@pytest.mark.parametrize("case", ["perfect", "constant", "one patient", "no films"])
def test_models_and_films_of_which_nothing_can_be_said_have_no_interval(case):
    n = 0 if case == "no films" else 60
    true = np.arange(n) % 3
    groups = np.zeros(n, int) if case == "one patient" else np.arange(n)
    logits = {"perfect": np.eye(3)[true], "constant": np.eye(3)[true * 0]}.get(
        case, np.random.default_rng(0).normal(size=(n, 3))
    )
    weights = draw_replicates(name_strata(true, groups), groups, 200, seed=0)
    scores = measure(true, logits, "single", weights)
    for name in set(scores) - {"confusion"}:
        assert np.isnan(interval(scores[name], 0.95)).all(), name


def one_stratum(true, groups):
    """Let patients be drawn as they come."""
    return np.zeros(len(true), int)


def test_the_interval_of_a_share_of_films_is_binomial():
    true = np.arange(300) % 2
    logits = 1.5 * np.eye(2)[true] + np.random.default_rng(3).normal(size=(300, 2))
    weights = draw_replicates(one_stratum(true, true), np.arange(300), 20_000, seed=0)
    replicates = measure(true, logits, "single", weights)["accuracy"]
    right = (logits.argmax(axis=1) == true).mean()
    expected = binom.ppf([0.025, 0.975], 300, right) / 300
    np.testing.assert_allclose(interval(replicates, 0.95), expected, atol=1.01 / 300)


def test_the_interval_of_a_paired_difference_is_that_of_the_films_which_one_model_has_right():
    """Its standard error is the square root of b + c - (b - c)^2 / n, over n (McNemar 1947)."""
    random, n = np.random.default_rng(2), 1000
    true = np.arange(n) % 2
    shared = 1.5 * np.eye(2)[true] + random.normal(size=(n, 2))
    first, second = (shared + 0.3 * random.normal(size=(n, 2)) for _ in range(2))
    weights = draw_replicates(one_stratum(true, true), np.arange(n), 10_000, seed=0)
    scores = [measure(true, logits, "single", weights)["accuracy"] for logits in (first, second)]
    low, high = interval(scores[0] - scores[1], 0.95)
    right = [logits.argmax(axis=1) == true for logits in (first, second)]
    b, c = (right[0] & ~right[1]).sum(), (right[1] & ~right[0]).sum()
    error = np.sqrt(b + c - (b - c) ** 2 / n) / n
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.05)
    assert (low + high) / 2 == pytest.approx((b - c) / n, abs=0.1 * error)
    apart = np.hypot(*(np.subtract(*interval(each, 0.95)) for each in scores))
    assert high - low < 0.7 * apart  # they share most mistakes


def draw_films(random, n_patients, n_films, fixed):
    """Draw films of three findings: of so many patients each, or of patients as they come.

    What the films of one patient have in common makes 0.6 of the variance of the logits.
    """
    shares = [0.4, 0.3, 0.3]
    findings = (
        np.repeat(np.arange(3), np.rint(np.multiply(shares, n_patients)).astype(int))
        if fixed
        else random.choice(3, n_patients, p=shares)
    )
    common = random.normal(scale=np.sqrt(0.6), size=(n_patients, 1, 3))
    own = random.normal(scale=np.sqrt(0.4), size=(n_patients, n_films, 3))
    logits = 1.4 * np.eye(3)[findings][:, None] + common + own
    groups = np.repeat(np.arange(n_patients), n_films)
    return np.repeat(findings, n_films), logits.reshape(-1, 3), groups


def main_scores(true, logits, weights=None):
    """Return (n_samples, 3): accuracy, macro F1, macro AUC."""
    scores = measure(true, logits, "single", weights)
    return np.stack([scores["accuracy"], macro(scores["f1"]), macro(scores["auc"])], axis=1)


def cover(n_patients, n_films, n_draws, strata_of, fixed=False, groups_of=lambda groups: groups):
    """Return (3,): in which share of the draws the intervals hold the true scores."""
    random = np.random.default_rng(1)
    true, logits, _ = draw_films(random, 30_000, n_films, fixed)
    right = main_scores(true, logits)[0]
    held = np.zeros(3)
    for seed in range(n_draws):
        true, logits, groups = draw_films(random, n_patients, n_films, fixed)
        groups = groups_of(groups)
        weights = draw_replicates(strata_of(true, groups), groups, 500, seed)
        low, high = interval(main_scores(true, logits, weights), 0.95)
        held += (low <= right) & (right <= high)
    return held / n_draws


def test_intervals_of_300_films_hold_the_truth_as_often_as_they_say():
    covered = cover(300, 1, 800, name_strata, fixed=True)
    np.testing.assert_array_less(COVERS[0], covered)
    np.testing.assert_array_less(covered, COVERS[1])


def test_intervals_of_150_patients_of_two_films_hold_the_truth_as_often_as_they_say():
    covered = cover(150, 2, 800, one_stratum)
    np.testing.assert_array_less(COVERS[0], covered)
    np.testing.assert_array_less(covered, COVERS[1])


def test_intervals_that_draw_film_by_film_are_too_narrow():
    covered = cover(150, 2, 300, one_stratum, groups_of=lambda groups: np.arange(len(groups)))
    np.testing.assert_array_less(covered, COVERS[0])

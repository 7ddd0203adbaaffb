"""Paired tests against published examples, direct sums over pairs of films, and simulation."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy.stats import binomtest, chi2, kstest, norm
from sklearn.metrics import roc_auc_score

from cxrpipe.evaluation.statistics.comparison import (
    compare_accuracy,
    compare_auc,
    compare_macro_auc,
    holm,
    influences,
)


def of_one(shown, order, groups=None):
    """Influences of one fold and one finding."""
    groups = np.arange(len(shown)) if groups is None else groups
    return influences(np.array(shown)[:, None], np.array(order, float)[None, :, None], groups)


def kernel(with_it, without):
    """1, 1/2 or 0 for every pair of a film with the finding and one without."""
    difference = np.subtract.outer(with_it, without)
    return (difference > 0) + 0.5 * (difference == 0)


# Patients of DeLong, DeLong and Clarke-Pearson (Biometrics 1988) without missing values, as SAS
# prints them: albumin, total protein, Krebs-Goplerud score, died within two months.
PATIENTS = """
    3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0
    1.6 5.6 5 1  3.8 5.7 5 1  3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1
    4.3 7.0 4 1  3.6 6.7 4 0  2.3 4.4 6 1  4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1
    3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1  3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1
    3.2 5.1 5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0  3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1
    3.5 6.2 5 1  2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1  3.3 5.7 6 1  3.7 6.9 5 1
    3.6 6.6 5 1"""
OVARIAN = np.array(PATIENTS.split(), dtype=float).reshape(43, 4)


def test_areas_and_tests_of_delong_as_sas_prints_them():
    """SAS/STAT User's Guide, LOGISTIC, "Comparing Receiver Operating Characteristic Curves"."""
    albumin, protein, score, benefit = OVARIAN.T
    shown = benefit == 1
    kg, alb, tp = (of_one(shown, order) for order in (10 - score, albumin, protein))
    for model, area, error in ((kg, 0.7258, 0.1028), (alb, 0.7366, 0.0927), (tp, 0.6478, 0.1000)):
        assert model.auc[0] == pytest.approx(area, abs=5e-5)
        assert np.sqrt((model.values**2).sum()) == pytest.approx(error, abs=5e-5)
    for model, difference, p in ((alb, 0.0108, 0.9102), (tp, -0.0780, 0.4561)):
        tested = compare_auc(model, kg)
        assert tested.difference[0] == pytest.approx(difference, abs=5e-5)
        assert tested.p[0] == pytest.approx(p, abs=5e-5)


# 41 patients with a poor and 72 with a good outcome after a haemorrhage (Turck et al., Intensive
# Care Med 2010): grade of the WFNS, and place of S100b among its values, to base 31.
GRADE = [int(digit) for digit in "32455552521254425552525245441442255225555"] + [
    int(digit)
    for digit in "111151221221112121134141551124112212122111121211324214115422111312244111"
]
S100B = [int(digit, 31) for digit in "85b7pus2j42nlrufuuu2uh04dufu3f856du9uiuup"] + [
    int(digit, 31)
    for digit in "8951qc55131462c268c1b9k4tqb2oq63431859a114143b43j6g25i21em5a39521caqcatr"
]


def test_delong_as_the_package_proc_tests_it():
    """Robin et al., BMC Bioinformatics 2011; the digits are those of the package's own tests."""
    shown = np.arange(113) < 41
    grade, s100b = of_one(shown, GRADE), of_one(shown, S100B)
    assert grade.auc[0] == pytest.approx(0.823678861788618, abs=1e-14)
    assert s100b.auc[0] == pytest.approx(0.731368563685637, abs=1e-14)
    p = compare_auc(grade, s100b).p[0]
    assert p == pytest.approx(0.0271757822291882, abs=1e-14)
    assert norm.isf(p / 2) == pytest.approx(2.20898359144091, abs=1e-12)


def clustered(seed, n_groups=40, size=4, n_findings=1, n_folds=1):
    """Films of patients who share what is seen and how each of two models errs: none is better."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), random.integers(1, 2 * size, n_groups))
    n = len(group)
    shown = random.random((n, n_findings)) < random.beta(1, 1, (n_groups, n_findings))[group]
    of_patient = random.normal(size=(2, 1, n_groups, n_findings))[:, :, group]
    of_film = random.normal(size=(2, n_folds, n, n_findings))
    return shown, np.round(shown + 1.5 * of_patient + of_film, 1), group  # with ties


def direct(shown, first, second, groups):
    """Obuchowski's variance (Biometrics 1997) of a difference of areas, from all pairs of films."""
    pairs = kernel(first[shown], first[~shown]) - kernel(second[shown], second[~shown])
    m, n, mean = *pairs.shape, pairs.mean()
    names = np.unique(groups)
    above = np.array([(pairs.mean(axis=1) - mean)[groups[shown] == name].sum() for name in names])
    below = np.array([(pairs.mean(axis=0) - mean)[groups[~shown] == name].sum() for name in names])
    of_above, of_below = (len(np.unique(groups[side])) for side in (shown, ~shown))
    variance = (
        of_above / (of_above - 1) * (above**2).sum() / m**2
        + of_below / (of_below - 1) * (below**2).sum() / n**2
        + 2 * len(names) / (len(names) - 1) * (above * below).sum() / (m * n)
    )
    return mean, variance


@pytest.mark.parametrize("seed", range(5))
def test_single_films_give_the_structural_components_of_delong(seed):
    shown, orders, _ = clustered(seed)
    shown, films = shown[:, 0], np.arange(len(shown))
    first, second = orders[:, 0, :, 0]
    mean, variance = direct(shown, first, second, films)
    tested = compare_auc(of_one(shown, first), of_one(shown, second))
    assert tested.difference[0] == pytest.approx(mean, abs=1e-14)
    assert tested.p[0] == pytest.approx(2 * norm.sf(abs(mean) / np.sqrt(variance)), rel=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_films_of_patients_give_the_variance_of_obuchowski(seed):
    """Up to a factor of one mixed term, which differs by less than 1 in the number of groups."""
    shown, orders, groups = clustered(seed, n_groups=100)
    shown, (first, second) = shown[:, 0], orders[:, 0, :, 0]
    _, variance = direct(shown, first, second, groups)
    ours = of_one(shown, first, groups).values - of_one(shown, second, groups).values
    assert (ours**2).sum() == pytest.approx(variance, rel=0.01)
    _, alone = direct(shown, first, second, np.arange(len(shown)))
    assert variance > 1.3 * alone


def test_copies_of_films_change_nothing():
    shown, orders, _ = clustered(0)
    shown, films = shown[:, 0], np.arange(len(shown))
    once = [of_one(shown, order, films) for order in orders[:, 0, :, 0]]
    thrice = [
        of_one(np.tile(shown, 3), np.tile(order, 3), np.tile(films, 3))
        for order in orders[:, 0, :, 0]
    ]
    for expected, found in zip(compare_auc(*once), compare_auc(*thrice), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10)
    right = (orders[:, 0, :, 0] > 0.5) == shown
    expected, found = (
        compare_accuracy(*(np.tile(side, times).astype(float) for side in right), groups)
        for times, groups in ((1, films), (3, np.tile(films, 3)))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_folds_are_averaged_film_by_film():
    shown, orders, groups = clustered(3, n_findings=2, n_folds=3)
    first, second = (influences(shown, order, groups) for order in orders)
    areas = [roc_auc_score(shown, fold, average=None) for fold in orders[0]]
    np.testing.assert_allclose(first.auc, np.mean(areas, axis=0))
    each = [influences(shown, fold[None], groups).values for fold in orders[0]]
    np.testing.assert_allclose(first.values, np.mean(each, axis=0), atol=1e-15)
    again = influences(shown, np.repeat(orders[0, :1], 4, axis=0), groups)
    np.testing.assert_allclose(again.values, each[0], atol=1e-15)
    assert compare_auc(first, second).p.shape == (2,)


def test_the_macro_of_one_finding_and_of_its_copies_is_that_finding():
    shown, orders, groups = clustered(1)
    twice = [influences(np.tile(shown, 2), np.tile(order, 2), groups) for order in orders]
    expected = compare_auc(*(influences(shown, order, groups) for order in orders))
    found = compare_macro_auc(*twice)
    np.testing.assert_allclose([found.difference, found.p], np.ravel(expected), rtol=1e-12)


def test_the_error_of_the_macro_is_that_of_samples_of_patients():
    shown, orders, groups = clustered(2, n_groups=120, n_findings=3)
    first, second = (influences(shown, order, groups) for order in orders)
    tested = compare_macro_auc(first, second)
    random, n_groups = np.random.default_rng(0), groups.max() + 1
    films = [np.flatnonzero(groups == group) for group in range(n_groups)]
    drawn = []
    for _ in range(400):
        rows = np.concatenate([films[group] for group in random.integers(0, n_groups, n_groups)])
        one, two = (roc_auc_score(shown[rows], order[0, rows]) for order in orders)
        drawn.append(one - two)
    error = abs(tested.difference) / norm.isf(tested.p / 2)
    assert error == pytest.approx(np.std(drawn), rel=0.1)


@pytest.fixture(scope="module")
def simulated():
    """p of 1,000 pairs of models of which none is better: patients respected, and ignored."""
    p = {"respected": [], "ignored": []}
    for seed in range(1000):
        shown, orders, groups = clustered(seed, n_groups=60)
        right = ((orders[:, 0, :, 0] > 0.5) == shown[:, 0]).astype(float)
        for how, names in (("respected", groups), ("ignored", np.arange(len(groups)))):
            areas = compare_auc(*(influences(shown, order, names) for order in orders)).p[0]
            p[how].append((areas, compare_accuracy(*right, names).p))
    return {how: np.array(values) for how, values in p.items()}


@pytest.mark.parametrize("test", [0, 1], ids=["auc", "accuracy"])
def test_p_is_uniform_where_no_model_is_better_and_patients_have_several_films(simulated, test):
    p = simulated["respected"][:, test]
    assert kstest(p, "uniform").pvalue > 0.05
    assert 0.03 < np.mean(p < 0.05) < 0.07
    assert np.mean(simulated["ignored"][:, test] < 0.05) > 0.1


def test_equal_models_do_not_differ_and_perfect_ones_cannot_be_tested():
    shown = np.array([True, True, False, False])
    perfect, other, opposite, tied = (
        of_one(shown, order) for order in ([3, 3, 1, 0], [9, 8, 7, 6], [0, 1, 2, 3], [1, 1, 1, 1])
    )
    for same in (perfect, other):
        assert [*np.ravel(compare_auc(perfect, same))] == [0, 1]
        assert [*compare_macro_auc(perfect, same)] == [0, 1]
    tested = compare_auc(perfect, opposite)
    assert tested.difference[0] == 1
    assert np.isnan(tested.p[0])
    np.testing.assert_array_equal(np.ravel(compare_auc(perfect, tied)), [0.5, np.nan])


def test_rounding_is_not_taken_for_a_difference_that_never_varies():
    """One fold of five is perfect and four are the opposite, or none: every film's mean is 1/5."""
    shown = np.array([[True], [True], [False], [False], [False]])
    perfect = shown.astype(float)
    first, other, none = (
        influences(shown, np.stack(folds), np.arange(5))
        for folds in (
            [perfect, *[-perfect] * 4],
            [*[-perfect] * 4, perfect],
            [-perfect] * 5,
        )
    )
    assert 0 < ((first.values - none.values) ** 2).sum() < 1e-30
    tested = compare_auc(first, none)
    assert tested.difference[0] == pytest.approx(1 / 5)
    assert np.isnan(tested.p[0])
    assert compare_auc(first, other).p[0] == 1


def test_a_finding_of_no_film_of_all_films_or_of_one_patient():
    shown = np.array([[0, 1, 1], [0, 1, 1], [0, 1, 0], [0, 1, 0]], dtype=bool)
    groups = np.array(["a", "a", "b", "c"])
    orders = np.random.default_rng(0).normal(size=(2, 1, 4, 3))
    orders[:, :, :, 2] = [[3, 1, 0, 2]], [[3, 2, 0, 1]]
    first, second = (influences(shown, order, groups) for order in orders)
    tested = compare_auc(first, second)
    np.testing.assert_array_equal(tested.difference, [np.nan, np.nan, -1 / 4])
    assert np.isnan(tested.p).all()
    macro = compare_macro_auc(first, second)
    assert macro.difference == -1 / 4
    assert np.isnan(macro.p)
    nothing = influences(shown[:, :2], orders[0, :, :, :2], groups)
    assert np.isnan(compare_macro_auc(nothing, nothing)).all()
    no_films = influences(shown[:0], orders[0, :, :0], groups[:0])
    assert np.isnan(compare_auc(no_films, no_films)).all()


def table(both, first, second, neither):
    """Rightness of two models, film by film, from a table of pairs."""
    counts = (both, first, second, neither)
    return (np.repeat(side, counts).astype(float) for side in ([1, 1, 0, 0], [1, 0, 1, 0]))


def test_mcnemar_of_the_approval_ratings():
    """Agresti, An Introduction to Categorical Data Analysis (2007), 8.1: z = -4.17."""
    tested = compare_accuracy(*table(794, 150, 86, 570), np.arange(1600))
    assert tested.difference == (944 - 880) / 1600
    assert norm.isf(tested.p / 2) == pytest.approx(4.17, abs=0.005)
    assert chi2.isf(tested.p, 1) == pytest.approx(64**2 / 236)


def test_exact_mcnemar_of_two_media():
    """Armitage and Berry, Statistical Methods in Medical Research (1994), p. 127: P = 0.0129."""
    tested = compare_accuracy(*table(20, 12, 2, 16), np.arange(50))
    assert tested.p == pytest.approx(0.0129, abs=5e-5)


@pytest.mark.parametrize("first", range(13))
def test_few_films_that_differ_give_the_exact_binomial_p(first):
    tested = compare_accuracy(*table(5, first, 12 - first, 3), np.arange(20))
    assert tested.p == pytest.approx(binomtest(first, 12).pvalue)


# Psychiatrists' patients on whom the two alone agree with neither (Donner and Petryshen,
# Psychiatry Res 1989): yes of the patient alone, of the psychiatrist alone, patients.
PATIENT = [0, 1, 1, 1, 0, 3, 3, 3, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 1, 1, 2, 0, 0, 0, 0, 0, 0, 0]
DOCTOR = [4, 2, 3, 2, 1, 3, 0, 2, 2, 4, 2, 4, 3, 2, 1, 3, 1, 2, 0, 0, 0, 2, 1, 2, 2, 0, 0, 1, 1]
SEEN = [7, 6, 7, 6, 4, 6, 5, 8, 4, 7, 3, 6, 7, 6, 5, 4, 6, 5, 4, 3, 5, 4, 4, 2, 3, 2, 2, 3, 1]


def psychiatry():
    """Return yes of patient and of psychiatrist, and the psychiatrist, of each patient."""
    counts = zip(PATIENT, DOCTOR, SEEN, strict=True)
    rows = [
        row
        for doctor, (first, second, n) in enumerate(counts)
        for row in [(1, 0, doctor)] * first
        + [(0, 1, doctor)] * second
        + [(1, 1, doctor)] * (n - first - second)
    ]
    return np.array(rows, dtype=float).T


def obuchowski(first, second, groups):
    """Chi-square of Obuchowski (Stat Med 1998) from her variances under equality."""
    names = np.unique(groups)
    n = np.array([(groups == name).sum() for name in names])
    of_first, of_second = (
        np.array([side[groups == name].sum() for name in names]) for side in (first, second)
    )
    total = n.sum()
    pooled = (of_first + of_second).sum() / (2 * total)
    one, two = of_first - n * pooled, of_second - n * pooled
    factor = len(names) / (len(names) - 1) / total**2
    variance = factor * ((one**2).sum() + (two**2).sum() - 2 * (one * two).sum())
    return ((of_first - of_second).sum() / total) ** 2 / variance


def test_mcnemar_of_patients_and_psychiatrists():
    """Data of the literature on clustered tests; 11.85 if patients are taken as independent."""
    first, second, doctors = psychiatry()
    alone = compare_accuracy(first, second, np.arange(135))
    assert chi2.isf(alone.p, 1) == pytest.approx(11.85, abs=0.005)
    grouped = compare_accuracy(first, second, doctors)
    assert alone.difference == grouped.difference == pytest.approx((21 - 50) / 135)
    assert 3 * alone.p < grouped.p < 0.02


@pytest.mark.parametrize("seed", range(5))
def test_films_of_patients_give_the_chi_square_of_obuchowski(seed):
    shown, orders, groups = clustered(seed, n_groups=80)
    first, second = ((orders[:, 0, :, 0] > 0.5) == shown[:, 0]).astype(float)
    n_groups = groups.max() + 1
    statistic = obuchowski(first, second, groups) * n_groups / (n_groups - 1)
    p = compare_accuracy(first, second, groups).p
    assert p == pytest.approx(chi2.sf(statistic, 1))


@pytest.mark.parametrize("seed", range(3))
def test_few_patients_are_tested_by_exchanging_the_models_in_all_ways(seed):
    """Shares of three folds; patients have one to four films."""
    random = np.random.default_rng(seed)
    groups = np.repeat(np.arange(9), random.integers(1, 5, 9))
    first, second = random.integers(0, 4, (2, len(groups))) / 3
    of_groups = [(first - second)[groups == group].sum() for group in range(9)]
    signs = np.array(list(product((-1, 1), repeat=9)))
    far = np.abs(signs @ of_groups) >= abs(sum(of_groups)) - 1e-9
    assert compare_accuracy(first, second, groups).p == pytest.approx(far.mean())


def test_exact_and_normal_p_meet_where_many_films_differ():
    exact, normal = (
        float(compare_accuracy(*table(0, n - 8, 8, 0), np.arange(n)).p) for n in (24, 25)
    )
    assert exact == pytest.approx(binomtest(8, 24).pvalue)
    assert normal == pytest.approx(chi2.sf((25 - 16) ** 2 / 25, 1))


def test_models_that_never_differ_and_no_films():
    right = np.array([1.0, 0.0, 1.0])
    assert [*compare_accuracy(right, right, np.arange(3))] == [0, 1]
    assert np.isnan(compare_accuracy(right[:0], right[:0], np.arange(0))).all()


def test_holm_by_hand():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(
        holm(np.array([0.01, 0.02, 0.03, 0.04, 0.05])), [0.05, 0.08, 0.09, 0.09, 0.09]
    )


def test_holm_keeps_what_is_unknown_and_does_not_count_it():
    p = np.array([[0.5, np.nan], [0.02, 0.9]])
    np.testing.assert_allclose(holm(p), [[1, np.nan], [0.06, 1]])
    assert list(holm(np.array([0.8, 0.7]))) == [1, 1]
    assert np.isnan(holm(np.array([np.nan]))).all()
    assert holm(np.array([])).shape == (0,)


def test_holm_rejects_what_a_walk_from_the_smallest_rejects():
    """Holm's own procedure: go on while p is at most 0.05 by the number of those left."""
    random = np.random.default_rng(0)
    for p in random.beta(0.4, 4, (50, 6)):
        left, rejected = sorted(p), 0
        while left and left[0] <= 0.05 / len(left):
            left, rejected = left[1:], rejected + 1
        assert (holm(p) <= 0.05).sum() == rejected
        order = np.argsort(p)
        assert all(holm(p)[a] <= holm(p)[b] for a, b in combinations(order, 2))

"""Linear probes: clouds are told, noise is not, and patients are never on both sides."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cxrpipe.explanation.latent import probe
from cxrpipe.explanation.latent.probe import associate, cross_validate, guess_by, tell_probe
from cxrpipe.explanation.latent.space import span

NOTHING = {
    "n": 0,
    "groups": 0,
    "labels": [],
    "accuracy": {"value": None, "low": None, "high": None},
    "chance": None,
}


def noise(n, d=10, seed=0):
    return span(np.random.default_rng(seed).normal(size=(n, d)), standardise=True)


def test_clouds_are_told_without_error(clouds, make_sample):
    features, which = clouds(n=60)
    sample = make_sample(np.array(["a", "b"])[which])
    told = tell_probe(span(features, standardise=True), sample, "finding")
    assert told == {
        "n": 60,
        "groups": 60,
        "labels": ["a", "b"],
        "accuracy": {"value": 1, "low": None, "high": None},
        "chance": 0.5,
        "from_source": 0.5,
    }


def test_noise_is_told_by_chance(make_sample):
    """Of 20 draws of noise the mean has a standard error of 0.008; 95 % of intervals hold 1/3."""
    findings = np.array(["a", "b", "c"])[np.arange(180) % 3]
    sample = make_sample(findings)
    told = [tell_probe(noise(180, d=4, seed=seed), sample, "finding") for seed in range(20)]
    accuracies = [each["accuracy"] for each in told]
    assert np.mean([each["value"] for each in accuracies]) == pytest.approx(1 / 3, abs=0.03)
    assert sum(each["low"] < 1 / 3 < each["high"] for each in accuracies) >= 15
    assert told[0]["chance"] == round(1 / 3, 6)


def test_a_source_that_the_features_show_is_told(clouds, make_sample):
    """Findings are noise; what lies apart are the sources."""
    features, which = clouds(n=80)
    findings = np.array(["a", "b"])[np.arange(80) // 2 % 2]
    sample = make_sample(findings, sources=np.array(["s", "t"])[which])
    space = span(features, standardise=True)
    assert tell_probe(space, sample, "source")["accuracy"]["value"] == 1
    assert tell_probe(space, sample, "finding")["accuracy"]["value"] < 0.7


def test_what_a_patient_looks_like_is_no_help_with_a_patient_never_seen(make_sample):
    """Ten films of each of 40 patients lie together; which finding a patient has is by chance."""
    generator = np.random.default_rng(0)
    places = generator.normal(size=(40, 30)).repeat(10, axis=0)
    features = span(places + 0.01 * generator.normal(size=(400, 30)), standardise=True)
    findings = np.array(["a", "b"])[generator.permutation(np.arange(40) % 2)].repeat(10)
    patients = np.repeat([f"p{number}" for number in range(40)], 10)
    known, unknown = (
        tell_probe(features, make_sample(findings, groups=groups), "finding")["accuracy"]["value"]
        for groups in (None, patients)
    )
    assert known > 0.95
    assert unknown < 0.75


def test_no_group_is_fitted_on_and_predicted(monkeypatch):
    seen = []
    monkeypatch.setattr(
        probe,
        "_fit_and_predict",
        lambda features, labels, others: seen.append((features, others)) or "a",
    )
    groups = np.array([f"p{number % 7}" for number in range(40)])
    numbers = np.arange(40.0)[:, None]
    monkeypatch.setattr(probe, "_place", lambda features, others, standardise: (features, others))
    cross_validate(numbers, np.array(["a", "b"])[np.arange(40) % 2], groups, standardise=True)
    assert len(seen) == 5
    assert sorted(np.concatenate([others for _, others in seen]).ravel()) == list(range(40))
    for fitted, held_out in seen:
        both = [set(groups[part.ravel().astype(int)]) for part in (fitted, held_out)]
        assert both[0].isdisjoint(both[1])


def test_a_label_of_one_patient_is_left_out(clouds, make_sample):
    features, which = clouds(n=20)
    findings = np.array(["a", "b"])[which]
    findings[:2] = "c"
    groups = np.array([f"p{number}" for number in range(20)])
    groups[:2] = "p0"
    told = tell_probe(
        span(features, standardise=True), make_sample(findings, groups=groups), "finding"
    )
    assert (told["n"], told["groups"], told["labels"]) == (18, 18, ["a", "b"])
    assert told["accuracy"] == {"value": 1, "low": None, "high": None}


def test_two_patients_of_each_finding_are_enough(clouds, make_sample):
    features, which = clouds(n=4)
    told = tell_probe(
        span(features, standardise=True), make_sample(np.array(["a", "b"])[which]), "finding"
    )
    assert told["accuracy"]["value"] == 1


def test_what_cannot_be_told_is_null(make_sample):
    several = make_sample(["a", "b"] * 5)
    assert tell_probe(noise(10), several, "source") == NOTHING | {"from_finding": None}
    nothing = NOTHING | {"from_source": None}
    assert tell_probe(noise(10), make_sample(["a"] * 10), "finding") == nothing
    assert tell_probe(noise(10), make_sample(["a|b", "a"] * 5), "finding") == nothing
    assert tell_probe(noise(3), make_sample(["a", "b", "c"]), "finding") == nothing
    alike = span(np.ones((10, 4)), standardise=True)
    assert tell_probe(alike, several, "finding") == nothing


def test_one_label_left_to_fit_on_is_named():
    """Either fold of these patients has one label alone on the other side."""
    groups = np.array(["p", "p", "q", "q"])
    labels = np.array(["a", "b", "a", "b"])
    assert set(cross_validate(np.eye(4), labels, groups, standardise=False)) <= {"a", "b"}
    assert probe._fit_and_predict(np.eye(2), np.array(["b", "b"]), np.eye(2)) == "b"


def test_where_no_feature_varies_the_most_frequent_label_is_named():
    assert probe._fit_and_predict(np.zeros((3, 0)), np.array(["b", "a", "b"]), np.eye(1)) == "b"


@pytest.mark.parametrize("standardise", [True, False])
@pytest.mark.parametrize("d", [4, 60])
def test_probes_are_those_of_sklearn_with_the_scale_of_the_films_fitted_on(d, standardise):
    """Also where there are more features than films, which are then brought to fewer."""
    generator = np.random.default_rng(0)
    features = generator.normal(size=(40, d)) * generator.uniform(0.1, 9, d)
    features[:5] *= 20  # so that all films have another scale than those fitted on
    labels, groups = generator.choice(["a", "b", "c"], 40), np.arange(40).astype(str)
    expected = labels.copy()
    for fitted, held_out in StratifiedGroupKFold(5).split(features, labels, groups):
        oracle = make_pipeline(
            StandardScaler(with_std=standardise), LogisticRegression(max_iter=10**4)
        )
        expected[held_out] = oracle.fit(features[fitted], labels[fitted]).predict(
            features[held_out]
        )
    predicted = cross_validate(features, labels, groups, standardise)
    assert (predicted == expected).mean() > 0.97


def test_guesses_from_what_is_known_counted_by_hand():
    """Of source s two of three are a; of t both are b."""
    known = np.array(["s", "s", "s", "t", "t"])
    labels = np.array(["a", "a", "b", "b", "b"])
    assert guess_by(known, labels) == 4 / 5
    assert guess_by(np.zeros_like(labels), labels) == 3 / 5
    assert np.isnan(guess_by(labels[:0], labels[:0]))


def test_a_finding_of_one_source_alone_is_fully_associated(make_sample):
    assert associate(make_sample(["a", "b"] * 50, sources=["s", "t"] * 50)) == pytest.approx(1)
    three = make_sample(["a", "b", "c"] * 20, sources=["s", "t", "t"] * 20)
    assert associate(three) == pytest.approx(1, abs=0.01)


def test_association_counted_by_hand(make_sample):
    """Of a hundred each 3 and 45 show b: chi square is 48.3604 of 200; the commonest is one."""
    findings = ["a"] * 97 + ["b"] * 3 + ["a"] * 55 + ["b"] * 45
    value = associate(make_sample(findings, sources=["s"] * 100 + ["t"] * 100))
    square = 200 * (97 * 45 - 3 * 55) ** 2 / (152 * 48 * 100 * 100)
    assert square == pytest.approx(48.3553, abs=1e-4)
    assert value == pytest.approx(np.sqrt((square / 200 - 1 / 199) / (1 - 1 / 199)))


def test_association_of_labels_by_chance_is_near_none(make_sample):
    generator = np.random.default_rng(0)
    values = []
    for _ in range(20):
        findings, sources = (generator.choice(list(of), 229) for of in ("abcde", "stu"))
        values.append(associate(make_sample(findings, sources=sources)))
    assert np.median(values) < 0.05


def test_association_of_one_finding_or_one_source_is_not_estimable(make_sample):
    assert np.isnan(associate(make_sample(["a"] * 10, sources=["s", "t"] * 5)))
    assert np.isnan(associate(make_sample(["a", "b"] * 5)))
    assert np.isnan(associate(make_sample(["a|b", "a"] * 5, sources=["s", "t"] * 5)))
    alone = make_sample(["a"] * 9 + ["b"], sources=["s", "t"] * 5)
    assert np.isnan(associate(alone))


def test_probes_of_wide_features_settle(make_sample):
    """As many axes as films, of which a few say nearly all: no warning of convergence."""
    generator = np.random.default_rng(0)
    axes = generator.normal(size=(150, 150)) * 0.9 ** np.arange(150)
    sample = make_sample(generator.choice(["a", "b", "c", "d"], 150))
    told = tell_probe(span(50 * axes, standardise=False), sample, "finding")
    assert 0 < told["accuracy"]["value"] < 0.6

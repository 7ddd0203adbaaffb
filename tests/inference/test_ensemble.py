"""What several models say of one film, counted by hand."""

from dataclasses import replace

import pytest
from made import FINDINGS, make_film, make_model

from cxrpipe.config import Preprocess
from cxrpipe.inference.answers import Answer, Refusal
from cxrpipe.inference.classifier import Classifier
from cxrpipe.inference.ensemble import Ensemble, join
from cxrpipe.runtime import UserError

REFUSED = Refusal("a.png", "unlike", "3 times as far")


def said(*shares, above=(), possible=(), doubt="", kind="single"):
    """The answer of a model that gives these probabilities to normal, covid, tuberculosis."""
    probabilities = dict(zip(FINDINGS, shares, strict=True))
    finding = max(probabilities, key=probabilities.get) if kind == "single" else ""
    return Answer("a.png", finding, probabilities, above, possible, doubt)


def test_the_mean_names_the_finding_of_largest_mean_probability():
    # Two of three name covid, but the third is surer of normal: 0.48 beside 0.44.
    each = [said(0.4, 0.5, 0.1), said(0.3, 0.6, 0.1), said(0.74, 0.22, 0.04)]
    joint = join(each, "single", "mean")
    assert list(joint.probabilities.values()) == pytest.approx([0.48, 0.44, 0.08])
    assert joint.finding == "normal"
    assert joint.agreement == pytest.approx(1 / 3)


def test_a_vote_names_the_finding_that_most_models_name():
    each = [said(0.4, 0.5, 0.1), said(0.3, 0.6, 0.1), said(0.74, 0.22, 0.04)]
    joint = join(each, "single", "vote")
    assert joint.finding == "covid"
    assert joint.agreement == pytest.approx(2 / 3)
    assert joint.probabilities["covid"] == pytest.approx(0.44)


def test_a_tied_vote_goes_to_the_larger_mean_probability():
    each = [said(0.5, 0.3, 0.2), said(0.1, 0.8, 0.1), said(0.2, 0.2, 0.6)]
    joint = join(each, "single", "vote")  # one vote each; means 0.27, 0.43, 0.30
    assert joint.finding == "covid"
    assert joint.agreement == pytest.approx(1 / 3)


def test_above_is_what_more_than_half_of_the_answers_hold_and_possible_what_any_holds():
    each = [
        said(0.6, 0.3, 0.1, above=("normal", "covid"), possible=("normal",)),
        said(0.6, 0.3, 0.1, above=("normal",), possible=("covid", "normal")),
    ]
    joint = join(each, "single", "mean")
    assert joint.above == ("normal",)  # covid is above in just one of two
    assert joint.conformal == ("normal", "covid")


def test_a_film_is_refused_where_half_of_the_models_or_more_refuse_it():
    one = said(0.6, 0.3, 0.1, doubt="")
    assert join([REFUSED, REFUSED, one], "single", "mean") == REFUSED
    assert join([REFUSED, REFUSED], "single", "vote") == REFUSED
    assert join([REFUSED, one], "single", "mean") == REFUSED
    assert join([REFUSED, one, one], "single", "mean").finding == "normal"


def test_who_refuses_does_not_agree_and_its_reason_is_a_doubt():
    each = [REFUSED, said(0.6, 0.3, 0.1), said(0.2, 0.7, 0.1)]
    joint = join(each, "single", "mean")
    assert list(joint.probabilities.values()) == pytest.approx([0.4, 0.5, 0.1])
    assert joint.agreement == pytest.approx(1 / 3)
    assert joint.doubt == f"{REFUSED.reason}: {REFUSED.detail}"


def test_a_forced_answer_keeps_the_first_doubt():
    each = [said(0.6, 0.3, 0.1), said(0.6, 0.3, 0.1, doubt="view: lateral")]
    assert join(each, "single", "mean").doubt == "view: lateral"


def test_models_of_yes_and_no_agree_on_what_reaches_their_thresholds():
    each = [
        said(0.9, 0.4, 0.2, kind="multi", above=("normal", "covid")),
        said(0.9, 0.4, 0.2, kind="multi", above=("normal", "covid")),
        said(0.4, 0.3, 0.2, kind="multi", above=("tuberculosis",)),
    ]
    joint = join(each, "multi", "mean")
    assert joint.finding == ""
    assert joint.above == ("normal", "covid")
    assert joint.agreement == pytest.approx(2 / 3)  # of each finding


def test_a_film_is_decoded_once_for_models_that_take_it_alike(tmp_path, monkeypatch):
    places = [make_model(tmp_path / "run", name, seed) for seed, name in enumerate("ab")]
    places.append(make_model(tmp_path / "run", "c", preprocess=Preprocess(side=48)))
    films, asked = [make_film(tmp_path / f"{number}.png") for number in range(3)], []
    ensemble = Ensemble.load(places)
    prepare = Classifier.prepare
    monkeypatch.setattr(
        Classifier, "prepare", lambda it, film: asked.append(film) or prepare(it, film)
    )
    assert len(list(ensemble.classify_each(films, force=True))) == 3
    assert len(asked) == 2 * len(films)


def test_no_model_is_no_ensemble():
    with pytest.raises(UserError, match="no model is named"):
        Ensemble([])


def test_one_model_alone_says_the_same_in_an_ensemble(tmp_path):
    film = make_film(tmp_path / "a.png")
    ensemble = Ensemble.load([make_model(tmp_path / "run")])
    [alone] = ensemble.members[0].classify_each([film], force=True)
    assert list(ensemble.classify_each([film], force=True)) == [alone]


def test_films_keep_their_order_and_models_their_own_weights(tmp_path):
    films = [make_film(tmp_path / f"{number}.png", number) for number in range(4)]
    films[1].write_bytes(b"no film")
    places = [make_model(tmp_path / "run", name, seed) for seed, name in enumerate("abc")]
    ensemble = Ensemble.load(places, "vote")
    answers = list(ensemble.classify_each(films, force=True))
    assert [it.film for it in answers] == list(map(str, films))
    assert [isinstance(it, Refusal) for it in answers] == [False, True, False, False]
    alone = [member.classify(films[3], force=True) for member in ensemble.members]
    expected = join(alone, "single", "vote")
    assert answers[3].probabilities == pytest.approx(expected.probabilities, abs=1e-6)
    assert replace(answers[3], probabilities={}) == replace(expected, probabilities={})


def test_models_of_other_findings_do_not_answer_together(tmp_path):
    places = [
        make_model(tmp_path / "run", "a"),
        make_model(tmp_path / "run", "b", findings=("normal", "covid")),
    ]
    with pytest.raises(
        UserError, match=r"different findings \(single: normal, covid and single: normal"
    ):
        Ensemble.load(places)

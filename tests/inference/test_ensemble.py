"""What several models say of one film, counted by hand."""

from dataclasses import replace

import pytest
from made import FINDINGS, make_film, make_model

from cxrpipe.inference.answers import Answer, Refusal
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


def test_a_film_is_refused_where_more_than_half_refuse_it():
    one = said(0.6, 0.3, 0.1, doubt="")
    assert join([REFUSED, REFUSED, one], "single", "mean") == REFUSED
    assert join([REFUSED, REFUSED], "single", "vote") == REFUSED
    assert join([REFUSED, one], "single", "mean").finding == "normal"  # half is not more


def test_a_refusal_takes_no_part_in_what_the_others_say():
    joint = join([REFUSED, said(0.6, 0.3, 0.1), said(0.2, 0.7, 0.1)], "single", "mean")
    assert list(joint.probabilities.values()) == pytest.approx([0.4, 0.5, 0.1])
    assert joint.agreement == pytest.approx(1 / 2)


def test_a_forced_answer_keeps_the_first_doubt():
    each = [said(0.6, 0.3, 0.1), said(0.6, 0.3, 0.1, doubt="view: lateral")]
    assert join(each, "single", "mean").doubt == "view: lateral"


@pytest.mark.parametrize(
    ("combine", "agreement"),
    [
        # Yes is above 1/2. normal: 3 of 3 say yes; covid: 1 of 3, mean 0.57; tuberculosis: none.
        ("vote", (3 / 3 + 2 / 3 + 3 / 3) / 3),
        ("mean", (3 / 3 + 1 / 3 + 3 / 3) / 3),  # the mean says yes to covid, as one of them does
    ],
)
def test_models_of_yes_and_no_name_none_and_agree_on_the_mean_of_findings(combine, agreement):
    each = [said(0.9, share, 0.2, kind="multi") for share in (0.45, 0.46, 0.8)]
    joint = join(each, "multi", combine)
    assert joint.finding == ""
    assert joint.agreement == pytest.approx(agreement)


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
    with pytest.raises(UserError, match=r"different findings: normal, covid \(single\) and normal"):
        Ensemble.load(places)

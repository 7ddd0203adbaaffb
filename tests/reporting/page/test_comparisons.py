"""Which models differ: verdicts by hand."""

import pytest
from told import UNDECIDED, tell_metrics

from cxrpipe.reporting.page.comparisons import (
    differ,
    ensemble_table,
    finding_pair_table,
    pair_table,
    sum_up,
    sum_up_ensembles,
    tell_comparisons,
)
from cxrpipe.reporting.page.wording import say_difference, say_p


def pair(first, second, accuracy, auc):
    """Return a comparison with the adjusted p of accuracy and macro AUC."""
    told = {"difference": 0.1, "low": 0.02, "high": 0.18, "p": 0.001}
    scores = {"accuracy": told | {"p_adjusted": accuracy}, "macro_auc": told | {"p_adjusted": auc}}
    return {"first": first, "second": second, "macro_f1": UNDECIDED, "findings": {}} | scores


@pytest.mark.parametrize(
    ("accuracy", "auc", "verdict"),
    [
        (0.0499, 0.3, True),
        (0.3, 0.0499, True),
        (None, 0.01, True),
        (0.05, 0.05, False),
        (None, 0.2, False),
        (None, None, None),
    ],
)
def test_two_models_differ_if_an_adjusted_test_says_so(accuracy, auc, verdict):
    assert differ(pair("a", "b", accuracy, auc), 0.95) is verdict


def test_the_level_decides():
    assert differ(pair("a", "b", 0.02, None), 0.99) is False


PAIRS = [pair("a", "b", 0.01, 0.2), pair("a", "c", 0.5, 0.2), pair("b", "c", None, None)]


def test_the_best_model_is_told_beside_every_other():
    assert sum_up({"best": "a", "comparisons": PAIRS}, 0.95) == (
        "On the test films, a differs from b; a is not shown to differ from c (pairs of "
        "models that differ: 1 of 3, in accuracy or macro AUC, p adjusted together by Holm)."
    )
    assert sum_up({"best": "c", "comparisons": PAIRS}, 0.95) == (
        "On the test films, c is not shown to differ from a; no test could be made between c and b "
        "(pairs of models that differ: 1 of 3, in accuracy or macro AUC, p adjusted together by "
        "Holm)."
    )


def test_a_model_alone_is_compared_with_nothing():
    assert "nothing to compare" in sum_up({"best": "a", "comparisons": []}, 0.95)


def test_every_pair_has_its_row():
    table = pair_table(PAIRS, 0.95)
    assert table.iloc[0].tolist() == [
        *("a", "b", "yes", "+0.100 (+0.020 to +0.180)", "0.010"),
        *("+0.100 (+0.020 to +0.180)", "0.200", "not estimable"),
    ]
    assert table["do they differ?"].tolist() == ["yes", "not shown", "not estimable"]


def test_every_finding_of_every_pair_has_its_row():
    told = {"difference": -0.05, "low": None, "high": None, "p": 0.02, "p_adjusted": 0.06}
    pairs = [PAIRS[0] | {"findings": {"covid": told, "normal": UNDECIDED}}]
    assert finding_pair_table(pairs).to_numpy().tolist() == [
        ["covid", "a", "b", "-0.050", "0.020", "0.060"],
        ["normal", "a", "b", *["not estimable"] * 3],
    ]


def against(difference, p):
    scores = {"macro_auc": UNDECIDED | {"difference": difference, "p_adjusted": p}}
    scores["accuracy"] = UNDECIDED
    return {"against_best": scores}


@pytest.mark.parametrize(
    ("vote", "mean", "said"),
    [
        ((0.1, 0.01), (-0.1, 0.02), "better than a: all by vote; worse than a: all by mean."),
        ((0.1, 0.06), (0.1, None), "No ensemble is shown to be better or worse than a"),
    ],
)
def test_an_ensemble_is_better_only_if_its_test_says_so(vote, mean, said):
    ensembles = {"all": {"vote": against(*vote), "mean": against(*mean)}}
    assert said in sum_up_ensembles(ensembles, "a", 0.95, "macro_auc")
    assert "(accuracy, McNemar)" in sum_up_ensembles(ensembles, "a", 0.95)


def test_a_vote_has_no_auc():
    task = tell_metrics()["tasks"]["findings"]
    table = ensemble_table(task["ensembles"], task["best"])
    assert table["by"].tolist() == ["vote", "mean"]
    assert table["macro AUC"].tolist()[0] == ""
    assert table["p of AUC"].tolist()[0] == table["macro AUC minus densenet"].tolist()[0] == ""
    told = task["ensembles"]["everyone"]["mean"]["against_best"]["macro_auc"]
    assert table["p of AUC"].tolist()[1] == say_p(told["p_adjusted"])
    assert table["macro AUC minus densenet"].tolist()[1] == say_difference(told)
    value = task["ensembles"]["everyone"]["mean"]["macro"]["auc"]["value"]
    assert table["macro AUC"].tolist()[1].startswith(f"{value:.3f} (")


@pytest.mark.parametrize(("kind", "test"), [("single", "McNemar"), ("multi", "macro AUC, DeLong")])
def test_ensembles_are_judged_by_what_chose_the_models(kind, test):
    blocks = tell_comparisons(tell_metrics(kind=kind), "findings")
    assert test in blocks[-1].lines[0]


def test_the_tie_rule_is_stated():
    blocks = tell_comparisons(tell_metrics(), "findings")
    assert "resnet10, densenet and resnet18; a tie of votes goes to covid." in str(blocks[-1])


def test_one_model_has_no_table():
    assert len(tell_comparisons(tell_metrics(models=["alone"]), "findings")) == 1

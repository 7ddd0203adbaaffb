"""Parts of the test films: which a film belongs to, and what models score there."""

import numpy as np
import pandas as pd
import pytest

from cxrpipe.config import Evaluation, Task
from cxrpipe.evaluation.judging.judged import gather
from cxrpipe.evaluation.judging.subgroups import describe_films, list_parts, name_bands, score_parts

TASK = Task(findings=("covid", "normal"), sources=("a", "b"))
INDEX = pd.DataFrame(
    {
        "radiograph": ["f0", "f1", "f2", "f3"],
        "view": ["PA", "", "AP", "PA"],
        "sex": ["F", "M", "", "F"],
        "age": [17.9, np.nan, 40, 90],
    }
)


def test_every_film_has_a_part_of_each_kind_by_its_name():
    films = pd.DataFrame({"radiograph": ["f3", "f1"], "source": ["b", "a"]}, index=[7, 2])
    parts = describe_films(films, INDEX, (18, 40))
    assert parts.loc[7].to_dict() == {
        "source": "b",
        "view": "PA",
        "sex": "F",
        "age": "40 and over",
    }
    assert parts.loc[2].to_dict() == {
        "source": "a",
        "view": "unknown",
        "sex": "M",
        "age": "unknown",
    }


def test_a_band_begins_with_its_first_year_and_ends_before_the_next():
    ages = pd.Series([0.0, 17.9, 18, 39, 40, 90, np.nan])
    names = ["0-17", "0-17", "18-39", "18-39", "40 and over", "40 and over", ""]
    assert list(name_bands(ages, (40, 18))) == names


def test_bands_are_listed_by_their_years_and_what_is_unknown_last():
    bands = pd.Series(["unknown", "100 and over", "5-17", "18-99", "5-17"])
    assert list_parts(bands, sort=True) == ["5-17", "18-99", "100 and over", "unknown"]
    assert list_parts(pd.Series(["z", "unknown", "a"]), sort=False) == ["z", "a", "unknown"]


def split():
    """Forty test films of a and b, half of each finding; those of b have no training film."""
    rows = [(f"t{number}", "a", "train") for number in range(2)]
    rows += [(f"f{number}", "ab"[number >= 20], "test") for number in range(40)]
    films = pd.DataFrame(rows, columns=["radiograph", "source", "subset"])
    findings = ["covid", "normal"] * 21
    return films.assign(group=films["radiograph"], finding=findings, fold=0)


def judged():
    return gather(split(), TASK, 1, Evaluation(replicates=200), seed=0)


def test_a_model_is_scored_apart_on_every_source():
    """All films of a are right, on b it always says normal."""
    together = judged()
    films = together.test
    says_covid = (films["source"] == "a") & (films["finding"] == "covid")
    logits = np.where(says_covid, 3.0, -3.0)[:, None] * [1, 0]
    parts = films[["source"]].assign(sex="unknown")
    scored = score_parts(together, logits[None], parts, ["b"])
    assert {name: part["held_out"] for name, part in scored["source"].items()} == {
        "a": False,
        "b": True,
    }
    assert scored["source"]["a"]["accuracy"] == {"value": 1, "low": None, "high": None, "sd": None}
    b = scored["source"]["b"]
    assert (b["n"], b["groups"], b["n_findings"], b["accuracy"]["value"]) == (20, 20, 2, 0.5)
    assert b["accuracy"]["low"] < 0.5 < b["accuracy"]["high"]
    assert b["macro"]["f1"]["value"] == pytest.approx((0 + 2 * 10 / (10 + 20)) / 2, abs=1e-6)
    assert list(scored["sex"]) == ["unknown"]
    assert scored["sex"]["unknown"]["accuracy"]["value"] == 0.75
    assert "held_out" not in scored["sex"]["unknown"]


def test_sources_without_a_training_film_are_held_out():
    assert judged().held_out(["a", "b"]) == ["b"]


def test_every_model_has_the_same_samples_and_another_seed_others():
    first, again = judged(), judged()
    np.testing.assert_array_equal(first.weights, again.weights)
    other = gather(split(), TASK, 1, Evaluation(replicates=200), seed=1)
    assert (first.weights != other.weights).any()
    assert (first.weights.sum(axis=1) == 40).all()


def test_a_part_of_few_patients_has_no_interval_and_one_of_one_finding_no_macro_score():
    """Nineteen films of covid are right but for two; another part holds all others."""
    together = judged()
    few = np.flatnonzero(together.test["finding"] == "covid")[:19]
    parts = pd.DataFrame({"view": np.where(np.isin(np.arange(40), few), "AP", "PA")})
    logits = np.where(together.test["finding"] == "covid", 3.0, -3.0)[:, None] * [1, 0]
    logits[few[:2]] *= -1
    scored = score_parts(together, logits[None], parts, [])["view"]
    assert (scored["AP"]["n_findings"], scored["AP"]["groups"]) == (1, 19)
    assert scored["AP"]["accuracy"]["value"] == pytest.approx(17 / 19, abs=1e-6)
    assert scored["AP"]["accuracy"]["low"] is scored["AP"]["macro"]["f1"]["value"] is None
    assert scored["PA"]["macro"]["f1"]["value"] == 1

"""The errors command: which films are mistakes, why they may be, and which are shown."""

import json

import numpy as np
import pandas as pd
import pytest

from cxrpipe import tables
from cxrpipe.config import Task
from cxrpipe.evaluation.statistics.calibration import Calibration
from cxrpipe.explanation.errors import main, tell_causes
from cxrpipe.explanation.mistakes.causes import COPY, Cause
from cxrpipe.runtime import write_json

TASK = Task(findings=("normal", "covid"), sources=("a", "b"))
N = 120
NAMES = [f"{number:016x}" for number in range(N)]
TRAIN = [f"{number:016x}" for number in range(N, N + 4)]
WRONG = np.arange(N) % 4 == 0  # 30 films
TEXT = np.arange(N) % 12 == 0  # 10 films, all wrong


def split():
    """Test films alone or in pairs; a fold beside it; odd films are covid; the first 80 are a's."""
    test = pd.DataFrame({"radiograph": NAMES, "group": [NAMES[n // 3 * 3] for n in range(N)]})
    test = test.assign(source=np.where(np.arange(N) < 80, "a", "b"), subset="test")
    rest = pd.DataFrame({"radiograph": TRAIN, "group": TRAIN, "source": "a"})
    rest = rest.assign(subset=["train", "train", "validation", "validation"])
    both = pd.concat([test, rest], ignore_index=True)
    both.insert(3, "finding", np.where(np.arange(N + 4) % 2 == 0, "normal", "covid"))
    both = both[["radiograph", "group", "source", "finding", "subset"]]
    return pd.concat([both.assign(fold=fold) for fold in (0, 1)], ignore_index=True)


def predictions(wrong=WRONG):
    """Films are said to be what they are but for the wrong ones; later films more surely."""
    says_covid = (np.arange(N + 4) % 2 == 1) ^ np.concatenate([wrong, [False] * 4])
    sure = 1 + np.arange(N + 4) / 10
    table = split().query("fold == 0")[["radiograph", "subset"]].reset_index(drop=True)
    return table.assign(normal=np.where(says_covid, 0, sure), covid=np.where(says_covid, sure, 0))


def indexed():
    """The films of the split, and one that was left out since its copy has another finding."""
    shown = split().query("fold == 0")
    index = pd.DataFrame("", range(N + 5), list(tables.INDEX.columns))
    numbers = [name for name, dtype in tables.INDEX.columns.items() if dtype != "str"]
    index[numbers] = 61
    index["radiograph"] = [*shown["radiograph"], "f" * 16]
    index["findings"] = [*shown["finding"], "covid"]
    return index.assign(source="a", patient="a/somebody", sex="M", view="PA")


def measures():
    unusual = {name: 0.5 for name in tables.MEASURES.columns if name != "radiograph"}
    table = pd.DataFrame({"radiograph": NAMES} | unusual)
    return table.assign(text=np.where(TEXT, 0.01, 0.0))


@pytest.fixture
def flags(tmp_path):
    pairs = pd.DataFrame({"first": [NAMES[0]], "second": ["f" * 16], "kind": "near", "score": 1.0})
    left_out = pd.DataFrame({"radiograph": ["f" * 16], "reason": "conflict", "detail": "two"})
    written = {
        "measures": (measures(), tables.MEASURES),
        "split": (split(), tables.SPLIT),
        "duplicates": (pairs, tables.DUPLICATES),
        "left-out": (left_out, tables.LEFT_OUT),
        "index": (indexed(), tables.INDEX),
        "predictions": (predictions(), tables.predictions(TASK.findings)),
    }
    for name, (table, contract) in written.items():
        tables.write(table, tmp_path / f"{name}.csv", contract)
    settings = {"sensitivity": 0.9, "thresholds": (0.5, 0.5), "coverage": 0.9, "quantiles": (0.5,)}
    known = Calibration("w", "single", TASK.findings, n=2, temperature=2.0, **settings)
    write_json(tmp_path / "calibration.json", known.as_json())
    return {name: tmp_path / f"{name}.csv" for name in written} | {
        "fold": 0,
        "task": TASK.model_dump_json(),
        "calibration": tmp_path / "calibration.json",
        "settings": json.dumps({"per_finding": 4}),
        "evaluation": json.dumps({"level": 0.95}),
        "seed": 1,
        "errors": tmp_path / "errors.csv",
        "causes": tmp_path / "causes.json",
    }


def results(flags):
    table = tables.read(flags["errors"], tables.ERRORS).set_index("radiograph")
    return table, json.loads(flags["causes"].read_text())


def test_every_test_film_is_listed_with_what_was_said(flags, run):
    run(main, **flags)
    table, told = results(flags)
    assert list(table.index) == NAMES
    assert (told["n"], told["n_wrong"], told["groups"]) == (120, 30, 40)
    np.testing.assert_array_equal(table["right"] == 0, WRONG)
    assert table.loc[NAMES[4], ["true", "said"]].tolist() == ["normal", "covid"]
    # Logits 1.4 and 0, divided by the temperature of 2.
    assert table.loc[NAMES[4], "probability"] == pytest.approx(1 / (1 + np.exp(-0.7)))


def test_a_cause_of_wrong_films_alone_is_told_with_its_counts(flags, run):
    """Text is on 10 of 30 wrong films and on none of 90: (10.5 x 90.5) / (20.5 x 0.5) = 92.7."""
    run(main, **flags)
    table, told = results(flags)
    text = next(cause for cause in told["causes"] if cause["cause"] == "text")
    counts = {key: text[key] for key in ("wrong_with", "wrong", "right_with", "right")}
    assert counts == {"wrong_with": 10, "wrong": 30, "right_with": 0, "right": 90}
    assert text["odds_ratio"]["value"] == pytest.approx(10.5 * 90.5 / (20.5 * 0.5), abs=1e-5)
    assert 1 < text["odds_ratio"]["low"] < text["odds_ratio"]["high"]
    assert text["limit"] == 0
    assert text["p"] < text["p_adjusted"] < 0.05
    assert {"text", f"text|{COPY}"} == set(table["causes"]) - {""}
    np.testing.assert_array_equal(table["causes"].str.contains("text"), TEXT)


def test_sources_and_copies_are_causes_and_what_few_films_have_has_no_test(flags, run):
    run(main, **flags)
    table, told = results(flags)
    causes = {cause["cause"]: cause for cause in told["causes"]}
    assert list(causes) == [
        *("tint", "dark", "bright", "low contrast", "crop", "text", "devices"),
        *(COPY, "source: a against b"),
    ]
    copy = causes[COPY]
    assert (copy["wrong_with"], copy["right_with"]) == (1, 0)
    assert copy["odds_ratio"]["value"] == pytest.approx(1.5 * 90.5 / (29.5 * 0.5), abs=1e-5)
    assert copy["odds_ratio"]["low"] is copy["p"] is copy["p_adjusted"] is None
    assert "1 were left out" in copy["meaning"]
    assert table.loc[NAMES[0], "causes"] == f"text|{COPY}"
    against = causes["source: a against b"]
    assert (against["wrong_with"], against["right_with"]) == (20, 60)
    assert causes["tint"]["odds_ratio"] == {"value": None, "low": None, "high": None}


def test_p_is_adjusted_for_all_causes_that_could_be_tested(flags, run):
    """Text, and one collection against the other: the smaller p is doubled, and not tripled."""
    run(main, **flags)
    _, told = results(flags)
    p = sorted(cause["p"] for cause in told["causes"] if cause["p"] is not None)
    assert len(p) == 2
    text = next(cause for cause in told["causes"] if cause["cause"] == "text")
    assert text["p"] == p[0]
    assert text["p_adjusted"] == pytest.approx(2 * p[0], abs=3e-6)


def test_mistakes_are_drawn_of_each_finding_and_the_surest_listed(flags, run):
    """All wrong films are normal (multiples of four); the latest are the surest."""
    run(main, **flags)
    table, told = results(flags)
    wrong = [name for name, is_wrong in zip(NAMES, WRONG, strict=True) if is_wrong]
    assert told["surest"] == wrong[::-1][:20]
    assert len(told["drawn"]["normal"]) == 4
    assert set(told["drawn"]["normal"]) <= set(wrong)
    assert told["drawn"]["covid"] == []
    for name in NAMES:
        lists = [list_ for list_ in ("drawn", "surest") if name in str(told[list_])]
        assert table.loc[name, "shown"] == "|".join(lists)


def test_the_same_seed_gives_the_same_bytes_and_another_draws_others(flags, run):
    written = {}
    for attempt, seed in enumerate((1, 1, 2)):
        run(main, **flags | {"seed": seed})
        written[attempt] = (flags["errors"].read_bytes(), flags["causes"].read_bytes())
    assert written[0] == written[1]
    assert json.loads(written[0][1])["drawn"] != json.loads(written[2][1])["drawn"]
    assert json.loads(written[0][1])["causes"] == json.loads(written[2][1])["causes"]


def test_nothing_of_a_person_is_written(flags, run):
    run(main, **flags)
    text = flags["errors"].read_text() + flags["causes"].read_text()
    assert "somebody" not in text
    assert ",61" not in text
    assert list(tables.ERRORS.columns) == flags["errors"].read_text().split("\n")[0].split(",")


@pytest.mark.parametrize("all_wrong", [False, True])
def test_no_mistake_and_nothing_but_mistakes_have_defined_results(all_wrong, flags, run):
    named = predictions(np.full(N, all_wrong))
    tables.write(named, flags["predictions"], tables.predictions(TASK.findings))
    run(main, **flags)
    table, told = results(flags)
    assert told["n_wrong"] == (N if all_wrong else 0)
    assert len(told["surest"]) == (20 if all_wrong else 0)
    assert {len(films) for films in told["drawn"].values()} == {4 if all_wrong else 0}
    for cause in told["causes"]:
        assert cause["odds_ratio"] == {"value": None, "low": None, "high": None}
        assert cause["p"] is cause["p_adjusted"] is None
    assert set(table["right"]) == {int(not all_wrong)}


def keep(flags, names):
    """Leave these test films in the split and the predictions alone."""
    for name, contract in (
        ("split", tables.SPLIT),
        ("predictions", tables.predictions(TASK.findings)),
    ):
        table = tables.read(flags[name], contract)
        tables.write(table[table["radiograph"].isin([*names, *TRAIN])], flags[name], contract)


@pytest.mark.parametrize("names", [NAMES[:1], NAMES[:3], []], ids=["film", "patient", "nothing"])
def test_one_film_one_patient_and_no_film_have_defined_results(names, flags, run):
    keep(flags, names)
    run(main, **flags)
    table, told = results(flags)
    assert list(table.index) == names
    assert (told["n"], told["groups"]) == (len(names), min(len(names), 1))
    assert not any(cause["cause"].startswith("source") for cause in told["causes"])
    for cause in told["causes"]:
        assert cause["odds_ratio"]["low"] is cause["p"] is None


def test_a_calibration_of_other_findings_is_refused(flags, refusal):
    known = json.loads(flags["calibration"].read_text())
    known["findings"], known["thresholds"] = ["normal", "tb"], {"normal": 0.5, "tb": 0.5}
    write_json(flags["calibration"], known)
    assert "of other findings than the task; calibrate anew" in refusal(main, **flags)


def test_a_film_that_was_not_measured_is_refused(flags, refusal):
    tables.write(measures().iloc[1:], flags["measures"], tables.MEASURES)
    assert f"measures.csv lacks radiograph {NAMES[0]}" in refusal(main, **flags)


def test_the_report_of_causes_keeps_their_order():
    """Each of 40 films alone; a cause of every film, and one of the even ones."""
    judged = pd.DataFrame({"right": [0] * 20 + [1] * 20, "group": NAMES[:40]})
    causes = [
        Cause("all", "every film", 0.25, np.ones(40, bool)),
        Cause("even", "even films", None, np.arange(40) % 2 == 0),
    ]
    told = tell_causes(judged, causes, 0.95)
    assert [(cause["cause"], cause["limit"]) for cause in told] == [("all", 0.25), ("even", None)]
    assert told[0]["p"] is None
    assert (told[1]["odds_ratio"]["value"], told[1]["p"], told[1]["p_adjusted"]) == (1, 1, 1)

"""The certificate counts by itself, and a split that leaks is stopped whatever made it."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tabled import alone, index, pairs

from cxrpipe import tables
from cxrpipe.config import Dedupe, Split
from cxrpipe.data.certify import certify, count_films, count_shared, list_conflicts, main
from cxrpipe.data.dedupe import find_exact
from cxrpipe.data.split import split_films
from cxrpipe.runtime import UserError, read_json

FILMS = {  # radiograph: patient, finding, subset
    "a": ("p1", "normal", "train"),
    "b": ("p1|p2", "normal", "train"),
    "c": ("", "covid", "validation"),
    "d": ("", "covid", "test"),
    "e": ("p3", "covid", "test"),
}


def index_of(films):
    table = index(*((film, *told[:2]) for film, told in films.items()))
    return table.assign(radiograph=list(films))


def split(films, fold=0):
    rows = [(film, film, "s", told[1], told[2], fold) for film, told in films.items()]
    return pd.DataFrame(rows, columns=list(tables.SPLIT.columns))


def left_out(*rows):
    return pd.DataFrame(rows, columns=list(tables.LEFT_OUT.columns)).astype(str)


def certificate(films, duplicates=None, rest=None, **given):
    """Certify films; ``rest`` are further films of the index, which are left out."""
    table = index_of(films | (rest or {}))
    out = left_out(*((film, "conflict", "") for film in rest or {}))
    found = pairs() if duplicates is None else duplicates
    return certify(table, found, given.get("split", split(films)), out, Split(), Dedupe())


def refusal(films, duplicates=None, **given):
    with pytest.raises(UserError) as error:
        certificate(films, duplicates, **given)
    return str(error.value)


def test_a_clean_split_gets_a_certificate_of_zeros():
    near = pairs(["a", "b", "near", 0.99], ["d", "x", "near", 0.96])
    zeros = {"fold": 0, "patients": 0, "exact": 0, "near": 0}
    assert certificate(FILMS, near, {"x": ("", "normal", "")}) == {
        "shared": [
            zeros | {"first": first, "second": second}
            for first, second in (
                ("train", "validation"),
                ("train", "test"),
                ("validation", "test"),
            )
        ],
        "radiographs": 5,
        "groups": 5,
        "largest_group": 1,
        "without_patient": 2,
        "duplicates": {"exact": 0, "near": 2},
        "near_searched": True,
        "near_score": 0.95,
        "label_conflicts": 1,
        "label_conflicts_handled": "exclude",
        "conflicts": [
            {
                "first": "d",
                "second": "x",
                "kind": "near",
                "score": 0.96,
                "first_finding": "covid",
                "second_finding": "normal",
                "first_file": "a/3.png",
                "second_file": "a/5.png",
            }
        ],
        "left_out": {"conflict": 1, "copy": 0, "truncated": 0, "leak": 0},
        "films": [
            {"source": "a", "finding": "covid"}
            | {"train": 0, "validation": 1, "test": 2, "left out": 0},
            {"source": "a", "finding": "normal"}
            | {"train": 2, "validation": 0, "test": 0, "left out": 1},
        ],
    }


@pytest.mark.parametrize("patient", ["p1", "p2", "p9|p2"])
def test_a_patient_in_two_subsets_stops_the_run(patient):
    leaking = FILMS | {"e": (patient, "covid", "test")}
    assert refusal(leaking) == (
        "split.csv: train and test share 1 patients, 0 identical and 0 duplicate films; "
        "make the split anew"
    )


def test_a_film_with_identical_pixels_in_two_subsets_stops_the_run_even_if_no_list_names_it():
    leaking = FILMS | {"d-2": ("", "covid", "validation")}
    assert "validation and test share 0 patients, 1 identical and 0 duplicate" in refusal(leaking)


@pytest.mark.parametrize("pair", [("a", "c"), ("c", "a")])
def test_a_near_copy_in_two_subsets_stops_the_run(pair):
    message = refusal(FILMS, pairs([*pair, "near", 0.99]))
    assert "train and validation share 0 patients, 0 identical and 1 duplicate" in message


def test_films_of_unknown_patients_do_not_share_a_patient():
    assert count_shared(index_of(FILMS), pairs(), split(FILMS))["patients"].sum() == 0


def test_folds_are_counted_apart():
    moved = {film: (*told[:2], "test") for film, told in FILMS.items()}
    both = pd.concat([split(FILMS), split(moved, fold=1)])
    assert count_shared(index_of(FILMS), pairs(), both)["patients"].sum() == 0
    leaking = split(FILMS | {"b": ("p1|p2", "normal", "test")}, fold=1)
    shared = count_shared(index_of(FILMS), pairs(), pd.concat([split(FILMS), leaking]))
    assert shared[shared["patients"] > 0][["fold", "first", "second"]].to_numpy().tolist() == [
        [1, "train", "test"]
    ]


def test_a_film_that_the_index_does_not_know_cannot_be_certified():
    unknown = split(FILMS | {"zz": ("p1", "covid", "test")})
    assert "radiograph zz is not in the index" in refusal(FILMS, split=unknown)


def test_a_film_that_is_neither_split_nor_left_out_stops_the_run():
    assert "lacks radiograph d" in refusal(FILMS, split=split(FILMS).query("radiograph != 'd'"))


def test_a_film_that_one_fold_lacks_stops_the_run():
    both = pd.concat([split(FILMS), split(FILMS, fold=1).query("radiograph != 'd'")])
    assert "d" in refusal(FILMS, split=both)


def test_a_film_that_is_split_and_left_out_stops_the_run():
    with pytest.raises(UserError, match="radiograph d"):
        certify(
            index_of(FILMS),
            pairs(),
            split(FILMS),
            left_out(("d", "leak", "")),
            Split(),
            Dedupe(),
        )


def test_conflicts_are_listed_with_both_findings_and_files():
    duplicates = pairs(["a", "b", "exact", 1], ["a", "c", "exact", 1], ["b", "d", "near", 1])
    found = list_conflicts(index_of(FILMS), duplicates)
    assert found[
        ["first_finding", "first_file", "second_finding", "second_file"]
    ].to_numpy().tolist() == [
        ["normal", "a/0.png", "covid", "a/2.png"],
        ["normal", "a/1.png", "covid", "a/3.png"],
    ]


def test_a_film_with_several_findings_counts_in_the_table_of_each():
    table = index(("a", "", "x|y", "s"), ("b", "", "x", "t"), ("c", "", "y", "s"))
    rows = split({"a": ("", "x|y", "train"), "b": ("", "x", "test")})
    counts = count_films(table, rows).set_index(["source", "finding"])
    assert counts.columns.tolist() == ["train", "validation", "test", "left out"]
    assert counts.T.to_dict("list") == {
        ("s", "x"): [1, 0, 0, 0],
        ("s", "y"): [1, 0, 0, 1],
        ("t", "x"): [0, 0, 1, 0],
    }


COHORT = [
    *alone("normal", 9, films=2),
    *alone("covid", 9),
    ("c", "", "normal"),
    ("c", "", "normal"),
    ("n", "", "covid"),
    ("m", "", "covid"),
]
TABLE = index(*COHORT)
NEAR = pd.concat([find_exact(TABLE), pairs(["m", "n", "near", 0.97])])
WHOLE, REST = split_films(TABLE, NEAR, Split(folds=2), ["a"], 0)


@given(st.sampled_from(sorted(WHOLE["radiograph"])), st.integers(0, 1), st.data())
def test_a_film_moved_away_from_its_group_is_noticed_and_one_that_is_alone_passes(film, fold, data):
    row = (WHOLE["radiograph"] == film) & (WHOLE["fold"] == fold)
    here = WHOLE.loc[row, "subset"].item()
    there = data.draw(st.sampled_from(sorted({*tables.SUBSETS} - {here})))
    moved = WHOLE.assign(subset=WHOLE["subset"].mask(row, there))
    group = WHOLE.loc[row, "group"].item()
    given = (TABLE, NEAR, moved, REST, Split(folds=2), Dedupe())
    if (WHOLE[WHOLE["fold"] == fold]["group"] == group).sum() == 1:
        assert certify(*given)["radiographs"] == len(TABLE) - 1
        return
    with pytest.raises(UserError, match=r"share [01] patients, 0 identical and [01] duplicate"):
        certify(*given)


def test_the_certificate_of_a_split_counts_what_was_planned():
    told = certify(TABLE, NEAR, WHOLE, REST, Split(folds=2), Dedupe(near=False))
    # 27 films of 18 patients, one film twice, and two that are copies of each other.
    assert told["radiographs"] == 27 + 1 + 2
    assert told["groups"] == 18 + 1 + 1
    assert told["largest_group"] == 2
    assert told["without_patient"] == 3
    assert told["duplicates"] == {"exact": 1, "near": 1}
    assert told["left_out"] == {"conflict": 0, "copy": 1, "truncated": 0, "leak": 0}
    assert told["near_searched"] is False
    assert len(told["shared"]) == 2 * 3


def write(folder, films):
    names = ("index", "duplicates", "split", "left-out")
    files = {name: folder / f"{name}.csv" for name in names}
    tables.write(index_of(films), files["index"], tables.INDEX)
    tables.write(pairs(), files["duplicates"], tables.DUPLICATES)
    tables.write(split(films), files["split"], tables.SPLIT)
    tables.write(left_out(), files["left-out"], tables.LEFT_OUT)
    return files | {"settings": "{}", "dedupe": "{}", "leakage": folder / "leakage.json"}


def test_the_command_writes_the_certificate(tmp_path, run):
    run(main, **write(tmp_path, FILMS))
    assert read_json(tmp_path / "leakage.json") == certificate(FILMS)


def test_the_command_writes_no_certificate_for_a_split_that_leaks(tmp_path, refusal):
    files = write(tmp_path, FILMS | {"e": ("p1", "covid", "test")})
    assert "train and test share 1 patients" in refusal(main, **files)
    assert not files["leakage"].exists()

"""The certificate counts by itself, and a split that leaks is stopped whatever made it."""

import pandas as pd
import pytest

from cxrpipe import tables
from cxrpipe.config import Split
from cxrpipe.data.certify import certify, count_conflicts, count_shared, main
from cxrpipe.runtime import UserError, read_json

FILMS = {  # radiograph: patient, finding, subset
    "a": ("p1", "normal", "train"),
    "b": ("p1|p2", "normal", "train"),
    "c": ("", "covid", "validation"),
    "d": ("", "covid", "test"),
    "e": ("p3", "covid", "test"),
}


def index(films):
    table = pd.DataFrame("", range(len(films)), list(tables.INDEX.columns))
    patients, findings, _ = zip(*films.values(), strict=True)
    table = table.assign(radiograph=list(films), patient=patients, findings=findings)
    return table.assign(age=50.0, width=1, height=1)


def split(films, fold=0):
    rows = [(film, film, finding, subset, fold) for film, (_, finding, subset) in films.items()]
    return pd.DataFrame(rows, columns=list(tables.SPLIT.columns))


def pairs(*rows):
    return pd.DataFrame(rows, columns=list(tables.DUPLICATES.columns))


def refusal(films, duplicates=None):
    with pytest.raises(UserError) as error:
        certify(index(films), pairs() if duplicates is None else duplicates, split(films), Split())
    return str(error.value)


def test_a_clean_split_gets_a_certificate_of_zeros():
    near = pairs(["a", "b", "near", 0.99], ["d", "x", "exact", 1.0])
    table = index(FILMS | {"x": ("", "normal", "")})
    certificate = certify(table, near, split(FILMS), Split(conflicts="first"))
    zeros = {"fold": 0, "patients": 0, "exact": 0, "near": 0}
    assert certificate == {
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
        "without_patient": 3,
        "duplicates": {"exact": 1, "near": 1},
        "near_searched": False,
        "label_conflicts": 1,
        "label_conflicts_handled": "first",
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
def test_a_near_duplicate_in_two_subsets_stops_the_run(pair):
    message = refusal(FILMS, pairs([*pair, "near", 0.99]))
    assert "train and validation share 0 patients, 0 identical and 1 duplicate" in message


def test_films_of_unknown_patients_do_not_share_a_patient():
    assert count_shared(index(FILMS), pairs(), split(FILMS))["patients"].sum() == 0


def test_folds_are_counted_apart():
    moved = {film: (*told[:2], "test") for film, told in FILMS.items()}
    both = pd.concat([split(FILMS), split(moved, fold=1)])
    assert count_shared(index(FILMS), pairs(), both)["patients"].sum() == 0
    leaking = split(FILMS | {"b": ("p1|p2", "normal", "test")}, fold=1)
    shared = count_shared(index(FILMS), pairs(), pd.concat([split(FILMS), leaking]))
    assert shared[shared["patients"] > 0][["fold", "first", "second"]].to_numpy().tolist() == [
        [1, "train", "test"]
    ]


def test_a_film_that_the_index_does_not_know_cannot_be_certified():
    unknown = split(FILMS | {"zz": ("p1", "covid", "test")})
    with pytest.raises(UserError, match="zz"):
        certify(index(FILMS), pairs(), unknown, Split())


def test_pairs_under_two_findings_are_counted():
    duplicates = pairs(["a", "b", "exact", 1], ["a", "c", "exact", 1], ["b", "d", "near", 1])
    assert count_conflicts(index(FILMS), duplicates) == 2


def write(folder, films):
    files = {name: folder / f"{name}.csv" for name in ("index", "duplicates", "split")}
    tables.write(index(films), files["index"], tables.INDEX)
    tables.write(pairs(), files["duplicates"], tables.DUPLICATES)
    tables.write(split(films), files["split"], tables.SPLIT)
    return files | {"settings": "{}", "leakage": folder / "leakage.json"}


def test_the_command_writes_the_certificate(tmp_path, run):
    run(main, **write(tmp_path, FILMS))
    expected = certify(index(FILMS), pairs(), split(FILMS), Split())
    assert read_json(tmp_path / "leakage.json") == expected


def test_the_command_writes_no_certificate_for_a_split_that_leaks(tmp_path, refusal):
    files = write(tmp_path, FILMS | {"e": ("p1", "covid", "test")})
    assert "train and test share 1 patients" in refusal(main, **files)
    assert not files["leakage"].exists()

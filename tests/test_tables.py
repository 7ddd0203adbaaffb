"""The contracts of the tables: what is refused by name and row, and that reading undoes writing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrpipe import tables
from cxrpipe.runtime import UserError
from cxrpipe.tables import Contract

FILM = {
    "radiograph": "00ff",
    "source": "s",
    "file": "a.png",
    "patient": "",
    "view": "PA",
    "age": np.nan,
    "sex": "F",
    "width": 3,
    "height": 2,
    "mode": "L",
    "tint": 0.0,
    "contrast": 0.5,
    "blank": 0.25,
    "findings": "covid",
    "published": "",
    "lungs": "",
    "lesions": "",
    "boxes": "",
}
SMALL = Contract({"name": "str", "count": "int64", "share": "float64"}, key=("name",))


def index(**changes):
    other = FILM | {"radiograph": "0110", "file": "b, c.png"}
    return pd.DataFrame([FILM, other | changes])


def test_an_index_is_written_as_counted_by_hand_and_read_back_equal(tmp_path):
    path = tmp_path / "deep/index.csv"
    tables.write(index(age=41.5), path, tables.INDEX)
    assert path.read_text() == (
        "radiograph,source,file,patient,view,age,sex,width,height,mode,tint,contrast,blank,"
        "findings,published,lungs,lesions,boxes\n"
        "00ff,s,a.png,,PA,,F,3,2,L,0,0.5,0.25,covid,,,,\n"
        '0110,s,"b, c.png",,PA,41.5,F,3,2,L,0,0.5,0.25,covid,,,,\n'
    )
    pd.testing.assert_frame_equal(tables.read(path, tables.INDEX), index(age=41.5))


# ASSUME no value holds a carriage return: Python 3.11 writes it unquoted, pandas reads a new row.
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=8)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            TEXTS, st.integers(-(2**53), 2**53), st.floats(width=32, allow_nan=False, max_value=1e9)
        ).filter(lambda row: np.isfinite(row[2])),
        unique_by=lambda row: row[0],
    )
)
def test_reading_undoes_writing_for_any_text_and_any_single_number(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("tables") / "small.csv"
    table = pd.DataFrame(rows, columns=list(SMALL.columns)).astype(SMALL.columns)
    tables.write(table, path, SMALL)
    again = tables.read(path, SMALL)
    assert list(again["name"]) == list(table["name"])
    assert list(again["count"]) == list(table["count"])
    np.testing.assert_array_equal(
        again["share"].astype(np.float32), table["share"].astype(np.float32)
    )


def test_an_empty_table_is_read_back_with_its_columns_and_dtypes(tmp_path):
    nothing = pd.DataFrame([], columns=list(tables.DUPLICATES.columns))
    tables.write(nothing, tmp_path / "d.csv", tables.DUPLICATES)
    again = tables.read(tmp_path / "d.csv", tables.DUPLICATES)
    assert len(again) == 0
    assert {name: str(dtype) for name, dtype in again.dtypes.items()} == tables.DUPLICATES.columns


def test_ids_that_look_like_numbers_stay_text(tmp_path):
    numbered = pd.DataFrame([["007", 1, 0.5], ["1e5", 2, 0.5], ["NA", 3, 0.5]])
    tables.write(numbered.set_axis(list(SMALL.columns), axis=1), tmp_path / "n.csv", SMALL)
    assert list(tables.read(tmp_path / "n.csv", SMALL)["name"]) == ["007", "1e5", "NA"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sex": "male"}, "index: sex 'male' is none of F, M, "),
        ({"width": np.nan}, "index: width is not a number in row 3"),
        ({"height": np.inf}, "index: height is not a number in row 3"),
        ({"radiograph": "00ff"}, "index: radiograph ['00ff'] stands in two rows"),
        ({"extra": 1}, "found radiograph, source"),
    ],
)
def test_a_broken_index_is_refused_with_its_column_and_row(changes, message):
    with pytest.raises(UserError) as error:
        tables.check(index(**changes), tables.INDEX, "index")
    assert message in str(error.value)


def test_an_age_may_be_unknown_but_a_score_may_not():
    tables.check(index(), tables.INDEX, "index")
    pair = pd.DataFrame([["a", "b", "near", np.nan]], columns=list(tables.DUPLICATES.columns))
    with pytest.raises(UserError, match="score is not a number in row 2"):
        tables.check(pair, tables.DUPLICATES, "duplicates")


def test_a_film_may_stand_in_two_folds_but_only_once_in_each():
    rows = [["a", "g", "s", "covid", "train", 0], ["a", "g", "s", "covid", "test", 1]]
    split = pd.DataFrame(rows, columns=list(tables.SPLIT.columns))
    tables.check(split, tables.SPLIT, "split")
    with pytest.raises(UserError, match=r"radiograph, fold \['a', .*0.*\] stands in two rows"):
        tables.check(split.assign(fold=0), tables.SPLIT, "split")


def test_a_broken_table_is_not_written(tmp_path):
    with pytest.raises(UserError, match="sex 'x'"):
        tables.write(index(sex="x"), tmp_path / "index.csv", tables.INDEX)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_column_is_named_with_the_file(tmp_path):
    index().drop(columns="view").to_csv(tmp_path / "index.csv", index=False)
    with pytest.raises(UserError, match=r"index\.csv: column view is missing; make the file anew"):
        tables.read(tmp_path / "index.csv", tables.INDEX)


@pytest.mark.parametrize("width", ["wide", ""])
def test_a_width_that_is_no_number_is_refused_with_its_row(tmp_path, width):
    index().astype({"width": str}).replace({"width": {"3": width}}).to_csv(
        tmp_path / "index.csv", index=False
    )
    with pytest.raises(UserError, match=r"index\.csv: width is not a number in row 2"):
        tables.read(tmp_path / "index.csv", tables.INDEX)


def test_a_prediction_table_has_one_logit_for_every_finding_in_their_order():
    contract = tables.predictions(["normal", "covid"])
    table = pd.DataFrame({"radiograph": ["a"], "subset": ["test"], "normal": [1.0], "covid": [0.0]})
    tables.check(table, contract, "predictions")
    swapped = table[["radiograph", "subset", "covid", "normal"]]
    with pytest.raises(UserError, match="expected columns radiograph, subset, normal, covid;"):
        tables.check(swapped, contract, "predictions")
    with pytest.raises(UserError, match="subset 'val' is none of train, validation, test"):
        tables.check(table.assign(subset="val"), contract, "predictions")

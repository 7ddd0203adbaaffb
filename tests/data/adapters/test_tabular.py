"""Tables as collections write them: separators, encodings, compression, Excel, names of films."""

import gzip

import pandas as pd
import pytest

from cxrpipe.catalogue import Table
from cxrpipe.data.adapters.naming import Names, fill, shape
from cxrpipe.data.adapters.tabular import Rows, read_rows, read_table
from cxrpipe.runtime import UserError


def cells(path):
    table = read_table(path)
    return list(table.columns), table.to_numpy().tolist()


EXPECTED = ["name", "age"], [["Ångström, J.", "007"], ["b", ""]]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("t.csv", 'name,age\n"Ångström, J.", 007\nb,\n'.encode()),
        ("t.csv", 'name,age\r\n"Ångström, J.",007\r\nb,\r\n'.encode("latin-1")),
        ("t.csv", '\ufeffname,age\n"Ångström, J.",007\nb,\n'.encode()),
        ("t.csv", "name;age\nÅngström, J.;007\nb;\n".encode()),
        ("t.tsv", "name\tage\nÅngström, J.\t007\nb\t\n".encode()),
        ("t.csv.gz", gzip.compress('name,age\n"Ångström, J.",007\nb,\n'.encode("latin-1"))),
    ],
)
def test_a_table_of_text_is_read_however_it_is_written(tmp_path, file, content):
    (tmp_path / file).write_bytes(content)
    assert cells(tmp_path / file) == EXPECTED


def test_an_excel_sheet_is_read_as_text(tmp_path):
    rows = pd.DataFrame({"FILE NAME": ["COVID-1", "COVID-2"], "SIZE": [256, None]}, dtype=object)
    rows.to_excel(tmp_path / "t.xlsx", index=False)
    assert cells(tmp_path / "t.xlsx") == (
        ["FILE NAME", "SIZE"],
        [["COVID-1", "256"], ["COVID-2", ""]],
    )


def test_a_header_with_commas_in_its_names_keeps_the_columns_of_its_rows(tmp_path):
    (tmp_path / "b.csv").write_text("Image,Bbox [x,y,w,h],,\n1.png,1,2,3,4,,\n")
    columns, rows = cells(tmp_path / "b.csv")
    assert columns[:5] == ["Image", "Bbox [x", "y", "w", "h]"]
    assert rows[0][:5] == ["1.png", "1", "2", "3", "4"]


def test_cells_that_a_short_row_lacks_are_empty(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c\n1\nNA,nan,null\n")
    assert cells(tmp_path / "t.csv")[1] == [["1", "", ""], ["NA", "nan", "null"]]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("t.xlsx", b"no sheet"),
        ("t.csv.gz", b"not compressed"),
        ("t.csv", b""),
        ("t.csv", b"a,b\n1,2\n3,4,5\n"),
        ("t.csv", b"a,b\n1,2,3\n4,5,6\n"),
    ],
)
def test_a_file_that_is_no_table_is_refused_by_name(tmp_path, file, content):
    (tmp_path / file).write_bytes(content)
    with pytest.raises(UserError, match=rf"{file}: cannot be read as a table: .*; save it as CSV"):
        read_table(tmp_path / file)


def test_the_first_of_several_names_is_read_and_all_are_named_if_none_is_there(tmp_path):
    (tmp_path / "two.csv").write_text("id\nsecond\n")
    (tmp_path / "three.csv").write_text("id\nthird\n")
    table = Table(file=("one.csv", "two.csv", "three.csv"), film="{id}.png")
    rows, columns = read_rows(tmp_path, table, [])
    assert rows.of("second.png") == [{"id": "second"}]
    assert columns == ["id"]
    table = Table(file=("one.csv", "none.csv"), film="{id}")
    with pytest.raises(UserError, match=r"one.csv \(nor none.csv\): the table .* is missing"):
        read_rows(tmp_path, table, [])


def found(films, *files):
    rows = Rows([{"row": str(number)} for number in range(len(films))], films)
    return ["".join(row["row"] for row in rows.of(file)) for file in files]


def test_rows_name_films_by_path_by_name_or_without_suffix():
    paths = found(["a/1.png", "2.png"], "a/1.png", "b/1.png", "2.png", "a/2.png")
    assert paths == ["0", "", "1", ""]
    assert found(["1.png", "2.png"], "a/1.png", "b/1.png", "1.jpg") == ["0", "0", ""]
    assert found(["1", "2.b"], "a/1.png", "b/1.JPG", "2.b.png") == ["0", "0", "1"]
    assert found(["a/1"], "a/1.png", "b/1.png") == ["0", ""]


def test_the_case_of_a_name_is_ignored_only_where_one_name_fits():
    assert found(["NORMAL-1", "COVID-1"], "x/Normal-1.png", "x/COVID-1.png") == ["0", "1"]
    assert found(["A.png", "a.png"], "A.png", "a.png", "A.PNG") == ["0", "1", ""]
    names = Names(["Ab", "aB", "c"])
    assert [names.find(name) for name in ("Ab", "AB", "C", "d")] == ["Ab", "", "c", ""]


def test_templates_are_filled_and_their_shape_fits_what_they_give():
    assert fill("{folder}/masks/{x y}.png", {"folder": "a/b", "x y": "1"}) == "a/b/masks/1.png"
    assert fill("{gone}.png", {}) == ".png"
    masks = shape("{folder}/masks/{name}.png")
    assert masks.fullmatch("a/b/masks/1.png")
    assert not masks.fullmatch("a/b/images/1.png")
    assert not masks.fullmatch("a/b/masks/1xpng")
    assert shape("{lungs}") is None
    assert shape("{folder}/{name}.png") is None

"""Which files are films: what people name may be a file, a folder, a study or a list."""

import os

import pytest
from made import make_film

from cxrpipe.inference.listing import is_film, list_films, read_list
from cxrpipe.runtime import UserError

DICOM = bytes(128) + b"DICM" + bytes(64)


def write(path, content=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_folder_gives_its_films_at_every_depth_by_name(tmp_path):
    films = [make_film(tmp_path / name) for name in ("a.png", "b/1.JPG", "b/c/2.tif", "d.webp")]
    for other in ("notes.txt", "b/films.csv", "Makefile", ".hidden.png", ".cache/3.png"):
        write(tmp_path / other)
    assert list_films([tmp_path]) == films


def test_a_study_is_films_without_suffix_and_its_index_is_none(tmp_path):
    films = [write(tmp_path / name, DICOM) for name in ("IM0001", "s/1.2.840.113", "s/2.DCM")]
    write(tmp_path / "DICOMDIR", DICOM)
    write(tmp_path / "README", b"a text that is long enough " * 9)
    write(tmp_path / "s/3.14", b"no DICOM")
    assert list_films([tmp_path]) == films


def test_a_file_that_is_named_is_a_film_whatever_it_is_called(tmp_path):
    odd = write(tmp_path / "film.of.17")
    film = make_film(tmp_path / "films/a.png")
    assert list_films([odd, film.parent, odd]) == [odd, film, odd]


def test_a_folder_whose_name_begins_with_a_dot_is_taken_if_it_is_named(tmp_path):
    film = make_film(tmp_path / ".films/a.png")
    assert list_films([film.parent]) == [film]


def test_a_file_that_cannot_be_opened_is_left_to_whoever_decodes_it(tmp_path):
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert is_film(tmp_path / "gone")


def test_linked_folders_are_walked_once_and_a_circle_ends(tmp_path):
    film = make_film(tmp_path / "else/a.png")
    folder = tmp_path / "films"
    own = make_film(folder / "b/2.png")
    (folder / "linked").symlink_to(film.parent)
    (folder / "linked_again").symlink_to(film.parent)
    (folder / "b/circle").symlink_to(folder)
    (folder / "gone.png").symlink_to("nowhere")
    assert list_films([folder]) == [own, folder / "gone.png", folder / "linked/a.png"]


def test_a_folder_that_may_not_be_looked_into_is_a_mistake(tmp_path, monkeypatch):
    make_film(tmp_path / "a.png")
    closed = tmp_path / "closed"
    closed.mkdir()
    scan = os.scandir

    def refuse(path):
        if os.fspath(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(closed))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UserError, match=r"closed: cannot be looked into \(Permission denied\); "):
        list_films([tmp_path])


def test_a_place_that_is_not_there_or_holds_no_film_is_a_mistake(tmp_path):
    with pytest.raises(UserError, match=r"nowhere: no such file or folder"):
        list_films([tmp_path / "nowhere"])
    write(tmp_path / "notes.txt")
    with pytest.raises(UserError, match=r"holds no film; films end in \.png \.jpg"):
        list_films([tmp_path])


def test_a_list_has_a_path_a_line_with_blanks_kept_inside(tmp_path):
    lines = ["a.png\n", "\n", "my films/b.png\r\n", "  \n", "c.png"]
    assert [str(path) for path in read_list(lines, "it")] == ["a.png", "my films/b.png", "c.png"]
    with pytest.raises(UserError, match="standard input: holds no path"):
        read_list(["\n", " \n"], "standard input")


def test_a_byte_order_mark_is_no_part_of_a_path_and_nul_ends_no_line():
    assert [str(path) for path in read_list(["\ufeffa.png\n", "b.png"], "it")] == ["a.png", "b.png"]
    with pytest.raises(UserError, match="it: paths are separated by NUL; give one a line"):
        read_list(["a.png\0b.png\0"], "it")

"""Which files are films: what people name may be a file, a folder, or a list."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from cxrpipe.data.films.dicom import is_dicom
from cxrpipe.data.films.film import SUFFIXES
from cxrpipe.runtime import UserError

PREAMBLE = 256  # bytes that tell a DICOM file


def list_films(places: Iterable[Path]) -> list[Path]:
    """List films: files as they are named, and of folders what is in them, at every depth.

    Of a folder, files are films by their suffix, and without one if they are DICOM: so a study that
    was exported to a folder is taken whole, with the folders that it links to, each of them once.
    In order of their names; hidden ones are left out.

    Raises
    ------
    UserError
        If a place does not exist, or a folder holds no film or cannot be looked into.
    """
    films: list[Path] = []
    for place in places:
        if not place.exists():
            raise UserError(f"{place}: no such file or folder; check the path")
        found = [place] if not place.is_dir() else sorted(_walk(place))
        if not found:
            suffixes = " ".join(SUFFIXES)
            raise UserError(f"{place}: holds no film; films end in {suffixes}, or are DICOM")
        films += found
    return films


def _walk(folder: Path) -> Iterator[Path]:
    seen = set()  # links may lead round in a circle
    for inside, folders, files in os.walk(folder, onerror=_refuse, followlinks=True):
        status = Path(inside).stat()
        if (place := (status.st_dev, status.st_ino)) in seen:
            folders.clear()
            continue
        seen.add(place)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = (Path(inside, name) for name in files if not name.startswith("."))
        # What is not there is a link to nothing: whoever decodes it says so.
        yield from (it for it in paths if (it.is_file() or not it.exists()) and is_film(it))


def _refuse(error: OSError) -> NoReturn:
    told = f"cannot be looked into ({error.strerror})"
    raise UserError(f"{error.filename}: {told}; make it readable, or name films") from error


def is_film(path: Path) -> bool:
    """Tell whether a file is named like a film, or has no suffix and is DICOM.

    The index of a DICOM study is none, and one that cannot be opened is for whoever decodes it.
    """
    if path.name == "DICOMDIR":
        return False
    if path.suffix:
        return path.suffix.lower() in SUFFIXES or (path.suffix[1:].isdigit() and _is_dicom(path))
    return _is_dicom(path)


def _is_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_dicom(file.read(PREAMBLE))
    except OSError:
        return True  # its reason for not being read is told in its place


def read_list(lines: Iterable[str], where: str) -> list[Path]:
    """Read paths, one a line; empty lines are skipped, and a byte order mark.

    Raises
    ------
    UserError
        If there is none, or what separates them is no end of a line.
    """
    films = []
    for line in lines:
        if "\0" in line:
            raise UserError(f"{where}: paths are separated by NUL; give one a line")
        if line.strip("\ufeff \t\r\n"):
            films.append(Path(line.removeprefix("\ufeff").rstrip("\r\n")))
    if not films:
        raise UserError(f"{where}: holds no path; give one a line")
    return films

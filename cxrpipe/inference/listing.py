"""Which files are films: what people name may be a file, a folder, or a list."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cxrpipe.data.films.dicom import is_dicom
from cxrpipe.data.films.film import SUFFIXES
from cxrpipe.runtime import UserError

PREAMBLE = 256  # bytes that tell a DICOM file


def list_films(places: Iterable[Path]) -> list[Path]:
    """List films: files as they are named, and of folders what is in them, at every depth.

    Of a folder, files are films by their suffix, and without one if they are DICOM: so a study that
    was exported to a folder is taken whole. In order of their names; hidden ones are left out.

    Raises
    ------
    UserError
        If a place does not exist, or a folder holds no film.
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
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file() and is_film(path):
            yield path


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
    """Read paths, one a line; empty lines are skipped.

    Raises
    ------
    UserError
        If there is none.
    """
    films = [Path(line.rstrip("\r\n")) for line in lines if line.strip()]
    if not films:
        raise UserError(f"{where}: holds no path; give one a line")
    return films

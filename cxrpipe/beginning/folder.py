"""What a user's folder holds, by names alone: films, masks and tables."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cxrpipe.data.fetching.own import list_files
from cxrpipe.data.films.dicom import is_dicom
from cxrpipe.data.films.film import SUFFIXES
from cxrpipe.runtime import UserError

TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".xlsx")
MASK_FOLDER = re.compile(r"(?i)masks?$|^masks?\b|^(?:lungs|lesions)$")
MASK_FILE = re.compile(r"(?i)[-_ ](?:mask|seg)$")
BARE = re.compile(r"[^/.]+|[\d.]+")  # how DICOM files without a suffix are named
N_OPENED = 50  # files without a suffix that are looked into; PREAMBLE bytes tell DICOM
PREAMBLE = 256


@dataclass(frozen=True)
class Folder:
    """Names of files, relative to the folder; hidden ones are none of them.

    Attributes
    ----------
    films
        Pictures by their suffix, and files without one where these are DICOM.
    masks
        Pictures whose name or folder says that they are masks.
    tables
        CSV, TSV and Excel.
    """

    path: Path
    films: tuple[str, ...]
    masks: tuple[str, ...]
    tables: tuple[str, ...]


@contextmanager
def reading() -> Iterator[None]:
    """Turn what cannot be opened into a UserError that names it, as the run's copy of it does."""
    try:
        yield
    except OSError as error:
        said = f"{error.filename}: {error.strerror}; let it be read, or take it away"
        raise UserError(said) from error


@reading()
def list_folder(path: Path) -> Folder:
    """List what a folder holds, links followed; files are opened only to tell DICOM, and few.

    Raises
    ------
    UserError
        If there is no such folder, no film in it, or something that cannot be read.
    """
    if not path.is_dir():
        found = "a file" if path.exists() else "not there"
        raise UserError(f"{path}: {found}; give the folder that holds your films")
    listed = [file.relative_to(path).as_posix() for file in list_files(path)]
    names = [name for name in listed if not is_hidden(name)]
    pictures = [name for name in names if name.lower().endswith(SUFFIXES)]
    bare = [name for name in names if BARE.fullmatch(name.rpartition("/")[2])]
    if any(_is_dicom(path / name) for name in spread(bare, N_OPENED)):
        pictures = sorted([*pictures, *bare])
    films = [name for name in pictures if not is_mask(name)]
    if not films:
        suffixes = " ".join(SUFFIXES)
        raise UserError(f"{path}: holds no film; films end in {suffixes}, or are DICOM")
    masks = [name for name in pictures if is_mask(name)]
    tables = [name for name in names if name.lower().endswith(TABLES)]
    return Folder(path, tuple(films), tuple(masks), tuple(tables))


def is_hidden(name: str) -> bool:
    """Tell whether a name, or a folder of its, is hidden, or was left behind by a Mac."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def is_mask(name: str) -> bool:
    """Tell whether a name says that its picture is a mask."""
    *folders, _ = name.split("/")
    return any(map(MASK_FOLDER.search, folders)) or bool(MASK_FILE.search(stem_of(name)))


def spread(names: Sequence[str], n: int) -> Sequence[str]:
    """Return ``n`` names at most, evenly taken."""
    return names[:: max(1, -(-len(names) // n))]


def suffix_of(name: str) -> str:
    """Return the suffix by which a picture is known, in lower case; empty if it has none."""
    suffix = f".{name.rpartition('.')[2].lower()}"
    return suffix if suffix in SUFFIXES else ""


def stem_of(name: str) -> str:
    """Return the name of a picture without its folders and suffix."""
    file = name.rpartition("/")[2]
    return file[: len(file) - len(suffix_of(file))]


def suffixes_of(names: Iterable[str]) -> list[str]:
    """List the suffixes of pictures, without dots, in order; empty is none."""
    return sorted({suffix_of(name).removeprefix(".") for name in names})


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return is_dicom(file.read(PREAMBLE))

"""What ``doctor`` checks of a collection: whether it is here, else where it will come from."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cxrpipe.beginning.folder import reading
from cxrpipe.beginning.told import Told, count
from cxrpipe.catalogue import Origin
from cxrpipe.data.adapters.sources import CHECKSUMS, read_checksums
from cxrpipe.data.fetching.kaggle import NO_SET_UP, read_set_up
from cxrpipe.data.fetching.own import list_files, list_placed
from cxrpipe.data.films.film import SUFFIXES
from cxrpipe.runtime import UserError

DATA, PLACED = Path("data"), Path("placed")


def check_collection(name: str, origin: Origin, mirror: str) -> Told:
    """Check that all files of a collection are here, or that they can come; nothing is fetched.

    Parameters
    ----------
    mirror
        Folder or address that goes before the collection's own; may be empty.
    """
    try:
        with reading():
            told = _check_arrived(name) if is_here(name) else _check_coming(name, origin, mirror)
    except UserError as error:
        told = Told("wrong", "films", str(error))
    return replace(told, found=f"{name}: {told.found}")


def is_here(name: str) -> bool:
    """Tell whether a collection was brought to ``data``."""
    return (DATA / name / CHECKSUMS).is_file()


def _check_arrived(name: str) -> Told:
    """Check by their names that all files are here; their bytes were checked as they came."""
    folder = DATA / name
    listed = read_checksums(folder)
    present = set(_walk(folder))
    missing = [file for file in listed if file not in present]
    if not missing:
        return Told("ok", "films", f"{count(len(listed), 'file')} in {folder}")
    found = f"{len(missing):,} of {count(len(listed), 'file')} gone from {folder}"
    mend = f"dvc checkout brings them back, or rm {folder / CHECKSUMS} and a run gets all anew"
    return Told("wrong", "films", f"{found}, such as {missing[0]}", mend)


def _walk(folder: Path) -> Iterator[str]:
    for place, _, names in os.walk(folder, followlinks=True):
        inside = Path(place).relative_to(folder)
        yield from ((inside / name).as_posix() for name in names)


def _check_coming(name: str, origin: Origin, mirror: str) -> Told:
    """Check where a collection will come from, in the order in which ``download`` looks."""
    placed = PLACED / name
    if origin.phantom:
        return Told("ok", "films", "synthetic: drawn by the run")
    if origin.path or (origin.place and list_placed(placed)):
        return _check_folder(Path(origin.path or placed).expanduser())
    if mirror.startswith(("http://", "https://")):
        return Told("note", "films", f"not here yet; comes from the mirror {mirror} (not tried)")
    if mirror:
        return _check_mirror(name, Path(mirror).expanduser())
    if origin.place:
        mend = f"put there: {' '.join(origin.place.split())}"
        return Told("wrong", "films", f"nothing in {placed}/ yet", mend)
    if origin.kaggle and not read_set_up():
        return Told("wrong", "films", f"of Kaggle ({origin.kaggle})", NO_SET_UP)
    address = origin.repository or origin.kaggle or origin.address.split("?")[0]
    return Told("note", "films", f"not here yet; will be fetched from {address} (not tried)")


def _check_folder(place: Path) -> Told:
    """Check a folder of the user's own."""
    if not place.is_dir():
        mend = "correct path: of origin in config/sources.yaml"
        return Told("wrong", "films", f"no folder {place}", mend)
    if n_files := len(list_files(place)):
        found = f"{count(n_files, 'file')} in {place}, copied by the run"
        return Told("ok", "films", found)
    return Told("wrong", "films", f"{place} is empty", "put your films there")


def _check_mirror(name: str, mirror: Path) -> Told:
    """Check that a mirror holds a collection."""
    if (mirror / name).is_dir():
        n_files = len(read_checksums(mirror / name))
        return Told("ok", "films", f"{count(n_files, 'file')} in {mirror / name}")
    found = f"the mirror {mirror} has no folder {name}" if mirror.is_dir() else f"no {mirror}"
    return Told("wrong", "films", found, "correct mirror: of params.yaml, or leave it empty")


def measure_collection(name: str, origin: Origin, mirror: str) -> tuple[int, int]:
    """Return how many films a collection has, and how many bytes of it are still to be copied.

    Both are 0 where only its host knows, and where what is here cannot be read.
    """
    try:
        return _measure_here(name, origin, mirror)
    except (OSError, UserError):  # told as it was checked
        return 0, 0


def _measure_here(name: str, origin: Origin, mirror: str) -> tuple[int, int]:
    if is_here(name):
        return sum(file.lower().endswith(SUFFIXES) for file in read_checksums(DATA / name)), 0
    told = (origin.path, PLACED / name, mirror and Path(mirror, name))
    folders = [Path(place).expanduser() for place in told if place]
    folder = next(filter(Path.is_dir, folders), None)
    files = list_files(folder) if folder and not origin.phantom else []
    films = sum(file.name.lower().endswith(SUFFIXES) for file in files)
    return films, sum(file.stat().st_size for file in files)

"""A user's own files: copied from a folder, or taken from where a person placed them."""

import glob
import shutil
from pathlib import Path

from cxrpipe.data.adapters.sources import CHECKSUMS
from cxrpipe.data.fetching.archive import is_archive, unpack
from cxrpipe.data.fetching.checks import can_be_listed, verify
from cxrpipe.runtime import UserError, progress


def list_files(folder: Path) -> list[Path]:
    """List the files of a folder, links followed, an old ``SHA256SUMS`` left out."""
    # Path.rglob does not follow links to folders before Python 3.13.
    names = glob.iglob("**", root_dir=folder, recursive=True, include_hidden=True)  # noqa: PTH207
    files = sorted(folder / name for name in names)
    return [file for file in files if file.is_file() and file.name != CHECKSUMS]


def list_placed(place: Path) -> list[Path]:
    """List what a person placed; hidden files are none of it."""
    return [file for file in list_files(place) if not file.name.startswith(".")]


def copy_folder(folder: Path, place: Path) -> None:
    """Copy a user's own folder."""
    files = list_files(place)
    if not files:
        found = f"{place} is empty" if place.is_dir() else f"no folder {place}"
        raise UserError(f"path: {found}; give the folder that holds your films")
    for file in progress(files, len(files), "files copied"):
        _copy(file, folder / file.relative_to(place))


def take_placed(folder: Path, place: Path, instructions: str, sha256: str) -> None:
    """Copy what a person placed; archives are unpacked side by side, as if unpacked there.

    Parameters
    ----------
    place
        ``placed/<source>``; what is in its folders is copied, archives or not.
    instructions
        What to fetch from where, told if nothing is there.
    sha256
        Checksum of the single archive; may be empty.
    """
    files = list_placed(place)
    if not files:
        raise UserError(
            f"{place.name}: nothing in {place}/ yet; put there, as archives or folders, what you "
            f"get so, and run again: {instructions.strip()}"
        )
    if sha256 and len(files) > 1:
        raise UserError(f"{place}: sha256: is of one file, but {len(files)} are here; remove it")
    if sha256:
        verify(files[0], sha256, str(files[0]))
    for file in progress(files, len(files), "placed files taken"):
        if file.parent == place and is_archive(file, file.name):
            unpack(file, folder, str(file))
        elif (folder / file.relative_to(place)).exists():
            raise UserError(f"{file}: an archive beside it holds it too; take one of the two away")
        else:
            _copy(file, folder / file.relative_to(place))


def _copy(file: Path, target: Path) -> None:
    if not can_be_listed(str(file)):
        raise UserError(f"{str(file)!r}: no list of files can hold this name; rename it")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(file, target)
    except PermissionError as error:
        raise UserError(f"{file}: {error.strerror}; let it be read, or take it away") from error

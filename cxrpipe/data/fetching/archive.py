"""Unpack zip and tar archives: nothing leaves the folder, nothing but plain files is made."""

import lzma
import posixpath
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from cxrpipe.data.fetching.checks import can_be_listed, is_web_page
from cxrpipe.data.fetching.fetch import BY_HAND
from cxrpipe.data.fetching.room import full_disk_told, refuse_if_full
from cxrpipe.runtime import UserError, progress

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
OTHER_SUFFIXES = (".rar", ".7z", ".zst")  # archives too, but Python cannot read them
PROGRAM = re.compile(r"\.(php|aspx?|jsp|cgi)$")  # a web server's, which says nothing of the file
BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError)


class BrokenArchiveError(UserError):
    """An archive that cannot be read to its end."""


@dataclass(frozen=True)
class Member:
    """A file in an archive, or a link to one."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]
    target: str = ""  # what a link points to, from the archive's root
    problem: str = ""  # what it is, if it is none of both


def is_archive(file: Path, name: str) -> bool:
    """Tell whether a file is to be unpacked: by its name, or by its content if no suffix tells.

    A table such as ``labels.xlsx`` is a zip file inside, but stays as it is.
    """
    name = name.lower()
    if name.endswith(SUFFIXES + OTHER_SUFFIXES):
        return True
    if re.search(r"\.[a-z]\w*$", name) and not PROGRAM.search(name):
        return False
    try:
        return tarfile.is_tarfile(file) or zipfile.is_zipfile(file)
    except BROKEN:  # compressed, and too short for a tar
        return False


def unpack(archive: Path, folder: Path, name: str) -> None:
    """Unpack an archive into a folder, archives in it left as they are.

    All members are looked at before the first is written. A link becomes a copy of the file that
    it points to; one to a folder, or to what is not in the archive, is left out.

    Parameters
    ----------
    name
        What messages call the archive.

    Raises
    ------
    BrokenArchiveError
        If it is none, or cannot be read to its end.
    UserError
        If a member would leave the folder, is a device, or would overwrite another; if the disk
        has too little room.
    """
    try:
        with _opened(archive, name) as content:
            members = list(_MEMBERS[type(content)](content))
            _refuse_unsafe(members, name)
            refuse_if_full(folder, sum(member.size for member in members), name)
            with full_disk_told(folder, name):
                _write(members, folder, name)
    except BROKEN as error:
        raise BrokenArchiveError(f"{name}: a broken archive: {error}; fetch it anew") from error
    except NotImplementedError as error:  # a compression that zipfile does not know
        raise UserError(f"{name}: {error}; unpack it by hand and use place: of origin") from error
    except OSError as error:  # of gzip and bz2, which give no number
        if error.errno is not None:
            raise
        raise BrokenArchiveError(f"{name}: a broken archive: {error}; fetch it anew") from error


def _opened(archive: Path, name: str) -> zipfile.ZipFile | tarfile.TarFile:
    if tarfile.is_tarfile(archive):  # first, for a tar may end with a zip
        return tarfile.open(archive)
    if zipfile.is_zipfile(archive):
        return zipfile.ZipFile(archive)
    with archive.open("rb") as content:
        if is_web_page(content.read(1024)):
            raise BrokenArchiveError(f"{name}: a web page (a login or consent page?); {BY_HAND}")
    if name.lower().endswith(OTHER_SUFFIXES):
        raise UserError(f"{name}: only zip and tar archives are unpacked; unpack it by hand")
    raise BrokenArchiveError(f"{name}: a broken archive: neither zip nor tar; fetch it anew")


def _zip_members(content: zipfile.ZipFile) -> Iterator[Member]:
    for info in content.infolist():
        name = info.filename.replace("\\", "/")  # as some programs of Windows write it
        kind = stat.S_IFMT(info.external_attr >> 16)
        opened = partial(content.open, info)
        if info.flag_bits & 1:
            yield Member(name, 0, opened, problem="is encrypted")
        elif kind == stat.S_IFLNK:
            target = content.read(info).decode(errors="replace")
            yield Member(name, 0, opened, posixpath.join(posixpath.dirname(name), target))
        elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            yield Member(name, 0, opened, problem="is a device or a pipe")
        elif not name.endswith("/"):
            yield Member(name, info.file_size, opened)


def _tar_members(content: tarfile.TarFile) -> Iterator[Member]:
    for info in content:
        opened = partial(_open_in_tar, content, info)
        if info.issym():
            target = posixpath.join(posixpath.dirname(info.name), info.linkname)
            yield Member(info.name, 0, opened, target)
        elif info.islnk():
            yield Member(info.name, 0, opened, info.linkname)
        elif info.isfile():
            yield Member(info.name, info.size, opened)
        elif not info.isdir():
            yield Member(info.name, 0, opened, problem="is a device or a pipe")
    rest = cast("IO[bytes]", content.fileobj)
    while rest.read(1 << 20):  # to the end, where gzip, bz2 and xz hold their checksums
        pass


def _open_in_tar(content: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    return cast("IO[bytes]", content.extractfile(info))  # None is for what is no file


_MEMBERS: dict[type, Callable[[Any], Iterator[Member]]] = {
    zipfile.ZipFile: _zip_members,
    tarfile.TarFile: _tar_members,
}


def _refuse_unsafe(members: list[Member], name: str) -> None:
    """Refuse an archive with a member that is no plain file inside, and name the member."""
    for member in members:
        if ".." in PurePosixPath(member.name).parts:
            problem = "leaves the folder"
        elif member.name.startswith("/") or re.match("[A-Za-z]:/", member.name):
            problem = "is an absolute path"
        elif posixpath.normpath(member.target).startswith(("/", "..")):
            problem = f"is a link that points outside, to {member.target}"
        elif not can_be_listed(member.name):
            problem = "has a name that no list of files can hold"
        else:
            problem = member.problem
        if problem:
            raise UserError(
                f"{name}: {member.name!r} in it {problem}; unpack it by hand, use place: of origin"
            )


def _write(members: list[Member], folder: Path, name: str) -> None:
    """Write the members, files first, so that links find them."""
    for member in progress(
        sorted(members, key=lambda member: bool(member.target)), len(members), "files unpacked"
    ):
        target = folder / member.name
        pointed = folder / posixpath.normpath(member.target)
        if member.target and not pointed.is_file():
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with (
                pointed.open("rb") if member.target else member.open() as source,
                target.open("xb") as file,
            ):
                shutil.copyfileobj(source, file, 1 << 20)
        except (FileExistsError, NotADirectoryError) as error:
            mend = "unpack it by hand into a folder of its own, and use place: of origin"
            raise UserError(f"{name}: there is another {member.name!r} already; {mend}") from error

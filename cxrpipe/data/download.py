"""Bring one collection to ``data/<source>``, checked file by file.

It is drawn (phantoms), copied from a folder or a mirror, or fetched from its address. The folder
appears whole or not at all and holds ``SHA256SUMS``, which all later stages read.
"""

import argparse
import hashlib
import http.client
import logging
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from functools import partial
from pathlib import Path

from cxrpipe.catalogue import Origin, Phantom
from cxrpipe.config import check
from cxrpipe.data.phantom import PlannedFilm, plan_films, write_film
from cxrpipe.data.sources import CHECKSUMS, read_checksums
from cxrpipe.runtime import UserError, command, parallel, progress, whole

SECONDS_TO_WAIT = 60
log = logging.getLogger(__name__)


def draw_phantoms(folder: Path, phantom: Phantom, cores: int) -> None:
    """Draw the films of an imaginary hospital with their masks and ``films.csv``."""
    plan = plan_films(phantom)
    films = [PlannedFilm(*row) for row in plan.itertuples(index=False)]
    draw = partial(write_film, folder, phantom)
    for _ in parallel(draw, films, len(films), cores, "phantoms drawn"):
        pass
    plan.to_csv(folder / "films.csv", index=False, lineterminator="\n")


def copy_folder(folder: Path, place: Path) -> None:
    """Copy a user's own folder."""
    if not place.is_dir():
        raise UserError(f"path: no folder {place}; give the folder that holds your films")
    files = sorted(file for file in place.rglob("*") if file.is_file() and file.name != CHECKSUMS)
    if not files:
        raise UserError(f"path: {place} is empty; give the folder that holds your films")
    for file in progress(files, len(files), "files copied"):
        target = folder / file.relative_to(place)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def copy_mirror(folder: Path, mirror: str, source: str) -> None:
    """Copy a collection from a mirror (a folder, or the address of one), as its list says."""
    place = f"{mirror.rstrip('/')}/{source}"
    remote = mirror.startswith(("http://", "https://"))
    if remote:
        fetch(f"{place}/{CHECKSUMS}", folder / CHECKSUMS)
    elif not Path(mirror).is_dir():
        raise UserError(f"mirror: no folder {mirror}; correct it, or leave mirror empty")
    elif not Path(place).is_dir():
        raise UserError(f"mirror: {mirror} has no folder '{source}'; add it, or leave mirror empty")
    else:
        read_checksums(Path(place))
        shutil.copyfile(Path(place) / CHECKSUMS, folder / CHECKSUMS)
    checksums = read_checksums(folder)
    for name, sha256 in progress(checksums.items(), len(checksums), "files copied and checked"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if remote:
            fetch(f"{place}/{urllib.request.pathname2url(name)}", target)
        elif (Path(place) / name).is_file():
            shutil.copyfile(Path(place) / name, target)
        else:
            raise UserError(f"{place}/{name}: listed in {CHECKSUMS} but missing; fetch it anew")
        verify(target, sha256, f"{place}/{name}")


def fetch_address(folder: Path, origin: Origin) -> None:
    """Fetch an archive or a single file, check it, and unpack an archive into the folder."""
    address = origin.address or f"{origin.repository}/archive/{origin.commit}.zip"
    delivered = folder / ".delivered"
    try:
        fetch(address, delivered)
        if origin.sha256:
            verify(delivered, origin.sha256, address)
        unpack(delivered, folder, origin, address)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
        raise UserError(f"{address}: a broken archive: {error}; fetch it anew") from error
    finally:
        delivered.unlink(missing_ok=True)


def fetch(address: str, target: Path) -> None:
    """Write what an address delivers to a file.

    Raises
    ------
    UserError
        If the address cannot be reached or refuses.
    """
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "cxrpipe"})  # noqa: S310
        with (
            urllib.request.urlopen(request, timeout=SECONDS_TO_WAIT) as answer,  # noqa: S310
            target.open("wb") as file,
        ):
            shutil.copyfileobj(answer, file, 1 << 20)
            if getattr(answer, "length", None):
                raise ConnectionError(f"broke off {answer.length:,} bytes too early")
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        mend = "check the address and the connection, or set mirror: in config/config.yaml"
        raise UserError(f"{address}: {error}; {mend}") from error


def verify(file: Path, sha256: str, name: str) -> None:
    """Compare a file with its SHA-256, or raise a UserError that names it and both sums."""
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != sha256:
        raise UserError(
            f"{name}: SHA-256 is {found[:12]}..., expected {sha256[:12]}...; fetch it anew"
        )


def unpack(archive: Path, folder: Path, origin: Origin, address: str) -> None:
    """Unpack a zip or tar archive, or move a single file in; nothing leaves the folder.

    ``origin.folder`` of the archive becomes the root; of a repository's archive, the folder that
    GitHub wraps around the files is taken off first.
    """
    unpacked = folder / ".unpacked"
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as content:
            content.extractall(unpacked)  # noqa: S202  zipfile drops '..' and leading '/'
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as content:
            content.extractall(unpacked, filter="data")
    else:
        archive.replace(folder / address.rsplit("/", 1)[-1])
        return
    wrapper = next(unpacked.iterdir()) if origin.repository else unpacked
    root = wrapper / origin.folder
    if not root.is_dir():
        raise UserError(f"{address}: no folder '{origin.folder}' inside; correct folder: of origin")
    for child in root.iterdir():
        child.replace(folder / child.name)
    shutil.rmtree(unpacked)


def write_checksums(folder: Path) -> None:
    """List every file of a folder in ``SHA256SUMS``, in the form of ``sha256sum``."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != CHECKSUMS)
    lines = []
    for file in progress(files, len(files), "files summed"):
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        lines.append(f"{sha256}  {file.relative_to(folder).as_posix()}\n")
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def bring(folder: Path, source: str, origin: Origin, mirror: str, cores: int) -> None:
    """Fill an empty folder with a collection and its ``SHA256SUMS``."""
    folder.mkdir(parents=True)
    if origin.phantom:
        draw_phantoms(folder, origin.phantom, cores)
    elif origin.path:
        copy_folder(folder, Path(origin.path).expanduser())
    elif mirror:
        copy_mirror(folder, mirror, source)
    else:
        fetch_address(folder, origin)
    if not (folder / CHECKSUMS).is_file():
        write_checksums(folder)
    log.info(f"{source}: {len(read_checksums(folder)):,} files")


@command
def main() -> None:
    """Bring one collection, as ``config/sources.yaml`` says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="name of the collection")
    parser.add_argument("--origin", required=True, help="where it comes from, as JSON")
    parser.add_argument("--mirror", default="", help="folder or address of a mirror")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--checksums", type=Path, required=True, help="data/<source>/SHA256SUMS")
    arguments = parser.parse_args()
    origin = check(Origin, arguments.origin, "--origin")
    with whole(arguments.checksums.parent) as folder:
        bring(folder, arguments.source, origin, arguments.mirror, arguments.cores)


if __name__ == "__main__":
    main()

"""Bring one collection to ``data/<source>``, checked file by file.

It is drawn (phantoms), copied from a folder or a mirror, fetched from its address or from Kaggle,
or taken from where a person placed it. The folder appears whole or not at all and holds
``SHA256SUMS``, which all later stages read. What an interrupted download has fetched is kept
beside it, in ``data/.arriving-<source>``, and the next one goes on from there.
"""

import argparse
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from cxrpipe.catalogue import Origin, Phantom
from cxrpipe.config import check
from cxrpipe.data.adapters.sources import CHECKSUMS, read_checksums
from cxrpipe.data.fetching.archive import BrokenArchiveError, is_archive, unpack
from cxrpipe.data.fetching.checks import checksum
from cxrpipe.data.fetching.fetch import Address, fetch, open_session
from cxrpipe.data.fetching.kaggle import kaggle_address
from cxrpipe.data.fetching.mirror import copy_mirror
from cxrpipe.data.fetching.own import copy_folder, list_files, list_placed, take_placed
from cxrpipe.data.fetching.partial import Partial
from cxrpipe.data.fetching.room import full_disk_told
from cxrpipe.data.phantoms.phantom import PlannedFilm, plan_films, write_film
from cxrpipe.runtime import UserError, command, parallel, progress

log = logging.getLogger(__name__)


def draw_phantoms(folder: Path, phantom: Phantom, cores: int) -> None:
    """Draw the films of an imaginary hospital with their masks and ``films.csv``."""
    plan = plan_films(phantom)
    films = [PlannedFilm(*row) for row in plan.itertuples(index=False)]
    draw = partial(write_film, folder, phantom)
    for _ in parallel(draw, films, len(films), cores, "phantoms drawn"):
        pass
    plan.to_csv(folder / "films.csv", index=False, lineterminator="\n")


def fetch_origin(folder: Path, origin: Origin, address: Address, arriving: Path) -> None:
    """Fetch an archive or a single file, and unpack the archive into the folder.

    What is fetched stays in ``arriving``, so that neither an interruption nor a full disk costs
    it; a broken archive is removed.
    """
    delivered = arriving / "delivered"
    if origin.sha256 and delivered.is_file() and checksum(delivered) != origin.sha256:
        delivered.unlink()
    if not delivered.is_file():
        with open_session() as session:
            fetch(session, address, delivered, Partial(arriving / "partial"), origin.sha256)
    if origin.address and not is_archive(delivered, address.file):
        delivered.replace(folder / (address.file or delivered.name))
        return
    try:
        unpack(delivered, folder, address.name)
    except BrokenArchiveError:
        delivered.unlink()
        raise


def locate(origin: Origin) -> Address:
    """Return the address that delivers a collection."""
    if origin.kaggle:
        return kaggle_address(origin.kaggle, origin.version)
    url = origin.address or f"{origin.repository}/archive/{origin.commit}.zip"
    return Address(url, url.split("?")[0])  # what follows may be a secret


def find_root(folder: Path, origin: Origin, name: str) -> Path:
    """Return the folder that holds the collection: all, or ``origin.folder`` of it.

    Of a repository's archive, the folder that GitHub wraps around the files is taken off first.
    """
    wrapper = next(folder.iterdir(), folder) if origin.repository else folder
    root = wrapper / origin.folder
    if not root.is_dir():
        raise UserError(f"{name}: no folder '{origin.folder}' inside; correct folder: of origin")
    return root


def write_checksums(folder: Path) -> None:
    """List every file of a folder in ``SHA256SUMS``, in the form of ``sha256sum``."""
    files = list_files(folder)
    lines = [
        f"{checksum(file)}  {file.relative_to(folder).as_posix()}\n"
        for file in progress(files, len(files), "files summed")
    ]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


@contextmanager
def arriving(target: Path, origin: Origin) -> Iterator[Path]:
    """Give a folder beside the target that outlives an interruption, for the same origin alone.

    It goes once the target is there, or if nothing in it can be gone on from.
    """
    folder = target.with_name(f".arriving-{target.name}")
    note, wanted = folder / "origin.json", origin.model_dump_json(exclude={"folder"})
    if not note.is_file() or note.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        note.write_text(wanted, encoding="utf-8")
    try:
        yield folder
    except BaseException:
        if list_files(folder) == [note]:
            shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


@contextmanager
def emptied(folder: Path) -> Iterator[Path]:
    """Give an empty folder, and take it away again if what fills it fails."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder)
        raise


def gather(
    arriving: Path, source: str, origin: Origin, mirror: str, placed: Path, cores: int
) -> Path:
    """Bring a collection into the arriving folder, and return the folder that holds it whole."""
    own = origin.phantom or origin.path or (origin.place and list_placed(placed))
    if mirror and not own:
        (arriving / "mirror").mkdir(exist_ok=True)
        copy_mirror(arriving / "mirror", mirror, source, Partial(arriving / "partial"))
        return arriving / "mirror"
    with emptied(arriving / "draft") as draft:
        if origin.phantom:
            draw_phantoms(draft, origin.phantom, cores)
        elif origin.path:
            copy_folder(draft, Path(origin.path).expanduser())
        elif origin.place:
            take_placed(draft, placed, origin.place, origin.sha256)
        else:
            fetch_origin(draft, origin, locate(origin), arriving)
        root = find_root(draft, origin, source)
        if not list_files(root):
            raise UserError(f"{source}: nothing in it; correct origin: of config/sources.yaml")
        write_checksums(root)
    return root


def bring(target: Path, source: str, origin: Origin, mirror: str, placed: Path, cores: int) -> None:
    """Make the folder of a collection with its ``SHA256SUMS`` appear, whole or not at all."""
    with arriving(target, origin) as folder, full_disk_told(folder, source):
        root = gather(folder, source, origin, mirror, placed, cores)
        shutil.rmtree(target, ignore_errors=True)
        root.replace(target)
    log.info(f"{source}: {len(read_checksums(target)):,} files")


@command
def main() -> None:
    """Bring one collection, as ``config/sources.yaml`` says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="name of the collection")
    parser.add_argument("--origin", required=True, help="where it comes from, as JSON")
    parser.add_argument("--mirror", default="", help="folder or address of a mirror")
    parser.add_argument("--placed", type=Path, required=True, help="placed/<source>")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--checksums", type=Path, required=True, help="data/<source>/SHA256SUMS")
    arguments = parser.parse_args()
    origin = check(Origin, arguments.origin, "--origin")
    target = arguments.checksums.parent
    bring(target, arguments.source, origin, arguments.mirror, arguments.placed, arguments.cores)


if __name__ == "__main__":
    main()

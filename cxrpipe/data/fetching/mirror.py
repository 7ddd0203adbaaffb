"""Copy a collection from a mirror: a folder, or the address of one, with ``SHA256SUMS``."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from cxrpipe.data.adapters.sources import CHECKSUMS, read_checksums
from cxrpipe.data.fetching.checks import checksum, verify
from cxrpipe.data.fetching.fetch import Address, fetch, open_session
from cxrpipe.data.fetching.own import list_files
from cxrpipe.data.fetching.partial import Partial
from cxrpipe.runtime import UserError, progress

LACKS = {404: "the mirror lacks it; correct mirror:, or leave it empty"}
Bring = Callable[[str, Path, str], None]  # name in the collection, target, SHA-256 or ""


def copy_mirror(folder: Path, mirror: str, source: str, arrived: Partial) -> None:
    """Copy a collection as its list says; what fits the list is kept, all else removed.

    Parameters
    ----------
    arrived
        The file that was being fetched when an earlier attempt ended.
    """
    with _opened(mirror, source, arrived) as bring:
        bring(CHECKSUMS, folder / CHECKSUMS, "")
        checksums = read_checksums(folder)
        for file in list_files(folder):
            if checksum(file) != checksums.get(file.relative_to(folder).as_posix()):
                file.unlink()
        for name, sha256 in progress(checksums.items(), len(checksums), "files copied and checked"):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_file():
                bring(name, target, sha256)


@contextmanager
def _opened(mirror: str, source: str, arrived: Partial) -> Iterator[Bring]:
    """Give the means to bring one file of a collection."""
    place = f"{mirror.rstrip('/')}/{source}"
    if not mirror.startswith(("http://", "https://")):
        yield _from_folder(mirror, source)
        return
    with open_session() as session:

        def bring(name: str, target: Path, sha256: str) -> None:
            """Fetch one file."""
            address = Address(f"{place}/{quote(name)}", f"{place}/{name}", mends=LACKS)
            fetch(session, address, target, arrived, sha256)

        yield bring


def _from_folder(mirror: str, source: str) -> Bring:
    place = Path(mirror).expanduser() / source
    if not place.parent.is_dir():
        raise UserError(f"mirror: no folder {mirror}; correct it, or leave mirror empty")
    if not place.is_dir():
        raise UserError(f"mirror: {mirror} has no folder '{source}'; add it, or leave mirror empty")
    read_checksums(place)

    def bring(name: str, target: Path, sha256: str) -> None:
        """Copy one file and check it."""
        if not (place / name).is_file():
            raise UserError(f"{place / name}: listed in {CHECKSUMS} but missing; fetch it anew")
        shutil.copyfile(place / name, target)
        if sha256:
            verify(target, sha256, str(place / name))

    return bring

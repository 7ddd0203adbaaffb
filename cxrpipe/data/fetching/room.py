"""Disk space: refused beforehand where it cannot suffice, told in one line where it runs out."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cxrpipe.runtime import UserError

FULL = (errno.ENOSPC, errno.EDQUOT)
MEND = "make room, or let data/ be a link to a larger disk, and run again"


def refuse_if_full(folder: Path, needed: int, name: str) -> None:
    """Raise a UserError if a folder's disk has less than ``needed`` bytes free."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{name}: needs {size(needed)} in {folder}, where {size(free)} are free; {MEND}"
        )


@contextmanager
def full_disk_told(folder: Path, name: str, needed: int | None = None) -> Iterator[None]:
    """Turn a disk that fills up, or a used-up quota, into a UserError.

    Parameters
    ----------
    needed
        Bytes still to be written when the block begins; None where that is not known.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        free = size(shutil.disk_usage(folder).free)
        needs = f"needs {size(needed)}" if needed else "needs more"
        raise UserError(
            f"{name}: {error.strerror}: {needs} in {folder}, where {free} are free; {MEND}"
        ) from error


def size(n_bytes: float) -> str:
    """Return a number of bytes to be read, such as ``1.5 GB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:,.0f} {unit}" if unit == "bytes" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:,.1f} TB"

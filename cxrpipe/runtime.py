"""What every command shares: errors for users, logging, progress, seeds, whole files, workers."""

import hashlib
import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import wraps
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")

SECONDS_BETWEEN_LINES = 5.0
RESEARCH_USE = "For research only. Not a medical device; not for diagnosis or treatment."


class UserError(Exception):
    """A mistake that the user can mend: one line that names the culprit and the mend."""


def command(main: Callable[[], None]) -> Callable[[], None]:
    """Make a command end with one line and status 2 on a UserError; bugs keep their traceback.

    A job also ends when the Snakemake that started it is killed, so that it cannot overwrite what
    a later run makes.
    """

    @wraps(main)
    def run() -> None:
        """Run the command."""
        name = Path(sys.argv[0]).stem
        if workflow := os.environ.get("CXRPIPE_WORKFLOW"):
            # Ctrl-C ends a job at once: as an exception a library could swallow it.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            threading.Thread(target=_end_with, args=(int(workflow),), daemon=True).start()
        logging.basicConfig(
            level=logging.INFO, format=f"{name}: %(message)s", stream=sys.stderr, force=True
        )
        try:
            main()
        except UserError as error:
            print(f"cxrpipe {name}: error: {' '.join(str(error).split())}", file=sys.stderr)
            sys.exit(2)

    return run


def _end_with(process: int) -> None:
    while _is_alive(process):
        time.sleep(1)
    os._exit(1)


def derive_seed(seed: int, *names: str | int) -> int:
    """Derive an independent seed (63 bits) for a named purpose.

    The same seed and names give the same number on every machine and in every process.
    """
    digest = hashlib.sha256(repr((seed, *names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary sibling to write to; it gets its final name only if all went well.

    Works for files and folders. A killed process leaves at most a sibling that begins with
    ``.partial-``, which the next writer of the same path removes once no process has its number.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".partial-*-{path.name}"):
        if not _is_alive(int(leftover.name.split("-")[1])):
            _remove(leftover)
    partial = path.parent / f".partial-{os.getpid()}-{path.name}"
    _remove(partial)  # of an earlier process that had the same number
    try:
        yield partial
        if partial.is_dir() and path.is_dir():
            _remove(path)
        elif partial.is_file():
            with partial.open("rb") as written:
                os.fsync(written)  # before the name, also when the power fails
        partial.replace(path)
    finally:
        _remove(partial)


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a JSON file whole; keys keep their order."""
    with whole(path) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds keys and values."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def progress(items: Iterable[A], total: int, what: str) -> Iterator[A]:
    """Pass items on, and log how many are done and the time left every few seconds.

    Plain lines serve the terminal and the log file alike, also when jobs run side by side.
    """
    log = logging.getLogger(__name__)
    start = last = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES and done < total:
            left = (now - start) / done * (total - done)
            log.info(f"{done:,} of {total:,} {what}, {clock(left)} left")
            last = now


def clock(seconds: float) -> str:
    """Return a duration as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def parallel(
    function: Callable[[A], B], items: Iterable[A], total: int, cores: int, what: str
) -> Iterator[B]:
    """Apply a function to every item on several cores, in order, with progress.

    The function and its items must be picklable. Results that wait for their turn are kept in
    memory.
    """
    if cores == 1 or total < 2 * cores:
        yield from progress(map(function, items), total, what)
        return
    with ProcessPoolExecutor(
        cores, mp_context=get_context("forkserver"), initializer=_follow, initargs=(os.getpid(),)
    ) as pool:
        chunk = max(1, min(32, total // (4 * cores)))
        yield from progress(pool.map(function, items, chunksize=chunk), total, what)


def count_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _follow(parent: int) -> None:
    """Make a worker leave Ctrl-C to its parent and end when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()

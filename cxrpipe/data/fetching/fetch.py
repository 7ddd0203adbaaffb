"""Fetch one address to one file: with progress, retried, gone on from where it broke off."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, InvalidHeader, ReadTimeoutError
from urllib3.util import Retry

from cxrpipe.data.fetching.checks import another_sum, checksum, is_web_page
from cxrpipe.data.fetching.partial import Partial, version_mark
from cxrpipe.data.fetching.room import full_disk_told, refuse_if_full, size
from cxrpipe.runtime import SECONDS_BETWEEN_LINES, UserError, clock

TRIES = 5  # in a row without a byte more
FIRST_PAUSE = 1.0  # seconds; doubled after each further try
LONGEST_PAUSE = 120  # seconds, also where the host asks for more
SECONDS_TO_WAIT = 60
CHUNK = 1 << 16  # bytes
BUSY = (408, 425, 429)  # and all from 500: the host may answer the next time

BY_HAND = "fetch it by hand and use place: of origin (config/README.md)"
NO_ACCESS = f"it needs an account, or its terms accepted: get access, {BY_HAND}"
GONE = "it is gone: correct the address, or set mirror: in params.yaml"
CHECK = "check the address and the connection, or set mirror: in params.yaml"
MENDS = {401: NO_ACCESS, 403: NO_ACCESS, 404: GONE, 410: GONE}
NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Address:
    """Where a file is and what messages call it; a URL itself may carry a secret."""

    url: str
    name: str
    auth: AuthBase | tuple[str, str] | None = None
    mends: Mapping[int, str] = field(default_factory=dict)  # HTTP status: what to do

    @property
    def file(self) -> str:
        """The file's name: the last part of the path, without a query."""
        name = PurePosixPath(unquote(urlsplit(self.url).path)).name
        return "" if name == ".." else name


class BrokenOffError(Exception):
    """A try that failed in a way that another one may not."""

    def __init__(self, reason: str, pause: float = 0) -> None:
        super().__init__(reason)
        self.pause = pause


def open_session() -> requests.Session:
    """Open a session for many addresses of a host; bytes come as they are stored."""
    session = requests.Session()
    session.headers.update({"User-Agent": "cxrpipe", "Accept-Encoding": "identity"})
    return session


def fetch(
    session: requests.Session, address: Address, target: Path, partial: Partial, sha256: str = ""
) -> None:
    """Fetch what an address delivers to a file that appears whole and with its checksum.

    Raises
    ------
    UserError
        If the address refuses, is gone, cannot be reached in ``TRIES`` tries, delivers a web
        page or another checksum, or if the disk is full.
    """
    for chances in (1, 0):
        _complete(session, address, partial)
        found = checksum(partial.path) if sha256 else ""
        if found == sha256:
            break
        continued = partial.continued
        partial.clear()
        if not (continued and chances):
            raise UserError(another_sum(address.name, found, sha256))
        log.info(f"{address.name}: the continued file has another SHA-256; starting over")
    partial.path.replace(target)
    partial.clear()


def _complete(session: requests.Session, address: Address, partial: Partial) -> None:
    """Try until all has arrived; a try that brought the file forward starts the count anew."""
    failures = 0
    while True:
        before = partial.size
        try:
            _deliver(session, address, partial)
            return
        except BrokenOffError as broken:
            forward = partial.continued and partial.size > before
            failures = 1 if forward else failures + 1
            if failures == TRIES:
                raise UserError(f"{address.name}: {broken}, {TRIES} times; {CHECK}") from broken
            pause = max(FIRST_PAUSE * 2 ** (failures - 1), min(broken.pause, LONGEST_PAUSE))
            log.info(f"{address.name}: {broken}; next try in {clock(pause)}")
            time.sleep(pause)


def _deliver(session: requests.Session, address: Address, partial: Partial) -> None:
    """Ask once, and add what comes to the partial file."""
    asked = partial.range(address.name)
    try:
        with session.get(
            address.url, headers=asked, auth=address.auth, stream=True, timeout=SECONDS_TO_WAIT
        ) as answer:
            if _is_to_be_written(answer, address, partial):
                _write(answer, address, partial)
    except NO_ADDRESS as error:
        raise UserError(f"{address.name}: {error}; {CHECK}") from error
    except (requests.RequestException, HTTPError) as error:
        raise BrokenOffError(_reason(error)) from error


def _is_to_be_written(answer: requests.Response, address: Address, partial: Partial) -> bool:
    """Judge an answer by its status; False if everything is here already."""
    status, name = answer.status_code, address.name
    if status == 416 and answer.headers.get("Content-Range") == f"bytes */{partial.size}":
        partial.continued = True
        return False
    if status == 416 or (status == 206 and not partial.fits(answer.headers)):
        partial.clear()
        raise BrokenOffError("the file has changed at its host")
    if status in BUSY or status >= 500:
        raise BrokenOffError(f"HTTP {status} {answer.reason}", _asked_pause(answer.headers))
    if status not in (200, 206):
        mend = address.mends.get(status) or MENDS.get(status, CHECK)
        raise UserError(f"{name}: HTTP {status} {answer.reason}; {mend}")
    if status == 200:
        partial.restart(name, version_mark(answer.headers))
    else:
        partial.continued = True
        log.info(f"{name}: going on after {size(partial.size)}")
    return True


def _write(answer: requests.Response, address: Address, partial: Partial) -> None:
    """Add the body of an answer to the partial file, with progress."""
    name, folder = address.name, partial.path.parent
    done, length = partial.size, answer.headers.get("Content-Length", "")
    left = int(length) if length.isdecimal() else None
    refuse_if_full(folder, left or 0, name)
    chunks = answer.raw.stream(CHUNK, decode_content=False)
    if done == 0:
        head = next(chunks, b"")
        if _is_page_by_mistake(head, answer.headers.get("Content-Type", ""), address):
            partial.clear()
            raise UserError(
                f"{name}: delivered a web page (a login or consent page?) instead of "
                f"{address.file or 'a file'}; {BY_HAND}"
            )
        chunks = chain([head], chunks)
    with full_disk_told(folder, name, left), partial.path.open("ab") as file:
        for chunk in _followed(chunks, done, done + left if left else None, name):
            file.write(chunk)


def _is_page_by_mistake(head: bytes, content_type: str, address: Address) -> bool:
    """Tell whether text for a browser comes where a file was asked for."""
    if address.file.lower().endswith((".html", ".htm")):
        return False
    return is_web_page(head) or (content_type.startswith("text/html") and b"\0" not in head)


def _followed(chunks: Iterable[bytes], done: int, total: int | None, name: str) -> Iterator[bytes]:
    """Pass chunks on, and log how much is here and the time left every few seconds."""
    before, start = done, time.monotonic()
    last = start
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES:
            left = (now - start) / (done - before) * (total - done) if total else 0
            known = f" of {size(total)}, {clock(left)} left" if total else ""
            log.info(f"{name}: {size(done)}{known}")
            last = now


def _asked_pause(headers: Mapping[str, str]) -> float:
    """Return the seconds that the host asks to wait (RFC 9110, 10.2.3); 0 if it does not."""
    try:
        return Retry().parse_retry_after(headers.get("Retry-After", "0"))
    except InvalidHeader:
        return 0


def _reason(error: BaseException) -> str:
    """Say in a few words why a connection failed, without the URL, which may carry a secret."""
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return f"no answer for {SECONDS_TO_WAIT} s"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate cannot be checked"
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return "the connection broke off"

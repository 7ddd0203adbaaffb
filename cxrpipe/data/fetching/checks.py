"""What a fetched file has to pass before it is used."""

import hashlib
from pathlib import Path

from cxrpipe.runtime import UserError


def checksum(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def verify(file: Path, sha256: str, name: str) -> None:
    """Compare a file with its SHA-256, or raise a UserError that names it and both sums."""
    found = checksum(file)
    if found != sha256:
        raise UserError(another_sum(name, found, sha256))


def can_be_listed(name: str) -> bool:
    """Tell whether ``SHA256SUMS`` can hold a file's name: text of one line."""
    return len(name.splitlines()) == 1 and name == name.encode(errors="ignore").decode()


def is_web_page(head: bytes) -> bool:
    """Tell by its first bytes whether a file is a web page."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html"))


def another_sum(name: str, found: str, expected: str) -> str:
    """Say that a file is not the expected one."""
    return f"{name}: SHA-256 is {found[:12]}..., expected {expected[:12]}...; fetch it anew"

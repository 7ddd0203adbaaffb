"""Means of the tests of fetching: a host that misbehaves as told, files and archives."""

import hashlib
import io
import tarfile
import threading
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def fill(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, held in files.items():
            archive.writestr(name, held)
    return content.getvalue()


def tarred(files, mode="w:gz"):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:
        for name, held in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(held)
            archive.addfile(member, io.BytesIO(held))
    return content.getvalue()


@dataclass
class Step:
    """How one request is answered."""

    status: int = 200
    headers: dict = field(default_factory=dict)
    cut: int | None = None  # the connection closes after so many bytes of the body
    length: int | str = "true"  # what Content-Length says; "none": nothing
    hold: threading.Event | None = None  # waited for before the connection closes
    etag: str | None = None
    deaf: bool = False  # to If-Range


@dataclass
class Page:
    """What a path delivers; the steps come first, then all is well."""

    content: bytes
    steps: list
    etag: str
    ranges: bool
    kind: str


class Host:
    """Served pages by path, and all that was asked."""

    def __init__(self):
        self.pages, self.asked = {}, []

    def serve(self, name, content, *steps, etag='"one"', ranges=True, kind="application/zip"):
        self.pages[f"/{name}"] = Page(content, list(steps), etag, ranges, kind)
        return {"address": f"{self.address}/{name}", "sha256": sha256(content)}

    def ranges(self):
        """The Range of every request so far."""
        return [headers.get("Range") for _, headers in self.asked]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def handle(self):
        with suppress(ConnectionError):  # of one who leaves before the end
            super().handle()

    def do_GET(self):
        host = self.server.host
        host.asked.append((self.path, dict(self.headers)))
        page = host.pages.get(unquote(self.path.partition("?")[0]))
        if page is None:
            self.answer(404, {}, b"no such page", Step())
            return
        step = page.steps.pop(0) if page.steps else Step()
        etag = step.etag or page.etag
        if step.status != 200:
            self.answer(step.status, step.headers, b"not now", step)
            return
        headers = {"ETag": etag, "Content-Type": page.kind} if etag else {"Content-Type": page.kind}
        start = self.start(etag, step) if page.ranges else 0
        size = len(page.content)
        if start >= size > 0:
            self.answer(416, {"Content-Range": f"bytes */{size}"}, b"", step)
        elif start:
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
            self.answer(206, headers, page.content[start:], step)
        else:
            self.answer(200, headers, page.content, step)

    def start(self, etag, step):
        fits = step.deaf or self.headers.get("If-Range") == etag
        asked = self.headers.get("Range", "")
        return int(asked.removeprefix("bytes=").rstrip("-")) if asked and fits else 0

    def answer(self, status, headers, body, step):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if step.length != "none":
            self.send_header("Content-Length", len(body) if step.length == "true" else step.length)
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body if step.cut is None else body[: step.cut])
        self.wfile.flush()
        if step.hold:
            step.hold.wait(20)
        self.close_connection = step.cut is not None or step.length != "true"

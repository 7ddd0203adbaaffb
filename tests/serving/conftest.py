"""A page that is served from a thread, with models that are made in a moment."""

import socket
import threading
from contextlib import contextmanager
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import pytest
from made import make_model

from cxrpipe.config import Index
from cxrpipe.data.films.film import UnusableFilmError
from cxrpipe.inference import loading
from cxrpipe.serving.application import build_page
from cxrpipe.serving.models import Models
from cxrpipe.serving.server import build_server, listen, name_address

HOST = "127.0.0.1"
SECONDS = 60


class StubGuard:
    """Takes bright films for photographs."""

    index = Index()

    def doubt(self, films, features):
        told = UnusableFilmError("no_frontal_chest", "as a picture far from the training films")
        return [told if film.square.mean() > 200 else None for film in films]

    def refuse_others(self, weights, path):
        """Take any weights."""


class Said(NamedTuple):
    """What the page answered."""

    status: int
    headers: Message
    body: bytes


class Served(NamedTuple):
    """A page that is served."""

    address: str
    port: int
    run: Path

    def ask(self, method, path, film=b"", **headers):
        """Ask once, as a browser would that was given these headers."""
        connection = HTTPConnection(HOST, self.port, timeout=SECONDS)
        connection.request(method, path, film, headers)
        response = connection.getresponse()
        said = Said(response.status, response.headers, response.read())
        connection.close()
        return said

    def connect(self):
        """Open a raw connection."""
        return socket.create_connection((HOST, self.port), timeout=SECONDS)


@contextmanager
def serving(page, run):
    """Serve a page from a thread."""
    with listen(HOST, 0) as taken:
        server = build_server(page)
        thread = threading.Thread(target=server.run, args=([taken],))
        thread.start()
        try:
            port = taken.getsockname()[1]
            yield Served(name_address(HOST, port), port, run)
        finally:
            server.should_exit = True
            thread.join(SECONDS)


@pytest.fixture(scope="package")
def run(tmp_path_factory):
    """The folder of a run with two models, of one finding and of yes and no."""
    run = tmp_path_factory.mktemp("results") / "small"
    make_model(run, "first", seed=0)
    make_model(run, "second", seed=3, kind="multi")  # seeds of which heatmaps hold something
    return run


@pytest.fixture(scope="package")
def served(run):
    """The page of that run, that takes films up to 1 MB; its guards are stubs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "read_guard", lambda path: StubGuard())
        places = {name: run / "models" / name for name in ("first", "second")}
        with serving(build_page(Models(places, best="second"), HOST, 1), run) as served:
            yield served

"""A host on this machine that misbehaves as told."""

import threading
from http.server import ThreadingHTTPServer

import pytest
from hosting import Handler, Host

from cxrpipe.data.fetching import fetch


@pytest.fixture
def host(monkeypatch):
    """A host, and no pauses between tries."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(fetch, "FIRST_PAUSE", 0.01)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.host = Host()
    server.host.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.host
    server.shutdown()
    thread.join()
    server.server_close()

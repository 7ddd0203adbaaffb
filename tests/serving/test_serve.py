"""The command that serves the page: what it says, and how it refuses and ends."""

import logging
import re
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection

import pytest

from cxrpipe.cli import main, serve
from cxrpipe.runtime import RESEARCH_USE
from cxrpipe.serving import server
from cxrpipe.serving.models import best_of


@pytest.fixture
def command(capsys):
    """Run ``cxrpipe serve`` in this process; return status, output and errors."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield lambda *words: (main.run("serve", [str(word) for word in words]), *capsys.readouterr())
    root.handlers[:] = handlers
    root.setLevel(level)


class Interrupted:
    """A server that Ctrl-C ends at once."""

    def __init__(self, page):
        self.page = page

    def run(self, sockets):
        raise KeyboardInterrupt


def test_it_names_its_address_answers_there_and_ctrl_c_ends_it_quietly(run):
    words = ["serve", "--run", run, "--model", "first", "--port", "0"]
    told = "from cxrpipe.cli.main import main; main()"
    started = subprocess.Popen(
        [sys.executable, "-c", told, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert started.stdout.readline() == f"{RESEARCH_USE}\n"
        address = started.stdout.readline().split()[0]
        assert address.startswith("http://127.0.0.1:")
        connection = HTTPConnection(address.removeprefix("http://").strip("/"), timeout=60)
        connection.request("GET", "/models")
        assert connection.getresponse().read().startswith(b'{"models":["first"],"best":""')
        connection.close()
        started.send_signal(signal.SIGINT)
        assert started.communicate(timeout=60) == ("", "")
        assert started.returncode == 0
    finally:
        started.kill()


def test_a_port_that_is_taken_is_one_line(run, command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, said = command("--run", run, "--port", port)
    assert status == 2
    assert said == (
        f"cxrpipe serve: error: --port {port}: taken; give another, or 0 for any free one\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--host", "203.0.113.1"], "--host 203.0.113.1 --port 7860: cannot be listened on"),
        (["--port", "70000"], "--port 70000: is none; give one from 1024 to 65535, or 0"),
        (["--host", ""], "--host: is empty; give an address of this machine, as 127.0.0.1"),
        (["--model", ""], "--model: is empty; give a folder or file, or with --run a name"),
        (["--model", "", "--model", "first"], "--model: is empty; give a folder or file"),
        (["--model", "frist"], "no model 'frist'; did you mean 'first'?"),
    ],
)
def test_what_cannot_be_served_is_one_line(words, told, run, command, monkeypatch):
    monkeypatch.setattr(server, "build_server", Interrupted)
    status, _, said = command("--run", run, *words)
    assert (status, said.count("\n")) == (2, 1)
    assert told in said


def test_without_a_model_it_asks_for_one(command):
    status, _, said = command("--port", 0)
    assert status == 2
    assert said == (
        "cxrpipe serve: error: no model is named; give --run, as results/demo, or --model\n"
    )


def test_a_missing_package_is_named_with_what_installs_it(run, command, monkeypatch):
    monkeypatch.setattr(serve, "find_spec", lambda name: None if name == "uvicorn" else name)
    status, _, said = command("--run", run)
    assert status == 2
    assert said == ("cxrpipe serve: error: uvicorn: not installed; pip install 'cxrpipe[page]'\n")


def test_it_warns_where_others_can_reach_it_and_opens_the_browser_where_asked(
    run, command, monkeypatch
):
    opened = []
    monkeypatch.setattr(server, "build_server", Interrupted)
    monkeypatch.setattr(serve.webbrowser, "open", opened.append)
    status, out, said = command("--run", run, "--host", "0.0.0.0", "--port", 0, "--open")  # noqa: S104
    assert status == 0
    told = r"open it by this machine's numeric address: http://<address>:(\d+)/  \(Ctrl-C ends it\)"
    [port] = re.fullmatch(told, out.splitlines()[1]).groups()
    assert opened == [f"http://127.0.0.1:{port}/"]
    assert said == (
        "cxrpipe serve: anyone who reaches this address can use the page; there is no password\n"
    )
    assert command("--run", run, "--port", 0)[::2] == (0, "")
    assert len(opened) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_known(host):
    assert server.is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "localhost.example"])  # noqa: S104
def test_what_is_not_loopback_is_known(host):
    assert not server.is_loopback(host)


def test_an_address_of_six_is_written_in_brackets():
    assert server.name_address("::1", 80) == "http://[::1]:80/"


def test_the_best_is_that_of_the_judges_or_none(run, tmp_path):
    (tmp_path / "models" / "only" / "fold-0").mkdir(parents=True)
    (tmp_path / "models" / "only" / "fold-0" / "weights.safetensors").touch()
    assert best_of(tmp_path) == "only"
    assert best_of(run) == ""

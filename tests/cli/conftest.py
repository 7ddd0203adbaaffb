"""Subcommands run in this process, on a run whose models are made in a moment."""

import logging
from typing import NamedTuple

import pytest
from made import make_film, make_model

from cxrpipe.cli import main


class Done(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def own_logging():
    """Leave the logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def command(capsys, own_logging):
    """Run a subcommand with its words."""

    def command(name, *words):
        try:
            status = main.run(name, [str(word) for word in words])
        except SystemExit as stopped:  # argparse
            status = stopped.code
        return Done(status, *capsys.readouterr())

    return command


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """The folder of a run with the models ``first`` and ``second``; no judge has seen them."""
    run = tmp_path_factory.mktemp("results") / "small"
    for seed, name in enumerate(("first", "second")):
        make_model(run, name, seed)
    return run


@pytest.fixture
def films(tmp_path):
    """Five films in a folder; that in the middle is broken."""
    folder = tmp_path / "films"
    for number in range(5):
        make_film(folder / f"{number}.png", number)
    (folder / "2.png").write_bytes(b"no film")
    return folder

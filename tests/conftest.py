"""What tests share: the mirror of real films, commands run as from a shell, property settings."""

import logging
import sys
from pathlib import Path

import pytest
from hypothesis import settings

MIRROR = Path(__file__).parents[1].parent / "shared/mirror"

settings.register_profile("cxrpipe", deadline=None, derandomize=True, database=None)
settings.load_profile("cxrpipe")


@pytest.fixture(scope="session")
def mirror():
    if not MIRROR.is_dir():
        pytest.skip(f"needs the mirror of real films in {MIRROR}")
    return MIRROR


@pytest.fixture
def run(monkeypatch):
    """Run a command's main with arguments, and leave the logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(main, **arguments):
        flags = [word for key, value in arguments.items() for word in (f"--{key}", str(value))]
        monkeypatch.setattr(sys, "argv", ["somewhere/command.py", *flags])
        main()

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def refusal(run, capsys):
    """Run a command that must refuse; return its one line."""

    def refusal(main, **arguments):
        with pytest.raises(SystemExit) as stopped:
            run(main, **arguments)
        assert stopped.value.code == 2
        lines = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
        assert len(lines) == 1
        return lines[0]

    return refusal

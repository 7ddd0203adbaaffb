"""The command ``cxrpipe``: its contents, its help, and how it refuses."""

import errno
import os
import shlex
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

from cxrpipe.cli import classify, main
from cxrpipe.runtime import RESEARCH_USE

FOLDER = Path(main.__file__).parent
HEAVY = ("torch", "timm", "onnxruntime", "starlette", "uvicorn")


def typed(monkeypatch, capsys, *words):
    """Type ``cxrpipe`` and words; return status, standard output and standard error."""
    monkeypatch.setattr(sys, "argv", ["cxrpipe", *words])
    status = 0
    try:
        main.main()
    except SystemExit as stopped:
        status = stopped.code
    return status, *capsys.readouterr()


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"]])
def test_the_contents_name_every_subcommand_with_its_line(words, monkeypatch, capsys):
    status, out, err = typed(monkeypatch, capsys, *words)
    assert (status, err) == (0, "")
    assert RESEARCH_USE in out
    listed = [line.split(maxsplit=1) for line in out.splitlines() if line.startswith("  ")]
    told = {name: line for part in main.CONTENTS.values() for name, line in part.items()}
    assert dict(listed) == told


def test_the_contents_are_the_modules_that_are_subcommands():
    found = {path.stem for path in FOLDER.glob("*.py") if "\nEXAMPLES = " in path.read_text()}
    assert set(main.NAMES) == found


def test_the_version_is_that_of_the_package(monkeypatch, capsys):
    assert typed(monkeypatch, capsys, "--version") == (0, f"cxrpipe {version('cxrpipe')}\n", "")


def test_an_unknown_command_is_one_line_that_names_the_nearest(monkeypatch, capsys):
    said = "cxrpipe: error: no command 'clasify'; did you mean 'classify'?\n"
    assert typed(monkeypatch, capsys, "clasify", "a.png") == (2, "", said)


def test_a_wrong_option_is_one_line_that_names_the_help(command):
    done = command("classify", "a.png", "--frce")
    assert done.status == 2
    told = "unrecognized arguments: --frce; see cxrpipe classify --help"
    assert done.err == f"cxrpipe classify: error: {told}\n"


@pytest.mark.parametrize("name", main.NAMES)
def test_help_holds_the_examples_each_indented_and_the_research_note(name, command):
    done = command(name, "--help")
    assert (done.status, done.err) == (0, "")
    assert RESEARCH_USE in done.out
    examples = import_module(f"cxrpipe.cli.{name}").EXAMPLES.strip("\n").splitlines()
    assert examples
    assert done.out.partition("examples:\n")[2].splitlines()[: len(examples)] == examples
    assert all(line.startswith("  ") for line in examples)


@pytest.mark.parametrize("name", main.NAMES)
def test_examples_are_command_lines_that_the_command_takes(name):
    subcommand = import_module(f"cxrpipe.cli.{name}")
    parser = main.build_parser(name, subcommand)
    for example in subcommand.EXAMPLES.strip().splitlines():
        shell = shlex.split(example.partition(" > ")[0])
        start = shell.index("cxrpipe")
        assert shell[start + 1] == name
        assert parser.parse_intermixed_args(shell[start + 2 :])  # it exits where it is wrong


def test_words_after_two_hyphens_are_paths(monkeypatch, own_logging):
    given = []
    monkeypatch.setattr(classify, "run", lambda arguments: given.extend(arguments.films) or 0)
    assert main.run("classify", ["a.png", "--force", "--", "-b.png", "c.png", "--", "-"]) == 0
    assert list(map(Path, given)) == [Path(it) for it in ("a.png", "-b.png", "c.png", "--", "./-")]
    assert given[-1] == "./-"  # a file of this name, not standard input


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("classify", ["LONG"]),
        ("classify", ["FILM", "--model", "LONG"]),
        ("export", ["--run", "LONG", "--output", "a.onnx"]),
        ("submit", ["FILM", "--model", "m", "--output", "LONG"]),
    ],
)
def test_a_name_that_the_system_refuses_is_one_line(name, words, command, films):
    long = "x" * 300
    places = {"LONG": long, "FILM": films / "0.png"}
    done = command(name, *(places.get(word, word) for word in words))
    told = f"{long}: {os.strerror(errno.ENAMETOOLONG)}"
    assert (done.status, done.err) == (2, f"cxrpipe {name}: error: {told}\n")


def test_another_error_of_the_system_keeps_its_traceback(monkeypatch, own_logging):
    def fail(arguments):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(classify, "run", fail)
    with pytest.raises(OSError, match="Input/output error"):
        main.run("classify", [])


def test_an_error_shows_no_control_characters(command):
    done = command("classify", "a\x1b[31m\nb.png")
    told = "a?[31m b.png: no such file or folder; check the path"
    assert (done.status, done.err) == (2, f"cxrpipe classify: error: {told}\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["classify", "--help"]])
def test_a_full_disk_is_one_line(words):
    typed = [sys.executable, "-c", "from cxrpipe.cli.main import main; main()", *words]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(typed, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    command = "cxrpipe" if words[0].startswith("-") else "cxrpipe classify"
    assert done.stderr == f"{command}: error: output: {os.strerror(errno.ENOSPC)}\n"
    assert done.returncode == 2


def test_help_imports_no_network_library():
    told = f"""
import sys
from cxrpipe.cli import main
print(main.describe_contents())
for name in main.NAMES:
    try:
        main.run(name, ["--help"])
    except SystemExit as stopped:
        assert stopped.code == 0
print("imported", [name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "imported []"

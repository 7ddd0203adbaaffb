"""The architecture: stages import only leftwards, commands never import commands."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "cxrpipe"
ORDER = (
    "data",
    "beginning",
    "preprocessing",
    "models",
    "training",
    "evaluation",
    "explanation",
    "reporting",
    "inference",
    "serving",
    "cli",
)
CONSOLE = PACKAGE / "cli"  # the command cxrpipe, for people; the others are commands of rules
MODULES = sorted(PACKAGE.rglob("*.py"))
COMMANDS = [path for path in MODULES if '__name__ == "__main__"' in path.read_text("utf-8")]


def imported(path: Path) -> set[str]:
    """Modules of the package that a module imports, such as data.film."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    names = {name.removeprefix("cxrpipe.") for name in found if name.startswith("cxrpipe.")}
    return {name for name in names if is_module(PACKAGE.joinpath(*name.split(".")))}


def is_module(path: Path) -> bool:
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def test_the_reader_of_imports_sees_them():
    assert imported(PACKAGE / "data" / "certify.py") == {
        "config",
        "data.identity",
        "runtime",
        "tables",
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_stage_imports_only_stages_to_its_left(path: Path):
    stage = path.relative_to(PACKAGE).parts[0]
    if stage == "__init__.py":  # the face of the package
        assert imported(path) == {"inference.classifier"}
        return
    if stage not in ORDER:
        assert not [name for name in imported(path) if name.split(".")[0] in ORDER]
        return
    right = ORDER[ORDER.index(stage) + 1 :]
    assert not [name for name in imported(path) if name.split(".")[0] in right]


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_imports_this_command(path: Path):
    command = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    importers = [module.name for module in MODULES if command in imported(module)]
    assert importers == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_commands_know_arguments_and_nothing_knows_snakemake(path: Path):
    text = path.read_text(encoding="utf-8")
    assert "import snakemake" not in text
    if CONSOLE not in path.parents:
        assert ("argparse" in text) == (path in COMMANDS)


def test_every_rule_is_one_command_of_the_same_name():
    rules = {}
    for file in (PACKAGE.parent / "workflow" / "rules").glob("*.smk"):
        name = None
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("rule "):
                name = line.removeprefix("rule ").rstrip(":")
            if "python -m cxrpipe." in line:
                rules[name] = line.split("cxrpipe.")[1].split()[0]
    commands = {".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in COMMANDS}
    assert set(rules.values()) == commands
    assert all(command.endswith(f".{name}") for name, command in rules.items())

"""Projects for the tests of the workflow: untouched, finished, or finished and to be changed."""

import shutil
from pathlib import Path

import pytest
from running import copy_project, dvc, git, replace


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which ``dvc repro`` has run the tiny recipe; tests leave it as it was.

    What it printed lies beside the project, in ``repro.txt``.
    """
    project = copy_project(tmp_path_factory.mktemp("finished") / "project")
    replace(project / "params.yaml", "recipe: demo", "recipe: tiny")
    git(project, "init", "--quiet")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "before any run")
    (project.parent / "repro.txt").write_text(dvc(project, "repro"), encoding="utf-8")
    return project


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished project, to be changed."""
    shutil.copytree(finished, tmp_path / "project", symlinks=True)
    return tmp_path / "project"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A project in which nothing has run."""
    return copy_project(tmp_path)

"""Projects for the tests of the workflow: untouched, finished, or finished and to be changed."""

import shutil
from pathlib import Path

import pytest
from running import copy_project, snakemake


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the tiny recipe has run to its end; tests leave it as it was."""
    project = copy_project(tmp_path_factory.mktemp("finished"))
    snakemake(project)
    return project


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished project, to be changed."""
    shutil.copytree(finished, tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A project in which nothing has run."""
    return copy_project(tmp_path)

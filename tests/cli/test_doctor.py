"""``cxrpipe doctor``: what can be wrong is told with its mend, and nothing is fetched."""

import socket
import tomllib
from collections import namedtuple
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from cxrpipe.beginning import environment, machine, origins, project
from cxrpipe.beginning.environment import check_machine, check_python, check_torch
from cxrpipe.beginning.origins import check_collection, measure_collection
from cxrpipe.beginning.told import Told
from cxrpipe.catalogue import Origin
from cxrpipe.data.download import write_checksums

PROJECT = Path(__file__).parents[2]
WORKING = ["2.1", "0.2", "", []]  # torch without a GPU, as PROBE prints it
RECIPE = """title: Mine
sources: [mine]
findings: [normal, covid]
models:
  small: {architecture: test_resnet}
"""
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A whole project without films; torch is not imported, and nothing reaches the network."""
    (tmp_path / "config/recipes").mkdir(parents=True)
    for name, text in {
        "Snakefile": "",
        "params.yaml": "recipe: mine\n",
        "data.dvc": "outs: []\n",
        "config/sources.yaml": "mine: {origin: {path: films}}\n",
        "config/published.yaml": "{}\n",
        "config/recipes/mine.yaml": RECIPE,
        "films/normal/1.png": "film",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "config/config.yaml").symlink_to("../params.yaml")
    (tmp_path / "config/data-pin").symlink_to("../data.dvc")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(environment, "probe_torch", lambda: WORKING)
    monkeypatch.setattr(environment, "has_gpu", lambda: False)
    monkeypatch.setattr(environment.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(project.shutil, "disk_usage", lambda place: Usage(0, 0, 80e9))
    monkeypatch.setattr(socket, "socket", None)
    return tmp_path


def wrong(done):
    """Return the lines of a run of doctor that name what is wrong."""
    return [line for line in done.out.splitlines() if line.startswith("wrong")]


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_whole_project_has_nothing_wrong(settings, command):
    done = command("doctor")
    assert (done.status, done.err) == (0, "")
    assert "ok    recipe      mine: 1 model of normal, covid\n" in done.out
    assert "ok    films       mine: 1 file in films, copied by the run\n" in done.out
    assert done.out.endswith("\nnothing is wrong\n")


def test_what_is_wrong_has_its_mend_and_status_1(settings, command):
    (settings / "films/normal/1.png").unlink()
    done = command("doctor")
    assert done.status == 1
    assert wrong(done) == ["wrong films       mine: films is empty"]
    assert "                  mend: put your films there\n" in done.out
    assert done.out.endswith("\n1 wrong; see each mend\n")


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("params.yaml", "mine", "mime", "config: recipe: no recipe 'mime' in config/recipes"),
        ("params.yaml", "recipe: mine", "[", "params.yaml: not valid YAML"),
        ("config/recipes/mine.yaml", "sources", "surces", "unknown key 'surces'; did you mean"),
        ("config/recipes/mine.yaml", "[mine]", "[yours]", "no collection 'yours'"),
        ("config/recipes/mine.yaml", "test_resnet", "resnet18, weights: a.pt", "no file 'a.pt'"),
        ("config/recipes/mine.yaml", RECIPE, RECIPE + "evaluation: {published: [x]}", "study 'x'"),
        ("config/sources.yaml", "path", "pth", "unknown key 'pth'"),
    ],
)
def test_a_mistake_in_the_settings_is_told_as_a_run_tells_it(
    file, old, new, told, settings, command
):
    replace(settings / file, old, new)
    done = command("doctor")
    assert done.status == 1
    [line] = wrong(done)
    assert line.startswith("wrong recipe      ")
    assert told in line


def test_another_recipe_than_that_of_the_parameters_is_checked_where_named(settings, command):
    replace(settings / "params.yaml", "mine", "gone")
    assert command("doctor", "--recipe", "mine").status == 0


def test_outside_a_project_the_environment_alone_is_checked(settings, command, monkeypatch):
    monkeypatch.chdir(settings / "films")
    done = command("doctor")
    assert done.status == 0
    assert "note  project     none here" in done.out
    assert "recipe" not in done.out
    done = command("doctor", "--recipe", "mine")
    assert (done.status, done.out) == (2, "")
    assert "no project here: params.yaml is missing" in done.err


def test_a_recipe_that_is_not_there_is_a_mistake_in_the_command_line(settings, command):
    done = command("doctor", "--recipe", "yours")
    assert (done.status, done.out) == (2, "")
    told = "config: recipe: no recipe 'yours' in config/recipes; valid: ['mine']"
    assert done.err == f"cxrpipe doctor: error: {told}\n"


def test_settings_that_are_not_utf_8_are_told_with_their_line(settings, command):
    (settings / "config/sources.yaml").write_bytes("mine:\n  title: Münster\n".encode("latin-1"))
    told = "config/sources.yaml: line 2 is not UTF-8; save it as UTF-8"
    assert wrong(command("doctor")) == [f"wrong recipe      {told}"]


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("config.yaml", "config/config.yaml differs from params.yaml"),
        ("data-pin", "config/data-pin differs from data.dvc"),
    ],
)
def test_links_that_became_files_are_told(link, told, settings, command):
    path = settings / "config" / link
    path.unlink()
    path.write_text("recipe: other\n")
    done = command("doctor")
    assert wrong(done) == [f"wrong {link:<12}{told}"]
    assert f"mend: ln -sf ../{told.split()[-1]} config/{link}\n" in done.out
    path.unlink()
    assert len(wrong(command("doctor"))) == 1


def test_a_disk_that_films_and_squares_would_fill_is_told(settings, command, monkeypatch):
    monkeypatch.setattr(project.shutil, "disk_usage", lambda place: Usage(0, 0, 4.9e9))
    done = command("doctor")
    told = "4.9 GB free, about 16.4 kB needed for films; 5.0 GB should be left"
    assert wrong(done) == [f"wrong disk        {told}"]


def test_weights_that_models_start_from_are_looked_for(settings, command):
    replace(settings / "config/recipes/mine.yaml", "test_resnet", "resnet18, weights: imagenet")
    assert "note  weights     1 model from ImageNet: timm fetches" in command("doctor").out
    (settings / "params.yaml").write_text("{recipe: mine, weights_folder: pretrained}")
    told = "1 model from ImageNet: no safetensors file in pretrained"
    assert wrong(command("doctor")) == [f"wrong weights     {told}"]
    (settings / "pretrained").mkdir()
    (settings / "pretrained/resnet18.safetensors").touch()
    done = command("doctor")
    told = "note  weights     1 model from ImageNet: 1 file in pretrained, not matched with models"
    assert told in done.out
    assert done.status == 0


def test_cache_and_remote_of_dvc_are_looked_at(settings, command):
    assert "note  dvc         not begun here\n" in command("doctor").out
    (settings / ".dvc").mkdir()
    (settings / ".dvc/config").write_text("[core]\n    autostage = false\n")
    assert "note  remote      none: data and results stay on this machine" in command("doctor").out
    (settings / ".dvc/config.local").write_text(
        "['remote \"archive\"']\n    url = /store/100%\n[cache]\n    dir = ../cache\n"
    )
    done = command("doctor")
    assert "ok    remote      archive\n" in done.out
    assert "ok    dvc         cache in .dvc/../cache\n" in done.out


@pytest.mark.parametrize(
    ("content", "told"), [(b"[core]\n[core]\n", "'core' already exists"), (b"\xff", "byte 0xff")]
)
def test_settings_of_dvc_that_cannot_be_read_are_told(content, told, settings, command):
    (settings / ".dvc").mkdir()
    (settings / ".dvc/config").write_bytes(content)
    done = command("doctor")
    [line] = wrong(done)
    assert line.startswith("wrong dvc         its settings are not readable: ")
    assert told in line
    assert "mend: correct .dvc/config or .dvc/config.local\n" in done.out


# Collections

HERE = Origin(path="films")
PLACE = Origin(place="Fetch the films\n  from the archive.")
KAGGLE = Origin(kaggle="owner/films", version=1)
ADDRESS = Origin(address="https://films.org/a.zip?key=secret", sha256="0" * 64)


def test_a_collection_that_is_here_is_whole_or_names_what_is_gone(settings):
    folder = settings / "data/mine"
    (settings / "films").rename(settings / "gone")
    (settings / "data").mkdir()
    (settings / "gone").rename(folder)
    (folder / "2.png").touch()
    (folder / "list.csv").touch()
    write_checksums(folder)
    assert check_collection("mine", HERE, "") == Told("ok", "films", "mine: 3 files in data/mine")
    assert measure_collection("mine", HERE, "") == (2, 0)
    (folder / "normal/1.png").unlink()
    told = check_collection("mine", HERE, "")
    found = "mine: 1 of 3 files gone from data/mine, such as normal/1.png"
    assert (told.mark, told.found) == ("wrong", found)
    (folder / "SHA256SUMS").write_text("nonsense\n")
    told = check_collection("mine", HERE, "")
    assert told.mark == "wrong"
    assert "line 1 is not '<sha256>  <path>'" in told.found
    assert measure_collection("mine", HERE, "") == (0, 0)


def test_films_that_cannot_be_read_are_told(settings, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", f"{folder}/normal")

    monkeypatch.setattr(origins, "list_files", refuse)
    told = check_collection("mine", HERE, "")
    found = "mine: films/normal: Permission denied; let it be read, or take it away"
    assert (told.mark, told.found) == ("wrong", found)
    assert measure_collection("mine", HERE, "") == (0, 0)


@pytest.mark.parametrize(
    ("origin", "mark", "found"),
    [
        (HERE, "ok", "1 file in films, copied by the run"),
        (Origin(path="nowhere"), "wrong", "no folder nowhere"),
        (PLACE, "wrong", "nothing in placed/mine/ yet"),
        (KAGGLE, "wrong", "of Kaggle (owner/films)"),
        (ADDRESS, "note", "not here yet; will be fetched from https://films.org/a.zip (not tried)"),
        (
            Origin(phantom={"hospital": "north", "patients": 24}),
            "ok",
            "synthetic: drawn by the run",
        ),
    ],
)
def test_a_collection_that_is_not_here_is_told_where_it_comes_from(
    origin, mark, found, settings, monkeypatch
):
    monkeypatch.setenv("HOME", str(settings))
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    told = check_collection("mine", origin, "")
    assert (told.mark, told.found) == (mark, f"mine: {found}")


def test_what_is_to_be_placed_is_said_until_it_is_there(settings):
    assert (
        check_collection("mine", PLACE, "").mend == "put there: Fetch the films from the archive."
    )
    (settings / "placed/mine").mkdir(parents=True)
    (settings / "placed/mine/films.zip").write_text("films")
    told = check_collection("mine", PLACE, "")
    assert told == Told("ok", "films", "mine: 1 file in placed/mine, copied by the run")
    assert measure_collection("mine", PLACE, "") == (0, 5)


def test_a_mirror_goes_before_the_address(settings):
    told = check_collection("mine", ADDRESS, "mirror")
    assert (told.mark, told.found) == ("wrong", "mine: no mirror")
    (settings / "mirror/mine").mkdir(parents=True)
    assert "mirror/mine/SHA256SUMS: missing" in check_collection("mine", ADDRESS, "mirror").found
    (settings / "mirror/mine/1.png").write_text("film")
    write_checksums(settings / "mirror/mine")
    told = check_collection("mine", ADDRESS, "mirror")
    assert told == Told("ok", "films", "mine: 1 file in mirror/mine")
    assert measure_collection("mine", ADDRESS, "mirror")[0] == 1
    told = check_collection("other", ADDRESS, "mirror")
    assert (told.mark, told.found) == ("wrong", "other: the mirror mirror has no folder other")
    told = check_collection("mine", ADDRESS, "https://mirror.org")
    assert (told.mark, told.found[-11:]) == ("note", "(not tried)")


# The environment


@pytest.mark.parametrize(
    ("found", "mark"), [((3, 10, 9), "wrong"), ((3, 11, 0), "ok"), ((3, 13, 1), "note")]
)
def test_the_version_of_python_is_one_that_is_tested(found, mark):
    told = check_python(found)
    assert told.mark == mark
    assert told.found.startswith(".".join(map(str, found)))


def test_little_memory_is_noted():
    assert check_machine(2, 4_000_000_000).mark == "note"
    assert check_machine(2, 16_000_000_000) == Told("ok", "machine", "2 cores, 16.0 GB of memory")


def test_torch_is_imported_with_the_operators_of_torchvision():
    found, vision, _, gpus = environment.probe_torch()
    builds = (found.partition("+")[0], vision.partition("+")[0])  # 2.15.0+cu132
    assert builds == (version("torch"), version("torchvision"))
    assert all(n_bytes > 1e8 for _, n_bytes in gpus)


def test_operators_that_do_not_fit_torch_are_told_with_their_complaint(monkeypatch):
    raised = "raise RuntimeError('operator torchvision::nms does not exist')"
    monkeypatch.setattr(environment, "PROBE", raised)
    [told] = check_torch(environment.probe_torch(), False)
    complaint = "RuntimeError: operator torchvision::nms does not exist"
    assert (told.mark, told.found) == ("wrong", complaint)
    assert told.mend.startswith("pip install ")


@pytest.mark.parametrize(
    ("built", "gpus", "has_driver", "marks", "mend"),
    [
        ("13.0", [["H", 80e9]], True, ["ok", "ok"], ""),
        ("", [], False, ["ok", "note"], ""),
        ("", [], True, ["ok", "wrong"], "install torch of a build for GPUs"),
        ("13.0", [], True, ["ok", "wrong"], "bring the driver up to date"),
    ],
)
def test_a_gpu_that_torch_does_not_see_is_wrong(built, gpus, has_driver, marks, mend):
    told = list(check_torch(["2.1", "0.2", built, gpus], has_driver))
    assert [each.mark for each in told] == marks
    assert told[-1].mend == mend


def test_a_gpu_is_known_by_the_device_of_its_driver(tmp_path):
    assert not machine.has_gpu(tmp_path)
    (tmp_path / "nvidia0").touch()
    assert machine.has_gpu(tmp_path)


def test_extras_are_those_that_the_package_declares():
    """Also that each brings the modules that are looked for, where it is installed."""
    with (PROJECT / "pyproject.toml").open("rb") as file:
        declared = tomllib.load(file)["project"]["optional-dependencies"]
    assert set(environment.EXTRAS) == set(declared)
    for extra, (modules, _) in environment.EXTRAS.items():
        assert len(modules) == len(declared[extra])


def test_a_missing_extra_is_noted_with_the_line_that_brings_it(monkeypatch):
    hidden = lambda module: None if module == "onnxruntime" else find_spec(module)  # noqa: E731
    monkeypatch.setattr(environment, "find_spec", hidden)
    told = next(each for each in environment.check_extras() if each.topic == "onnx")
    assert told.found.startswith("no onnxruntime: without cxrpipe export")
    assert told.mend == "pip install --editable '.[onnx]', if you want it"

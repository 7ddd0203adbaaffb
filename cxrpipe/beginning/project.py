"""What ``doctor`` checks of the project in the working folder: settings, disk, Git and DVC."""

import os
import shutil
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path

from cxrpipe.beginning.origins import check_collection, measure_collection
from cxrpipe.beginning.told import Told, count
from cxrpipe.catalogue import Source
from cxrpipe.config import Recipe
from cxrpipe.data.fetching.room import MEND, size
from cxrpipe.recipes import load_recipe, load_sources, read_yaml
from cxrpipe.runtime import UserError
from cxrpipe.studies import load_studies

CONFIG, PARAMS = Path("config"), Path("params.yaml")
MARKS = (PARAMS, Path("Snakefile"), CONFIG / "sources.yaml")
LINKS = {CONFIG / "config.yaml": "../params.yaml", CONFIG / "data-pin": "../data.dvc"}
DVC = Path(".dvc")
ROOM = 5e9  # bytes to spare: weights, features, heatmaps, DVC's cache


def is_project() -> bool:
    """Tell whether the working folder is a project."""
    return all(mark.is_file() for mark in MARKS)


def refuse_elsewhere() -> None:
    """Raise a UserError outside a project."""
    if not is_project():
        missing = next(str(mark) for mark in MARKS if not mark.is_file())
        raise UserError(f"no project here: {missing} is missing; go to the folder of your clone")


def refuse_unknown(recipe: str) -> None:
    """Raise a UserError if a project has no recipe of this name."""
    if recipe not in {file.stem for file in (CONFIG / "recipes").glob("*.yaml")}:
        load_recipe({"recipe": recipe}, CONFIG)  # which says what there is


def check_project(wanted: str | None) -> Iterator[Told]:
    """Check a project and what a recipe of it needs.

    Parameters
    ----------
    wanted
        Name of the recipe; None: that of ``params.yaml``.
    """
    try:
        config = read_yaml(PARAMS) | ({"recipe": wanted} if wanted else {})
        recipe = load_recipe(config, CONFIG)
        sources = load_sources(recipe.sources, CONFIG)
        load_studies(recipe.evaluation.published, CONFIG)
    except UserError as error:
        yield Told("wrong", "recipe", str(error))
        yield check_disk(0)
    else:
        models, findings = count(len(recipe.models), "model"), ", ".join(recipe.findings)
        yield Told("ok", "recipe", f"{config['recipe']}: {models} of {findings}")
        mirror = str(config.get("mirror") or "")
        yield from (check_collection(name, of.origin, mirror) for name, of in sources.items())
        yield from check_weights(recipe, str(config.get("weights_folder") or ""))
        yield check_disk(estimate_bytes(recipe, sources, mirror))
    yield from map(check_link, LINKS)
    yield from check_versions()


def estimate_bytes(recipe: Recipe, sources: Mapping[str, Source], mirror: str) -> int:
    """Return what collections that are still to come and the squares of all films will take."""
    measured = [measure_collection(name, of.origin, mirror) for name, of in sources.items()]
    sides = {recipe.preprocess.side, *(model.side for model in recipe.models.values())}
    n_pixels = sum(side**2 for side in sides)
    return sum(n_films * n_pixels + n_bytes for n_films, n_bytes in measured)


def check_disk(needed: int) -> Told:
    """Check that what is needed leaves room on the disks of data and results."""
    places = [place for name in (".", "data", "results") if (place := Path(name)).is_dir()]
    free = min(shutil.disk_usage(place).free for place in places)
    found = f"{size(free)} free" + (f", about {size(needed)} needed for films" if needed else "")
    if free - needed < ROOM:
        return Told("wrong", "disk", f"{found}; {size(ROOM)} should be left", MEND)
    return Told("ok", "disk", found)


def check_weights(recipe: Recipe, folder: str) -> Iterator[Told]:
    """Check where models that start from ImageNet get their weights; files were checked before."""
    names = [name for name, model in recipe.models.items() if model.weights == "imagenet"]
    if not names:
        return
    starting = f"{count(len(names), 'model')} from ImageNet"
    if not folder:
        mend = "weights_folder of params.yaml, where there is no network"
        yield Told("note", "weights", f"{starting}: timm fetches them (not tried)", mend)
    elif found := len(list(Path(folder).glob("*.safetensors"))):
        said = f"{count(found, 'file')} in {folder}, not matched with models"
        yield Told("note", "weights", f"{starting}: {said}", "a model without its file names it")
    else:
        mend = "correct weights_folder of params.yaml, or leave it empty"
        yield Told("wrong", "weights", f"{starting}: no safetensors file in {folder}", mend)


def check_link(link: Path) -> Told:
    """Check that a link of ``config`` leads where Snakemake and DVC expect it to."""
    target = link.parent / LINKS[link]
    mend = f"ln -sf {LINKS[link]} {link}"
    if not link.is_file() or not target.is_file():
        return Told("wrong", link.name, f"{link} or {target.name} is missing", mend)
    if link.read_bytes() != target.read_bytes():
        return Told("wrong", link.name, f"{link} differs from {target.name}", mend)
    return Told("ok", link.name, f"as {target.name}")


def check_versions() -> Iterator[Told]:
    """Check Git and DVC, which remember versions; a run needs neither."""
    here = Path.cwd()
    if not shutil.which("git"):
        yield Told("note", "git", "not installed: nothing remembers versions of code and settings")
    elif not any((folder / ".git").exists() for folder in (here, *here.parents)):
        yield Told("note", "git", "no repository here", "git init")
    else:
        yield Told("ok", "git", "a repository")
    if not shutil.which("dvc"):
        yield Told("note", "dvc", "not on the path", "source .venv/bin/activate")
    elif not DVC.is_dir():
        yield Told("note", "dvc", "not begun here", "dvc init")
    else:
        yield from _check_dvc()


def _check_dvc() -> Iterator[Told]:
    """Check settings, cache and remote of DVC."""
    try:
        settings = _read_dvc_settings()
    except (ConfigError, UnicodeDecodeError) as error:
        found = f"its settings are not readable: {' '.join(str(error).split())}"
        yield Told("wrong", "dvc", found, f"correct {DVC}/config or {DVC}/config.local")
        return
    cache = DVC / settings.get("cache", "dir", fallback="cache")
    existing = next(folder for folder in (cache, *cache.parents) if folder.is_dir())
    if os.access(existing, os.W_OK):
        yield Told("ok", "dvc", f"cache in {cache}")
    else:
        mend = "dvc cache dir FOLDER, one that you may write to"
        yield Told("wrong", "dvc", f"its cache {cache} cannot be written", mend)
    remotes = [name.split('"')[1] for name in settings.sections() if 'remote "' in name]
    if remotes:
        yield Told("ok", "remote", ", ".join(remotes))
    else:
        mend = "dvc remote add --default NAME FOLDER-OR-ADDRESS (docs/versions.md)"
        yield Told("note", "remote", "none: data and results stay on this machine", mend)


def _read_dvc_settings() -> ConfigParser:
    settings = ConfigParser(interpolation=None)
    settings.read([f"{DVC}/config", f"{DVC}/config.local"], encoding="utf-8")
    return settings

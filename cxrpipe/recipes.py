"""Reading the folder ``config``: the chosen recipe with its overrides, and the collections.

``config.yaml`` names a recipe and may override any of its keys; ``recipes/`` holds the recipes;
``sources.yaml`` describes the collections.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from cxrpipe.catalogue import Source
from cxrpipe.config import NAME, Recipe, check, merge, nearest
from cxrpipe.runtime import UserError


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds keys and values."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected keys and values, found {type(content).__name__}")
    return content


def load_recipe(config: Mapping[str, Any], folder: Path) -> Recipe:
    """Read the recipe that the configuration names, with the configuration's overrides.

    Parameters
    ----------
    config
        The keys of ``config.yaml``: ``recipe``, ``mirror``, and any key of a recipe.
    folder
        The folder ``config``.
    """
    name = str(config.get("recipe", ""))
    path = folder / "recipes" / f"{name}.yaml"
    if not NAME.fullmatch(name) or not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.yaml"))
        raise UserError(f"config: recipe: no recipe '{name}' in {path.parent}; valid: {known}")
    overrides = {key: value for key, value in config.items() if key not in ("recipe", "mirror")}
    for key in overrides:
        if key not in Recipe.model_fields:
            hint = nearest(key, ("recipe", "mirror", *Recipe.model_fields))
            raise UserError(f"config: unknown key '{key}'; {hint}")
    return check(Recipe, merge(read_yaml(path), overrides), str(path))


def load_sources(names: Iterable[str], folder: Path) -> dict[str, Source]:
    """Read the descriptions of the named collections, and of those whose tables they use."""
    path = folder / "sources.yaml"
    described = read_yaml(path)
    chosen: dict[str, Source] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name not in described:
            raise UserError(f"{path}: no collection '{name}'; {nearest(name, described)}")
        chosen[name] = check(Source, described[name], f"{path}: {name}")
        waiting += [lender for lender in chosen[name].films.lenders() if lender not in chosen]
    return chosen

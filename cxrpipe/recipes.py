"""Reading the settings: the chosen recipe with its overrides, and the collections.

``params.yaml`` names a recipe and may override any of its keys; ``recipes/`` holds the recipes;
``sources.yaml`` describes the collections.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from cxrpipe.catalogue import Source
from cxrpipe.config import NAME, Recipe, check, merge, nearest
from cxrpipe.grid import expand_grid
from cxrpipe.runtime import UserError

PLACES = ("mirror", "weights_folder")  # where things are fetched from; no content of a run


def read_yaml(path: Path, may_be_empty: bool = False) -> dict[str, Any]:
    """Read a YAML file that holds keys and values, or comments alone if it may."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(f"{path}: line {line} is not UTF-8; save it as UTF-8") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if content is None and may_be_empty:
        return {}
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected keys and values, found {type(content).__name__}")
    return content


def load_recipe(config: Mapping[str, Any], folder: Path) -> Recipe:
    """Read the recipe that the configuration names, with the configuration's overrides.

    Its grid is expanded, and ``only`` the models that are wanted stay, with those that they start
    from.

    Parameters
    ----------
    config
        The keys of ``params.yaml``: ``recipe``, ``only``, the ``PLACES``, and any key of a recipe.
    folder
        The folder ``config``.
    """
    name = str(config.get("recipe", ""))
    path = folder / "recipes" / f"{name}.yaml"
    if not NAME.fullmatch(name) or not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.yaml"))
        raise UserError(f"config: recipe: no recipe '{name}' in {path.parent}; valid: {known}")
    own, of_recipes = ("recipe", "only", *PLACES), (*Recipe.model_fields, "grid")
    overrides = {key: value for key, value in config.items() if key not in own}
    for key in overrides:
        if key not in of_recipes:
            hint = nearest(key, (*own, *of_recipes))
            raise UserError(f"config: unknown key '{key}'; {hint}")
    values = merge(read_yaml(path), overrides)
    recipe = check(Recipe, expand_grid(values, str(path)), str(path))
    recipe = keep_only(recipe, config.get("only") or ())
    refuse_missing_weights(recipe)
    return recipe


def keep_only(recipe: Recipe, only: str | Iterable[str]) -> Recipe:
    """Keep the models that are named and those they start from, in the recipe's order.

    If none is named, all stay.
    """
    names = [str(name) for name in only] if isinstance(only, list | tuple) else [str(only)]
    for name in names:
        if name not in recipe.models:
            hint = nearest(name, recipe.models)
            raise UserError(f"config: only: no model '{name}' in the recipe; {hint}")
    if not names:
        return recipe
    wanted: set[str] = set()
    while names:
        name = names.pop()
        wanted.add(name)
        names += filter(None, [recipe.models[name].start])
    kept = {name: model for name, model in recipe.models.items() if name in wanted}
    return recipe.model_copy(update={"models": kept})


def refuse_missing_weights(recipe: Recipe) -> None:
    """Raise a UserError if a model starts from a file that is not there."""
    for name, model in recipe.models.items():
        if model.start or model.weights in ("none", "imagenet"):
            continue
        if not Path(model.weights).is_file():
            raise UserError(
                f"models.{name}.weights: no file '{model.weights}' here; give none, imagenet, "
                "model:NAME, or the path of a safetensors file"
            )


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

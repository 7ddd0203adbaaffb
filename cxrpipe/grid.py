"""The grid of a recipe: one model becomes many, all else equal."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from cxrpipe.config import Grid, Model, Settings, check, merge, nearest
from cxrpipe.runtime import UserError

EXPONENT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")  # YAML reads 1e-3 as text
Models = Mapping[str, Any]
Value = int | float | str | bool
Point = dict[str, Value]


def expand_grid(recipe: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Replace each model that the recipe's grid names by one for every point of the grid.

    A point is a combination of values, the last setting changing fastest. The new model is named
    after it, and tells it as ``point``. The settings themselves are checked later, with the recipe.

    Raises
    ------
    UserError
        If the grid names a model or a setting that there is not, gives a setting no value or one
        twice, or takes away the name of a model that another starts from.
    """
    plain = {key: value for key, value in recipe.items() if key != "grid"}
    models = plain.get("models")
    if not recipe.get("grid") or not isinstance(models, Mapping):
        return plain
    where = f"{where}: grid"
    grid = check(Grid, recipe["grid"], where)
    for name in grid.models:
        if name not in models:
            raise UserError(f"{where}.models: no model '{name}'; {nearest(name, models)}")
    points = _list_points(grid, where)
    expanded: list[tuple[str, Any]] = []
    for name, model in models.items():
        if isinstance(model, Mapping) and name in (grid.models or models):
            expanded += [(_name(name, point), _at(model, point)) for point in points]
        else:
            expanded.append((name, model))
    _refuse_collisions(expanded, where)
    _refuse_lost_starts(dict(expanded), models, where)
    return plain | {"models": dict(expanded)}


def _list_points(grid: Grid, where: str) -> list[Point]:
    """List the combinations of the values that a grid gives."""
    valid = list(_settings(Model))
    varied = {}
    for key, given in grid.vary.items():
        if key not in valid and not key.startswith("options."):
            raise UserError(f"{where}.vary: models have no setting '{key}'; {nearest(key, valid)}")
        varied[key] = values = [_as_meant(value) for value in given]
        if not values:
            raise UserError(f"{where}.vary.{key}: no value; give some, or drop the line")
        for value in values:
            if values.count(value) > 1:
                raise UserError(f"{where}.vary.{key}: {value} stands twice; give it once")
    combinations = itertools.product(*varied.values())
    return [dict(zip(varied, combination, strict=True)) for combination in combinations]


def _settings(section: type[Settings], prefix: str = "") -> Iterator[str]:
    """List the settings of a section and of the sections in it, dots between."""
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Settings):
            yield from _settings(kind, f"{prefix}{name}.")
        elif name not in ("options", "point"):
            yield prefix + name


def _as_meant(value: Value) -> Value:
    return float(value) if isinstance(value, str) and EXPONENT.fullmatch(value) else value


def _name(model: str, point: Point) -> str:
    """Name a model after its point, such as ``vgg16_side-360_head-128-32``."""
    parts = [f"{key.rpartition('.')[2]}-{value}".lower() for key, value in point.items()]
    return "_".join([model, *(re.sub(r"[^a-z0-9_.-]+", "-", part) for part in parts)])


def _at(model: Mapping[str, Any], point: Point) -> dict[str, Any]:
    """Return a model's settings at a point of the grid."""
    settings = dict(model)
    for key, value in point.items():
        nested: Any = value
        for part in reversed(key.split(".")):
            nested = {part: nested}
        settings = merge(settings, nested)
    return settings | {"point": point}


def _refuse_collisions(expanded: list[tuple[str, Any]], where: str) -> None:
    for name, count in Counter(name for name, _ in expanded).items():
        if count > 1:
            raise UserError(f"{where}: two models would be named '{name}'; rename a model or value")


def _refuse_lost_starts(expanded: Models, before: Models, where: str) -> None:
    """Refuse a model that starts from one whose name the grid took away."""
    for name, model in expanded.items():
        weights = str(model.get("weights", "")) if isinstance(model, Mapping) else ""
        start = weights.removeprefix("model:")
        if start != weights and start in before and start not in expanded:
            heir = next(other for other in expanded if other.startswith(f"{start}_"))
            raise UserError(
                f"{where}: model '{name}' starts from '{start}', which becomes '{heir}' and "
                f"others; start from one of these, or leave '{start}' out of grid.models"
            )

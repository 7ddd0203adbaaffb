"""What all settings share: they are frozen, and a wrong key or value is refused with a hint."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from cxrpipe.runtime import UserError

S = TypeVar("S", bound=BaseModel)
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


class Settings(BaseModel):
    """Frozen settings that refuse an unknown key and name the nearest valid one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, values: object) -> object:
        if isinstance(values, Mapping):
            for key in values:
                if key not in cls.model_fields:
                    message = f"unknown key '{key}'; {nearest(str(key), cls.model_fields)}"
                    raise PydanticCustomError("unknown_key", "{message}", {"message": message})
        return values


def merge(settings: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Lay overrides over settings, key by key at every depth."""
    merged = dict(settings)
    for key, value in overrides.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return a hint such as ``did you mean 'epochs'?``, or the valid names if none is near."""
    names = [str(choice) for choice in valid]
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"valid: {', '.join(names)}"


def check(settings: type[S], values: object, where: str) -> S:
    """Validate values (or their JSON), or raise a UserError that names the place and the key."""
    try:
        if isinstance(values, str):
            return settings.model_validate_json(values)
        return settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        if not isinstance(first["input"], Mapping):
            message += f" (found {first['input']!r})"
        raise UserError(": ".join(part for part in (where, key, message) if part)) from error

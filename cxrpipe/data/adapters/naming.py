"""File names: templates that are filled, and names that are found again among others."""

import re
from collections.abc import Collection, Iterable, Mapping

from cxrpipe.config import nearest
from cxrpipe.runtime import UserError

FIELD = re.compile(r"\{([^{}]+)\}")


def fill(template: str, values: Mapping[str, str]) -> str:
    """Fill a template such as ``masks/{name}.png``; a field without a value becomes empty."""
    return FIELD.sub(lambda field: values.get(field[1], ""), template)


def check_template(template: str, known: Collection[str], where: str, kind: str = "column") -> None:
    """Refuse a template with a stray brace or with a field that is not known.

    Raises
    ------
    UserError
        Names the place, the field and the nearest known one.
    """
    rest = FIELD.sub("", template)
    if "{" in rest or "}" in rest:
        raise UserError(f"{where}: '{template}' is no template such as png/{{id}}.png")
    for field in FIELD.findall(template):
        if field not in known:
            raise UserError(f"{where}: no {kind} '{field}'; {nearest(field, known)}")


def shape(template: str) -> re.Pattern[str] | None:
    """Return what fits every path that a template may give; None if it could be any path."""
    fixed = FIELD.split(template)[::2]
    if not re.search(r"\w", "".join(re.sub(r"\.\w+$", "", part) for part in fixed)):
        return None
    return re.compile(".*".join(re.escape(part) for part in fixed))


class Names:
    """Names that are found exactly, or else in another case if only one name fits."""

    def __init__(self, names: Iterable[str]) -> None:
        self.exact = set(names)
        self.folded: dict[str, str] = {}
        for name in self.exact:
            folded = name.casefold()
            self.folded[folded] = "" if folded in self.folded else name

    def find(self, name: str) -> str:
        """Return the name as it is written, or an empty text if it is not there."""
        return name if name in self.exact else self.folded.get(name.casefold(), "")

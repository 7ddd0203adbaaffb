"""One thing that was found out, as ``doctor`` and ``new`` tell it."""

from dataclasses import dataclass
from typing import Literal

Mark = Literal["ok", "seen", "guess", "note", "wrong"]


@dataclass(frozen=True)
class Told:
    """What was found of what, and how to mend it.

    ``ok`` and ``seen`` are certain and well, a ``guess`` may be wrong, a ``note`` is worth knowing,
    and what is ``wrong`` keeps a run from ending well.
    """

    mark: Mark
    topic: str
    found: str
    mend: str = ""

    def __str__(self) -> str:
        """Return a line for people, and a second one with the mend."""
        line = f"{self.mark:<6}{self.topic:<12}{self.found}"
        return f"{line}\n{'':18}mend: {self.mend}" if self.mend else line


def count(n: int, noun: str) -> str:
    """Return a number of things in words, such as ``1 file`` and ``1,200 files``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"

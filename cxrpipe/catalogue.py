"""The catalogue: what ``sources.yaml`` may say of a collection of radiographs.

Where it comes from (:class:`Origin`), how its films are found and what is known of them
(:class:`Films`), and what the index needs of both.
"""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from cxrpipe.config import Index, Settings


class Phantom(Settings):
    """A synthetic collection: the films of one imaginary hospital."""

    hospital: Literal["north", "east", "south"]
    patients: int = Field(ge=24)
    side: int = Field(256, ge=64, le=1024, description="pixels")
    seed: int = Field(0, ge=0)


class Origin(Settings):
    """Where a collection comes from: exactly one of phantom, path, address and repository."""

    phantom: Phantom | None = None
    path: str = Field("", description="a folder on this machine")
    address: str = Field("", description="address of an archive or of a single file")
    sha256: str = Field("", pattern="^([0-9a-f]{64})?$", description="checksum of the address")
    repository: str = Field("", description="address of a public Git repository on GitHub")
    commit: str = Field("", pattern="^([0-9a-f]{8,40})?$")
    folder: str = Field("", description="folder of the archive that holds the collection")

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        places = [key for key in ("phantom", "path", "address", "repository") if getattr(self, key)]
        if len(places) != 1:
            found = " and ".join(places) or "none"
            raise ValueError(f"give exactly one of phantom, path, address, repository; got {found}")
        if self.address and not self.sha256:
            raise ValueError("an address needs the sha256 of what it delivers")
        if self.repository and not self.commit:
            raise ValueError("a repository needs the commit to take")
        return self


class Table(Settings):
    """A table that describes films; every value but ``file`` and ``source`` names a column."""

    file: str
    source: str = Field("", description="collection that holds the table; empty: this one")
    film: str = Field(description="template of the film's path, such as png/{image_id}.png")
    finding: str = ""
    patient: str = ""
    view: str = ""
    age: str = ""
    sex: str = ""
    lungs: str = Field("", description="path of a lung mask")
    lesions: str = Field("", description="path of a lesion mask")
    require: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="column: values that are kept"
    )


class Films(Settings):
    """How the films of a collection are found and what is known of them."""

    pattern: tuple[str, ...] = Field(
        (r"(?:.*/)?(?P<finding>[^/]+)/[^/]+\.\w+",),
        description="regular expressions of a film's path; the first that fits the whole path "
        "is taken, and its groups finding, patient and view are read",
    )
    finding: str = Field("", description="finding of every film, where nothing else tells it")
    findings: dict[str, str] = Field(
        default_factory=dict,
        description="label as written: name of the finding; empty: the label in lower case",
    )
    views: dict[str, str] = Field(default_factory=dict, description="view as written: PA, AP, ...")
    table: Table | None = None

    @field_validator("pattern", mode="before")
    @classmethod
    def _may_be_one(cls, pattern: object) -> object:
        return (pattern,) if isinstance(pattern, str) else pattern

    @field_validator("pattern")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"'{pattern}' is no regular expression: {error}") from error
        return patterns


class Source(Settings):
    """One collection of radiographs, as ``config/sources.yaml`` describes it."""

    title: str = ""
    licence: str = "not stated"
    citation: str = ""
    synthetic: bool = False
    origin: Origin
    films: Films = Films()


class IndexSettings(Index):
    """What the index command needs: its own section, the collections to read and the classes."""

    findings: tuple[str, ...]
    films: dict[str, Films]

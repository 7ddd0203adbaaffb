"""The catalogue: what ``sources.yaml`` may say of a collection of radiographs.

Where it comes from (:class:`Origin`), how its films are found and what is known of them
(:class:`Films`), and what the index needs of both.
"""

import re
from pathlib import PurePosixPath
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cxrpipe.config import Index, Settings

Subset = Literal["train", "validation", "test"]


def _several(values: object) -> object:
    """Take one value for a list of one."""
    if values is None:
        return ()
    return values if isinstance(values, list | tuple) else (values,)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"'{pattern}' is no regular expression: {error}") from error


Several = Annotated[tuple[str, ...], BeforeValidator(_several)]


class Phantom(Settings):
    """A synthetic collection: the films of one imaginary hospital.

    A text may be planted on the films of one finding, beside the lungs, so that it gives the
    finding away.
    """

    hospital: Literal["north", "east", "south"]
    patients: int = Field(ge=24)
    side: int = Field(256, ge=64, le=1024, description="pixels")
    seed: int = Field(0, ge=0)
    marked: Literal["", "normal", "covid", "lung_opacity", "viral_pneumonia", "tuberculosis"] = (
        Field("", description="finding whose films carry the planted text; empty: no film does")
    )
    marked_share: float = Field(
        0.98, ge=0.5, le=1, description="of its films that carry it; of all others' films the rest"
    )


class Origin(Settings):
    """Where a collection comes from: exactly one of ``PLACES``, and what belongs to it."""

    PLACES: ClassVar = ("phantom", "path", "address", "repository", "kaggle", "place")
    BELONGS: ClassVar = {
        "sha256": ("address", "repository", "kaggle", "place"),
        "commit": ("repository",),
        "version": ("kaggle",),
        "folder": ("address", "repository", "kaggle", "place"),
    }

    phantom: Phantom | None = None
    path: str = Field("", description="a folder on this machine")
    address: str = Field("", description="address of an archive or of a single file")
    repository: str = Field("", description="address of a public Git repository on GitHub")
    kaggle: str = Field("", pattern=r"^([\w-]+/[\w-]+)?$", description="owner/name of a data set")
    place: str = Field("", description="what a person has to fetch and put into placed/<name>/")
    sha256: str = Field("", pattern="^([0-9a-f]{64})?$", description="checksum of the archive")
    commit: str = Field("", pattern="^([0-9a-f]{8,40})?$")
    version: int = Field(0, ge=0, description="of the Kaggle data set")
    folder: str = Field("", description="folder of the archive that holds the collection")

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        places = [key for key in self.PLACES if getattr(self, key)]
        if len(places) != 1:
            found = " and ".join(places) or "none"
            raise ValueError(f"give exactly one of {', '.join(self.PLACES)}; got {found}")
        for key, owners in self.BELONGS.items():
            if getattr(self, key) and places[0] not in owners:
                raise ValueError(f"{key} belongs to {' or '.join(owners)}, not to {places[0]}")
        if PurePosixPath(self.folder).is_absolute() or ".." in PurePosixPath(self.folder).parts:
            raise ValueError(f"folder '{self.folder}' is not inside the archive")
        if self.address and not self.sha256:
            raise ValueError("an address needs the sha256 of what it delivers")
        if self.repository and not self.commit:
            raise ValueError("a repository needs the commit to take")
        if self.kaggle and not self.version:
            raise ValueError("a Kaggle data set needs the version to take")
        return self


class Sheet(Settings):
    """A table, and how its rows name films."""

    file: Several = Field(min_length=1, description="the first of these that is there")
    source: str = Field("", description="collection that holds the table; empty: this one")
    film: str = Field(
        description="template of the film's path, such as png/{image_id}.png; without a folder it "
        "fits in every folder, without the suffix of a picture it fits every suffix"
    )


class Table(Sheet):
    """A table that describes films: the columns that tell finding, patient, view, age and sex."""

    finding: str = Field("", description="several findings are joined by |")
    patient: str = ""
    view: str = ""
    age: str = ""
    sex: str = ""
    require: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="column: values that are kept"
    )


class Boxes(Sheet):
    """A table of boxes around findings: the columns that tell the finding and the box."""

    finding: str
    left: str
    top: str
    width: str
    height: str
    side: float = Field(
        gt=0,
        description="pixels, of the square pictures that the boxes were measured on; 1: the table "
        "holds shares of width and height",
    )


class Notes(Settings):
    """A text file beside each film, and where in it something is told."""

    file: str = Field(description="template of its path, such as readings/{name}.txt")
    patterns: dict[Literal["finding", "patient", "view", "age", "sex"], str] = Field(
        description="regular expressions; the first group of the first place that fits is read"
    )

    @field_validator("patterns")
    @classmethod
    def _have_a_group(cls, patterns: dict[str, str]) -> dict[str, str]:
        for pattern in patterns.values():
            if not _compiled(pattern).groups:
                raise ValueError(f"'{pattern}' has no group; put ( ) around what is to be read")
        return patterns


class Films(Settings):
    """How the films of a collection are found and what is known of them.

    A film's name tells the groups of ``pattern``; ``table`` replaces what the name tells; ``notes``
    replace both. Templates are filled from the groups of the pattern and the columns of the tables.
    """

    pattern: Several = Field(
        (
            r"(?:(?:.*/)?(?P<finding>[^/]+)/)?"
            r"(?:[^/]+\.(?i:png|jpe?g|jfif|webp|bmp|gif|tiff?|dcm|dicom)|[^/.]+|[\d.]+)",
        ),
        min_length=1,
        description="regular expressions of a film's path; the first that fits the whole path "
        "is taken, and its groups finding, patient, view, age, sex and subset are read",
    )
    finding: str = Field("", description="finding of every film, where nothing else tells it")
    findings: dict[str, str] = Field(
        default_factory=dict,
        description="label as written: name of the finding; empty: the label in lower case",
    )
    views: dict[str, str] = Field(default_factory=dict, description="view as written: PA, AP, ...")
    subsets: dict[str, Subset] = Field(
        default_factory=dict, description="published subset as written: train, validation or test"
    )
    lists: dict[str, Subset] = Field(
        default_factory=dict, description="file that lists the films of a published subset: subset"
    )
    lungs: Several = Field((), description="template of a lung mask's path; several are joined")
    lesions: Several = Field((), description="template of a lesion mask's path; likewise")
    table: Annotated[tuple[Table, ...], BeforeValidator(_several)] = ()
    notes: Notes | None = None
    boxes: Boxes | None = None

    @field_validator("pattern")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            _compiled(pattern)
        return patterns

    def lenders(self) -> tuple[str, ...]:
        """Return the other collections whose tables describe these films."""
        sheets: list[Sheet] = [*self.table, *filter(None, [self.boxes])]
        return tuple(dict.fromkeys(sheet.source for sheet in sheets if sheet.source))


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

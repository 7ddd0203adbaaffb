"""Settings of the films: which are taken, which count as one, how they are divided and stored."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator, model_validator

from cxrpipe.config.settings import Settings


class Index(Settings):
    """Which films are taken; what is left out is listed with its reason."""

    views: tuple[str, ...] = Field(("PA", "AP", ""), description="accepted; empty: unknown")
    several: Literal["exclude", "keep"] = Field(
        "exclude", description="what becomes of a film with several findings of the recipe"
    )
    unlisted: Literal["exclude", "ignore"] = Field(
        "exclude",
        description="what a finding that the recipe does not name does: it excludes "
        "its film, or is ignored",
    )
    max_megapixels: float = Field(100, gt=0, description="a larger film is not decoded")
    min_side: int = Field(64, ge=1, description="pixels of the shorter side")
    max_aspect: float = Field(2.5, ge=1, description="longer side by shorter side")
    max_tint: float = Field(
        0.08, ge=0, le=1, description="share of pixels in a colour that is not the film's one tint"
    )
    min_contrast: float = Field(
        0.1, ge=0, le=1, description="5th to 95th percentile of the greys, as a share of the scale"
    )
    max_blank: float = Field(0.9, ge=0, le=1, description="share of pixels of about one grey")
    max_excluded: float = Field(
        0.5, ge=0, le=1, description="share of films that cannot be read, above which the run stops"
    )


class Dedupe(Settings):
    """Which films count as one."""

    near: bool = Field(True, description="also look for near copies")
    score: float = Field(
        0.95, ge=0.8, le=1, description="correlation of the fine structures that near copies have"
    )


class Split(Settings):
    """How patients are divided."""

    test: float = Field(
        0.2,
        ge=0,
        description="share of the radiographs; from 1: radiographs of every finding. 0 if sources "
        "are held out and it is not given",
    )
    validation: float = Field(
        0.2, gt=0, description="share of the radiographs; from 1: radiographs of every finding"
    )
    folds: int = Field(
        1, ge=1, le=20, description="from 2: cross validation; the test set is the same in all"
    )
    held_out: tuple[str, ...] = Field((), description="sources whose films are all for the test")
    published: bool = Field(
        False, description="keep the subsets that the collections publish, where they do"
    )
    truncate: int | Literal["smallest"] = Field(
        0, description="radiographs of every finding at most; 0: all"
    )
    conflicts: Literal["exclude", "first", "stop"] = Field(
        "exclude", description="what becomes of one film under two findings"
    )

    @model_validator(mode="before")
    @classmethod
    def _tests_what_is_held_out_alone(cls, values: object) -> object:
        if isinstance(values, Mapping) and values.get("held_out") and "test" not in values:
            return {**values, "test": 0}
        return values

    @field_validator("test", "validation")
    @classmethod
    def _is_share_or_count(cls, amount: float) -> float:
        if amount >= 0.5 and amount != int(amount):
            raise ValueError("give a share below 0.5, or a whole number of radiographs")
        return amount

    @field_validator("truncate")
    @classmethod
    def _is_not_negative(cls, truncate: int | str) -> int | str:
        if isinstance(truncate, int) and truncate < 0:
            raise ValueError("give a number of radiographs, 0, or smallest")
        return truncate


class Preprocess(Settings):
    """The geometry and the greys of the stored radiographs."""

    side: int = Field(128, ge=32, le=1024, description="pixels")
    fit: Literal["pad", "stretch"] = Field("pad", description="keep the aspect, or fill the square")
    blur: int = Field(
        0, ge=0, le=31, description="stored pixels, width of a Gaussian kernel; odd; 0: none"
    )
    clahe: float = Field(
        0, ge=0, le=100, description="clip limit of the equalised contrast (CLAHE); 0: none"
    )
    tiles: int = Field(4, ge=1, le=16, description="tiles of CLAHE along each side of the film")

    @field_validator("blur")
    @classmethod
    def _has_a_middle(cls, blur: int) -> int:
        if blur and blur % 2 == 0:
            raise ValueError("give an odd number of pixels, or 0")
        return blur

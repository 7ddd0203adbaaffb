"""Typed settings: what a recipe may say, with units, bounds and defaults.

Each stage has one frozen class and receives nothing but its own. ``catalogue.py`` holds the
settings of collections; ``recipes.py`` reads the files that hold both, before the workflow is
planned.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
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


class Augmentation(Settings):
    """Random changes of a training radiograph, each drawn evenly between minus and plus."""

    flip: float = Field(0.5, ge=0, le=1, description="probability of a left-right flip")
    rotation: float = Field(10, ge=0, le=180, description="degrees")
    translation: float = Field(0.05, ge=0, le=0.5, description="share of the side")
    zoom: float = Field(0.1, ge=0, lt=1, description="share of the size")
    contrast: float = Field(0.2, ge=0, lt=1, description="share of the contrast")
    brightness: float = Field(0.1, ge=0, lt=1, description="share of the grey scale")


class Training(Settings):
    """How every model of the recipe is trained."""

    epochs: int = Field(20, ge=1)
    batch: int = Field(32, ge=2)
    learning_rate: float = Field(1e-3, gt=0)
    schedule: Literal["constant", "cosine"] = Field(
        "cosine", description="cosine: the learning rate falls to zero over the epochs"
    )
    weight_decay: float = Field(0, ge=0)
    patience: int = Field(5, ge=1, description="epochs without a lower validation loss")
    sampler: Literal["weighted", "shuffle"] = "weighted"
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="auto: bf16 where the device computes it natively"
    )
    augmentation: Augmentation = Augmentation()


class Model(Settings):
    """One model: a backbone of timm with one grey input channel and a linear head."""

    architecture: str
    weights: str = Field("none", description="none, imagenet, or a safetensors file")
    options: dict[str, int | float | str | bool | tuple[int, ...]] = Field(
        default_factory=dict, description="further arguments of timm's create_model"
    )


class Gradcam(Settings):
    """Which heatmaps are drawn."""

    films_per_finding: int = Field(3, ge=1, le=20)
    stride: int = Field(0, ge=0, description="pixels a map cell covers; 0: the last feature map")


class Recipe(Settings):
    """One run: its collections, findings in class order, and the settings of every stage."""

    title: str
    seed: int = Field(0, ge=0, description="of split, initial weights, sampling, augmentation")
    sources: tuple[str, ...] = Field(min_length=1)
    findings: tuple[str, ...] = Field(min_length=2, description="the classes, in this order")
    index: Index = Index()
    dedupe: Dedupe = Dedupe()
    split: Split = Split()
    preprocess: Preprocess = Preprocess()
    training: Training = Training()
    models: dict[str, Model] = Field(min_length=1)
    gradcam: Gradcam = Gradcam()

    @field_validator("models")
    @classmethod
    def _names_are_file_names(cls, models: dict[str, Model]) -> dict[str, Model]:
        for name in models:
            if not NAME.fullmatch(name):
                raise ValueError(f"model '{name}': use lower case letters, digits, '-', '_', '.'")
        return models

    @field_validator("sources", "findings")
    @classmethod
    def _are_unique(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"'{name}' stands twice; name it once")
        return names

    @model_validator(mode="after")
    def _holds_out_its_own(self) -> Self:
        for source in self.split.held_out:
            if source not in self.sources:
                raise ValueError(f"split.held_out: '{source}'; {nearest(source, self.sources)}")
        return self

    @field_validator("findings")
    @classmethod
    def _are_plain(cls, findings: tuple[str, ...]) -> tuple[str, ...]:
        for finding in findings:
            if not finding.strip() or not finding.isprintable() or "|" in finding:
                raise ValueError(f"{finding!r} is no name; tables join findings by '|'")
        return findings


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

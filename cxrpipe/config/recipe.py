"""A recipe: one run with all its settings."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from cxrpipe.config.evaluation import Evaluation
from cxrpipe.config.explanation import Errors, Filters, Gradcam, Latent, Localise
from cxrpipe.config.films import Dedupe, Index, Preprocess, Split
from cxrpipe.config.learning import Model, Task, Training
from cxrpipe.config.settings import NAME, Settings, merge, nearest

Values = Mapping[str, Any]


class Grid(Settings):
    """Which models of a recipe are multiplied, by which settings; all else stays equal."""

    models: tuple[str, ...] = Field((), description="names; empty: all of the recipe")
    vary: dict[str, tuple[int | float | str | bool, ...]] = Field(
        min_length=1,
        description="setting of a model: its values; dots lead into sections, such as "
        "training.learning_rate",
    )


class Recipe(Settings):
    """One run: its collections, findings in class order, and the settings of every stage.

    Once read, every task and every model is complete: what they do not say themselves is taken from
    the recipe.
    """

    title: str
    seed: int = Field(0, ge=0, description="of split, initial weights, sampling, augmentation")
    sources: tuple[str, ...] = Field(min_length=1)
    findings: tuple[str, ...] = Field(min_length=2, description="the classes, in this order")
    index: Index = Index()
    dedupe: Dedupe = Dedupe()
    split: Split = Split()
    preprocess: Preprocess = Preprocess()
    tasks: dict[str, Task] = Field(min_length=1)
    training: Training = Field(Training(), description="of models that say nothing else")
    models: dict[str, Model] = Field(min_length=1)
    evaluation: Evaluation = Evaluation()
    gradcam: Gradcam = Gradcam()
    localise: Localise = Localise()
    latent: Latent = Latent()
    errors: Errors = Errors()
    filters: Filters = Filters()

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: object) -> object:
        if not isinstance(values, Mapping):
            return values
        shared = {key: values.get(key, ()) for key in ("findings", "sources")}
        tasks = _each(values.get("tasks", {"findings": {}}), lambda task: merge(shared, task))
        own = {
            "task": next(iter(tasks), "") if isinstance(tasks, Mapping) else "",
            "side": _said(values.get("preprocess", {})).get("side", Preprocess().side),
        }
        training = _said(values.get("training", {}))
        models = _each(
            values.get("models"),
            lambda model: merge(
                {**own, "training": training},
                {key: value for key, value in model.items() if value or key not in own},
            ),
        )
        evaluation = values.get("evaluation", {})
        if isinstance(evaluation, Mapping):
            ensembles = _each(
                evaluation.get("ensembles", {}), lambda said: merge({"task": own["task"]}, said)
            )
            evaluation = {**evaluation, "ensembles": ensembles}
        return {**values, "tasks": tasks, "models": models, "evaluation": evaluation}

    @field_validator("models", "tasks")
    @classmethod
    def _names_are_file_names(cls, named: Values, info: ValidationInfo) -> Values:
        for name in named:
            if not NAME.fullmatch(name):
                what = f"{info.field_name}".removesuffix("s")
                raise ValueError(f"{what} '{name}': use lower case letters, digits, '-', '_', '.'")
        return named

    @field_validator("sources", "findings")
    @classmethod
    def _are_unique(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"'{name}' stands twice; name it once")
        return names

    @field_validator("findings")
    @classmethod
    def _are_plain(cls, findings: tuple[str, ...]) -> tuple[str, ...]:
        for finding in findings:
            if not finding.strip() or not finding.isprintable() or "|" in finding:
                raise ValueError(f"{finding!r} is no name; tables join findings by '|'")
        return findings

    @model_validator(mode="after")
    def _names_its_own(self) -> Self:
        _check_names("split.held_out", self.split.held_out, self.sources)
        for name, task in self.tasks.items():
            _check_names(f"tasks.{name}.findings", task.findings, self.findings)
            _check_names(f"tasks.{name}.sources", task.sources, self.sources)
            if task.kind == "multi" and self.index.several == "exclude":
                raise ValueError(
                    f"tasks.{name}: is about films with several findings, which index.several "
                    "excludes; set it to keep"
                )
        for name, model in self.models.items():
            _check_names(f"models.{name}.task", [model.task], self.tasks)
            if model.side < 32:
                raise ValueError(f"models.{name}.side: {model.side}; give at least 32 pixels")
            if model.start:
                _check_names(f"models.{name}.weights", [model.start], self.models)
            if model.trained_on:
                sources = self.tasks[model.task].sources
                _check_names(f"models.{name}.trained_on", [model.trained_on], sources)
        return self

    @model_validator(mode="after")
    def _joins_models_of_one_task(self) -> Self:
        for name, ensemble in self.evaluation.ensembles.items():
            where = f"evaluation.ensembles.{name}"
            _check_names(f"{where}.task", [ensemble.task], self.tasks)
            members = [name for name, model in self.models.items() if model.task == ensemble.task]
            _check_names(f"{where}.models", ensemble.models, members)
            if ensemble.tie:
                findings = self.tasks[ensemble.task].findings
                _check_names(f"{where}.tie", [ensemble.tie], findings)
        return self

    @model_validator(mode="after")
    def _starts_somewhere(self) -> Self:
        for name in self.models:
            chain = [name]
            while start := self.models[chain[-1]].start:
                if start in chain:
                    raise ValueError(
                        f"models.{name}.weights: {' starts from '.join([*chain, start])}; let one "
                        "of them start from none, imagenet or a file"
                    )
                chain.append(start)
        return self


def _said(settings: object) -> Values:
    """Return settings as they are to be completed; what is no mapping is refused later."""
    return settings if isinstance(settings, Mapping) else {}


def _each(named: object, complete: Callable[[Values], Values]) -> object:
    """Complete every one of named settings; what is no mapping is refused later."""
    if not isinstance(named, Mapping):
        return named
    return {
        name: complete(settings) if isinstance(settings, Mapping) else settings
        for name, settings in named.items()
    }


def _check_names(where: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{where}: '{name}'; {nearest(name, known)}")

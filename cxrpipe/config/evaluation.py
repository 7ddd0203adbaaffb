"""Settings of how models are judged."""

from typing import Annotated

from pydantic import Field

from cxrpipe.config.settings import Settings


class Ensemble(Settings):
    """Several models of one task that answer together, by majority vote and by mean probability."""

    task: str = Field("", description="of the recipe's tasks; empty: the first")
    models: tuple[str, ...] = Field((), description="names; empty: all of the task")
    best: int = Field(
        0, ge=0, description="only so many of them, the best on validation; 0: all of them"
    )
    tie: str = Field(
        "", description="finding that wins a tie of votes; empty: that of largest mean probability"
    )


class Evaluation(Settings):
    """How models are judged on test films, and what is fixed on validation films for that."""

    replicates: int = Field(
        2000, ge=100, le=100_000, description="bootstrap samples of the patients behind an interval"
    )
    level: float = Field(0.95, gt=0.5, lt=1, description="of intervals")
    sensitivity: float = Field(
        0.95, gt=0, lt=1, description="that the threshold of each finding has on validation"
    )
    coverage: float = Field(
        0.9, gt=0, lt=1, description="share of films whose conformal set holds the truth"
    )
    refused: float = Field(
        0.03,
        gt=0,
        lt=0.5,
        description="share of films like those of validation that the input "
        "guard of a model may refuse",
    )
    ages: tuple[Annotated[int, Field(ge=1, le=120)], ...] = Field(
        (18, 40, 60, 80), description="years at which an age band of the subgroups begins"
    )
    ensembles: dict[str, Ensemble] = Field(
        default_factory=dict, description="none named: all models of every task that has several"
    )
    published: tuple[str, ...] = Field(
        (), description="studies of published.yaml to stand beside the results"
    )

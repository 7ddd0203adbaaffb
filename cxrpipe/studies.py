"""Published studies: what ``published.yaml`` may say of scores that stand beside a run's own."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cxrpipe.config import Settings, check, nearest
from cxrpipe.recipes import read_yaml
from cxrpipe.runtime import UserError

Share = Annotated[float, Field(ge=0, le=1)]
Score = Literal["precision", "recall", "specificity", "f1", "auc"]


class PublishedModel(Settings):
    """The test scores of one model, as they were published; what was not is left out.

    Precision, recall (sensitivity), specificity, F1 and AUC are means over the findings.
    """

    model: str
    accuracy: Share | None = None
    precision: Share | None = None
    recall: Share | None = None
    specificity: Share | None = None
    f1: Share | None = None
    auc: Share | None = None
    by_finding: dict[Score, dict[str, Share]] = Field(
        default_factory=dict, description="score: finding: value"
    )
    confusion: tuple[tuple[Annotated[int, Field(ge=0)], ...], ...] = Field(
        (), description="films by true (rows) and predicted finding, in the study's order"
    )


class Study(Settings):
    """The models that were tested on one and the same set of films."""

    title: str
    citation: str = Field("", description="where it was published, and when")
    films: str = Field(description="that the models were tested on, in words")
    n: int | None = Field(None, ge=1, description="number of test films; empty: not stated")
    findings: tuple[str, ...] = Field(min_length=1, description="the classes, in this order")
    accuracy_is: Literal["accuracy", "one_vs_rest", "not stated"] = Field(
        "accuracy",
        description="what the study calls accuracy: accuracy, or one_vs_rest, the mean over "
        "findings of the accuracy of each against the rest",
    )
    caution: str = Field("", description="why these scores are better, or other, than they look")
    remark: str = Field("", description="what else the study found")
    models: tuple[PublishedModel, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        k = len(self.findings)
        for row in self.models:
            for finding in {name for values in row.by_finding.values() for name in values}:
                if finding not in self.findings:
                    hint = nearest(finding, self.findings)
                    raise ValueError(f"{row.model}: by_finding: '{finding}'; {hint}")
            if not row.confusion:
                continue
            if [len(counts) for counts in row.confusion] != [k] * k:
                raise ValueError(f"{row.model}: confusion: give {k} rows of {k} counts")
            total = sum(map(sum, row.confusion))
            if total != self.n:
                raise ValueError(f"{row.model}: confusion: sums to {total}, but n is {self.n}")
        return self


def load_studies(names: Iterable[str], folder: Path) -> dict[str, Study]:
    """Read the named studies of ``published.yaml``, in the order in which they are named.

    Parameters
    ----------
    folder
        The folder ``config``.

    Raises
    ------
    UserError
        If there is no such study, or what is said of it does not fit together.
    """
    path = folder / "published.yaml"
    described = read_yaml(path)
    for name in names:
        if name not in described:
            raise UserError(f"{path}: no study '{name}'; {nearest(name, described)}")
    return {name: check(Study, described[name], f"{path}: {name}") for name in names}

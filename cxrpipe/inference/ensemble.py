"""Several models that answer together, and how far they agree."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import tee
from pathlib import Path
from typing import Literal

import numpy as np

from cxrpipe.inference.answers import Answer, Refusal
from cxrpipe.inference.classifier import Classifier
from cxrpipe.runtime import UserError

Combine = Literal["mean", "vote"]


class Ensemble:
    """Models of the same findings that answer together.

    For research only. Not a medical device; not for diagnosis or treatment.

    Parameters
    ----------
    members
        Models that tell the same findings apart.
    combine
        What names the finding: the mean of calibrated probabilities, or most models' own answers,
        and among findings with equally many votes the mean.

    Raises
    ------
    UserError
        If the models answer to different findings.
    """

    def __init__(self, members: Sequence[Classifier], combine: Combine = "mean") -> None:
        asked = {(it.network.card.kind, it.findings) for it in members}
        if len(asked) != 1:
            told = " and ".join(
                sorted(f"{', '.join(findings)} ({kind})" for kind, findings in asked)
            )
            raise UserError(
                f"models: they answer to different findings: {told}; give such as agree"
            )
        self.members = tuple(members)
        self.combine = combine

    @classmethod
    def load(cls, places: Iterable[str | Path], combine: Combine = "mean") -> "Ensemble":
        """Load models from their places; see ``Classifier.load``."""
        return cls([Classifier.load(place) for place in places], combine)

    @property
    def findings(self) -> tuple[str, ...]:
        """What it tells apart, or answers yes or no to."""
        return self.members[0].findings

    @property
    def kind(self) -> str:
        """Whether it names one finding (``single``), or answers yes or no."""
        return self.members[0].network.card.kind

    def classify_each(
        self, films: Iterable[str | Path], force: bool = False, cores: int = 2
    ) -> Iterator[Answer | Refusal]:
        """Answer to films one after the other; see ``Classifier.classify_each``.

        A film is refused if more than half of the models refuse it.
        """
        streams = zip(self.members, tee(films, len(self.members)), strict=True)
        answers = [it.classify_each(stream, force, cores) for it, stream in streams]
        for each in zip(*answers, strict=True):
            yield join(each, self.kind, self.combine)


def join(each: Sequence[Answer | Refusal], kind: str, combine: Combine) -> Answer | Refusal:
    """Join what several models say of one film.

    ``probabilities`` are means; ``above`` holds what reaches the thresholds of more than half of
    the models; ``conformal`` what any of them cannot rule out, so that it covers the truth at least
    as often as each alone; ``agreement`` is the share of models that give the joint answer, of
    models that answer yes or no the mean over findings.
    """
    answers = [it for it in each if isinstance(it, Answer)]
    refusals = [it for it in each if isinstance(it, Refusal)]
    if 2 * len(refusals) > len(each) or not answers:
        return refusals[0]
    findings = list(answers[0].probabilities)
    shares = np.array([list(it.probabilities.values()) for it in answers])
    mean = dict(zip(findings, map(float, shares.mean(axis=0)), strict=True))
    above = [name for name in findings if 2 * _count(answers, name) > len(answers)]
    finding, agreement = "", 0.0
    if kind == "single":
        votes = [it.finding for it in answers]
        most = {name: votes.count(name) if combine == "vote" else 0 for name in findings}
        finding = max(findings, key=lambda name: (most[name], mean[name]))
        agreement = votes.count(finding) / len(votes)
    else:
        yes = (shares > 0.5).mean(axis=0)
        joint = yes > 0.5 if combine == "vote" else shares.mean(axis=0) > 0.5
        agreement = float(np.where(joint, yes, 1 - yes).mean())
    possible = dict.fromkeys(name for it in answers for name in it.conformal)
    doubt = next((it.doubt for it in answers if it.doubt), "")
    film = answers[0].film
    return Answer(film, finding, mean, tuple(above), tuple(possible), doubt, agreement)


def _count(answers: Sequence[Answer], finding: str) -> int:
    return sum(finding in it.above for it in answers)

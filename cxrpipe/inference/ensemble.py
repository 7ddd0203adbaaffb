"""Several models that answer together, and how far they agree."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from cxrpipe.config import Index, Preprocess
from cxrpipe.inference.ahead import Names, work_ahead
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
        if not members:
            raise UserError("no model is named; give one or several")
        asked = {(it.network.card.kind, it.findings) for it in members}
        if len(asked) > 1:
            told = " and ".join(sorted(f"{kind}: {', '.join(names)}" for kind, names in asked))
            raise UserError(f"models of different findings ({told}); give such as agree in them")
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

        A film is decoded once for all models that take it prepared alike.
        """
        alike = {_needs(it): it for it in self.members}

        def work(names: Names) -> list[Answer | Refusal]:
            """Answer to a batch: prepared as each model needs it, by each model, and jointly."""
            ready = {
                needed: [(name, it.prepare(name)) for name in names] for needed, it in alike.items()
            }
            answers = [it.answer(ready[_needs(it)], force) for it in self.members]
            return [join(each, self.kind, self.combine) for each in zip(*answers, strict=True)]

        n_at_once = min(it.network.n_at_once for it in self.members)
        divide = self.members[0].network.divide
        yield from work_ahead(films, work, n_at_once, cores, divide)


def _needs(member: Classifier) -> tuple[Preprocess, Index]:
    """Return by what a film is prepared for a model."""
    return member.network.card.preprocess, member.guard.index


def join(each: Sequence[Answer | Refusal], kind: str, combine: Combine) -> Answer | Refusal:
    """Join what several models say of one film.

    It is refused if half of the models or more refuse it; of fewer, the others answer, and their
    answer holds the doubt. ``probabilities`` are means; ``above`` holds what reaches the thresholds
    of more than half of those that answer; ``conformal`` what any of them cannot rule out, so that
    it covers the truth at least as often as each alone. ``agreement`` is the share of all models
    that give the joint answer: name its finding, or, of models that answer yes or no, hold each
    finding above its threshold or not, on average over findings.
    """
    answers = [it for it in each if isinstance(it, Answer)]
    refusals = [it for it in each if isinstance(it, Refusal)]
    if 2 * len(refusals) >= len(each):
        return refusals[0]
    findings = list(answers[0].probabilities)
    shares = np.array([list(it.probabilities.values()) for it in answers])
    mean = dict(zip(findings, map(float, shares.mean(axis=0)), strict=True))
    votes = {name: sum(name in it.above for it in answers) for name in findings}
    above = tuple(name for name in findings if 2 * votes[name] > len(answers))
    if kind == "single":
        named = Counter(it.finding for it in answers)
        wins = named if combine == "vote" else Counter[str]()
        finding = max(findings, key=lambda name: (wins[name], mean[name]))
        agreed = float(named[finding])
    else:
        finding = ""
        alike = [votes[name] if name in above else len(answers) - votes[name] for name in findings]
        agreed = sum(alike) / len(findings)
    possible = dict.fromkeys(name for it in answers for name in it.conformal)
    doubts = [it.doubt for it in answers if it.doubt]
    doubts += [f"{it.reason}: {it.detail}" for it in refusals]
    doubt, agreement = next(iter(doubts), ""), agreed / len(each)
    return Answer(answers[0].film, finding, mean, above, tuple(possible), doubt, agreement)

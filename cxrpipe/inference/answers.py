"""What a classifier answers to one film."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cxrpipe.evaluation.statistics.calibration import Calibration
from cxrpipe.evaluation.statistics.decisions import prediction_sets
from cxrpipe.evaluation.statistics.metrics import Floats


@dataclass(frozen=True)
class Answer:
    """The answer to one film.

    Attributes
    ----------
    film
        As it was named.
    finding
        Of models that name one finding, that of highest probability (of several that vote, that of
        most votes); of others empty.
    probabilities
        Calibrated on validation films, from 0 to 1, by finding.
    above
        Findings whose probability reaches the threshold that validation fixed.
    conformal
        What cannot be ruled out at the coverage that validation fixed: findings, and of models that
        answer yes or no to each, ``no <finding>`` too. Empty if the film is like none of them.
    doubt
        Why the film would have been refused, had the answer not been forced; else empty.
    agreement
        Share of models that give this answer; of one model 1.
    """

    film: str
    finding: str
    probabilities: Mapping[str, float]
    above: tuple[str, ...]
    conformal: tuple[str, ...]
    doubt: str = ""
    agreement: float = 1.0


@dataclass(frozen=True)
class Refusal:
    """Why a film has no answer: a reason of one word, and a detail for people."""

    film: str
    reason: str
    detail: str


def answer(film: str, logits: Floats, calibration: Calibration, doubt: str = "") -> Answer:
    """Answer from the logits (n_findings,) of one film."""
    findings = calibration.findings
    probabilities = calibration.probabilities(logits[None])
    [sets] = prediction_sets(probabilities, calibration.quantiles, calibration.kind)
    is_single = calibration.kind == "single"
    named = zip(findings, probabilities[0], calibration.thresholds, strict=True)
    if is_single:
        held = [name for name, inside in zip(findings, sets, strict=True) if inside]
    else:
        held = [
            said
            for name, (no, yes) in zip(findings, sets, strict=True)
            for said, inside in ((name, yes), (f"no {name}", no))
            if inside
        ]
    return Answer(
        film,
        findings[int(np.argmax(probabilities[0]))] if is_single else "",
        dict(zip(findings, map(float, probabilities[0]), strict=True)),
        tuple(name for name, probability, threshold in named if probability >= threshold),
        tuple(held),
        doubt,
    )

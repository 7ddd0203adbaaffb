"""How far probabilities can be believed, and what was fixed on validation films to mend them.

A calibration belongs to the weights that it was fitted with; its file names their checksum.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import log_expit, log_softmax, ndtri

from cxrpipe.evaluation.statistics.metrics import Floats, Integers, probabilities
from cxrpipe.runtime import UserError, read_json

HOTTEST = 20.0  # temperatures are from its inverse to it
BINS = 15  # as Guo et al. (ICML 2017)


@dataclass(frozen=True)
class Calibration:
    """What was fixed on the validation films of one fold for one model.

    Attributes
    ----------
    weights
        SHA-256 of the weights, in hexadecimal digits.
    n
        Validation films.
    temperature
        That logits are divided by; all below is of probabilities after that.
    sensitivity
        That each threshold has on validation at least.
    thresholds
        (n_findings,) from 0 to 1: yes is at or above it. NaN if no validation film showed the
        finding.
    coverage
        Wanted share of films whose conformal set holds the truth.
    quantiles
        Of conformal scores: (1,) for ``single``, else (n_findings,). Infinite if there were too
        few validation films, so that every set holds everything.
    """

    weights: str
    kind: str
    findings: tuple[str, ...]
    n: int
    temperature: float
    sensitivity: float
    thresholds: tuple[float, ...]
    coverage: float
    quantiles: tuple[float, ...]

    def probabilities(self, logits: Floats) -> Floats:
        """Return calibrated probabilities (n, n_findings) of logits as the model gives them."""
        return probabilities(logits / self.temperature, self.kind)

    def as_json(self) -> dict[str, object]:
        """Return what the file holds; null is a number that could not be estimated."""
        pairs = zip(self.findings, self.thresholds, strict=True)
        return {
            "weights": self.weights,
            "kind": self.kind,
            "findings": list(self.findings),
            "n": self.n,
            "temperature": self.temperature,
            "sensitivity": self.sensitivity,
            "thresholds": {finding: _finite(threshold) for finding, threshold in pairs},
            "coverage": self.coverage,
            "quantile": [_finite(quantile) for quantile in self.quantiles],
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _numbers(values: Sequence[float | None], missing: float) -> tuple[float, ...]:
    return tuple(missing if value is None else float(value) for value in values)


def read_calibration(path: Path) -> Calibration:
    """Read a calibration.

    Raises
    ------
    UserError
        If the file is missing, or is no calibration.
    """
    try:
        content = read_json(path)
        thresholds = [content["thresholds"][finding] for finding in content["findings"]]
        return Calibration(
            weights=str(content["weights"]),
            kind=str(content["kind"]),
            findings=tuple(content["findings"]),
            n=int(content["n"]),
            temperature=float(content["temperature"]),
            sensitivity=float(content["sensitivity"]),
            thresholds=_numbers(thresholds, math.nan),
            coverage=float(content["coverage"]),
            quantiles=_numbers(content["quantile"], math.inf),
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path}: not readable as a calibration; calibrate anew") from error


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_others(calibration: Calibration, weights: Path, path: Path) -> None:
    """Raise a UserError if a calibration, read from a path, was fitted with other weights."""
    found = checksum(weights)
    if calibration.weights != found:
        raise UserError(
            f"{path}: fitted with weights of SHA-256 {calibration.weights[:12]}, and {weights} has "
            f"{found[:12]}; give the calibration beside these weights, or calibrate anew"
        )


def fit_temperature(true: Integers, logits: Floats, kind: str) -> float:
    """Return the temperature from 1/20 to 20 at which the log loss is least (Guo, ICML 2017).

    The loss is convex in the inverse of the temperature, so it is least where its slope there is
    zero. If it falls all the way, as for a perfect order, the temperature is 1/20, and 20 if it
    rises all the way. It is 1 where the loss does not depend on it: no films, or logits that are
    all equal.

    Parameters
    ----------
    true
        ``single``: (n,) places of findings; else (n, n_findings) of 0 and 1.
    logits
        (n, n_findings).
    """
    from scipy.optimize import brentq  # takes a third of a second, and an answer needs it not

    if kind == "single":
        logits = logits - logits.max(axis=1, keepdims=True)  # equal ones become exactly zero
    wrong = -_one_hot(true, logits.shape[1])

    def slope(inverse: float) -> float:
        """Return the derivative of the sum of log losses by the inverse of the temperature."""
        return float(((probabilities(logits * inverse, kind) + wrong) * logits).sum())

    coolest, hottest = HOTTEST, 1 / HOTTEST
    if slope(coolest) <= 0:
        return 1.0 if slope(hottest) >= 0 else 1 / HOTTEST
    if slope(hottest) >= 0:
        return HOTTEST
    return 1 / float(brentq(slope, hottest, coolest))


def _one_hot(true: Integers, n_findings: int) -> Floats:
    """Return (n, n_findings) of 0 and 1."""
    return np.eye(n_findings)[true] if true.ndim == 1 else true.astype(np.float64)


def brier(true: Integers, logits: Floats, kind: str) -> Floats:
    """Return every film's squared error (n,) of its probabilities (Brier, Mon Weather Rev 1950).

    ``single``: the sum over findings, from 0 to 2. Else the mean over findings, from 0 to 1.
    """
    squares = (probabilities(logits, kind) - _one_hot(true, logits.shape[1])) ** 2
    return np.asarray(squares.sum(axis=1) if kind == "single" else squares.mean(axis=1))


def log_loss(true: Integers, logits: Floats, kind: str) -> Floats:
    """Return every film's negative log likelihood (n,) in nats, 0 or more.

    ``single``: of its finding. Else the mean over findings of that of the answer.
    """
    if kind == "single":
        return np.asarray(-log_softmax(logits, axis=1)[np.arange(len(true)), true])
    return np.asarray(-log_expit(np.where(true == 1, logits, -logits)).mean(axis=1))


def reliability(
    true: Integers, logits: Floats, kind: str, n_bins: int = BINS, level: float = 0.95
) -> Floats:
    """Return how often answers of like probability are right.

    ``single``: of the probability of the named finding, and whether the film has it. Else of the
    probability of yes, of all findings together, and whether the film has each.

    Parameters
    ----------
    true
        Of the films, the same in every fold.
    logits
        (n_folds, n, n_findings).

    Returns
    -------
    (n_rows, 5), a row for every bin that is not empty, of ``n_bins`` of equal width that hold their
    upper edge: mean probability; share right; its interval of the level, after Wilson (J Am Stat
    Assoc 1927); answers in the bin, on average over folds. The interval takes answers as
    independent, which those of one film are not.
    """
    points = [_answers(true, fold, kind) for fold in logits]
    probability, right = (np.concatenate(part) for part in zip(*points, strict=True))
    bins = np.clip(np.ceil(probability * n_bins) - 1, 0, n_bins - 1).astype(np.int64)
    counts = np.bincount(bins, minlength=n_bins)
    sums = [np.bincount(bins, values, n_bins) for values in (probability, right)]
    x, y = (part[counts > 0] / counts[counts > 0] for part in sums)
    n = counts[counts > 0] / len(logits)
    return np.column_stack([x, y, *wilson(y, n, level), n])


def _answers(true: Integers, logits: Floats, kind: str) -> tuple[Floats, Floats]:
    """Return the probability of every answer, and 1 where it is right, else 0."""
    probability = probabilities(logits, kind)
    if kind == "single":
        return probability.max(axis=1), (logits.argmax(axis=1) == true).astype(np.float64)
    return probability.ravel(), true.ravel().astype(np.float64)


def ece(true: Integers, logits: Floats, kind: str, n_bins: int = BINS) -> float:
    """Return the expected calibration error, from 0 to 1 (Naeini, AAAI 2015; Guo, ICML 2017).

    It is the mean distance of probability and share right in the bins of ``reliability``, weighed
    by their answers; logits are (n, n_findings). NaN if there are no films.
    """
    x, y, _, _, n = reliability(true, logits[None], kind, n_bins).T
    return float(np.average(np.abs(x - y), weights=n)) if len(n) else math.nan


def wilson(share: Floats, n: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return low and high of the interval of a share of n (Wilson, J Am Stat Assoc 1927)."""
    counts, z = np.asarray(n, dtype=np.float64), ndtri((1 + level) / 2)
    centre = share + z**2 / (2 * counts)
    width = z * np.sqrt(share * (1 - share) / counts + z**2 / (4 * counts**2))
    low, high = ((centre + side * width) / (1 + z**2 / counts) for side in (-1, 1))
    return np.clip(low, 0, 1), np.clip(high, 0, 1)

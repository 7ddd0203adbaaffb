"""Several models that answer together: by majority vote, and by the mean of their probabilities.

Models of several folds are joined fold by fold: logits are (n_models, ..., n, n_findings), and
what is between models and films stays as it is.
"""

import numpy as np
from scipy.special import log_expit, log_softmax, logsumexp

from cxrpipe.evaluation.statistics.metrics import Floats, Integers


def mean_logits(logits: Floats, kind: str) -> Floats:
    """Return logits (..., n, n_findings) of the mean probability of models, each counting alike.

    ``single``: the logarithm of the mean probability, whose softmax is that mean. Else the log odds
    of the mean probability of yes. No probability is formed on the way, so that none rounds to 0
    or 1.
    """
    if kind == "single":
        logs = logsumexp(log_softmax(logits, axis=-1), axis=0)
        return np.asarray(logs - np.log(len(logits)))
    yes, no = (logsumexp(log_expit(sign * logits), axis=0) for sign in (1, -1))
    return np.asarray(yes - no)


def vote(logits: Floats, kind: str, tie: int | None = None) -> Integers:
    """Return the answers that most models give.

    Each model votes for what it would answer alone: the finding of largest logit, the first of
    equal ones; or yes where the probability is above 1/2.

    Parameters
    ----------
    tie
        Place of the finding that wins a tie that it is part of.

    Returns
    -------
    ``single``: (..., n) places of findings. Of findings with equally many votes, it is the one
    named by ``tie``; if that is none of them, the one of largest mean probability, and of equal
    ones the first.

    Else (..., n, n_findings) of 0 and 1, each finding by itself. Of equally many votes for yes and
    no, it is yes if ``tie`` names the finding or the mean probability is above 1/2.
    """
    n_findings = logits.shape[-1]
    named = np.arange(n_findings) == (-1 if tie is None else tie)
    mean = mean_logits(logits, kind)
    if kind == "single":
        votes = (logits.argmax(axis=-1)[..., None] == np.arange(n_findings)).sum(axis=0)
        tied = votes == votes.max(axis=-1, keepdims=True)
        rank = np.where(tied, np.where(named, np.inf, mean), -np.inf)
        return np.asarray(rank.argmax(axis=-1))
    votes = 2 * (logits > 0).sum(axis=0)
    answers = np.where(votes == len(logits), named | (mean > 0), votes > len(logits))
    return np.asarray(answers, dtype=np.int64)

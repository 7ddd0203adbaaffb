"""Models that answer together: what they score, and whether that is better than the best alone."""

import logging
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from cxrpipe.config import Ensemble, Evaluation
from cxrpipe.evaluation.judging.contest import Contender, adjust, compare, contend, rightness
from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.evaluation.judging.scores import (
    Draws,
    Scores,
    average_draws,
    lay_out,
    measure_folds,
    tell_estimates,
)
from cxrpipe.evaluation.statistics.counting import Weights
from cxrpipe.evaluation.statistics.ensemble import mean_logits, vote
from cxrpipe.evaluation.statistics.measures import measure_answers
from cxrpipe.evaluation.statistics.metrics import Floats, Integers

log = logging.getLogger(__name__)


def list_ensembles(
    settings: Evaluation, task: str, models: Sequence[str], of_one: Collection[str] = ()
) -> dict[str, Ensemble]:
    """List the ensembles of a task; if the recipe names none, one of all its models.

    Parameters
    ----------
    models
        Of the task, the best on validation first.
    of_one
        Those that one collection trained, which are in no ensemble that does not name them.

    Returns
    -------
    Those of two models at least, and of as many as are asked for; each names them. The log says
    which are left out.
    """
    listed = {}
    together = [model for model in models if model not in of_one]
    for ensemble, said in (settings.ensembles or {"all": Ensemble(task=task)}).items():
        if said.task != task:
            continue
        members = [model for model in models if model in (said.models or together)]
        members = members[: said.best or None]
        if len(members) >= max(said.best, 2):
            listed[ensemble] = said.model_copy(update={"models": tuple(members)})
        elif settings.ensembles:
            log.info(f"ensemble {ensemble}: left out, only {len(members)} of its models are here")
    return listed


def tell_ensembles(
    judged: Judged,
    ensembles: Mapping[str, Ensemble],
    logits: Mapping[str, Floats],
    name: str,
    best: Contender,
) -> dict[str, Scores]:
    """Tell all ensembles of a task, with p adjusted for all of their tests together.

    Parameters
    ----------
    logits
        Model: (n_folds, n, n_findings) of the test films.
    name, best
        The single model that is best on validation, which they are compared with.
    """
    told = {
        ensemble: _tell_ensemble(judged, said, logits, name, best)
        for ensemble, said in ensembles.items()
    }
    compared = [each[way]["against_best"] for each in told.values() for way in ("vote", "mean")]
    adjust([against[score] for against in compared for score in ("accuracy", "macro_auc")])
    adjust([area for against in compared for area in against["findings"].values()])
    return told


def _tell_ensemble(
    judged: Judged, ensemble: Ensemble, logits: Mapping[str, Floats], name: str, best: Contender
) -> Scores:
    """Tell what several models score together, by vote and by mean probability."""
    task = judged.task
    members = np.stack([logits[model] for model in ensemble.models])
    tie = task.findings.index(ensemble.tie) if ensemble.tie else None
    told = {
        "vote": _tell_vote(judged, vote(members, task.kind, tie), best),
        "mean": _tell_mean(judged, mean_logits(members, task.kind), best),
    }
    return {"models": list(ensemble.models), "tie": ensemble.tie, "best": name} | told


def _tell_mean(judged: Judged, logits: Floats, best: Contender) -> Scores:
    """Tell the scores of mean probabilities (n_folds, n, n_findings), as logits."""
    values = measure_folds(judged.true, logits, judged.task)
    draws = average_draws(measure_folds(judged.true, logits, judged.task, judged.weights))
    scores = tell_estimates(judged.true, values, draws, judged.task, judged.level)
    return scores | {"against_best": compare(judged, contend(judged, logits, draws), best)}


def _tell_vote(judged: Judged, answers: Integers, best: Contender) -> Scores:
    """Tell the scores of votes, one answer of each fold for all films."""
    once = np.ones((1, len(judged.true)), dtype=np.uint8)
    values = [_measure(judged, fold, once) for fold in answers]
    draws = average_draws([_measure(judged, fold, judged.weights) for fold in answers])
    voting = Contender(average_draws(values), draws, rightness(judged, answers), None)
    scores = tell_estimates(judged.true, values, draws, judged.task, judged.level)
    return scores | {"against_best": compare(judged, voting, best)}


def _measure(judged: Judged, answers: Integers, weights: Weights) -> Draws:
    kind, findings = judged.task.kind, judged.task.findings
    measures = measure_answers(judged.true, answers, kind, len(findings), weights)
    return lay_out(measures, findings)

"""The mistakes that a model is surest of, for a person to look at first."""

import numpy as np

from cxrpipe.evaluation.judging.answers import Answers
from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.evaluation.judging.scores import Scores, known
from cxrpipe.evaluation.statistics.decisions import confidence
from cxrpipe.evaluation.statistics.metrics import decide, probabilities

MOST = 20


def list_mistakes(judged: Judged, answers: Answers) -> list[Scores]:
    """List the surest wrong answers of a model of the first fold to test films, surest first.

    Returns
    -------
    ``radiograph``, ``source``, what is ``true`` and what was ``said``, and the calibrated
    ``probability`` of what was said. Where every finding is a yes or no, each answer counts.
    """
    task, logits = judged.task, answers.calibrated[0]
    sure, right = confidence(judged.true, logits, task.kind)
    said, probability = decide(logits, task.kind), probabilities(logits, task.kind)
    answers_a_film = len(sure) // len(judged.test)
    names = judged.test["radiograph"].to_numpy(dtype=str).repeat(answers_a_film)
    surest = np.lexsort((names, -sure))
    told = []
    for place in surest[right[surest] == 0][:MOST]:
        film, finding = divmod(int(place), answers_a_film)
        if task.kind == "single":
            words = [task.findings[places[film]] for places in (judged.true, said)]
            share = probability[film, said[film]]
        else:
            yes = bool(said[film, finding])
            words = [_say(task.findings[finding], answer) for answer in (not yes, yes)]
            share = probability[film, finding] if yes else 1 - probability[film, finding]
        row = judged.test.iloc[film]
        named = {"radiograph": row["radiograph"], "source": row["source"]}
        told.append(named | {"true": words[0], "said": words[1], "probability": known(share)})
    return told


def _say(finding: str, answer: bool) -> str:
    return finding if answer else f"no {finding}"

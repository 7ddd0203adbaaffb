"""What films show of a task, or are said to show, in words."""

import numpy as np
import numpy.typing as npt

from cxrpipe.config import Task
from cxrpipe.evaluation.statistics.metrics import Integers

NONE = "none"  # of the findings of a task


def name_answers(answers: Integers, task: Task) -> npt.NDArray[np.object_]:
    """Name the findings (n,) of each film, joined by ``|``; ``none`` where there are none.

    Parameters
    ----------
    answers
        As ``cohort.label_films`` and ``metrics.decide`` give them: (n,) places of findings, or
        (n, n_findings) of 0 and 1.
    """
    shown = np.eye(len(task.findings), dtype=int)[answers] if task.kind == "single" else answers
    named = ["|".join(np.array(task.findings)[row == 1]) or NONE for row in shown]
    return np.array(named, dtype=object)

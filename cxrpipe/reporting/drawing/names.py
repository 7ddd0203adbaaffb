"""Which figures there are of what was trained; the workflow must know before they are drawn."""

from collections.abc import Collection, Sequence

# Of each task, in the order in which a reader asks: who is best, at what, how sure, for whom.
KINDS = (
    "forest",
    "confusion",
    "roc",
    "precision_recall",
    "reliability",
    "decision",
    "selective",
    "subgroups",
    "matrix",
    "size",
)


def name_figure(kind: str, task: str, tasks: Collection[str]) -> str:
    """Name the figure of a kind and a task; a recipe of one task does not say which.

    Parameters
    ----------
    tasks
        Names of all tasks of the recipe.

    Returns
    -------
    The name of its files without their suffix; up to the first dash it is the kind.
    """
    return f"{kind}-{task}" if len(tasks) > 1 else kind


def list_figures(used: Sequence[str], tasks: Collection[str], findings: Sequence[str]) -> list[str]:
    """List the figures of a recipe in the order in which they are shown.

    Parameters
    ----------
    used
        Names of the tasks that have a model.
    tasks
        Names of all tasks.
    findings
        Those of the used tasks, each of which has a figure of its Grad-CAM.
    """
    of_tasks = [name_figure(kind, task, tasks) for task in used for kind in KINDS]
    return ["curves", *of_tasks, *(f"gradcam-{finding}" for finding in findings)]

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
# Of each task, what explains its models: where they look, whether that can be believed, what they
# answer, where they err, and what they see films alike by.
EXPLAINED = (
    "gallery",
    "depth",
    "methods",
    "several",
    "localisation",
    "altered",
    "randomised",
    "confidence",
    "mistakes",
    "causes",
    "latent",
    "som",
    "neighbours",
    "filters",
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


def list_figures(used: Sequence[str], tasks: Collection[str]) -> list[str]:
    """List the figures of what was trained in the order in which they are shown.

    Parameters
    ----------
    used
        Names of the tasks that have a model.
    tasks
        Names of all tasks.
    """
    return ["curves", *(name_figure(kind, task, tasks) for task in used for kind in KINDS)]


def list_explained(
    used: Sequence[str], tasks: Collection[str], findings: Sequence[str]
) -> list[str]:
    """List the figures of what explains the models in the order in which they are shown.

    Parameters
    ----------
    used
        Names of the tasks that have a model.
    tasks
        Names of all tasks.
    findings
        Those of the used tasks, each of which has a figure of its Grad-CAM.
    """
    of_tasks = [name_figure(kind, task, tasks) for task in used for kind in EXPLAINED]
    return [*(f"gradcam-{finding}" for finding in findings), *of_tasks]

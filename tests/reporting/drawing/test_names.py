"""The names of figures, which the workflow knows before any is drawn."""

from pathlib import Path

from cxrpipe.reporting.drawing.names import KINDS, list_figures, name_figure

CAPTIONS = Path(__file__).parents[3] / "workflow" / "report"


def test_a_recipe_of_one_task_does_not_say_which():
    assert name_figure("roc", "findings", ["findings"]) == "roc"
    assert name_figure("roc", "nih", ["nih", "covid"]) == "roc-nih"


def test_tasks_have_all_kinds_and_findings_a_heatmap():
    names = list_figures(["a", "b"], ["a", "b", "idle"], ["covid", "mass"])
    assert names[0] == "curves"
    assert names[1 : 1 + len(KINDS)] == [f"{kind}-a" for kind in KINDS]
    assert names[1 + len(KINDS) : 1 + 2 * len(KINDS)] == [f"{kind}-b" for kind in KINDS]
    assert names[1 + 2 * len(KINDS) :] == ["gradcam-covid", "gradcam-mass"]


def test_every_kind_has_a_caption_of_its_own():
    """A kind is the name up to its first dash, so that none may have one."""
    kinds = {name.split("-")[0] for name in list_figures(["a"], ["a", "b"], ["covid"])}
    assert kinds == {"curves", "gradcam", *KINDS}
    captions = [(CAPTIONS / f"{kind}.rst").read_text(encoding="utf-8") for kind in sorted(kinds)]
    assert len(set(captions)) == len(kinds)
    assert all(caption.strip().endswith(".") for caption in captions)

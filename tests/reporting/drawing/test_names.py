"""The names of figures, which the workflow knows before any is drawn."""

from pathlib import Path

from cxrpipe.reporting.drawing.names import (
    EXPLAINED,
    KINDS,
    list_explained,
    list_figures,
    name_figure,
)

CAPTIONS = Path(__file__).parents[3] / "workflow" / "report"


def test_a_recipe_of_one_task_does_not_say_which():
    assert name_figure("roc", "findings", ["findings"]) == "roc"
    assert name_figure("roc", "nih", ["nih", "covid"]) == "roc-nih"


def test_every_used_task_has_all_kinds():
    names = list_figures(["a", "b"], ["a", "b", "idle"])
    assert names[0] == "curves"
    assert names[1 : 1 + len(KINDS)] == [f"{kind}-a" for kind in KINDS]
    assert names[1 + len(KINDS) :] == [f"{kind}-b" for kind in KINDS]


def test_findings_have_a_heatmap_and_every_used_task_all_that_explains_it():
    names = list_explained(["a", "b"], ["a", "b", "idle"], ["covid", "mass"])
    assert names[:2] == ["gradcam-covid", "gradcam-mass"]
    assert names[2 : 2 + len(EXPLAINED)] == [f"{kind}-a" for kind in EXPLAINED]
    assert names[2 + len(EXPLAINED) :] == [f"{kind}-b" for kind in EXPLAINED]
    assert list_explained(["a"], ["a"], []) == list(EXPLAINED)


def test_every_kind_has_a_caption_of_its_own():
    """A kind is the name up to its first dash, so that none may have one."""
    names = list_figures(["a"], ["a", "b"]) + list_explained(["a"], ["a", "b"], ["covid"])
    kinds = {name.split("-")[0] for name in names}
    assert kinds == {"curves", "gradcam", *KINDS, *EXPLAINED}
    captions = [(CAPTIONS / f"{kind}.rst").read_text(encoding="utf-8") for kind in sorted(kinds)]
    assert len(set(captions)) == len(kinds)
    assert all(caption.strip().endswith(".") for caption in captions)

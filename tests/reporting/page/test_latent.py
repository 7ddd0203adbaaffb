"""What features tell: representations as tables, and the check for collections as a shortcut."""

import pytest
from judging import est, tell_latent, tell_probe, tell_representation
from told import tell_metrics, tell_run

from cxrpipe.reporting.page.latent import (
    check_shortcut,
    map_table,
    say_umap,
    telling_table,
)
from cxrpipe.reporting.page.latent import (
    tell_latent as tell_chapter,
)


def test_every_representation_tells_of_findings_and_of_collections():
    shown = telling_table(tell_latent(["net"]))
    assert shown[["features", "stage", "they tell"]].to_numpy().tolist() == [
        ["pixels", "", "finding"],
        ["pixels", "", "collection"],
        ["net", "before training", "finding"],
        ["net", "before training", "collection"],
        ["net", "after training", "finding"],
        ["net", "after training", "collection"],
    ]
    assert shown.iloc[5, 5:].tolist() == [96, "0.800 (0.740-0.860)", "0.410", "0.440", "above"]


@pytest.mark.parametrize(
    ("by_finding", "beside"), [(0.44, "above"), (0.8, "not shown to differ"), (0.9, "below")]
)
def test_a_probe_stands_beside_what_the_other_label_gives_away(by_finding, beside):
    source = tell_probe(("east", "north"), from_finding=by_finding)
    probe = tell_representation(0)["probe"] | {"source": source}
    latent = tell_latent([], probe=probe)
    assert telling_table(latent)["beside that"][1] == beside


def test_a_probe_of_one_label_is_not_estimable_and_not_judged():
    probe = {
        "finding": tell_probe(("covid", "normal"), 0.7, 0.39, from_source=0.39),
        "source": tell_probe(("east",), from_finding=1.0),
    }
    rows = telling_table(tell_latent([], probe=probe)).to_numpy().tolist()
    assert rows[1][6:] == ["not estimable"] * 3 + ["not judged"]


def test_maps_have_their_errors_and_umap_only_if_it_was_drawn():
    told = tell_representation(0)
    told["som"] |= {"quantisation_error": 12.3456, "relative_error": 0.5, "topographic_error": None}
    shown = map_table({"representations": [told]})
    assert shown.iloc[0, 2:6].tolist() == [4096, 15, "12.346", "0.500"]
    assert shown["topographic error"][0] == "not estimable"
    assert "UMAP: trustworthiness" not in shown
    told["umap"] = {"neighbours": 15, "trustworthiness": 0.91}
    assert map_table({"representations": [told]})["UMAP: trustworthiness"].tolist() == ["0.910"]


def probes(**source):
    known = {"from_finding": 0.44} | source
    return {
        "finding": tell_probe(("covid", "normal"), 0.7, 0.39, from_source=0.39),
        "source": tell_probe(("east", "north"), **known),
    }


def test_the_shortcut_is_told_with_its_numbers():
    told, more, gain = check_shortcut("net", tell_latent(["net"], probe=probes()))
    assert told == (
        "From the features of net after training a linear probe tells the collection of 80% "
        "(74%-86%) of 96 films; the commonest answer is right for 41%, the commonest among films "
        "of the same finding for 44%."
    )
    assert more == "That is more than the finding alone tells."
    assert "differ in findings (Cramér's V 0.31, at least 0.1, a rule of thumb)" in gain


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        (probes(from_finding=0.85), "That is not shown to be more than the finding alone tells."),
        (probes(from_finding=1.0), "That is not shown to be more than the finding alone tells."),
        (probes(accuracy=est(0.9)), "was not judged"),
    ],
)
def test_what_is_not_shown_is_not_called_absent(probe, said):
    lines = check_shortcut("net", tell_latent(["net"], probe=probe))
    assert said in lines[1]
    assert "no sign" not in " ".join(lines)


@pytest.mark.parametrize(
    ("association", "said"),
    [
        (0.05, "hardly differ in findings (Cramér's V 0.05, below 0.1, a rule of thumb)"),
        (0.97, "nearly determine each other (Cramér's V 0.97, at least 0.8, a rule of thumb)"),
        (None, "is not estimable, as where all of them show one finding"),
    ],
)
def test_what_there_is_to_gain_is_told_with_its_limit(association, said):
    latent = tell_latent(["net"], probe=probes(), association=association)
    assert said in check_shortcut("net", latent)[2]


def test_films_of_one_finding_from_several_collections_are_told_of():
    probe = {
        "finding": tell_probe((), from_source=None),
        "source": tell_probe(("east", "north"), from_finding=0.41),
    }
    latent = tell_latent(["net"], probe=probe, association=None)
    assert len(check_shortcut("net", latent)) == 3
    assert chapter(tell_latent(tell_metrics()["models"], probe=probe, association=None))


def test_of_one_collection_nothing_is_asked():
    probe = probes() | {"source": tell_probe((), from_finding=None)}
    (said,) = check_shortcut("net", tell_latent(["net"], probe=probe, association=None))
    assert "are of one collection" in said


def test_constant_features_are_not_taken_for_one_collection():
    nothing = tell_probe((), from_finding=None, from_source=None)
    latent = tell_latent(
        ["net"], probe={"finding": nothing, "source": nothing}, components=0, association=0.31
    )
    assert check_shortcut("net", latent) == [
        "The features of net after training are the same of all films: they tell nothing."
    ]


def chapter(latent):
    metrics = tell_metrics()
    run = tell_run(metrics=metrics, latents={"findings": latent})
    return tell_chapter(run)(metrics, "findings")


def test_the_chapter_checks_the_shortcut_first_and_says_what_maps_do_not_prove():
    blocks = chapter(tell_latent(tell_metrics()["models"], umap="0.5.7"))
    assert "Laid out are 96 films in 88 groups of the test. UMAP: 0.5.7." in blocks[0].lines[0]
    assert "densenet" in blocks[1].lines[0]
    assert "prove nothing" in blocks[-1].lines[0]
    tables = [block for block in blocks if block.kind == "table"]
    assert [table.source for table in tables] == ["latent/findings/latent.json"] * 2
    assert [len(table.rows) for table in tables] == [14, 7]


def test_the_chapter_warns_of_every_model_and_not_of_the_best_alone():
    words = chapter(tell_latent(tell_metrics()["models"], probe=probes()))[1].lines
    assert "the scores of resnet10, densenet and resnet18 may rest" in words[-1]


def test_no_film_makes_no_empty_table():
    blocks = chapter({"films": 0, "groups": 0, "representations": [], "umap": "0.5.7"})
    assert [block.kind for block in blocks] == ["words"]


def test_why_umap_is_missing_is_one_sentence():
    assert say_umap("not installed.") == "UMAP: not installed."

"""The model card: what is known of a run, and what stands against its numbers."""

import pytest
from judging import (
    tell_latent,
    tell_localisation,
    tell_probe,
    tell_representation,
    tell_shortcut,
)
from told import SOURCES, tell_films, tell_leakage, tell_metrics, tell_recipe, tell_run

from cxrpipe.reporting.page.card import limits, tell_card
from cxrpipe.reporting.page.facts import gather_facts
from cxrpipe.runtime import RESEARCH_USE


def sections(chapter):
    return {part.title: " ".join(part.blocks[0].lines) for part in chapter.parts}


def test_the_card_has_the_sections_of_mitchell_and_its_numbers():
    card = sections(tell_card(gather_facts(tell_run())))
    assert list(card) == [
        *("Model", "Intended use", "Out of scope", "Factors", "Metrics"),
        *("Data of training and evaluation", "Quantitative analyses", "Ethical considerations"),
        "Limits",
    ]
    assert "by cxrpipe 1.2.3, commit 0a1b" in card["Model"]
    assert "densenet: resnet10t, head linear, 96 px, 801,234 parameters" in card["Model"]
    assert "adam, learning rate 0.001 (cosine), batch 32, at most 20 epochs" in card["Model"]
    assert RESEARCH_USE in card["Out of scope"]
    value = tell_metrics()["models"]["densenet"]["test"]["accuracy"]["value"]
    assert f"densenet: accuracy {value:.3f} (" in card["Metrics"]
    assert (
        "stratified by finding and collection; test 20%, validation 20%"
        in (card["Data of training and evaluation"])
    )


def test_few_test_films_of_a_finding_are_a_limit():
    said = " ".join(limits(gather_facts(tell_run())))
    assert (
        "Fewer than 30 test films: covid (23), lung opacity (29) and viral pneumonia (12)." in said
    )


def test_a_finding_of_one_collection_is_a_limit():
    said = " ".join(limits(gather_facts(tell_run())))
    assert "can tell the collection instead of the finding: covid (north)." in said
    both = tell_leakage()
    both["films"].append(both["films"][0] | {"source": "east"})
    assert "instead of the finding" not in " ".join(
        limits(gather_facts(tell_run(certificate=both)))
    )


def test_where_all_films_are_of_one_collection_no_finding_stands_out():
    alone = tell_leakage()
    alone["films"] = alone["films"][:2]
    assert gather_facts(tell_run(certificate=alone))["one_collection"] is None


@pytest.mark.parametrize(("held_out", "internal"), [((), True), (("south",), False)])
def test_internal_validation_is_a_limit(held_out, internal):
    said = " ".join(limits(gather_facts(tell_run(metrics=tell_metrics(held_out=held_out)))))
    assert ("No collection was held out" in said) is internal


def test_synthetic_films_are_called_so_first():
    drawn = {name: source | {"synthetic": True} for name, source in SOURCES.items()}
    assert limits(gather_facts(tell_run(sources=drawn)))[0].startswith(
        "The radiographs are synthetic"
    )
    assert gather_facts(tell_run(sources=drawn))["design"].startswith("Neither before nor after")


def test_real_films_beside_synthetic_ones_are_not_called_synthetic():
    east = {"east": SOURCES["east"] | {"synthetic": True}}
    facts = gather_facts(tell_run(sources=SOURCES | east))
    assert facts["synthetic"] == "The radiographs of east are synthetic: drawn by a program."
    assert facts["design"].startswith("Retrospective")


def test_what_is_unknown_is_counted():
    facts = gather_facts(tell_run())
    index, _ = tell_films()
    views, ages = (index["view"] == "").sum(), index["age"].isna().sum()
    assert facts["missing"].startswith(
        f"Not known: patient of 21, view of {views} and age of {ages}. Such films stay"
    )
    whole = index.assign(view="PA", age=50.0)
    certificate = tell_leakage() | {"without_patient": 0}
    assert gather_facts(tell_run(index=whole, certificate=certificate))["missing"].endswith(
        "every film are known."
    )


def test_films_are_counted_from_the_files():
    facts = gather_facts(tell_run())
    counts = {"n_seen": "213", "n_excluded": "3", "n_indexed": "210", "n_left_out": "184"}
    assert {key: facts[key] for key in counts} == counts


def test_what_the_recipe_sets_is_told():
    split = {"test": 0, "held_out": ["south"], "folds": 3, "published": True, "validation": 40}
    preprocess = {"clahe": 2.0, "blur": 5, "side": 64}
    recipe = tell_recipe(split=split, preprocess=preprocess)
    facts = gather_facts(tell_run(recipe=recipe))
    assert facts["preprocessing"].endswith("; Gaussian blur of 5 px and CLAHE with clip limit 2")
    assert facts["assignment"].endswith(
        "validation 40 films of each finding; held out for the test: south; published subsets are "
        "kept; 3 folds of training and validation"
    )


def test_heatmaps_without_a_known_lesion_are_not_scored():
    games = {name: {"n": 0} for name in tell_metrics()["models"]}
    said = gather_facts(tell_run(localisations=games))["heatmaps"]
    assert said.startswith("Heatmaps of densenet were not judged: of lesions, not scored")


def test_shortcuts_are_a_limit_only_where_they_warn():
    games = {name: tell_shortcut() for name in tell_metrics()["models"]}
    facts = gather_facts(tell_run(localisations=games))
    assert any("heatmaps leave the lungs" in line for line in limits(facts))
    probe = tell_representation(0)["probe"]
    probe["source"] = tell_probe(("east",), from_finding=1.0)
    latents = {"findings": tell_latent(tell_metrics()["models"], probe=probe)}
    good = {name: tell_localisation() for name in tell_metrics()["models"]}
    none = gather_facts(tell_run(latents=latents, localisations=good))
    assert none["shortcuts"] is None
    assert not any("shortcut" in line for line in limits(none))


def test_a_collection_without_films_in_the_split_is_no_source():
    _, split = tell_films()
    index, _ = tell_films()
    inside = split["source"] != "south"
    facts = gather_facts(tell_run(split=split[inside], index=index[inside]))
    assert facts["sources"] == "Imaginary hospital North (north) and Imaginary hospital East (east)"

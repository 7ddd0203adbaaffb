"""Settings: what is refused and how the refusal reads, how a recipe is put together."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from cxrpipe.catalogue import Films, Origin, Phantom, Source
from cxrpipe.config import Dedupe, Index, Recipe, Split, Training, check, nearest
from cxrpipe.data.phantoms.phantom import FINDINGS as PHANTOM_FINDINGS
from cxrpipe.recipes import load_recipe, load_sources, merge, read_yaml
from cxrpipe.runtime import UserError

CONFIG = Path(__file__).parents[1] / "config"
RECIPE = {
    "title": "T",
    "sources": ["a"],
    "findings": ["normal", "covid"],
    "models": {"small": {"architecture": "resnet18"}},
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/own.yaml").write_text(
        "title: Own\nsources: [a]\nfindings: [normal, covid]\n"
        "training: {epochs: 3, augmentation: {flip: 0.25}}\n"
        "models: {small: {architecture: resnet18}}\n"
    )
    (tmp_path / "sources.yaml").write_text(
        "films: {origin: {path: f}, films: {table: {source: labels, file: t.csv, film: '{n}'}}}\n"
        "labels: {origin: {path: l}}\n"
        "broken: {origin: {path: b}, licens: MIT}\n"
    )
    return tmp_path


def refused(settings, values, where=""):
    with pytest.raises(UserError) as error:
        check(settings, values, where)
    return str(error.value)


def test_an_unknown_key_is_refused_at_any_depth_with_the_nearest_valid_one():
    wrong = RECIPE | {"training": {"augmentation": {"rotatoin": 5}}}
    assert refused(Recipe, wrong, "own.yaml") == (
        "own.yaml: training.augmentation: unknown key 'rotatoin'; did you mean 'rotation'?"
    )


def test_an_unknown_key_like_no_other_is_refused_with_the_valid_ones():
    keys = "test, validation, folds, held_out, published, truncate, conflicts"
    assert refused(Split, {"qqq": 1}) == f"unknown key 'qqq'; valid: {keys}"
    assert nearest("qqq", ["epochs", "batch"]) == "valid: epochs, batch"


def test_a_value_out_of_bounds_is_refused_with_its_place_and_what_was_found():
    message = refused(Recipe, RECIPE | {"split": {"test": 0.5}}, "own.yaml")
    assert message == (
        "own.yaml: split.test: give a share below 0.5, or a whole number of radiographs (found 0.5)"
    )
    assert "findings" in refused(Recipe, RECIPE | {"findings": ["normal"]})
    assert refused(Split, {"conflicts": "ask"}).endswith("'first' or 'stop' (found 'ask')")


@pytest.mark.parametrize("amount", [0.5, 0.99, 1.5, -0.1, 60.5])
def test_a_subset_is_a_share_below_a_half_or_a_whole_number_of_radiographs(amount):
    for key in ("test", "validation"):
        assert refused(Split, {key: amount}).startswith(f"{key}: ")
    assert Split(test=0, validation=0.49).test == 0
    assert Split(test=60, validation=1).test == 60
    assert refused(Split, {"validation": 0}).startswith("validation: ")


@pytest.mark.parametrize("truncate", [-1, "largest", 1.5])
def test_truncation_is_a_number_or_the_smallest(truncate):
    assert refused(Split, {"truncate": truncate}).startswith("truncate")
    assert Split(truncate="smallest").truncate == "smallest"
    assert Split(truncate=400).truncate == 400


def test_a_source_held_out_must_be_one_of_the_recipe():
    held_out = {"sources": ["north", "east"], "split": {"held_out": ["noth"]}}
    message = refused(Recipe, RECIPE | held_out)
    assert message.startswith("split.held_out: 'noth'; did you mean 'north'?")
    held_out["split"] = {"held_out": ["north"]}
    assert check(Recipe, RECIPE | held_out, "").split.held_out == ("north",)


@pytest.mark.parametrize("folds", [0, 21, 2.5])
def test_folds_are_a_whole_number_up_to_twenty(folds):
    assert refused(Split, {"folds": folds}).startswith("folds: ")


def test_the_score_of_near_copies_has_bounds():
    for score in (0.79, 1.01):
        assert refused(Dedupe, {"score": score}).startswith("score: ")
    assert Dedupe(score=0.8).score == 0.8


def test_the_limits_of_films_have_bounds():
    for key, value in {
        "max_megapixels": 0,
        "min_side": 0,
        "max_aspect": 0.9,
        "max_tint": 1.1,
        "min_contrast": -0.1,
        "max_blank": 2,
        "several": "drop",
        "unlisted": "keep",
    }.items():
        assert refused(Index, {key: value}).startswith(f"{key}: ")


def test_a_missing_key_is_named():
    assert refused(Phantom, {"hospital": "north"}, "x") == "x: patients: Field required"


def test_settings_arrive_as_json_and_cannot_be_changed():
    split = check(Split, '{"test": 0.3}', "--settings")
    assert (split.test, split.validation, split.conflicts) == (0.3, 0.2, "exclude")
    with pytest.raises(ValidationError, match="frozen"):
        split.test = 0.1
    assert refused(Split, "{", "--settings").startswith("--settings: Invalid JSON")


def test_the_defaults_of_a_recipe_pass_their_own_bounds():
    recipe = check(Recipe, RECIPE, "")
    assert check(Recipe, recipe.model_dump_json(), "") == recipe
    assert check(Recipe, RECIPE | {"index": {}, "training": {}}, "") == recipe


def test_an_exponent_that_yaml_reads_as_text_is_still_a_number(tmp_path):
    (tmp_path / "t.yaml").write_text("learning_rate: 1e-3\n")
    assert check(Training, read_yaml(tmp_path / "t.yaml"), "").learning_rate == 0.001


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ({}, "got none"),
        ({"path": "a", "address": "http://b"}, "got path and address"),
        ({"address": "http://b"}, "an address needs the sha256 of what it delivers"),
        ({"repository": "https://github.com/a/b"}, "a repository needs the commit to take"),
        ({"address": "http://b", "sha256": "abc"}, "sha256"),
        ({"repository": "https://github.com/a/b", "commit": "main"}, "commit"),
    ],
)
def test_an_origin_is_one_place_whose_bytes_are_pinned(origin, message):
    assert message in refused(Origin, origin)


def test_a_pattern_may_be_one_text_and_must_be_a_regular_expression():
    assert Films(pattern="a").pattern == ("a",)
    assert "'(' is no regular expression" in refused(Films, {"pattern": ["a", "("]})


def test_a_name_that_stands_twice_is_refused():
    for key in ("sources", "findings"):
        message = refused(Recipe, RECIPE | {key: ["a", "b", "a"]})
        assert message.startswith(f"{key}: 'a' stands twice; name it once")


@pytest.mark.parametrize("name", ["../up", "Big", "a b", "", ".hidden"])
def test_a_model_name_that_is_no_file_name_is_refused(name):
    wrong = RECIPE | {"models": {name: {"architecture": "resnet18"}}}
    assert f"model '{name}': use lower case letters" in refused(Recipe, wrong)


def test_overrides_reach_every_depth_and_spare_their_neighbours():
    recipe = {"a": {"b": {"c": 1, "d": 2}, "e": 3}, "f": [1, 2]}
    merged = merge(recipe, {"a": {"b": {"c": 9}}, "f": [3], "g": {"h": 4}})
    assert merged == {"a": {"b": {"c": 9, "d": 2}, "e": 3}, "f": [3], "g": {"h": 4}}
    assert recipe == {"a": {"b": {"c": 1, "d": 2}, "e": 3}, "f": [1, 2]}


def test_a_recipe_is_read_with_the_overrides_of_the_configuration(folder):
    config = {"recipe": "own", "mirror": "", "seed": 4, "training": {"epochs": 9}}
    recipe = load_recipe(config, folder)
    assert (recipe.title, recipe.seed, recipe.training.epochs) == ("Own", 4, 9)
    assert recipe.training.augmentation.flip == 0.25


@pytest.mark.parametrize("name", ["onw", "", "../recipes/own", "own.yaml"])
def test_an_unknown_recipe_is_refused_with_the_known_ones(folder, name):
    with pytest.raises(UserError, match=r"no recipe '.*' in .*recipes; valid: \['own'\]"):
        load_recipe({"recipe": name}, folder)


def test_an_unknown_key_of_the_configuration_is_refused_with_the_nearest(folder):
    with pytest.raises(UserError, match=r"^config: unknown key 'mirro'; did you mean 'mirror'\?$"):
        load_recipe({"recipe": "own", "mirro": "x"}, folder)
    with pytest.raises(UserError, match=r"own.yaml: training: unknown key 'epoch'.*'epochs'"):
        load_recipe({"recipe": "own", "training": {"epoch": 1}}, folder)


def test_a_collection_brings_the_one_that_holds_its_table(folder):
    assert list(load_sources(["films"], folder)) == ["films", "labels"]
    assert list(load_sources(["labels"], folder)) == ["labels"]


def test_an_unknown_or_mistyped_collection_is_refused(folder):
    with pytest.raises(UserError, match=r"no collection 'label'; did you mean 'labels'\?"):
        load_sources(["label"], folder)
    with pytest.raises(UserError, match=r"broken: unknown key 'licens'; did you mean 'licence'"):
        load_sources(["broken"], folder)


@pytest.mark.parametrize(
    ("text", "message"), [("a: [1", "not valid YAML"), ("- a\n", "found list"), ("", "NoneType")]
)
def test_a_file_that_holds_no_keys_is_refused_by_name(tmp_path, text, message):
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(UserError, match=rf"x\.yaml: .*{message}"):
        read_yaml(tmp_path / "x.yaml")


@pytest.mark.parametrize("recipe", sorted(path.stem for path in CONFIG.glob("recipes/*.yaml")))
def test_every_recipe_shipped_is_valid_and_its_findings_can_occur(recipe):
    chosen = load_recipe({"recipe": recipe}, CONFIG)
    named: set[str] = set()
    for source in load_sources(chosen.sources, CONFIG).values():
        films = source.films
        named |= {films.finding, *films.findings.values()}
        named |= set(re.findall(r"\w+", " ".join(films.pattern)))  # (normal|tuberculosis)
        named |= set(PHANTOM_FINDINGS) if source.origin.phantom else set()
    assert set(chosen.findings) <= named


def test_every_real_collection_shipped_states_licence_citation_and_pinned_origin():
    for name, values in read_yaml(CONFIG / "sources.yaml").items():
        source = check(Source, values, name)
        if not source.synthetic:
            assert source.title, name
            assert source.citation, name
            assert source.licence != "not stated", name
            pinned = source.origin.commit, source.origin.sha256, source.origin.version
            assert any(pinned) or source.origin.place, name

"""Settings: what is refused and how the refusal reads, how a recipe is put together."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from cxrpipe.catalogue import Films, Origin, Phantom, Source
from cxrpipe.config import Dedupe, Index, Recipe, Split, Training, check, nearest
from cxrpipe.data.phantoms.phantom import FINDINGS as PHANTOM_FINDINGS
from cxrpipe.grid import expand_grid
from cxrpipe.recipes import keep_only, load_recipe, load_sources, merge, read_yaml
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
def test_a_name_of_a_model_or_task_that_is_no_file_name_is_refused(name):
    wrong = RECIPE | {"models": {name: {"architecture": "resnet18"}}}
    assert f"model '{name}': use lower case letters" in refused(Recipe, wrong)
    assert f"task '{name}': use lower case" in refused(Recipe, RECIPE | {"tasks": {name: {}}})


# What a recipe completes


def recipe_of(models, **keys):
    return check(Recipe, RECIPE | {"models": models} | keys, "own.yaml")


def test_a_recipe_that_names_no_task_has_one_about_all_its_findings():
    recipe = check(Recipe, RECIPE, "")
    assert list(recipe.tasks) == ["findings"]
    task = recipe.tasks["findings"]
    assert (task.kind, task.findings, task.sources) == ("single", ("normal", "covid"), ("a",))
    assert recipe.models["small"].task == "findings"


def test_a_task_takes_from_the_recipe_what_it_does_not_say():
    tasks = {"all": {"truncate": 9}, "covid": {"kind": "binary", "findings": ["covid"]}}
    recipe = check(Recipe, RECIPE | {"tasks": tasks}, "")
    assert (recipe.tasks["all"].findings, recipe.tasks["all"].truncate) == (("normal", "covid"), 9)
    assert (recipe.tasks["covid"].findings, recipe.tasks["covid"].sources) == (("covid",), ("a",))
    assert recipe.models["small"].task == "all"


def test_a_model_takes_from_the_recipe_what_it_does_not_say():
    models = {
        "plain": {"architecture": "r", "side": 0, "task": ""},
        "own": {"architecture": "r", "side": 64, "training": {"augmentation": {"flip": 0}}},
    }
    training = {"epochs": 7, "augmentation": {"noise": 0.1}}
    recipe = recipe_of(models, preprocess={"side": 96}, training=training)
    plain, own = recipe.models["plain"], recipe.models["own"]
    assert (plain.side, plain.task, plain.training) == (96, "findings", recipe.training)
    assert (own.side, own.training.epochs) == (64, 7)
    assert (own.training.augmentation.flip, own.training.augmentation.noise) == (0, 0.1)


def test_a_side_of_a_model_has_bounds():
    for side in (31, 1025, -1):
        message = refused(Recipe, RECIPE | {"models": {"m": {"architecture": "r", "side": side}}})
        assert "models.m.side" in message


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"findings": ["normal", "covd"]}, "tasks.t.findings: 'covd'; did you mean 'covid'?"),
        ({"sources": ["b"]}, "tasks.t.sources: 'b'; valid: a"),
        ({"kind": "binary"}, "tasks.t: binary is about one finding; got 2"),
        ({"findings": ["covid"]}, "tasks.t: single needs at least two findings"),
        ({"kind": "multi"}, "which index.several excludes; set it to keep"),
        ({"knd": "multi"}, "tasks.t: unknown key 'knd'; did you mean 'kind'?"),
    ],
)
def test_a_task_that_cannot_be_is_refused_by_name(task, message):
    assert message in refused(Recipe, RECIPE | {"tasks": {"t": task}})


def test_a_task_of_several_findings_a_film_needs_films_that_have_several():
    values = RECIPE | {"tasks": {"t": {"kind": "multi"}}, "index": {"several": "keep"}}
    assert check(Recipe, values, "").tasks["t"].kind == "multi"


def test_an_unknown_task_of_a_model_is_refused():
    models = {"m": {"architecture": "r", "task": "finding"}}
    message = refused(Recipe, RECIPE | {"models": models})
    assert "models.m.task: 'finding'; did you mean 'findings'?" in message


def test_a_model_is_trained_on_a_collection_of_its_task():
    sources = {"sources": ["a", "b"], "tasks": {"t": {"sources": ["a"]}}}
    models = {"m": {"architecture": "r", "trained_on": "a"}}
    assert check(Recipe, RECIPE | sources | {"models": models}, "").models["m"].trained_on == "a"
    models["m"]["trained_on"] = "b"
    message = refused(Recipe, RECIPE | sources | {"models": models})
    assert "models.m.trained_on: 'b'; valid: a" in message


def test_an_ensemble_that_names_no_task_is_of_the_first():
    values = RECIPE | {"evaluation": {"ensembles": {"e": {"best": 2}}}}
    assert check(Recipe, values, "").evaluation.ensembles["e"].task == "findings"
    assert "evaluation" in refused(Recipe, RECIPE | {"evaluation": 3})


@pytest.mark.parametrize(
    ("ensemble", "message"),
    [
        ({"models": ["one", "tow"]}, "evaluation.ensembles.e.models: 'tow'; did you mean 'two'?"),
        ({"models": ["other"]}, "evaluation.ensembles.e.models: 'other'; valid: one, two"),
        ({"task": "coivd"}, "evaluation.ensembles.e.task: 'coivd'; did you mean 'covid'?"),
        ({"tie": "coivd"}, "evaluation.ensembles.e.tie: 'coivd'; did you mean 'covid'?"),
        ({"task": "covid", "tie": "normal"}, "evaluation.ensembles.e.tie: 'normal'; valid: covid"),
    ],
)
def test_an_ensemble_joins_models_of_one_task(ensemble, message):
    values = RECIPE | {
        "tasks": {"both": {}, "covid": {"kind": "binary", "findings": ["covid"]}},
        "models": {
            "one": {"architecture": "r"},
            "two": {"architecture": "r"},
            "other": {"architecture": "r", "task": "covid"},
        },
    }
    allowed = {"models": ["one", "two"], "tie": "covid"}
    check(Recipe, values | {"evaluation": {"ensembles": {"e": allowed}}}, "")
    assert message in refused(Recipe, values | {"evaluation": {"ensembles": {"e": ensemble}}})


def test_a_model_starts_from_another_by_name():
    models = {
        "first": {"architecture": "r", "weights": "imagenet"},
        "second": {"architecture": "r", "weights": "model:first"},
    }
    recipe = recipe_of(models)
    assert [model.start for model in recipe.models.values()] == ["", "first"]
    models["second"]["weights"] = "model:frist"
    message = refused(Recipe, RECIPE | {"models": models})
    assert "models.second.weights: 'frist'; did you mean 'first'?" in message


def test_models_that_start_from_each_other_are_refused():
    starts = {"a": "b", "b": "c", "c": "a"}
    models = {
        name: {"architecture": "r", "weights": f"model:{start}"} for name, start in starts.items()
    }
    message = refused(Recipe, RECIPE | {"models": models})
    assert "models.a.weights: a starts from b starts from c starts from a; let one" in message
    alone = {"models": {"a": {"architecture": "r", "weights": "model:a"}}}
    assert "a starts from a" in refused(Recipe, RECIPE | alone)


@pytest.mark.parametrize("head", ["", "128-", "pool-0", "dense", "flatten-pool", "-3"])
def test_a_head_that_says_nothing_is_refused(head):
    message = refused(Recipe, RECIPE | {"models": {"m": {"architecture": "r", "head": head}}})
    assert "models.m.head" in message


# The grid


def expanded(models, vary, of=()):
    grid = {"models": list(of), "vary": vary}
    values = expand_grid(RECIPE | {"models": models, "grid": grid}, "own.yaml")
    return check(Recipe, values, "own.yaml").models


def grid_refused(models, vary, of=()):
    with pytest.raises(UserError) as error:
        expanded(models, vary, of)
    return str(error.value)


TWO = {
    "vgg": {"architecture": "vgg16", "training": {"batch": 8}},
    "resnet": {"architecture": "resnet18"},
}


def test_a_grid_replaces_models_in_their_place_by_one_for_every_combination():
    models = expanded(TWO, {"side": [360, 500], "head": ["128-32", "linear"]}, of=["vgg"])
    assert {name: (model.side, model.head) for name, model in models.items()} == {
        "vgg_side-360_head-128-32": (360, "128-32"),
        "vgg_side-360_head-linear": (360, "linear"),
        "vgg_side-500_head-128-32": (500, "128-32"),
        "vgg_side-500_head-linear": (500, "linear"),
        "resnet": (128, "linear"),
    }
    assert list(models)[1] == "vgg_side-360_head-linear"
    assert list(models)[-1] == "resnet"
    assert models["vgg_side-500_head-linear"].point == {"side": 500, "head": "linear"}
    assert models["resnet"].point == {}
    assert models["vgg_side-500_head-linear"].training.batch == 8


def test_a_grid_that_names_no_model_multiplies_all():
    assert list(expanded(TWO, {"seed": [0, 1]})) == [
        "vgg_seed-0",
        "vgg_seed-1",
        "resnet_seed-0",
        "resnet_seed-1",
    ]


def test_dots_of_a_grid_lead_into_sections_and_spare_their_neighbours():
    vary = {
        "training.learning_rate": ["1e-3", 0.01],
        "training.augmentation.flip": [0],
        "options.growth_rate": [16],
    }
    models = expanded(TWO, vary, of=["vgg"])
    name = "vgg_learning_rate-0.001_flip-0_growth_rate-16"
    assert list(models) == [name, "vgg_learning_rate-0.01_flip-0_growth_rate-16", "resnet"]
    training = models[name].training
    assert (training.learning_rate, training.batch, training.augmentation.flip) == (0.001, 8, 0)
    assert models[name].options == {"growth_rate": 16}
    assert models[name].point["training.learning_rate"] == 0.001


def test_values_that_are_no_file_names_are_made_so():
    models = TWO | {"pre": {"architecture": "resnet18"}}
    vary = {"weights": ["none", "model:pre", "my weights/A.safetensors"], "bias": [True]}
    assert list(expanded(models, vary, of=["vgg"]))[:3] == [
        "vgg_weights-none_bias-true",
        "vgg_weights-model-pre_bias-true",
        "vgg_weights-my-weights-a.safetensors_bias-true",
    ]


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({"sid": [1]}, "own.yaml: grid.vary: models have no setting 'sid'; did you mean 'side'?"),
        ({"learning_rate": [1]}, "did you mean 'training.learning_rate'?"),
        ({"training": [1]}, "models have no setting 'training'"),
        ({"point": [1]}, "models have no setting 'point'"),
        ({"side": []}, "own.yaml: grid.vary.side: no value; give some, or drop the line"),
        ({"dropout": [0, 0.5, 0.0]}, "own.yaml: grid.vary.dropout: 0 stands twice; give it once"),
        ({}, "own.yaml: grid: vary: Dictionary should have at least 1 item"),
        ({"side": [[360]]}, "own.yaml: grid: vary.side.0"),
        ({"side": ["wide"]}, "own.yaml: models.vgg_side-wide.side: Input should be a valid int"),
        ({"weights": ["A b", "a-b"]}, "two models would be named 'vgg_weights-a-b'"),
    ],
)
def test_a_grid_that_cannot_be_is_refused_with_its_place(vary, message):
    assert message in grid_refused(TWO, vary)


def test_an_unknown_model_or_key_of_a_grid_is_refused():
    message = grid_refused(TWO, {"side": [64]}, of=["vg"])
    assert message == "own.yaml: grid.models: no model 'vg'; did you mean 'vgg'?"
    with pytest.raises(UserError, match="grid: unknown key 'varyy'; did you mean 'vary'"):
        expand_grid(RECIPE | {"grid": {"varyy": {}}}, "own.yaml")


def test_a_new_model_that_has_the_name_of_another_is_refused():
    models = TWO | {"vgg_seed-1": {"architecture": "vgg16"}}
    message = grid_refused(models, {"seed": [0, 1]}, of=["vgg"])
    assert "two models would be named 'vgg_seed-1'; rename a model or value" in message


def test_a_model_that_others_start_from_is_not_multiplied_unless_they_name_the_new_one():
    models = TWO | {"heir": {"architecture": "vgg16", "weights": "model:vgg"}}
    assert grid_refused(models, {"seed": [0, 1]}, of=["vgg"]) == (
        "own.yaml: grid: model 'heir' starts from 'vgg', which becomes 'vgg_seed-0' and others; "
        "start from one of these, or leave 'vgg' out of grid.models"
    )
    assert expanded(models, {"seed": [0]}, of=["heir"])["heir_seed-0"].start == "vgg"
    models["heir"]["weights"] = "model:vgg_seed-1"
    assert expanded(models, {"seed": [0, 1]}, of=["vgg"])["heir"].start == "vgg_seed-1"


def test_a_recipe_keeps_its_grid_in_its_file_or_gets_it_on_the_command_line(folder):
    config = {"recipe": "own", "grid": {"vary": {"seed": [3, 4]}}}
    assert list(load_recipe(config, folder).models) == ["small_seed-3", "small_seed-4"]
    assert list(load_recipe({"recipe": "own", "grid": None}, folder).models) == ["small"]


# Only some models


CHAIN = {
    "a": {"architecture": "r"},
    "b": {"architecture": "r", "weights": "model:a"},
    "c": {"architecture": "r", "weights": "model:b"},
    "d": {"architecture": "r"},
}


def test_only_some_models_stay_with_those_they_start_from_in_the_recipes_order():
    recipe = recipe_of(CHAIN)
    assert list(keep_only(recipe, ["d", "b"]).models) == ["a", "b", "d"]
    assert list(keep_only(recipe, "c").models) == ["a", "b", "c"]
    assert keep_only(recipe, []) == recipe


def test_an_unknown_model_among_the_wanted_is_refused(folder):
    assert list(load_recipe({"recipe": "own", "only": ["small"]}, folder).models) == ["small"]
    with pytest.raises(UserError, match="only: no model 'smal' in the recipe; did you mean"):
        load_recipe({"recipe": "own", "only": "smal"}, folder)


def test_only_names_models_of_the_expanded_recipe(folder):
    config = {"recipe": "own", "grid": {"vary": {"seed": [3, 4]}}, "only": ["small_seed-4"]}
    assert list(load_recipe(config, folder).models) == ["small_seed-4"]


def test_weights_that_are_not_there_are_refused_before_anything_runs(folder, monkeypatch):
    monkeypatch.chdir(folder)
    config = {"recipe": "own", "models": {"small": {"weights": "w.safetensors"}}}
    with pytest.raises(UserError, match=r"models\.small\.weights: no file 'w\.safetensors' here"):
        load_recipe(config, folder)
    (folder / "w.safetensors").touch()
    assert load_recipe(config, folder).models["small"].weights == "w.safetensors"


def test_overrides_reach_every_depth_and_spare_their_neighbours():
    recipe = {"a": {"b": {"c": 1, "d": 2}, "e": 3}, "f": [1, 2]}
    merged = merge(recipe, {"a": {"b": {"c": 9}}, "f": [3], "g": {"h": 4}})
    assert merged == {"a": {"b": {"c": 9, "d": 2}, "e": 3}, "f": [3], "g": {"h": 4}}
    assert recipe == {"a": {"b": {"c": 1, "d": 2}, "e": 3}, "f": [1, 2]}


def test_a_recipe_is_read_with_the_overrides_of_the_configuration(folder):
    config = {"recipe": "own", "mirror": "", "weights_folder": "", "seed": 4}
    config["training"] = {"epochs": 9}
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
        words = " ".join(films.pattern).lower()
        named |= set(re.findall(r"\w+", words))  # (Normal|Tuberculosis)
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


def test_the_recipe_of_the_ablation_has_all_points_of_both_networks():
    models = load_recipe({"recipe": "covid-or-pneumonia"}, CONFIG).models
    points = [model.point for name, model in models.items() if name.startswith("vgg16_")]
    assert len(points) == 2 * 2 * 2
    assert {"side": 500, "head": "1024-1024", "dropout": 0.5} in points
    assert len(models) == 8 + 2 * 8
    assert {model.side for model in models.values()} == {331, 360, 500}


def test_the_recipe_of_the_chain_starts_covid_from_none_imagenet_and_nih():
    recipe = load_recipe({"recipe": "nih-to-covid", "only": ["covid_weights-model-nih"]}, CONFIG)
    assert [(model.task, model.weights) for model in recipe.models.values()] == [
        ("nih", "imagenet"),
        ("covid", "model:nih"),
    ]
    assert [len(recipe.tasks[name].findings) for name in ("nih", "covid", "all15")] == [14, 1, 15]

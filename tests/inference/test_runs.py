"""What a run holds: its models, their folds, the best of them, and how they scored."""

import json

import pytest
from made import FINDINGS, make_model

from cxrpipe.inference.loading import find_weights, read_card_of
from cxrpipe.inference.runs import find_best, find_model, list_models, list_runs
from cxrpipe.inference.scores import describe_models
from cxrpipe.runtime import UserError


def weights(run, model, fold=0):
    """A file where weights would be."""
    path = run / f"models/{model}/fold-{fold}/weights.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def judge(run, **best):
    """Write the metrics of a run whose tasks have these best models."""
    told = {"tasks": {task: {"best": model} for task, model in best.items()}}
    (run / "metrics.json").write_text(json.dumps(told))


def test_models_are_what_has_weights_and_runs_what_has_models(tmp_path):
    for model, fold in (("b", 0), ("b", 1), ("a", 3)):
        weights(tmp_path / "one", model, fold)
    weights(tmp_path / "two", "c")
    (tmp_path / "one/models/untrained/fold-0").mkdir(parents=True)
    (tmp_path / "three/models").mkdir(parents=True)
    assert list_models(tmp_path / "one") == ["a", "b"]
    assert list_runs(tmp_path) == [tmp_path / "one", tmp_path / "two"]


def test_a_run_or_model_that_is_not_there_is_a_mistake(tmp_path):
    weights(tmp_path / "one", "resnet18")
    (tmp_path / "empty").mkdir()
    assert find_model(tmp_path / "one", "resnet18") == tmp_path / "one/models/resnet18"
    with pytest.raises(UserError, match="no model 'resnet81'; did you mean 'resnet18'"):
        find_model(tmp_path / "one", "resnet81")
    with pytest.raises(UserError, match="two: no such folder; give that of a run"):
        list_models(tmp_path / "two")
    with pytest.raises(UserError, match="empty: no trained models here"):
        list_models(tmp_path / "empty")
    with pytest.raises(UserError, match="empty: no run with trained models here"):
        list_runs(tmp_path / "empty")


def test_the_best_is_what_the_judge_names_and_of_one_model_that(tmp_path):
    weights(tmp_path, "a")
    assert find_best(tmp_path) == tmp_path / "models/a"
    weights(tmp_path, "b")
    judge(tmp_path, findings="b")
    assert find_best(tmp_path) == tmp_path / "models/b"


def test_where_no_best_is_known_the_models_are_named(tmp_path):
    for model in ("a", "b"):
        weights(tmp_path, model)
    for content in (None, "{", "[]", '{"tasks": []}', '{"tasks": {"one": {}}}'):
        if content is not None:
            (tmp_path / "metrics.json").write_text(content)
        with pytest.raises(UserError, match="no model is known as best; give --model, one of a, b"):
            find_best(tmp_path)
    judge(tmp_path, one="a", other="b")
    with pytest.raises(UserError, match="a best model for each task; give --model: a, b"):
        find_best(tmp_path)


def test_weights_are_found_and_folds_and_models_named_where_they_are_not(tmp_path):
    path = weights(tmp_path, "a", 2)
    model = path.parents[1]
    for place, fold in ((path, 0), (path.parent, 0), (model, 2)):
        assert find_weights(place, fold) == path
    with pytest.raises(UserError, match="has no fold-0; there are: fold-2"):
        find_weights(model)
    with pytest.raises(UserError, match="no weights here; its models: a; give the folder"):
        find_weights(tmp_path)
    with pytest.raises(UserError, match="nowhere: no such file or folder"):
        find_weights(tmp_path / "nowhere")


def test_a_card_is_read_without_the_weights(tmp_path):
    model = make_model(tmp_path / "run")
    card = read_card_of(find_weights(model))
    assert (card.findings, card.kind, card.side) == (FINDINGS, "single", 32)


# Scores


def estimate(value, low=None, high=None):
    return {"value": value, "low": low, "high": high, "sd": None}


def metrics(*models):
    """Metrics of a run in which these models were judged; the last is best."""
    told = {
        "task": "findings",
        "test": {
            "n": 229,
            "accuracy": estimate(0.93, 0.89, 0.96),
            "macro": {"f1": estimate(0.92, 0.88, 0.95), "auc": estimate(None)},
        },
        "conformal": {"wanted": 0.9, "coverage": estimate(0.886)},
    }
    return {
        "bootstrap": {"level": 0.95},
        "tasks": {"findings": {"best": models[-1], "chosen_by": "f1"}},
        "models": dict.fromkeys(models, told),
    }


def test_a_model_is_described_by_its_card_and_its_scores(tmp_path):
    run = tmp_path / "demo"
    folder = make_model(run, "a") / "fold-0"
    (run / "metrics.json").write_text(json.dumps(metrics("a")))
    (folder / "summary.json").write_text('{"task": "findings"}')
    guarded = {"validation": {"n": 229, "refused": 2}, "test": {"n": 229, "refused": 4}}
    (folder / "guard.json").write_text(json.dumps(guarded))
    assert describe_models(run) == [
        {
            "run": str(run),
            "model": "a",
            "task": "findings",
            "kind": "single",
            "findings": FINDINGS,
            "architecture": "test_resnet",
            "side": 32,
            "size_bytes": (folder / "weights.safetensors").stat().st_size,
            "path": str(run / "models/a"),
            "best": True,
            "chosen_by": "f1",
            "level": 0.95,
            "n_films": 229,
            "accuracy": 0.93,
            "accuracy_low": 0.89,
            "accuracy_high": 0.96,
            "macro_f1": 0.92,
            "macro_f1_low": 0.88,
            "macro_f1_high": 0.95,
            "macro_auc": None,
            "macro_auc_low": None,
            "macro_auc_high": None,
            "coverage_wanted": 0.9,
            "coverage": 0.886,
            "guard_refused": 4,
            "guard_n": 229,
        }
    ]


def test_a_model_that_is_not_judged_has_the_same_columns_without_scores(tmp_path):
    make_model(tmp_path, "a")
    make_model(tmp_path, "b")
    (tmp_path / "metrics.json").write_text(json.dumps(metrics("b")))
    a, b = describe_models(tmp_path)
    assert list(a) == list(b)
    assert (a["model"], a["side"], a["best"], a["n_films"], a["accuracy"]) == ("a", 32, *[None] * 3)
    assert (b["model"], b["best"], b["n_films"]) == ("b", True, 229)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("metrics.json", "{", r"metrics\.json: not readable as JSON"),
        ("metrics.json", "[1]", r"metrics\.json: not readable as JSON"),
        ("metrics.json", '{"models": {"a": {}}}', "scores are of another version; evaluate"),
        ("models/a/fold-0/guard.json", '{"test": 3}', "scores are of another version"),
    ],
)
def test_scores_that_cannot_be_read_are_one_line(name, content, said, tmp_path):
    make_model(tmp_path, "a")
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=said):
        describe_models(tmp_path)

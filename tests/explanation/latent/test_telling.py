"""What is told of a representation: all of it is of the same films, and small cases are null."""

import json

import numpy as np
import pytest

from cxrpipe import tables
from cxrpipe.config import Latent
from cxrpipe.explanation.latent import scatter, telling
from cxrpipe.explanation.latent.scatter import lay_tsne
from cxrpipe.explanation.latent.som import organise
from cxrpipe.explanation.latent.space import span
from cxrpipe.explanation.latent.telling import Representation, join, say, tell
from cxrpipe.runtime import derive_seed

SETTINGS = Latent(perplexity=8, som=3, neighbours=4)
NULL = {"value": None, "low": None, "high": None}


@pytest.fixture(autouse=True)
def no_umap(monkeypatch):
    """Its first use takes half a minute, and it has tests of its own."""
    for module in (scatter, telling):
        monkeypatch.setattr(module, "find_umap", lambda: (None, "not installed"))


@pytest.fixture
def told(clouds, make_sample):
    features, which = clouds(n=40)
    sample = make_sample(np.array(["a", "b"])[which], sources=["s", "t", "t", "s"] * 10)
    return tell(Representation("m", "after", features, "fc"), sample, SETTINGS, seed=7)


def test_films_lie_where_the_methods_put_them(told, clouds):
    space = span(clouds(n=40)[0], standardise=True)
    tsne = lay_tsne(space, 8, 4, derive_seed(7, "tsne"))
    som = organise(space, 3, derive_seed(7, "som"))
    planes = {method: rows[["x", "y"]].to_numpy() for method, rows in told.layout.groupby("method")}
    np.testing.assert_allclose(planes["tsne"], tsne.places, atol=5.1e-5)
    np.testing.assert_array_equal(planes["som"], np.column_stack([som.columns, som.rows]))
    assert told.summary["som"]["quantisation_error"] == round(som.quantisation_error, 6)
    assert told.summary["tsne"]["trustworthiness"] == round(tsne.trustworthiness, 6)


def test_tables_keep_their_contracts(told):
    tables.check(told.layout, tables.LAYOUT, "layout")
    tables.check(told.neighbours, tables.NEIGHBOURS, "neighbours")
    assert len(told.layout) == 2 * 40
    assert len(told.neighbours) == 4 * 40
    assert told.layout["radiograph"].nunique() == 40
    assert set(told.layout["features"] + told.layout["stage"]) == {"mafter"}


def test_scores_are_those_of_well_separated_findings(told):
    summary = told.summary
    assert (summary["features"], summary["stage"], summary["layer"]) == ("m", "after", "fc")
    assert (summary["dimensions"], summary["components"], summary["variance"]) == (8, 8, 1)
    assert summary["neighbours"]["same_finding"]["value"] == 1
    assert summary["probe"]["finding"]["accuracy"]["value"] == 1
    assert summary["probe"]["source"]["accuracy"]["value"] < 0.8
    assert "umap" not in summary
    json.dumps(summary, allow_nan=False)
    assert say(summary).startswith("m after: linear probes tell finding 1.000 (chance 0.500), sour")


def test_greys_are_not_standardised_and_features_are(clouds, make_sample):
    """One feature is a thousand times as wide: alone it makes the distances of greys."""
    features, which = clouds(n=40, apart=8)
    features[:, 0] = 1000 * np.random.default_rng(5).normal(size=40)
    sample = make_sample(np.array(["a", "b"])[which])
    same = [
        tell(Representation(name, stage, features), sample, SETTINGS, 0).summary["neighbours"]
        for name, stage in (("pixels", ""), ("m", "before"))
    ]
    assert same[0]["same_finding"]["value"] < 0.7
    assert same[1]["same_finding"]["value"] == 1


def test_umap_that_is_there_is_told(clouds, make_sample, monkeypatch):
    places = scatter.Scatter(np.arange(80.0).reshape(40, 2), 15, 0.87)
    monkeypatch.setattr(telling, "find_umap", lambda: ("a module", "1.2"))
    monkeypatch.setattr(telling, "lay_umap", lambda space, n_neighbours, seed: places)
    representation = Representation("m", "after", clouds(n=40)[0])
    told = tell(representation, make_sample(["a", "b"] * 20), SETTINGS, 0)
    assert told.summary["umap"] == {"neighbours": 15, "trustworthiness": 0.87}
    rows = told.layout.query("method == 'umap'")
    np.testing.assert_array_equal(rows[["x", "y"]], places.places)


def test_few_films_are_told_without_a_plane(clouds, make_sample):
    """Four films of one source, two of each finding."""
    features, which = clouds(n=4)
    sample = make_sample(np.array(["a", "b"])[which])
    told = tell(Representation("m", "before", features), sample, SETTINGS, 0)
    assert set(told.layout["method"]) == {"som"}
    assert told.summary["tsne"] == {"perplexity": None, "trustworthiness": None}
    assert told.summary["probe"]["source"] == {
        "n": 0,
        "groups": 0,
        "labels": [],
        "accuracy": NULL,
        "chance": None,
        "from_finding": None,
    }
    assert "source" not in say(told.summary)


@pytest.mark.parametrize("n", [1, 12])
def test_films_that_are_all_alike_have_nothing_to_tell(n, make_sample):
    representation = Representation("m", "before", np.ones((n, 4), np.float32))
    told = tell(representation, make_sample(["a", "b"] * 6 if n > 1 else ["a"]), SETTINGS, 0)
    assert told.layout.empty
    assert told.neighbours.empty
    summary = told.summary
    assert (summary["dimensions"], summary["components"], summary["variance"]) == (4, 0, None)
    assert summary["som"] == {
        "side": 3,
        "quantisation_error": None,
        "relative_error": None,
        "topographic_error": None,
    }
    assert summary["neighbours"]["n"] == summary["probe"]["finding"]["n"] == 0
    assert say(summary).endswith("nothing: too few films, or all alike")


def test_tables_without_rows_have_their_columns(told):
    tables.check(join([], tables.LAYOUT), tables.LAYOUT, "layout")
    both = join([told.layout, told.layout.iloc[:0]], tables.LAYOUT)
    assert len(both) == len(told.layout)

"""t-SNE and UMAP: clouds stay apart, few films are no error, and it can be repeated."""

import importlib.util
import sys

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from cxrpipe.explanation.latent import scatter
from cxrpipe.explanation.latent.scatter import find_umap, lay_tsne, lay_umap
from cxrpipe.explanation.latent.space import span

needs_umap = pytest.mark.skipif(
    importlib.util.find_spec("umap") is None, reason="umap-learn is not installed"
)


def lay(method, space, seed=0):
    if method == "tsne":
        return lay_tsne(space, 10, 5, seed)
    return lay_umap(space, 5, seed)


METHODS = ["tsne", pytest.param("umap", marks=needs_umap)]


@pytest.mark.parametrize("method", METHODS)
def test_clouds_lie_apart_and_the_neighbours_can_be_trusted(method, clouds):
    features, which = clouds(n=60)
    space = span(features, standardise=True)
    laid = lay(method, space)
    first, second = (laid.places[which == place] for place in (0, 1))
    between = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    within = max(
        np.linalg.norm(cloud - cloud.mean(axis=0), axis=1).mean() for cloud in (first, second)
    )
    assert between > 2 * within
    assert laid.trustworthiness == trustworthiness(space.coordinates, laid.places, n_neighbors=5)
    assert laid.trustworthiness > 0.75


@pytest.mark.parametrize("method", METHODS)
def test_the_same_films_lie_at_the_same_places(method, clouds):
    space = span(clouds(n=30)[0], standardise=True)
    of_numpy = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (lay(method, space, seed).places for seed in (2, 2, 2**62))
    np.testing.assert_array_equal(first, again)
    assert first.shape == other.shape == (30, 2)
    np.testing.assert_array_equal(np.random.get_state()[1], of_numpy)  # noqa: NPY002


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("d", [1, 3])
def test_few_films_are_laid_out_and_fewer_are_not(method, d, clouds):
    features, _ = clouds(n=5, d=d)
    laid = lay(method, span(features, standardise=True))
    assert np.isfinite(laid.places).all()
    assert laid.minded == (4 / 3 if method == "tsne" else 4)
    assert lay(method, span(features[:4], standardise=True)) is None


@pytest.mark.parametrize("method", METHODS)
def test_films_that_are_all_alike_are_not_laid_out(method):
    assert lay(method, span(np.ones((20, 4)), standardise=True)) is None


def test_the_perplexity_is_that_asked_for_where_there_are_films_enough(clouds):
    space = span(clouds(n=40)[0], standardise=True)
    assert lay_tsne(space, 12, 5, 0).minded == 12
    assert lay_tsne(space, 30, 5, 0).minded == 13


def test_umap_that_is_not_installed_is_told(monkeypatch, clouds):
    monkeypatch.setattr(scatter.importlib.util, "find_spec", lambda name: None)
    assert find_umap() == (None, "not installed; install cxrpipe[umap]")
    assert lay_umap(span(clouds()[0], standardise=True), 5, 0) is None


def test_umap_that_cannot_be_loaded_is_told(monkeypatch, tmp_path):
    (tmp_path / "umap.py").write_text("raise ImportError('numba is\\ntoo old')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "umap", raising=False)
    assert find_umap() == (None, "cannot be loaded (numba is too old)")


@needs_umap
def test_umap_is_named_with_its_version():
    module, told = find_umap()
    assert hasattr(module, "UMAP")
    assert told[0].isdigit()

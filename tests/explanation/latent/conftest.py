"""What tests of the latent space share: one thread, and samples of films."""

import numpy as np
import pandas as pd
import pytest
import torch
from threadpoolctl import threadpool_limits

from cxrpipe.config import Evaluation
from cxrpipe.explanation.latent.sample import draw_sample


@pytest.fixture(autouse=True)
def one_thread():
    """Little work is fastest on one thread, the more so beside other work; UMAP forgets it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def make_sample():
    """Return a function that makes a sample of films; each is a patient if nothing else is told."""

    def make_sample(findings, sources=None, groups=None):
        names = [f"{number:024x}" for number in range(len(findings))]
        films = {
            "radiograph": names,
            "group": names if groups is None else groups,
            "source": "s" if sources is None else sources,
            "finding": findings,
        }
        return draw_sample(pd.DataFrame(films), Evaluation(replicates=200), seed=0)

    return make_sample


@pytest.fixture(scope="session")
def clouds():
    """Return a function that draws two Gaussian clouds (n, d), and which of them a film is of."""

    def clouds(n=60, d=8, apart=20.0, seed=0):
        which = np.arange(n) % 2
        noise = np.random.default_rng(seed).normal(size=(n, d))
        return (noise + apart * which[:, None]).astype(np.float32), which

    return clouds

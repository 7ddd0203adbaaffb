"""What tests of scores share: test films that are judged, and one thread."""

import pandas as pd
import pytest
import torch

from cxrpipe.config import Evaluation, Task
from cxrpipe.evaluation.judging.judged import gather


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks are fastest on one thread, the more so beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def judge():
    """Judge so many test films named f0, f1, ..., each of its own group if none is given."""

    def judge(n_films, groups=None):
        names = [f"f{number}" for number in range(n_films)]
        films = pd.DataFrame({"radiograph": names, "group": groups or names}, dtype="str")
        films = films.assign(source="s", finding="a", subset="test", fold=0)
        task = Task(findings=("a", "b"), sources=("s",))
        return gather(films, task, 1, Evaluation(replicates=400), seed=0)

    return judge

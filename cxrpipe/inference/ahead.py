"""Batches of films are worked on side by side, and come out in their order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import islice
from typing import TypeVar

from threadpoolctl import threadpool_limits

R = TypeVar("R")
Names = Sequence[str]
Divide = Callable[[int], AbstractContextManager[Callable[[], object]]]


def work_ahead(
    films: Iterable[object],
    work: Callable[[Names], Sequence[R]],
    n_at_once: int,
    n_workers: int,
    divide: Divide,
) -> Iterator[R]:
    """Yield what work makes of films, batch by batch.

    Each worker decodes a batch and sends it through the network, on its share of the cores: that
    keeps all of them busy, where one network on all cores would wait for each film's decoding.
    However many films there are, there are no more batches in memory than workers, and one.

    Parameters
    ----------
    work
        From the names of a batch to its results; runs in several threads.
    n_at_once
        Films of a batch.
    divide
        As ``Network.divide``.
    """
    if isinstance(films, Sized):  # one film has all cores
        n_workers = min(n_workers, max(1, -(-len(films) // n_at_once)))
    names = map(str, films)
    waiting: deque[Future[Sequence[R]]] = deque()
    with (
        threadpool_limits(1, "blas"),  # NumPy's threads would take the cores of the workers
        divide(n_workers) as begin,
        ThreadPoolExecutor(n_workers, initializer=begin) as pool,
    ):
        try:
            while True:
                while len(waiting) <= n_workers and (batch := list(islice(names, n_at_once))):
                    waiting.append(pool.submit(work, batch))
                if not waiting:
                    return
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

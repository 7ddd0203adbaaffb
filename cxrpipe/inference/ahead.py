"""Films are decoded ahead of the network, and no more of them than it is about to take."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

P = TypeVar("P")
AHEAD = 4  # batches that are decoded while the network computes


def prepare_ahead(
    films: Iterable[object], prepare: Callable[[str], P], n_at_once: int, cores: int
) -> Iterator[list[tuple[str, P]]]:
    """Yield batches of films by name, each with what it was prepared to, in their order.

    Parameters
    ----------
    prepare
        From a film's name; runs in several threads.
    n_at_once
        Films of a batch.
    cores
        That prepare films while a batch is looked at.
    """
    waiting: deque[tuple[str, Future[P]]] = deque()
    names = map(str, films)
    with ThreadPoolExecutor(cores) as pool:
        try:
            while True:
                for name in islice(names, AHEAD * n_at_once - len(waiting)):
                    waiting.append((name, pool.submit(prepare, name)))
                batch = [waiting.popleft() for _ in range(min(n_at_once, len(waiting)))]
                if not batch:
                    return
                yield [(name, prepared.result()) for name, prepared in batch]
        finally:
            pool.shutdown(cancel_futures=True)

"""The order in which films are drawn at random."""

from collections.abc import Iterable

from cxrpipe.runtime import derive_seed


def order_by_chance(radiographs: Iterable[str], seed: int) -> list[int]:
    """Return the places of radiographs in random order; equal ones keep theirs.

    A film's chance does not depend on the films beside it: of fewer films, those are drawn that
    would be drawn of more.
    """
    chances = [derive_seed(seed, radiograph) for radiograph in radiographs]
    return sorted(range(len(chances)), key=chances.__getitem__)

"""Dealing whole groups into parts so that every part gets its share of everything."""

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


def deal(
    counts: Floats, wanted: Floats, allowed: Booleans, needed: Booleans, seed: int
) -> Integers:
    """Deal groups into parts so that every kind of film keeps its wanted count in every part.

    Groups are dealt from the largest to the smallest (equals in seeded order), those with the
    least choice first, each to the part where it brings the counts closest to what is wanted. The
    last groups that have a needed kind go to the parts that still lack it.

    Parameters
    ----------
    counts
        (n_groups, n_kinds) films of each kind in each group.
    wanted
        (n_parts, n_kinds) films of each kind wanted in each part.
    allowed
        (n_groups, n_parts) where a group may go; at least one part each.
    needed
        (n_kinds,) kinds of which no part should be without.
    seed
        Decides among groups of equal size. The result depends on it and on the order of the rows.

    Returns
    -------
    (n_groups,) the number of the part.
    """
    shuffled = np.random.default_rng(seed).permutation(len(counts))
    size, choice = counts.sum(axis=1)[shuffled], allowed.sum(axis=1)[shuffled]
    order = shuffled[np.lexsort((-size, choice))]
    scale = np.maximum(wanted, 1)
    dealt = np.zeros_like(wanted)
    part = np.zeros(len(counts), dtype=np.int64)
    groups_left = (counts > 0).sum(axis=0)
    for group in order:
        before = ((dealt - wanted) / scale) ** 2
        after = ((dealt + counts[group] - wanted) / scale) ** 2
        cost = (after - before).sum(axis=1)
        cost[~allowed[group]] = np.inf
        shown = (counts[group] > 0) & needed
        lacking = (dealt == 0) & (wanted > 0) & shown
        urgent = lacking[:, groups_left <= lacking.sum(axis=0)].any(axis=1) & allowed[group]
        part[group] = np.argmin(np.where(urgent | ~urgent.any(), cost, np.inf))
        dealt[part[group]] += counts[group]
        groups_left -= counts[group] > 0
    return part

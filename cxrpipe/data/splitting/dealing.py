"""Dealing whole groups into parts so that every part gets its share of everything."""

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

LOOKS = 3  # times that every group may move after the deal


def deal(
    counts: Floats, wanted: Floats, allowed: Booleans, needed: Integers, seed: int
) -> Integers:
    """Deal groups into parts so that every kind of film keeps its wanted count in every part.

    Groups are dealt from the largest to the smallest (equals in seeded order), those with the
    least choice first, each to the part where it brings the counts closest to what is wanted. The
    last groups that have a needed kind go to the parts that still lack some. Then groups move while
    that brings the counts closer.

    Parameters
    ----------
    counts
        (n_groups, n_kinds) films of each kind in each group.
    wanted
        (n_parts, n_kinds) films of each kind wanted in each part.
    allowed
        (n_groups, n_parts) where a group may go; at least one part each.
    needed
        (n_parts, n_kinds) groups of each kind that a part should have at least, if it wants any.
    seed
        Decides among groups of equal size. The result depends on it and on the order of the rows.

    Returns
    -------
    (n_groups,) the number of the part.
    """
    shuffled = np.random.default_rng(seed).permutation(len(counts))
    size, choice = counts.sum(axis=1)[shuffled], allowed.sum(axis=1)[shuffled]
    order = shuffled[np.lexsort((-size, choice))]
    needs = np.where(wanted > 0, needed, 0)
    part = _hand_out(order, counts, wanted, allowed, needs)
    return _exchange(np.tile(order, LOOKS), part, counts, wanted, allowed, needs)


def _hand_out(
    order: Integers, counts: Floats, wanted: Floats, allowed: Booleans, needs: Integers
) -> Integers:
    """Deal groups one by one, each to the part that it brings closest to what is wanted."""
    weight, shown = _weigh(wanted), counts > 0
    lacking, gap, groups_left = needs.copy(), -wanted, shown.sum(axis=0)
    part = np.zeros(len(counts), dtype=np.int64)
    for group in order:
        pressing = shown[group] & (groups_left <= lacking.clip(0).sum(axis=0))
        urgent = (pressing & (lacking > 0)).any(axis=1) & allowed[group]
        cost = _cost(gap, counts[group], weight, allowed[group])
        part[group] = np.argmin(np.where(urgent | ~urgent.any(), cost, np.inf))
        gap[part[group]] += counts[group]
        lacking[part[group]] -= shown[group]
        groups_left -= shown[group]
    return part


def _exchange(
    order: Integers,
    part: Integers,
    counts: Floats,
    wanted: Floats,
    allowed: Booleans,
    needs: Integers,
) -> Integers:
    """Move groups while that brings the counts closer, unless their part needs them."""
    weight, shown, part = _weigh(wanted), counts > 0, part.copy()
    gap, spare = -wanted, -needs
    np.add.at(gap, part, counts)
    np.add.at(spare, part, shown.astype(np.int64))
    for group in order:
        here = part[group]
        if (shown[group] & (needs[here] > 0) & (spare[here] <= 0)).any():
            continue
        gap[here] -= counts[group]
        cost = _cost(gap, counts[group], weight, allowed[group])
        part[group] = np.argmin(cost) if cost.min() < cost[here] - 1e-9 else here
        gap[part[group]] += counts[group]
        spare[here] -= shown[group]
        spare[part[group]] += shown[group]
    return part


def _weigh(wanted: Floats) -> Floats:
    """Return the weight of a squared gap: small kinds keep their share, and large ones theirs."""
    return np.asarray(np.maximum(wanted, 1) ** -0.5)


def _cost(gap: Floats, group: Floats, weight: Floats, allowed: Booleans) -> Floats:
    """Return how much farther from wanted each part gets (n_parts,) that takes a group."""
    return np.where(allowed, ((2 * gap + group) * group * weight).sum(axis=1), np.inf)

"""The order of an epoch: how often each film and each class is shown."""

import pytest
import torch

from cxrpipe.training.sampling import count_batches, draw_batches, weigh_films

#                        90 of class 0, 9 of class 1, 1 of class 2
LABELS = torch.tensor([0] * 90 + [1] * 9 + [2])


def epoch(labels, batch, sampler, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return list(draw_batches(labels, batch, sampler, generator))


def test_weighted_shows_every_class_equally_often():
    places = torch.cat([torch.cat(epoch(LABELS, 10, "weighted", seed)) for seed in range(120)])
    n = 120 * 100
    shares = torch.bincount(LABELS[places], minlength=3) / n
    five_deviations = 5 * (1 / 3 * 2 / 3 / n) ** 0.5
    torch.testing.assert_close(shares, torch.full((3,), 1 / 3), rtol=0, atol=five_deviations)


def test_weighted_shows_the_films_of_a_class_equally_often():
    labels = torch.tensor([0, 0, 0, 0, 1, 1])
    places = torch.cat([torch.cat(epoch(labels, 6, "weighted", seed)) for seed in range(1000)])
    shares = torch.bincount(places, minlength=6) / 6000
    expected = torch.tensor([1 / 8] * 4 + [1 / 4] * 2)
    torch.testing.assert_close(shares, expected, rtol=0, atol=5 * (0.25 * 0.75 / 6000) ** 0.5)


def test_weighted_leaves_out_a_class_without_films():
    places = torch.cat(epoch(torch.tensor([0, 2, 2]), 3, "weighted"))
    assert len(places) == 3
    assert set(places.tolist()) <= {0, 1, 2}


def test_shuffle_shows_every_film_once_in_a_new_order():
    first, second = (torch.cat(epoch(LABELS, 10, "shuffle", seed)) for seed in (0, 1))
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(100))
    assert first.tolist() != second.tolist()


#                        effusion, mass, oedema
SEVERAL = torch.tensor([[1.0, 0, 0],
                        [1, 0, 0],
                        [1, 1, 0],
                        [1, 0, 0],
                        [0, 0, 0],
                        [0, 0, 0]])  # fmt: skip


def test_a_film_of_several_findings_has_the_weight_of_its_rarest_counted_by_hand():
    expected = torch.tensor([1 / 4, 1 / 4, 1, 1 / 4, 1 / 2, 1 / 2], dtype=torch.float64)
    torch.testing.assert_close(weigh_films(SEVERAL), expected)
    torch.testing.assert_close(weigh_films(SEVERAL.long()), expected)


def test_films_without_findings_alone_are_weighed_equally():
    assert weigh_films(torch.zeros(3, 2)).tolist() == [1 / 3] * 3


def test_films_of_one_finding_each_are_weighed_as_if_their_labels_were_places():
    places = torch.tensor([0, 2, 2, 1, 2])
    as_answers = torch.nn.functional.one_hot(places)
    assert torch.equal(weigh_films(as_answers), weigh_films(places))


def test_weighted_draws_films_of_several_findings_by_their_weights():
    places = torch.cat([torch.cat(epoch(SEVERAL, 6, "weighted", seed)) for seed in range(1000)])
    shares = torch.bincount(places, minlength=6).double() / 6000
    expected = weigh_films(SEVERAL) / weigh_films(SEVERAL).sum()
    torch.testing.assert_close(shares, expected, rtol=0, atol=5 * (0.25 / 6000) ** 0.5)


def test_shuffle_shows_every_film_of_several_findings_once():
    assert sorted(torch.cat(epoch(SEVERAL, 2, "shuffle")).tolist()) == list(range(6))


@pytest.mark.parametrize("sampler", ["shuffle", "weighted"])
def test_only_full_batches_are_shown(sampler):
    assert [len(places) for places in epoch(LABELS, 32, sampler)] == [32, 32, 32]


def test_no_film_comes_twice_in_an_unfinished_shuffle():
    assert len(set(torch.cat(epoch(LABELS, 32, "shuffle")).tolist())) == 96


@pytest.mark.parametrize("sampler", ["shuffle", "weighted"])
def test_fewer_films_than_a_batch_make_one_batch(sampler):
    batches = epoch(torch.tensor([0, 1, 0]), 32, sampler)
    assert [len(places) for places in batches] == [3]


@pytest.mark.parametrize(("n", "batch", "expected"), [(100, 32, 3), (96, 32, 3), (3, 32, 1)])
def test_batches_are_counted_as_they_are_drawn(n, batch, expected):
    assert count_batches(n, batch) == expected
    assert len(epoch(torch.arange(n) % 2, batch, "shuffle")) == expected


@pytest.mark.parametrize("sampler", ["shuffle", "weighted"])
def test_the_order_depends_on_the_generator_alone(sampler):
    before = torch.get_rng_state()
    first, again, other = (torch.cat(epoch(LABELS, 10, sampler, seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)

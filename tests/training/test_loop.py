"""The training loop: it learns, stops when it should, and keeps the right epoch."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from cxrpipe.config import Augmentation, Model, Training
from cxrpipe.models.zoo import Classifier, build
from cxrpipe.runtime import UserError
from cxrpipe.training import loop
from cxrpipe.training.films import Films
from cxrpipe.training.loop import compute_logits, fit

STILL = Augmentation(flip=0, rotation=0, translation=0, zoom=0, contrast=0, brightness=0)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks are fastest on one thread, the more so beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def settings(**changed):
    plain = {"sampler": "shuffle", "precision": "fp32", "augmentation": STILL, "batch": 8}
    return Training(**plain | {"schedule": "constant"} | changed)


def noise(n=8, side=32, seed=0):
    """Films of pure noise under two findings in turn: they can only be learnt by heart."""
    generator = torch.Generator().manual_seed(seed)
    grey = torch.randint(0, 256, (n, 1, side, side), dtype=torch.uint8, generator=generator)
    return Films(grey, torch.arange(n) % 2)


def bright_and_dark(swapped=0):
    """Ten dark and ten bright films; some of each bear the other's label."""
    grey = torch.tensor([60] * 10 + [190] * 10, dtype=torch.uint8).view(-1, 1, 1, 1)
    labels = torch.tensor([0] * 10 + [1] * 10)
    labels[:swapped] = 1
    labels[10 : 10 + swapped] = 0
    return Films(grey.expand(-1, 1, 4, 4).contiguous(), labels)


def linear():
    """A classifier that begins with equal logits for every film."""
    layer = nn.Linear(16, 2)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return Classifier(nn.Sequential(nn.Flatten(), layer), mean=0.5, std=0.25)


def tiny(seed=0, dropout=0.0):
    model = Model(architecture="test_resnet", dropout=dropout, side=32)
    return Classifier(build(model, 2, seed), 0.5, 0.3)


def loss_of(state, films):
    classifier = linear()
    classifier.load_state_dict(state)
    with torch.no_grad():
        return float(functional.cross_entropy(classifier(films.grey), films.labels))


def test_eight_films_of_noise_are_learnt_by_heart():
    films = noise()
    classifier = tiny()
    fast = settings(epochs=40, patience=40, learning_rate=0.01)
    trained = fit(classifier, films, films, fast, seed=0)
    classifier.load_state_dict(trained.state)
    logits = compute_logits(classifier, films, settings())
    assert logits.argmax(dim=1).tolist() == films.labels.tolist()
    assert trained.history[trained.best_epoch - 1].validation.loss < 0.1
    assert trained.history[-1].train_loss < 0.1 < trained.history[0].train_loss


def test_losses_are_nats_and_accuracies_shares_counted_by_hand():
    """Logits of 1 and 0 for every film; the step is too small to change them."""
    classifier = linear()
    nn.init.constant_(classifier.network[1].bias[:1], 1)
    films = bright_and_dark()
    validation = Films(films.grey[:15], films.labels[:15])  # 10 dark, 5 bright
    still = settings(epochs=1, batch=20, learning_rate=1e-12)
    trained = fit(classifier, films, validation, still, seed=0)
    right, wrong = math.log(1 + math.exp(-1)), math.log(1 + math.exp(1))
    (epoch,) = trained.history
    assert epoch.epoch == trained.best_epoch == 1
    assert epoch.train_loss == pytest.approx((10 * right + 10 * wrong) / 20)
    assert epoch.train_accuracy == pytest.approx(10 / 20)
    assert epoch.validation.loss == pytest.approx((10 * right + 5 * wrong) / 15)
    assert epoch.validation.accuracy == pytest.approx(10 / 15)


def test_training_stops_after_patience_and_keeps_the_lowest_validation_loss():
    """Three in ten validation labels are wrong, so that confidence first helps, then harms."""
    train, validation = bright_and_dark(), bright_and_dark(swapped=3)
    slow = settings(epochs=200, patience=4, learning_rate=1e-3)
    trained = fit(linear(), train, validation, slow, seed=0)
    losses = [epoch.validation.loss for epoch in trained.history]
    best = trained.best_epoch
    assert 1 < best < len(losses) < 200
    assert losses[best - 1] == min(losses)
    assert len(losses) == best + 4
    assert loss_of(trained.state, validation) == pytest.approx(min(losses), rel=1e-5)
    assert loss_of(trained.state, validation) < losses[-1]
    assert [epoch.epoch for epoch in trained.history] == list(range(1, len(losses) + 1))


def test_training_runs_to_the_last_epoch_while_the_loss_falls():
    films = bright_and_dark()
    trained = fit(linear(), films, films, settings(epochs=7, patience=1), seed=0)
    assert trained.best_epoch == len(trained.history) == 7


def test_the_learning_rate_falls_with_every_batch(monkeypatch):
    """Twenty films are five batches of four; three epochs make fifteen steps."""
    rates = []
    step = torch.optim.Adam.step

    def record(optimiser, *arguments):
        rates.append(optimiser.param_groups[0]["lr"])
        return step(optimiser, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", record)
    films = bright_and_dark()
    falling = settings(epochs=3, batch=4, schedule="cosine", learning_rate=0.01)
    fit(linear(), films, films, falling, seed=0)
    expected = [0.005 * (1 + math.cos(math.pi * n / 15)) for n in range(15)]
    assert rates == pytest.approx(expected)


def test_the_same_seed_gives_bit_identical_weights_and_another_seed_others():
    def trained(seed):
        random = settings(
            epochs=2, batch=4, sampler="weighted", augmentation=Augmentation(rotation=20)
        )
        return fit(tiny(dropout=0.3), noise(12), noise(6, seed=1), random, seed)

    first, again, other = (trained(seed) for seed in (1, 1, 2))
    assert first.history == again.history
    assert all(torch.equal(first.state[name], again.state[name]) for name in first.state)
    assert not torch.equal(
        first.state["network.conv1.0.weight"], other.state["network.conv1.0.weight"]
    )


def test_dropout_depends_on_the_seed_and_not_on_the_global_random_state():
    class Dropped(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.drop = linear(), nn.Dropout(0.5)

        def forward(self, grey):
            return self.drop(self.inner(grey))

    def weight(seed):
        films = bright_and_dark()
        return fit(Dropped(), films, films, settings(epochs=2, batch=20), seed).state

    first = weight(1)["inner.network.1.weight"]
    torch.rand(5)
    assert torch.equal(first, weight(1)["inner.network.1.weight"])
    assert not torch.equal(first, weight(2)["inner.network.1.weight"])


def test_the_global_random_state_is_untouched():
    before = torch.get_rng_state()
    fit(tiny(dropout=0.3), noise(), noise(), settings(epochs=1), seed=0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("broken", ["train", "validation"])
def test_a_loss_that_is_not_finite_is_an_error(broken):
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = linear()

        def forward(self, grey):
            fails = self.training == (broken == "train")
            return self.inner(grey) + (float("nan") if fails else 0)

    films = bright_and_dark()
    with pytest.raises(FloatingPointError, match="loss is not finite in epoch 1"):
        fit(Broken(), films, films, settings(epochs=3), seed=0)


def test_logits_do_not_depend_on_the_films_beside_and_are_not_augmented(monkeypatch):
    films = noise(10)
    classifier = tiny().eval()
    with torch.no_grad():
        alone = torch.cat([classifier(film[None]) for film in films.grey])
    classifier.train()
    monkeypatch.setattr(loop, "fit_batch", lambda most, side: 4)
    together = compute_logits(classifier, films, settings())
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


# What is kept


def test_the_last_epoch_is_kept_if_it_is_asked_for():
    train, validation = bright_and_dark(), bright_and_dark(swapped=3)
    slow = settings(epochs=200, patience=4, learning_rate=1e-3, keep="last")
    trained = fit(linear(), train, validation, slow, seed=0)
    losses = [epoch.validation.loss for epoch in trained.history]
    assert trained.best_epoch < trained.kept_epoch == len(losses)
    assert loss_of(trained.state, validation) == pytest.approx(losses[-1], rel=1e-5)


def test_the_monitored_score_chooses_the_epoch():
    """Accuracy is at its height in the first epoch, while the loss falls to the last."""
    films = bright_and_dark()
    by_loss, by_accuracy = (
        fit(linear(), films, films, settings(epochs=6, monitor=monitor), seed=0)
        for monitor in ("loss", "accuracy")
    )
    accuracies = [epoch.validation.accuracy for epoch in by_accuracy.history]
    assert by_accuracy.best_epoch == accuracies.index(max(accuracies)) + 1 < by_loss.best_epoch


def test_the_average_of_the_weights_is_kept_as_counted_by_hand(monkeypatch):
    """Torch's average starts with the weights after the first step."""
    seen = []
    step = torch.optim.Adam.step

    def record(optimiser, *arguments):
        result = step(optimiser, *arguments)
        seen.append(optimiser.param_groups[0]["params"][0].detach().clone())
        return result

    monkeypatch.setattr(torch.optim.Adam, "step", record)
    films = bright_and_dark()
    averaged = settings(epochs=2, batch=5, ema=0.9, keep="last")
    trained = fit(linear(), films, films, averaged, seed=0)
    assert len(seen) == 8
    expected = seen[0]
    for weights in seen[1:]:
        expected = 0.9 * expected + 0.1 * weights
    torch.testing.assert_close(trained.state["network.1.weight"], expected)


# Parts of the network


def parts_changed(before, after):
    """Tell whether the head, and whether anything else, differs, running statistics included."""
    differs = {name for name in before if not torch.equal(before[name], after[name])}
    head = {name for name in differs if name.startswith("network.fc.")}
    return bool(head), bool(differs - head)


def test_a_frozen_backbone_stays_to_the_last_statistic_while_the_head_learns():
    classifier = tiny()
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    trained = fit(classifier, noise(), noise(), settings(epochs=2), seed=0, part="head")
    assert parts_changed(before, trained.state) == (True, False)


def test_the_head_is_trained_alone_at_first_and_then_everything():
    classifier = tiny()
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    films, states = noise(), []

    def watch(epoch):
        states.append({name: value.clone() for name, value in classifier.state_dict().items()})

    fit(classifier, films, films, settings(epochs=3, head_epochs=2), seed=0, watch=watch)
    assert parts_changed(before, states[0]) == (True, False)
    assert parts_changed(states[0], states[1]) == (True, False)
    assert parts_changed(states[1], states[2]) == (True, True)


def test_epochs_of_the_head_alone_are_no_lack_of_progress():
    """With wrong labels for validation the first epoch stays the best."""
    wrong = Films(noise().grey, 1 - noise().labels)
    learning = settings(epochs=20, patience=2, learning_rate=0.01)
    stopped = fit(linear(), bright_and_dark(), bright_and_dark(swapped=10), learning, seed=0)
    assert len(stopped.history) == 3
    phased = learning.model_copy(update={"head_epochs": 5})
    stopped = fit(tiny(), noise(), wrong, phased, seed=0)
    assert len(stopped.history) >= 7


# Several findings a film


def test_several_findings_of_a_film_are_learnt_by_heart():
    films = noise()
    labels = torch.tensor([[n & 1, n >> 1 & 1] for n in range(8)]).float()
    films = Films(films.grey, labels)
    fast = settings(epochs=40, patience=40, learning_rate=0.01)
    trained = fit(tiny(), films, films, fast, seed=0)
    assert trained.history[-1].train_accuracy == 1
    best = trained.history[trained.best_epoch - 1].validation
    assert (best.accuracy, best.macro_f1, best.macro_auc) == (1, 1, 1)


def test_a_gradient_is_clipped_to_the_norm(monkeypatch):
    norms = []
    step = torch.optim.SGD.step

    def record(optimiser, *arguments):
        gradients = [p.grad for group in optimiser.param_groups for p in group["params"]]
        norms.append(float(torch.cat([g.flatten() for g in gradients]).norm()))
        return step(optimiser, *arguments)

    monkeypatch.setattr(torch.optim.SGD, "step", record)
    films = bright_and_dark(swapped=3)
    for clip in (0, 0.01):
        chosen = settings(epochs=1, optimiser="sgd", batch=20, clip_norm=clip)
        fit(linear(), films, films, chosen, seed=0)
    free, clipped = norms
    assert free > 0.1
    assert clipped == pytest.approx(0.01, rel=1e-4)


def test_a_score_that_validation_does_not_allow_cannot_be_monitored():
    films = bright_and_dark()
    dark = Films(films.grey[:10], films.labels[:10])
    with pytest.raises(UserError, match=r"training\.monitor: macro_auc cannot be estimated"):
        fit(linear(), films, dark, settings(monitor="macro_auc"), seed=0)

"""What is seen of a training: the line of an epoch, the row of the history, TensorBoard files."""

import logging

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cxrpipe.config import Training
from cxrpipe.training.scores import Scores
from cxrpipe.training.watching import Epoch, tell, tensorboard


def epoch(number, loss):
    return Epoch(number, 1e-3, 0.9, 0.6, Scores(loss, 0.75, 0.7, 0.8))


def test_the_line_of_an_epoch_tells_losses_score_speed_and_time_left(caplog):
    caplog.set_level(logging.INFO)
    history = [epoch(1, 0.5), epoch(2, 0.6)]
    tell(
        history,
        0,
        80.0,
        elapsed=90.0,
        n_films=4000,
        settings=Training(epochs=5, monitor="macro_f1"),
    )
    assert caplog.messages == [
        "epoch 2/5: loss 0.900, validation 0.600, accuracy 0.750, macro_f1 0.700, "
        "best macro_f1 0.700 in epoch 1, 40.0 s, 100 films/s, at most 2:15 left"
    ]


def test_an_epoch_survives_being_written_as_a_row():
    row = epoch(3, 0.5).as_row()
    assert row["validation_macro_auc"] == 0.8
    assert Epoch.from_row(row) == epoch(3, 0.5)


def test_tensorboard_shows_every_epoch_once_also_after_a_kill(tmp_path):
    with tensorboard(tmp_path) as watch:
        watch(epoch(1, 0.5))
        watch(epoch(2, 0.4))
    with tensorboard(tmp_path) as watch:  # goes on from the state after epoch 1
        watch(epoch(2, 0.4))
        watch(epoch(3, 0.3))
    events = EventAccumulator(str(tmp_path)).Reload()
    shown = [(event.step, event.value) for event in events.Scalars("validation_loss")]
    assert shown == [(1, 0.5), (2, pytest.approx(0.4)), (3, pytest.approx(0.3))]

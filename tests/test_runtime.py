"""What every command shares: whole files, seeds, one-line errors, workers, progress."""

import hashlib
import json
import logging
import operator
import os
import subprocess
import sys
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrpipe import runtime
from cxrpipe.runtime import (
    UserError,
    clock,
    command,
    derive_seed,
    parallel,
    progress,
    read_json,
    whole,
    write_json,
)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    with whole(tmp_path / "deep/a.txt") as partial_file:
        partial_file.write_text("half")
        assert not (tmp_path / "deep/a.txt").exists()
        partial_file.write_text("all")
    assert contents(tmp_path) == {"deep/a.txt": "all"}


def test_a_failed_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "a.txt").write_text("old")

    def fail():
        with whole(tmp_path / "a.txt") as partial_file:
            partial_file.write_text("half")
            raise UserError("no")

    with pytest.raises(UserError, match="no"):
        fail()
    assert contents(tmp_path) == {"a.txt": "old"}


def test_a_folder_replaces_the_old_one_entirely(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f/old").write_text("old")
    with whole(tmp_path / "f") as folder:
        folder.mkdir()
        (folder / "new").write_text("new")
    assert contents(tmp_path) == {"f/new": "new"}


def test_a_failed_folder_leaves_the_old_one(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f/old").write_text("old")

    def fail():
        with whole(tmp_path / "f") as folder:
            folder.mkdir()
            (folder / "new").write_text("new")
            raise UserError("no")

    with pytest.raises(UserError, match="no"):
        fail()
    assert contents(tmp_path) == {"f/old": "old"}


def test_the_leftover_of_a_dead_process_is_removed_and_that_of_a_living_one_stays(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    gone = tmp_path / f".partial-{dead.pid}-a.txt"
    stays = [f".partial-{os.getppid()}-a.txt", f".partial-{dead.pid}-b.txt"]
    for name in (gone.name, *stays):
        (tmp_path / name).write_text("")
    with whole(tmp_path / "a.txt") as partial_file:
        partial_file.write_text("all")
    assert set(contents(tmp_path)) == {"a.txt", *stays}


def test_a_seed_is_the_first_63_bits_that_sha256sum_gives():
    # printf "(7, 'split')" | sha256sum: 3fb144dcce8c914a..., shifted right by one bit
    assert derive_seed(7, "split") == 0x3FB144DCCE8C914A >> 1


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["a", "1", "ab", "b"])), unique=True))
def test_other_seeds_or_purposes_give_other_seeds_within_63_bits(purposes):
    seeds = [derive_seed(seed, name) for seed, name in purposes]
    seeds += [derive_seed(seed, name, 0) for seed, name in purposes]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_text_of_a_number_is_another_purpose_than_the_number():
    assert derive_seed(0, "1") != derive_seed(0, 1)
    assert derive_seed(0, "a", "b") != derive_seed(0, "b", "a")


def test_a_mistake_of_the_user_is_one_line_and_status_2(run, capsys):
    @command
    def main():
        raise UserError("index.csv: two\n   lines")

    with pytest.raises(SystemExit) as stopped:
        run(main)
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "cxrpipe command: error: index.csv: two lines\n"


def test_a_bug_keeps_its_traceback(run):
    @command
    def main():
        raise KeyError("bug")

    with pytest.raises(KeyError, match="bug"):
        run(main)


def test_a_command_logs_lines_that_begin_with_its_name(run, capsys):
    @command
    def main():
        logging.getLogger("cxrpipe.any").info("3 films")

    run(main)
    assert capsys.readouterr().err == "command: 3 films\n"


def test_json_is_written_whole_in_the_order_of_its_keys(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": [0.5, None]})
    assert (tmp_path / "a.json").read_text() == (
        '{\n  "b": 1,\n  "a": [\n    0.5,\n    null\n  ]\n}\n'
    )
    assert read_json(tmp_path / "a.json") == {"b": 1, "a": [0.5, None]}
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_json(tmp_path / "a.json", {"b": object()})
    assert json.loads((tmp_path / "a.json").read_text())["b"] == 1


def test_several_cores_keep_the_order_though_the_first_item_takes_longest():
    stretch = partial(hashlib.pbkdf2_hmac, "sha256", b"film", b"salt")
    rounds = [400_000, *range(1, 24)]
    found = list(parallel(stretch, rounds, len(rounds), 2, "stretched"))
    assert found == [stretch(n) for n in rounds]


def test_a_mistake_in_a_worker_reaches_the_caller():
    with pytest.raises(TypeError, match="bad operand"):
        list(parallel(operator.neg, [1, 2, 3, 4, "five"], 5, 2, "negated"))


def test_one_core_works_in_this_process_and_lazily():
    worked = []
    results = parallel(worked.append, iter(range(9)), 9, 1, "appended")
    next(results)
    assert worked == [0]


def test_progress_tells_how_many_are_done_and_the_time_left(monkeypatch, caplog):
    ticks = iter([0.0, 4.0, 90.0, 92.0, 180.0])
    monkeypatch.setattr(runtime.time, "monotonic", lambda: next(ticks))
    with caplog.at_level(logging.INFO):
        assert list(progress("abcd", 4, "films")) == list("abcd")
    # After 90 s two of four are done: 90 s left. The last item needs no line.
    assert [record.message for record in caplog.records] == ["2 of 4 films, 1:30 left"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (7265, "2:01:05")]
)
def test_a_duration_reads_as_a_clock(seconds, text):
    assert clock(seconds) == text

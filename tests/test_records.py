"""What Snakemake noted travels with a run, and counts for the same bytes alone."""

import base64
import json
import os
import time
from pathlib import Path

import pytest

from cxrpipe import records
from cxrpipe.runtime import UserError

RUN = "imaginary"
TABLE, WEIGHTS, FOLDER = (
    f"results/{RUN}/{name}" for name in ("table.csv", "models/one/weights.bin", "overlays")
)
SUMS = "data/north/SHA256SUMS"


def note(path: str, **content: object) -> Path:
    """Write a note as Snakemake does, in parts of at most 40 characters here."""
    name = base64.urlsafe_b64encode(path.encode()).decode()
    parts = [name[first : first + 40] for first in range(0, len(name), 40)]
    place = records.NOTES.joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(content))
    return place


def write(path: str, content: str) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(content)
    return Path(path)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run whose records are kept; then ``.snakemake`` is lost."""
    monkeypatch.chdir(tmp_path)
    write(TABLE, "model,f1\n")
    write(WEIGHTS, "1 2 3")
    write(f"{FOLDER}/a.png", "a")
    write(f"results/{RUN}/benchmarks/train.tsv", "3 s")
    write(SUMS, "0a1b  films/1.png\n")
    write("results/other/table.csv", "other")
    for path in (TABLE, WEIGHTS, FOLDER, SUMS, "results/other/table.csv"):
        note(path, params=[path])
    note(f"results/{RUN}/gone.csv")
    records.keep(RUN, ["north"], {"north": "sum of its folder"})
    for place in sorted(Path(".snakemake").rglob("*"), reverse=True):
        place.rmdir() if place.is_dir() else place.unlink()
    return tmp_path


def notes() -> dict[str, dict]:
    return {name: json.loads(place.read_text()) for name, place in records.list_notes()}


def times() -> dict[str, float]:
    files = [path for path in Path("results", RUN).rglob("*") if path.is_file()]
    return {str(path): path.stat().st_mtime for path in files}


def test_the_notes_of_a_run_and_its_data_are_kept_and_no_others(kept):
    written = json.loads(records.records_of(RUN).read_text())
    assert set(written["files"]) == {TABLE, WEIGHTS, FOLDER, SUMS}
    assert written["contents"] == {"north": "sum of its folder"}


def test_files_of_the_same_bytes_get_their_notes_back_and_an_old_time(kept):
    """Older than any input, so that Snakemake compares the content of every input."""
    assert records.bring_back(RUN) == []
    assert notes() == {path: {"params": [path]} for path in (TABLE, WEIGHTS, FOLDER, SUMS)}
    assert {times()[path] for path in (TABLE, WEIGHTS, f"{FOLDER}/a.png")} == {records.OLD}
    assert Path(SUMS).stat().st_mtime > records.OLD  # newer than what is made from it


def test_what_was_brought_back_is_not_looked_at_again(kept):
    records.bring_back(RUN)
    write(TABLE, "edited by hand\n")
    assert records.bring_back(RUN) == []
    assert Path(TABLE).exists()


def test_what_a_killed_job_left_is_not_moved_aside(kept):
    """Snakemake makes it anew by itself."""
    mark = records.UNFINISHED / note(TABLE).relative_to(records.NOTES)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text("{}")
    write(TABLE, "half")
    assert records.bring_back(RUN) == []
    assert Path(TABLE).exists()


def test_a_file_of_other_bytes_that_nobody_knows_is_moved_aside(kept):
    write(TABLE, "tampered with\n")
    (told,) = records.bring_back(RUN)
    assert told == (
        f"{TABLE} is not what run {RUN} recorded; made anew, and kept as {TABLE}.differs-1"
    )
    assert not Path(TABLE).exists()
    assert Path(f"{TABLE}.differs-1").read_text() == "tampered with\n"
    assert TABLE not in notes()


def test_nothing_that_was_moved_aside_is_overwritten(kept):
    for number in (1, 2):
        write(f"{FOLDER}/a.png", f"tampered with {number}")
        records.forget(RUN)
        records.bring_back(RUN)
        assert Path(f"{FOLDER}.differs-{number}/a.png").read_text() == f"tampered with {number}"


def test_a_known_file_of_other_bytes_is_moved_aside_where_no_run_has_begun_since(kept):
    """Records of another version came, and with them a file that is of neither."""
    place = note(TABLE, params=["as recorded before"])
    os.utime(place, (time.time() - 10, time.time() - 10))
    seen = records.SEEN / records.records_of(RUN)
    write(str(seen), "the checksum of other records")
    write(TABLE, "tampered with\n")
    assert len(records.bring_back(RUN)) == 1
    assert not Path(TABLE).exists()


def test_a_file_that_a_killed_run_made_keeps_its_note_and_is_newer_than_the_rest(kept):
    write(WEIGHTS, "4 5 6")
    note(WEIGHTS, params=["another learning rate"])
    assert records.bring_back(RUN) == []
    assert notes()[WEIGHTS] == {"params": ["another learning rate"]}
    assert all(times()[WEIGHTS] > when for path, when in times().items() if path != WEIGHTS)


def test_a_file_that_a_stopped_run_made_the_same_keeps_the_newer_note(kept):
    """It need not be made a third time."""
    note(WEIGHTS, params=["another thread"])
    records.bring_back(RUN)
    records.forget(RUN)
    records.bring_back(RUN)
    assert notes()[WEIGHTS] == {"params": ["another thread"]}


def test_a_file_that_came_back_after_its_note_gets_that_of_its_record(kept):
    """As by `dvc checkout` after a run with other settings: these must not be taken for its own."""
    place = note(WEIGHTS, params=["another learning rate"])
    os.utime(place, (time.time() - 10, time.time() - 10))
    write(WEIGHTS, "1 2 3")
    records.bring_back(RUN)
    assert notes()[WEIGHTS] == {"params": [WEIGHTS]}


def test_a_file_that_two_versions_share_gets_the_note_of_the_one_that_came_back(kept):
    """DVC leaves it in its place, and Snakemake would find two checksums of one input."""
    place = note(TABLE, params=["of the other version"])
    os.utime(place, (time.time() + 10, time.time() + 10))
    write(str(records.SEEN / records.records_of(RUN)), "the checksum of the other records")
    records.bring_back(RUN)
    assert notes()[TABLE] == {"params": [TABLE]}


def test_raw_data_of_another_version_are_newer_and_stay(kept):
    write(SUMS, "2c3d  films/1.png\n")
    assert records.bring_back(RUN) == []
    assert Path(SUMS).stat().st_mtime > times()[TABLE]
    assert SUMS not in notes()


def test_a_mark_of_an_unfinished_job_goes_where_its_file_is_whole_again(kept):
    place = note(TABLE)
    os.utime(place, (time.time() - 10, time.time() - 10))  # then DVC brought the file back
    mark = records.UNFINISHED / place.relative_to(records.NOTES)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text("{}")
    records.bring_back(RUN)
    assert not mark.exists()


def test_a_run_without_records_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = write(TABLE, "model,f1\n")
    before = table.stat().st_mtime
    assert records.bring_back(RUN) == []
    assert table.stat().st_mtime == before
    assert records.recall_contents("north") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read as records"),
        ('{"contents": {}}', "cannot be read as records"),
        ('{"files": {"../outside": {"at": "Li4vb3V0c2lkZQ=="}}}', "a record of ../outside"),
        ('{"files": {"data/a": {"at": "../../outside"}}}', "records.json"),
    ],
)
def test_records_that_are_broken_or_lead_elsewhere_are_refused(content, said, kept):
    write(str(records.records_of(RUN)), content)
    with pytest.raises(UserError, match=said):
        records.bring_back(RUN)


def test_what_is_unfinished_or_was_cut_short_is_not_recorded(kept):
    records.bring_back(RUN)
    mark = records.UNFINISHED / note(WEIGHTS).relative_to(records.NOTES)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text("{}")
    note(TABLE).write_text("")
    records.keep(RUN, ["north"], {})
    written = json.loads(records.records_of(RUN).read_text())
    assert set(written["files"]) == {FOLDER, SUMS}


def test_changed_raw_data_get_the_time_of_now(kept):
    old = time.time() - 1000
    records.notice(["north", "south"])
    os.utime(SUMS, (old, old))
    records.notice(["north"])
    assert Path(SUMS).stat().st_mtime == pytest.approx(old)
    write(SUMS, "2c3d  films/1.png\n")
    os.utime(SUMS, (old, old))  # a link into a cache
    records.notice(["north"])
    assert Path(SUMS).stat().st_mtime > old + 500


def test_what_summed_up_a_users_folder_is_recalled(kept):
    assert records.recall_contents("north") == "sum of its folder"
    assert records.recall_contents("south") is None


def test_the_checksum_of_a_folder_heeds_names_and_contents(kept):
    first = records.checksum(Path(FOLDER))
    Path(FOLDER, "a.png").rename(Path(FOLDER, "b.png"))
    second = records.checksum(Path(FOLDER))
    write(f"{FOLDER}/b.png", "b")
    assert len({first, second, records.checksum(Path(FOLDER))}) == 3

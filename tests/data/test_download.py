"""Bringing a collection: drawn, copied, mirrored, fetched, placed; whole, or gone on with later."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
from hosting import Step, contents, fill, sha256, tarred, zipped

from cxrpipe.catalogue import Origin, Phantom
from cxrpipe.data.download import bring, draw_phantoms, main, write_checksums
from cxrpipe.runtime import UserError

FILES = {"normal/a 1#.png": b"one", "covid/ü.png": b"two", "table.csv": b"file\n"}
ANYWHERE = {"address": "http://127.0.0.1:9/never", "sha256": "0" * 64}
LARGE = bytes(range(256)) * 4000  # 1,024,000 bytes


@pytest.fixture
def mirror(tmp_path):
    fill(tmp_path / "mirror/films", FILES)
    write_checksums(tmp_path / "mirror/films")
    return tmp_path / "mirror"


@pytest.fixture
def mirrored(mirror, host):
    """The mirror served at an address, as it is when this is called."""

    def mirrored(**pages):
        for path in (mirror / "films").rglob("*"):
            if path.is_file():
                name = path.relative_to(mirror).as_posix()
                host.serve(f"m/{name}", path.read_bytes(), *pages.get(path.stem, []), kind="")
        return f"{host.address}/m/"

    return mirrored


def fetched(tmp_path, mirror="", **origin):
    placed = tmp_path / "placed/films"
    bring(tmp_path / "data/films", "films", Origin(**origin), str(mirror), placed, 1)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["films"]
    return contents(tmp_path / "data/films")


def refused(tmp_path, mirror="", **origin):
    with pytest.raises(UserError) as error:
        fetched(tmp_path, mirror, **origin)
    assert not (tmp_path / "data/films").exists()
    return str(error.value)


def left(tmp_path):
    """What a failed attempt keeps for the next one, without the note of its origin."""
    kept = contents(tmp_path / "data/.arriving-films")
    kept.pop("origin.json")
    return kept


# From a mirror


def test_a_mirror_folder_is_copied_with_its_list(tmp_path, mirror):
    fill(mirror / "films", {"not in the list.png": b"three"})
    assert fetched(tmp_path, mirror, **ANYWHERE) == FILES
    lists = [folder / "films/SHA256SUMS" for folder in (mirror, tmp_path / "data")]
    assert lists[0].read_bytes() == lists[1].read_bytes()


def test_a_mirror_in_the_home_folder_is_found(tmp_path, mirror, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fetched(tmp_path, "~/mirror", **ANYWHERE) == FILES


def test_a_mirror_address_is_copied_as_its_list_says(tmp_path, mirrored):
    assert fetched(tmp_path, mirrored(), **ANYWHERE) == FILES


def test_a_file_with_another_checksum_is_named(tmp_path, mirror, mirrored):
    fill(mirror / "films", {"covid/ü.png": b"changed"})
    sums = f"SHA-256 is {sha256(b'changed')[:12]}..., expected {sha256(b'two')[:12]}..."
    for place in (str(mirror), mirrored().rstrip("/")):
        line = refused(tmp_path, place, **ANYWHERE)
        assert line == f"{place}/films/covid/ü.png: {sums}; fetch it anew"


def test_a_file_missing_from_a_mirror_is_named(tmp_path, mirror, mirrored):
    (mirror / "films/table.csv").unlink()
    line = refused(tmp_path, mirror, **ANYWHERE)
    assert line == f"{mirror}/films/table.csv: listed in SHA256SUMS but missing; fetch it anew"
    place = mirrored()
    line = refused(tmp_path, place, **ANYWHERE)
    assert line.startswith(f"{place}films/table.csv: HTTP 404 Not Found; the mirror lacks it;")


def test_a_missing_mirror_and_a_missing_collection_are_told_apart(tmp_path, mirror):
    line = refused(tmp_path, tmp_path / "nowhere", **ANYWHERE)
    assert line == f"mirror: no folder {tmp_path}/nowhere; correct it, or leave mirror empty"
    (mirror / "films").rename(mirror / "other")
    line = refused(tmp_path, mirror, **ANYWHERE)
    assert line.startswith(f"mirror: {mirror} has no folder 'films'; add it, or leave mirror")


def test_a_collection_without_its_list_is_refused(tmp_path, mirror):
    (mirror / "films/SHA256SUMS").unlink()
    assert f"{mirror}/films/SHA256SUMS: missing" in refused(tmp_path, mirror, **ANYWHERE)


def test_a_list_that_leaves_its_folder_is_refused_before_anything_is_copied(
    tmp_path, mirror, mirrored
):
    fill(mirror, {"secret": b"s"})
    with (mirror / "films/SHA256SUMS").open("a") as file:
        file.write(f"{sha256(b's')}  ../secret\n")
    for place in (mirror, mirrored()):
        assert "line 4 leaves the folder: ../secret" in refused(tmp_path, place, **ANYWHERE)
        assert contents(tmp_path / "data") == {}


def test_an_interrupted_mirror_goes_on_with_what_is_missing(tmp_path, mirror, mirrored, host):
    place = mirrored(table=[Step(404)])
    assert "table.csv: HTTP 404" in refused(tmp_path, place, **ANYWHERE)
    assert {"mirror/normal/a 1#.png", "mirror/covid/ü.png"} == set(left(tmp_path))
    fill(tmp_path / "data/.arriving-films/mirror", {"covid/ü.png": b"damaged", "old.png": b"old"})
    host.asked.clear()
    assert fetched(tmp_path, place, **ANYWHERE) == FILES
    asked = [path for path, _ in host.asked]
    assert asked == [f"/m/films/{name}" for name in ("SHA256SUMS", "covid/%C3%BC.png", "table.csv")]


# A folder of one's own


def test_an_own_folder_is_copied_and_its_old_list_is_not_believed(tmp_path):
    fill(tmp_path / "own", FILES | {"SHA256SUMS": b"nonsense"})
    assert fetched(tmp_path, path=str(tmp_path / "own")) == FILES
    assert len((tmp_path / "data/films/SHA256SUMS").read_text().splitlines()) == 3


def test_an_own_folder_is_taken_also_when_a_mirror_is_set(tmp_path, mirror):
    fill(tmp_path / "own", {"a.png": b"mine"})
    assert fetched(tmp_path, mirror, path=str(tmp_path / "own")) == {"a.png": b"mine"}


def test_links_in_an_own_folder_are_followed(tmp_path):
    fill(tmp_path / "elsewhere", {"covid/b.png": b"far"})
    fill(tmp_path / "own", {"a.png": b"near"})
    (tmp_path / "own/linked").symlink_to(tmp_path / "elsewhere")
    expected = {"a.png": b"near", "linked/covid/b.png": b"far"}
    assert fetched(tmp_path, path=str(tmp_path / "own")) == expected


def test_an_own_folder_that_is_missing_or_empty_is_refused(tmp_path):
    (tmp_path / "empty/below").mkdir(parents=True)
    for name, found in (("none", "no folder {}"), ("empty", "{} is empty")):
        line = refused(tmp_path, path=str(tmp_path / name))
        found = found.format(tmp_path / name)
        assert line == f"path: {found}; give the folder that holds your films"
        assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs the command sha256sum")
def test_the_list_is_one_that_sha256sum_accepts(tmp_path):
    fill(tmp_path, FILES)
    write_checksums(tmp_path)
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True
    )
    assert checked.returncode == 0
    assert checked.stdout.count(b": OK\n") == len(FILES)


# Placed by hand

PLACE = "Register at https://films.org and download train.zip and val.zip."


def test_what_was_not_placed_yet_is_told_with_the_folder_and_the_instructions(tmp_path):
    place = tmp_path / "placed/films"
    told = (
        f"films: nothing in {place}/ yet; put there, as archives or folders, what you get so, and "
        f"run again: {PLACE}"
    )
    assert refused(tmp_path, place=PLACE) == told
    fill(place, {".DS_Store": b"\0"})
    assert refused(tmp_path, place=PLACE) == told


def test_placed_archives_are_unpacked_and_folders_and_files_copied(tmp_path):
    inner = zipped({"x": b"1"})
    fill(
        tmp_path / "placed/films",
        {
            "train.zip": zipped({"train/a.png": b"one"}),
            "val.tar.gz": tarred({"val/b.png": b"two"}),
            "test/c.png": b"three",
            "test/inner.zip": inner,
            "labels.xlsx": inner,
            ".DS_Store": b"\0",
        },
    )
    assert fetched(tmp_path, place=PLACE) == {
        "train/a.png": b"one",
        "val/b.png": b"two",
        "test/c.png": b"three",
        "test/inner.zip": inner,
        "labels.xlsx": inner,
    }


def test_only_the_folder_asked_for_is_taken_of_what_was_placed(tmp_path):
    fill(tmp_path / "placed/films", {"a.zip": zipped({"set/x.png": b"1", "readme": b""})})
    assert fetched(tmp_path, place=PLACE, folder="set") == {"x.png": b"1"}


def test_a_placed_archive_is_checked_where_a_checksum_is_given(tmp_path):
    content = zipped(FILES)
    fill(tmp_path / "placed/films", {"a.zip": content})
    assert fetched(tmp_path, place=PLACE, sha256=sha256(content)) == FILES
    shutil.rmtree(tmp_path / "data")
    line = refused(tmp_path, place=PLACE, sha256="0" * 64)
    assert line.startswith(f"{tmp_path}/placed/films/a.zip: SHA-256 is {sha256(content)[:12]}...")
    fill(tmp_path / "placed/films", {"b.zip": content})
    line = refused(tmp_path, place=PLACE, sha256=sha256(content))
    assert line == f"{tmp_path}/placed/films: sha256: is of one file, but 2 are here; remove it"


def test_two_placed_files_of_one_name_are_refused(tmp_path):
    fill(tmp_path / "placed/films", {"a.zip": zipped({"x": b"1"}), "b.zip": zipped({"x": b"2"})})
    assert "/placed/films/b.zip: there is another 'x' already" in refused(tmp_path, place=PLACE)
    fill(tmp_path / "placed/films", {"b.zip": zipped({"y/x": b"2"}), "y/x": b"3"})
    assert "/films/y/x: an archive beside it holds it too" in refused(tmp_path, place=PLACE)
    assert list((tmp_path / "data").iterdir()) == []


def test_what_was_placed_is_taken_before_a_mirror_and_a_mirror_before_nothing(tmp_path, mirror):
    assert fetched(tmp_path, mirror, place=PLACE) == FILES
    fill(tmp_path / "placed/films", {"a.png": b"mine"})
    assert fetched(tmp_path, mirror, place=PLACE) == {"a.png": b"mine"}


# From an address


@pytest.mark.parametrize("packed", [zipped, tarred])
@pytest.mark.parametrize("name", ["archive", "films.zip", "films.tar.gz"])
def test_an_archive_is_unpacked_and_nothing_of_it_remains(tmp_path, host, packed, name):
    assert fetched(tmp_path, **host.serve(name, packed(FILES))) == FILES


def test_only_the_folder_asked_for_is_taken_from_an_archive(tmp_path, host):
    inside = {f"deep/set/{name}": content for name, content in FILES.items()}
    served = host.serve("a.zip", zipped(inside | {"deep/readme": b"", "set/x": b""}))
    assert fetched(tmp_path, folder="deep/set", **served) == FILES


def test_a_wrong_folder_is_named_and_mended_without_fetching_again(tmp_path, host):
    served = host.serve("a.zip", zipped(FILES))
    line = refused(tmp_path, folder="sets", **served)
    assert line == "films: no folder 'sets' inside; correct folder: of origin"
    assert fetched(tmp_path, folder="normal", **served) == {"a 1#.png": b"one"}
    assert len(host.asked) == 1


@pytest.mark.parametrize("folder", ["", "normal"])
def test_the_wrapper_of_a_repository_is_taken_off(tmp_path, host, folder):
    wrapped = {f"films-0123abcd/{name}": content for name, content in FILES.items()}
    host.serve("owner/films/archive/0123abcd.zip", zipped(wrapped))
    repository = f"{host.address}/owner/films"
    expected = {"a 1#.png": b"one"} if folder else FILES
    found = fetched(tmp_path, repository=repository, commit="0123abcd", folder=folder)
    assert found == expected


def test_a_repository_of_which_nothing_comes_is_refused(tmp_path, host):
    host.serve("owner/films/archive/0123abcd.zip", zipped({}))
    line = refused(tmp_path, repository=f"{host.address}/owner/films", commit="0123abcd")
    assert line.startswith("films: nothing in it; correct origin:")


@pytest.mark.parametrize("name", ["labels.csv.gz", "labels.xlsx", "my%20labels.csv"])
def test_a_single_file_keeps_its_name(tmp_path, host, name):
    content = zipped({"xl/workbook.xml": b"<x/>"})
    served = host.serve(f"deep/{name}".replace("%20", " "), content)
    address = f"{host.address}/deep/{name}?download=1&name=a/b.zip"
    found = fetched(tmp_path, address=address, sha256=served["sha256"])
    assert found == {name.replace("%20", " "): content}


@pytest.mark.parametrize("path", ["", "..", "%2e%2e", "a/%2e%2e%2f%2e%2e"])
def test_no_address_names_a_file_outside(tmp_path, host, path):
    host.pages["/"] = None
    served = host.serve("", b"a,b\n", kind="text/csv")
    for page in ("/..", "/a/../.."):
        host.pages[page] = host.pages["/"]
    address = f"{host.address}/{path}"
    assert fetched(tmp_path, address=address, sha256=served["sha256"]) == {"delivered": b"a,b\n"}


def test_what_another_address_delivers_is_refused_and_nothing_kept(tmp_path, host):
    served = host.serve("a.zip", zipped(FILES)) | {"sha256": "f" * 64}
    assert "a.zip: SHA-256 is " in refused(tmp_path, **served)
    assert list((tmp_path / "data").iterdir()) == []


def test_an_address_that_refuses_or_is_not_there_is_named_with_the_mend(tmp_path, host):
    address = f"{host.address}/none.zip"
    line = refused(tmp_path, address=address, sha256="0" * 64)
    assert line.startswith(f"{address}: HTTP 404 Not Found; it is gone: correct the address, or")
    assert "never: Connection refused, 5 times; check" in refused(tmp_path, **ANYWHERE)
    assert list((tmp_path / "data").iterdir()) == []


def test_a_broken_archive_of_a_repository_is_fetched_anew(tmp_path, host):
    page = "owner/films/archive/0123abcd.zip"
    origin = {"repository": f"{host.address}/owner/films", "commit": "0123abcd"}
    host.serve(page, zipped({"cut/a.png": b"1" * 1000})[:-30])
    assert "0123abcd.zip: a broken archive: " in refused(tmp_path, **origin)
    assert list((tmp_path / "data").iterdir()) == []
    host.serve(page, zipped({"films/a.png": b"1"}))
    assert fetched(tmp_path, **origin) == {"a.png": b"1"}


def test_a_full_disk_costs_no_second_fetch(tmp_path, host, monkeypatch):
    served = host.serve("a.zip", zipped(FILES))
    usage = shutil.disk_usage(tmp_path)
    free = [10_000, 5]  # bytes: before fetching, before unpacking
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=free.pop(0)))
        assert "a.zip: needs 11 bytes in" in refused(tmp_path, **served)
    assert set(left(tmp_path)) == {"delivered"}
    assert fetched(tmp_path, **served) == FILES
    assert len(host.asked) == 1


def test_a_delivered_archive_that_was_damaged_since_is_fetched_anew(tmp_path, host):
    served = host.serve("a.zip", zipped(FILES))
    refused(tmp_path, folder="sets", **served)
    fill(tmp_path / "data/.arriving-films", {"delivered": b"damaged"})
    assert fetched(tmp_path, **served) == FILES
    assert len(host.asked) == 2


def test_what_arrived_of_another_origin_is_not_mixed_in(tmp_path, host, mirror):
    refused(tmp_path, folder="sets", **host.serve("a.zip", zipped(FILES)))
    fill(tmp_path / "data/.arriving-films", {"draft/stale.png": b"", "mirror/stale.png": b""})
    assert set(left(tmp_path)) == {"delivered", "draft/stale.png", "mirror/stale.png"}
    assert fetched(tmp_path, **host.serve("b.zip", zipped({"b": b"2"}))) == {"b": b"2"}


def test_what_was_half_unpacked_is_not_mixed_in(tmp_path, host):
    served = host.serve("a.zip", zipped(FILES))
    refused(tmp_path, folder="sets", **served)
    fill(tmp_path / "data/.arriving-films", {"draft/stale.png": b""})
    assert fetched(tmp_path, **served) == FILES


def test_an_older_collection_stays_until_the_new_one_is_whole(tmp_path, host):
    fill(tmp_path / "data/films", {"old.png": b"old"})
    with pytest.raises(UserError, match="Connection refused"):
        fetched(tmp_path, **ANYWHERE)
    assert contents(tmp_path / "data/films") == {"old.png": b"old"}
    assert fetched(tmp_path, **host.serve("a.zip", zipped(FILES))) == FILES


# The command


def arguments(tmp_path, origin, mirror=""):
    return {
        "source": "films",
        "origin": json.dumps(origin),
        "mirror": mirror,
        "placed": tmp_path / "placed/films",
        "checksums": tmp_path / "data/films/SHA256SUMS",
    }


def test_the_command_brings_a_collection_whole(tmp_path, mirror, run):
    run(main, **arguments(tmp_path, ANYWHERE, mirror))
    assert contents(tmp_path / "data") == {f"films/{name}": held for name, held in FILES.items()}


def test_the_command_tells_a_mistake_in_one_line(tmp_path, mirror, refusal):
    fill(mirror / "films", {"table.csv": b"changed"})
    line = refusal(main, **arguments(tmp_path, ANYWHERE, mirror))
    assert line.startswith(f"cxrpipe command: error: {mirror}/films/table.csv: SHA-256 is")
    line = refusal(main, **arguments(tmp_path, {"adress": ""}))
    assert line.endswith("--origin: unknown key 'adress'; did you mean 'address'?")
    line = refusal(main, **arguments(tmp_path, {"place": "Register,\n  and wait.\n"}))
    assert line.startswith(
        f"cxrpipe command: error: films: nothing in {tmp_path}/placed/films/ yet"
    )
    assert line.endswith("run again: Register, and wait.")


def start(tmp_path, origin):
    """Run the command in a process of its own."""
    flags = arguments(tmp_path, origin)
    del flags["mirror"]
    words = [word for key, value in flags.items() for word in (f"--{key}", str(value))]
    environment = os.environ | {"no_proxy": "127.0.0.1"}
    return subprocess.Popen(
        [sys.executable, "-m", "cxrpipe.data.download", *words],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_killed_download_goes_on_where_it_was(tmp_path, host):
    released = threading.Event()
    held = Step(cut=600_000, hold=released)
    served = host.serve("films.zip", zipped(FILES | {"large.bin": LARGE}), held)
    part = tmp_path / "data/.arriving-films/partial"
    process = start(tmp_path, served)
    until = time.monotonic() + 60
    while not (part.is_file() and part.stat().st_size > 500_000):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    released.set()
    arrived = part.stat().st_size
    assert not (tmp_path / "data/films").exists()
    again = start(tmp_path, served)
    told = again.communicate(timeout=60)[1]
    assert again.returncode == 0, told
    assert host.ranges() == [None, f"bytes={arrived}-"]
    assert contents(tmp_path / "data/films") == FILES | {"large.bin": LARGE}
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["films"]
    assert "going on after" in told


# What the catalogue may say


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ({}, "give exactly one of phantom, path, address, repository, kaggle, place; got none"),
        ({"kaggle": "a/b", "version": 1, "place": "x"}, "got kaggle and place"),
        ({"kaggle": "a/b"}, "a Kaggle data set needs the version to take"),
        ({"kaggle": "https://kaggle.com/a/b", "version": 1}, "String should match pattern"),
        ({"address": "http://a"}, "an address needs the sha256 of what it delivers"),
        ({"path": "a", "version": 1}, "version belongs to kaggle, not to path"),
        ({"path": "a", "folder": "b"}, "folder belongs to address or repository or kaggle or"),
        ({"place": "a", "folder": "../b"}, "folder '../b' is not inside the archive"),
        ({"place": "a", "folder": "/b"}, "folder '/b' is not inside the archive"),
    ],
)
def test_an_origin_that_says_too_much_or_too_little_is_refused(origin, told):
    with pytest.raises(ValueError, match="validation error") as error:
        Origin(**origin)
    assert told in str(error.value)


def test_phantoms_are_the_same_on_one_core_and_on_two(tmp_path):
    phantom = Phantom(hospital="east", patients=24, side=64, seed=5)
    for cores in (1, 2):
        (tmp_path / str(cores)).mkdir()
        draw_phantoms(tmp_path / str(cores), phantom, cores)
    one, two = (contents(tmp_path / cores) for cores in "12")
    assert one == two
    assert len([name for name in one if name.startswith("films/")]) >= 24

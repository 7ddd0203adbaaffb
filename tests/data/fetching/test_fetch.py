"""One address to one file, from a host that cuts, refuses, stalls, lies and changes its mind."""

import logging
import shutil
import subprocess
import threading
import time

import pytest
from hosting import Step, sha256, zipped

from cxrpipe.data.fetching import fetch as fetching
from cxrpipe.data.fetching.fetch import Address, fetch, open_session
from cxrpipe.data.fetching.partial import Partial
from cxrpipe.runtime import UserError

FILE = bytes(range(256)) * 1000  # 256,000 bytes
CUT = 100_000


@pytest.fixture
def get(tmp_path, host):
    """Fetch a page of the host, and return what arrived."""

    def get(name="a.zip", expected="", **address):
        url = f"{host.address}/{name}"
        target = tmp_path / "target"
        with open_session() as session:
            fetch(
                session, Address(url, url, **address), target, Partial(tmp_path / "part"), expected
            )
        assert {path.name for path in tmp_path.iterdir()} == {"target"}
        return target.read_bytes()

    return get


def refused(get, *arguments, **named):
    with pytest.raises(UserError) as error:
        get(*arguments, **named)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def pauses(monkeypatch):
    """Pauses that would have been made, in seconds."""
    made = []
    monkeypatch.setattr(fetching, "FIRST_PAUSE", 1)
    monkeypatch.setattr(fetching.time, "sleep", made.append)
    return made


def test_a_cut_connection_is_continued_where_it_broke_off(get, host):
    host.serve("a.zip", FILE, Step(cut=CUT), Step(cut=CUT))
    assert get() == FILE
    assert host.ranges() == [None, f"bytes={CUT}-", f"bytes={2 * CUT}-"]
    assert [headers.get("If-Range") for _, headers in host.asked] == [None, '"one"', '"one"']


def test_a_host_that_cannot_continue_is_asked_from_the_start(get, host):
    host.serve("a.zip", FILE, Step(cut=CUT), ranges=False)
    assert get() == FILE
    assert host.ranges() == [None, f"bytes={CUT}-"]


def arrived(tmp_path, url, content, mark='"one"'):
    """What an earlier attempt left of an address."""
    part = Partial(tmp_path / "part")
    part.restart(url, mark)
    part.path.write_bytes(content)


def test_a_file_that_changed_after_the_cut_is_fetched_from_the_start(tmp_path, get, host):
    arrived(tmp_path, host.serve("a.zip", FILE)["address"], b"x" * CUT, '"old"')
    assert get() == FILE
    assert [headers.get("If-Range") for _, headers in host.asked] == ['"old"']


def test_a_host_that_continues_with_another_version_is_not_believed(tmp_path, get, host):
    url = host.serve("a.zip", FILE, Step(deaf=True))["address"]
    arrived(tmp_path, url, b"x" * CUT, '"old"')
    assert get() == FILE
    assert host.ranges() == [f"bytes={CUT}-", None]


def test_a_file_without_a_mark_of_its_version_is_never_continued(get, host):
    host.serve("a.zip", FILE, Step(cut=CUT), etag="")
    assert get() == FILE
    assert host.ranges() == [None, None]
    host.serve("b.zip", FILE, Step(cut=CUT), etag='W/"weak"')
    assert get("b.zip") == FILE
    assert host.ranges() == [None] * 4


def test_a_continued_file_with_another_checksum_is_fetched_once_anew(tmp_path, get, host):
    served = host.serve("a.zip", FILE)
    arrived(tmp_path, served["address"], b"x" * CUT)
    assert get(expected=served["sha256"]) == FILE
    assert host.ranges() == [f"bytes={CUT}-", None]


def test_a_wrong_checksum_is_told_with_both_sums_and_the_file_removed(tmp_path, get, host):
    host.serve("a.zip", FILE)
    line = refused(get, expected="f" * 64)
    sums = f"SHA-256 is {sha256(FILE)[:12]}..., expected ffffffffffff...; fetch it anew"
    assert line == f"{host.address}/a.zip: {sums}"
    assert list(tmp_path.iterdir()) == []
    assert len(host.asked) == 1


def test_a_file_that_had_arrived_already_is_not_fetched_again(tmp_path, get, host):
    served = host.serve("a.zip", FILE)
    arrived(tmp_path, served["address"], FILE)
    assert get(expected=served["sha256"]) == FILE
    assert host.ranges() == [f"bytes={len(FILE)}-"]


def test_what_arrived_of_another_address_is_not_continued(tmp_path, get, host):
    host.serve("a.zip", FILE)
    arrived(tmp_path, "http://another/a.zip", b"x" * CUT)
    assert get() == FILE
    assert host.ranges() == [None]


def test_a_partial_file_longer_than_the_file_is_dropped(tmp_path, get, host):
    served = host.serve("a.zip", FILE)
    arrived(tmp_path, served["address"], b"x" * (len(FILE) + 1))
    assert get() == FILE
    assert host.ranges() == [f"bytes={len(FILE) + 1}-", None]


def test_a_busy_host_is_asked_again_after_growing_pauses(get, host, pauses):
    host.serve("a.zip", FILE, Step(500), Step(503), Step(429), Step(408))
    assert get() == FILE
    assert pauses == [1, 2, 4, 8]


def test_a_host_that_stays_busy_is_given_up(get, host, pauses):
    host.serve("a.zip", FILE, *[Step(502)] * 9)
    line = refused(get)
    assert line.startswith(
        f"{host.address}/a.zip: HTTP 502 Bad Gateway, 5 times; check the address"
    )
    assert pauses == [1, 2, 4, 8]
    assert len(host.asked) == 5


def test_a_download_that_goes_forward_is_not_given_up(get, host, pauses):
    host.serve("a.zip", FILE, *[Step(cut=20_000)] * 12)
    assert get() == FILE
    assert set(pauses) == {1}
    assert host.ranges()[-1] == "bytes=240000-"


def test_a_host_that_cuts_always_at_one_place_is_given_up(get, host, pauses):
    host.serve("a.zip", FILE, *[Step(cut=CUT)] * 9, ranges=False)
    assert "a.zip: the connection broke off, 5 times; check" in refused(get)
    assert len(host.asked) == 5


@pytest.mark.parametrize(("asked", "pause"), [("7", 7), ("9999", 120), ("soon", 1), ("0", 1)])
def test_the_pause_that_a_host_asks_for_is_made_within_bounds(get, host, pauses, asked, pause):
    host.serve("a.zip", FILE, Step(429, {"Retry-After": asked}))
    assert get() == FILE
    assert pauses == [pause]


def test_a_host_that_stalls_is_asked_again(get, host, monkeypatch):
    monkeypatch.setattr(fetching, "SECONDS_TO_WAIT", 0.2)
    released = threading.Event()
    host.serve("a.zip", FILE, Step(cut=CUT, hold=released))
    assert get() == FILE
    released.set()
    [first, second] = host.ranges()
    assert first is None
    assert 0 < int(second.removeprefix("bytes=").rstrip("-")) <= CUT


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        (401, "HTTP 401 Unauthorized; it needs an account, or its terms accepted: get access"),
        (403, "HTTP 403 Forbidden; it needs an account, or its terms accepted: get access"),
        (404, "HTTP 404 Not Found; it is gone: correct the address, or set mirror:"),
        (410, "HTTP 410 Gone; it is gone: correct the address, or set mirror:"),
        (418, "HTTP 418 I'm a Teapot; check the address and the connection"),
    ],
)
def test_a_refusal_is_told_at_once_with_its_mend(get, host, pauses, status, mend):
    host.serve("a.zip", FILE, Step(status))
    assert refused(get).startswith(f"{host.address}/a.zip: {mend}")
    assert pauses == []


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("text/html; charset=utf-8", b"Please log in"),
        ("application/zip", b"\xef\xbb\xbf\n <!DOCTYPE html><title>Log in</title>"),
        ("", b"<HTML><body>Accept our terms</body></HTML>"),
    ],
)
def test_a_web_page_is_not_taken_for_a_file(tmp_path, get, host, kind, page):
    host.serve("a%20b.zip", page, kind=kind)
    host.pages["/a b.zip"] = host.pages.pop("/a%20b.zip")
    line = refused(get, "a%20b.zip?download=1", expected=sha256(page))
    assert "delivered a web page (a login or consent page?) instead of a b.zip; fetch it" in line
    assert line.endswith("use place: of origin (config/README.md)")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_web_page_is_taken(get, host):
    host.serve("a.html", b"<html></html>", kind="text/html")
    assert get("a.html") == b"<html></html>"
    host.serve("a.zip", zipped({"a": b"1"}), kind="text/html")
    assert get("a.zip") == zipped({"a": b"1"})
    host.serve("a.svg", b"<?xml version='1.0'?><svg/>", kind="image/svg+xml")
    assert get("a.svg") == b"<?xml version='1.0'?><svg/>"


def test_a_file_of_unknown_length_arrives(get, host):
    host.serve("a.zip", FILE, Step(length="none"))
    assert get() == FILE


def test_a_length_that_promises_too_much_is_settled_by_asking_again(get, host):
    host.serve("a.zip", FILE, Step(length=len(FILE) + 5))
    assert get(expected=sha256(FILE)) == FILE
    assert host.ranges() == [None, f"bytes={len(FILE)}-"]


def test_a_length_that_promises_too_little_fails_by_the_checksum(get, host):
    host.serve("a.zip", FILE, Step(length=len(FILE) - 5))
    line = refused(get, expected=sha256(FILE))
    assert f"SHA-256 is {sha256(FILE[:-5])[:12]}..., expected {sha256(FILE)[:12]}..." in line


def test_a_redirect_is_followed_and_continued(get, host):
    moved = Step(302, {"Location": "/real.zip"})
    host.serve("a.zip", b"", moved, Step(302, {"Location": "/real.zip"}))
    host.serve("real.zip", FILE, Step(cut=CUT))
    assert get() == FILE
    assert [path for path, _ in host.asked] == ["/a.zip", "/real.zip"] * 2
    assert host.ranges()[-1] == f"bytes={CUT}-"


def test_an_empty_file_arrives(get, host):
    host.serve("a.csv", b"")
    assert get("a.csv", expected=sha256(b"")) == b""


def test_bytes_arrive_as_they_are_stored(get, host):
    host.serve("a.csv.gz", b"\x1f\x8bnot really")
    assert get("a.csv.gz") == b"\x1f\x8bnot really"
    assert host.asked[0][1]["Accept-Encoding"] == "identity"
    assert host.asked[0][1]["User-Agent"] == "cxrpipe"


def test_a_host_that_is_not_there_is_named_with_the_reason(get, host, pauses):
    host.address = "http://127.0.0.1:9"
    line = refused(get)
    assert line.startswith("http://127.0.0.1:9/a.zip: Connection refused, 5 times; check the")
    assert pauses == [1, 2, 4, 8]


@pytest.mark.parametrize("start", ["kermany", "file:///etc", "http://[bad"])
def test_what_is_no_address_is_refused_at_once(get, host, pauses, start):
    host.address = start
    assert refused(get).startswith(f"{start}/a.zip: ")
    assert pauses == []


def test_no_secret_of_an_address_reaches_a_message(tmp_path, host, pauses, caplog):
    caplog.set_level(logging.DEBUG, "cxrpipe")
    host.serve("moved", b"", *[Step(302, {"Location": "http://127.0.0.1:9/?signature=S3CRET"})] * 5)
    address = Address(f"{host.address}/moved?token=S3CRET", "the films")
    with open_session() as session, pytest.raises(UserError) as error:
        fetch(session, address, tmp_path / "target", Partial(tmp_path / "part"))
    assert str(error.value).startswith("the films: Connection refused, 5 times; check")
    assert "S3CRET" not in str(error.value) + caplog.text


def test_progress_tells_what_is_done_and_the_time_left(get, host, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(fetching, "SECONDS_BETWEEN_LINES", 0)
    host.serve("a.zip", FILE)
    get()
    assert f"{host.address}/a.zip: 65.5 kB of 256.0 kB, 0:00 left" in caplog.messages
    caplog.clear()
    host.serve("a.zip", FILE, Step(length="none"))
    get()
    assert f"{host.address}/a.zip: 65.5 kB" in caplog.messages


def test_the_time_left_is_counted_from_what_this_try_brought(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    times = iter([100, 110, 120])
    monkeypatch.setattr(fetching.time, "monotonic", lambda: next(times))
    # 600 kB were here; 100 kB come in 10 s, so that the last 200 kB need 20 s.
    chunks = fetching._followed([b"x" * 100_000] * 2, 600_000, 900_000, "films")
    assert next(chunks) == b"x" * 100_000
    next(chunks)
    assert caplog.messages == ["films: 700.0 kB of 900.0 kB, 0:20 left"]


def test_a_disk_with_too_little_room_is_told_before_anything_comes(
    tmp_path, get, host, monkeypatch
):
    host.serve("a.zip", FILE)
    usage = shutil.disk_usage(tmp_path)._replace(free=255_999)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    line = refused(get)
    assert f"a.zip: needs 256.0 kB in {tmp_path}, where 256.0 kB are free; make room" in line
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=256_000))
    assert get() == FILE


def test_a_disk_that_fills_up_is_told_and_what_came_is_kept(tmp_path, host, monkeypatch):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mounted, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        host.serve("a.zip", FILE, Step(length="none"))
        address = Address(f"{host.address}/a.zip", "films")
        with open_session() as session, pytest.raises(UserError) as error:
            fetch(session, address, disk / "target", Partial(disk / "part"))
        assert str(error.value).startswith(
            f"films: No space left on device: needs more in {disk}, where 0 bytes are free; make"
        )
        kept = (disk / "part").read_bytes()
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert kept == FILE[: len(kept)]
    assert len(kept) > 60_000


def test_a_slow_host_is_waited_for(get, host):
    host.serve("a.zip", FILE)
    released = threading.Event()
    host.pages["/a.zip"].steps.append(Step(length="none", hold=released))
    threading.Timer(0.3, released.set).start()
    before = time.monotonic()
    assert get() == FILE
    assert time.monotonic() - before > 0.29

"""The page from outside: what it answers, what it refuses, and that it keeps nothing."""

import io
import json
import logging
import os
import re
import sys
import threading
import time
from http.client import HTTPResponse
from itertools import product
from urllib.parse import urlencode

import numpy as np
import pydicom
import pytest
from made import FINDINGS, calibration, make_film
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

from cxrpipe.data.films.film import read_film
from cxrpipe.inference.answers import answer
from cxrpipe.inference.classifier import Classifier
from cxrpipe.inference.explaining import Explainer
from cxrpipe.inference.films import prepare_film
from cxrpipe.runtime import RESEARCH_USE
from cxrpipe.serving import application
from cxrpipe.serving.answering import MOST_SIDE, describe
from cxrpipe.serving.gate import HEADERS

CLASSIFY = "/classify?model=first"
EXPLAIN = "/explain?model=first&finding=normal&method=gradcam"


@pytest.fixture
def film(tmp_path):
    return make_film(tmp_path / "films" / "Jane Doe.png")


def bright(folder):
    path = folder / "bright.png"
    Image.fromarray(np.full((160, 128), 250, np.uint8)).save(path)
    return path


def write_png(path):
    make_film(path.with_suffix(".png"), size=(300, 200)).rename(path)


def write_deep_png(path):
    rows, columns = np.mgrid[:200, :170]
    Image.fromarray((rows * 200 + columns * 90).astype(np.uint16)).save(path, "PNG")


def write_large_jpeg(path):
    """Decoded at a part of its size."""
    noise = np.random.default_rng(0).integers(0, 256, (30, 50), dtype=np.uint8)
    Image.fromarray(noise).resize((1400, 900)).save(path, "JPEG", quality=90)


def write_dicom(path):
    film = Dataset()
    film.SOPClassUID, film.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.3"
    film.Modality, film.PatientName, film.ViewPosition = "DX", "Doe^Jane", "PA"
    film.Rows, film.Columns = 200, 160
    film.SamplesPerPixel, film.PhotometricInterpretation = 1, "MONOCHROME1"
    film.BitsAllocated, film.BitsStored, film.HighBit, film.PixelRepresentation = 16, 12, 11, 0
    noise = np.random.default_rng(1).integers(0, 4096, (200, 160), dtype=np.uint16)
    film.PixelData = noise.tobytes()
    film["PixelData"].VR = "OW"
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    pydicom.dcmwrite(path, film, enforce_file_format=True)


WRITERS = [write_png, write_deep_png, write_large_jpeg, write_dicom]


def opened(said):
    assert (said.status, said.headers["content-type"]) == (200, "image/png")
    return np.asarray(Image.open(io.BytesIO(said.body)))


def answered(connection):
    """Read what the server answered on a raw connection."""
    with HTTPResponse(connection) as response:
        response.begin()
        return response.status, response.read().decode()


# What it answers


@pytest.mark.parametrize("write", WRITERS)
def test_a_film_is_answered_to_as_its_file_is(write, served, tmp_path):
    path = tmp_path / "film"
    write(path)
    said = served.ask("POST", CLASSIFY, path.read_bytes())
    shares = {each["name"]: each["probability"] for each in json.loads(said.body)["findings"]}
    expected = Classifier.load(served.run / "models" / "first").classify(path)
    assert shares == pytest.approx(expected.probabilities, abs=1e-6)


@pytest.mark.parametrize("write", WRITERS)
def test_the_film_is_shown_as_it_is_read(write, served, tmp_path):
    path = tmp_path / "film"
    write(path)
    shown = opened(served.ask("POST", "/film", path.read_bytes()))
    pixels = read_film(path).pixels
    height, width = pixels.shape
    if max(pixels.shape) <= MOST_SIDE:
        np.testing.assert_array_equal(shown, pixels)
    else:
        assert shown.shape == (round(MOST_SIDE * height / width), MOST_SIDE)
        small = Image.fromarray(pixels).resize(shown.shape[::-1], Image.Resampling.BOX)
        assert np.abs(shown - np.asarray(small, np.float64)).mean() < 2


def test_what_an_answer_says_of_one_finding():
    said = describe(answer("", np.array([2.0, 1.0, -4.0]), calibration()), calibration())
    # probabilities 0.61, 0.37 and 0.02 at temperature 2; a set holds what has at least 0.3
    assert said["verdict"] == [
        "normal is likeliest",
        "reaches its threshold: normal",
        "not ruled out at 90% coverage: normal, covid",
    ]
    assert said["explained"] == "normal"
    bars = [(each["name"], each["above"], each["set"]) for each in said["findings"]]
    assert bars == [
        ("normal", True, "not ruled out"),
        ("covid", False, "not ruled out"),
        ("tuberculosis", False, ""),
    ]
    assert [each["threshold"] for each in said["findings"]] == [0.3, 0.5, None]


def test_what_an_answer_says_of_yes_and_no():
    fixed = calibration("multi", quantiles=(0.3, 0.6, 0.4))
    said = describe(answer("", np.array([4.0, 0.0, 0.0]), fixed), fixed)
    # probabilities 0.88, 0.5 and 0.5; what is at least 1 - quantile is in the set
    assert [each["set"] for each in said["findings"]] == ["yes", "yes or no", "neither"]
    assert said["verdict"] == [
        "reaches its threshold: normal, covid",
        "undecided at 90% coverage: covid",
    ]
    assert said["explained"] == "normal"


@pytest.mark.parametrize("size", [(160, 128), (90, 150)])
@pytest.mark.parametrize("method", application.METHODS)
def test_a_heatmap_is_that_of_the_finding_and_covers_the_film_alone(method, size, served, tmp_path):
    path = make_film(tmp_path / "a.png", 3, size)
    classifier = Classifier.load(served.run / "models" / "first")
    ready = prepare_film(path, classifier.network.card.preprocess)
    square = Explainer(classifier, method).draw(ready.square, "normal")
    assert square.max() == pytest.approx(1)
    query = urlencode({"model": "first", "finding": "normal", "method": method})
    heatmap = opened(served.ask("POST", f"/explain?{query}", path.read_bytes()))
    height, width = (round(32 * pixels / max(size)) for pixels in size)
    top, left = (32 - height) // 2, (32 - width) // 2
    expected = square[top : top + height, left : left + width]
    np.testing.assert_allclose(heatmap[..., 3] / 255, expected, atol=1 / 255)


def test_where_nothing_raised_a_score_there_is_no_heatmap(served, film, monkeypatch):
    nothing = np.zeros((32, 32), np.float32)
    monkeypatch.setattr(Explainer, "draw", lambda self, square, finding: nothing)
    said = served.ask("POST", EXPLAIN, film.read_bytes())
    assert (said.status, said.body) == (204, b"")


def test_the_choice_is_in_order_and_the_best_is_marked(served):
    told = json.loads(served.ask("GET", "/models").body)
    assert told["models"] == ["second", "first"]
    assert (told["best"], told["most"]) == ("second", 1_000_000)
    assert list(told["methods"]) == ["gradcam", "hirescam", "gradcam++"]


def test_the_page_holds_the_note_and_names_no_other_host(served):
    page = served.ask("GET", "/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert f'<p class="note" role="note">{RESEARCH_USE}</p>' in page.body.decode()
    for name, media_type in (("page.js", "text/javascript"), ("page.css", "text/css")):
        said = served.ask("GET", f"/{name}")
        assert (said.status, said.headers["content-type"]) == (200, f"{media_type}; charset=utf-8")
        assert not re.search(rb"https?:|url\(|@import", said.body)
    assert not re.search(rb"https?:|style=|<script>|<style", page.body)


def test_every_text_stands_out_from_every_ground_in_light_and_in_dark():
    """Contrast as WCAG 2.2 defines it; 4.5 is what it asks of small text."""

    def luminance(colour):
        digits = colour * 2 if len(colour) == 3 else colour
        shares = np.array([int(digits[at : at + 2], 16) for at in (0, 2, 4)]) / 255
        channels = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        return channels @ (0.2126, 0.7152, 0.0722)

    schemes = re.findall(r":root \{.*?\}", (application.STATIC / "page.css").read_text(), re.DOTALL)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): #(\w+);", scheme))
        for text, ground in product(("ink", "soft", "blue"), ("ground", "pale", "caution")):
            pair = sorted(luminance(colours[name]) for name in (text, ground))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (text, ground)


# What it refuses


def test_a_file_that_is_no_film_is_refused_with_the_reason(served):
    for path in ("/film", CLASSIFY, EXPLAIN):
        said = served.ask("POST", path, b"no film")
        assert (said.status, said.body) == (422, b"unreadable: no known image format")


def test_a_film_that_the_guard_doubts_is_refused_and_answered_to_when_forced(served, tmp_path):
    film = bright(tmp_path).read_bytes()
    told = "no_frontal_chest: as a picture far from the training films"
    assert json.loads(served.ask("POST", CLASSIFY, film).body) == {"refused": told}
    forced = json.loads(served.ask("POST", f"{CLASSIFY}&force=true", film).body)
    assert forced["doubt"] == told
    assert [each["name"] for each in forced["findings"]] == list(FINDINGS)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/classify?model=frist", "no model 'frist'; did you mean 'first'?"),
        ("/explain?model=first&finding=covd&method=gradcam", "no finding 'covd'; did you mean"),
        ("/explain?model=first&finding=covid&method=grad", "no method 'grad' here; did you mean"),
    ],
)
def test_what_is_not_offered_is_refused_with_what_is(path, told, served, film):
    said = served.ask("POST", path, film.read_bytes())
    assert said.status == 400
    assert said.body.decode().startswith(told)


def test_a_large_film_is_refused_before_it_is_sent(served):
    with served.connect() as connection:
        connection.sendall(
            b"POST /film HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000000\r\n\r\n"
        )
        status, said = answered(connection)
    assert status == 413
    assert said == "The film has over 200 MB; at most 1 MB are taken (--most-megabytes)."


def test_a_large_film_that_hides_its_size_is_refused_at_the_limit(served):
    with served.connect() as connection:
        connection.sendall(
            b"POST /film HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(17):  # the seventeenth part of 65,536 bytes is beyond 1 MB
            connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")
        status, said = answered(connection)
    assert status == 413
    assert said == "The film has over 1 MB; at most 1 MB are taken (--most-megabytes)."


def test_who_stops_sending_does_not_block_the_others(served, film, monkeypatch):
    monkeypatch.setattr(application, "SECONDS_TO_UPLOAD", 0.2)
    with served.connect() as connection:
        connection.sendall(
            b"POST /film HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc"
        )
        assert served.ask("POST", "/film", film.read_bytes()).status == 200
        status, said = answered(connection)
    assert (status, said) == (408, "The film did not arrive within 0.2 seconds.")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", ""])
def test_a_name_that_was_made_to_point_here_is_refused(host, served, film):
    said = served.ask("POST", CLASSIFY, film.read_bytes(), Host=host)
    assert said.status == 403
    assert said.body.endswith(b"; open it by its machine's numeric address instead.")
    assert served.ask("GET", "/", Host=host).status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
def test_another_site_is_refused(origin, served, film):
    host = f"localhost:{served.port}"
    said = served.ask("POST", CLASSIFY, film.read_bytes(), Host=host, Origin=origin)
    assert (said.status, said.body[:12]) == (403, b"Another site")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_the_page_itself_is_let_in(host, served, film):
    host = f"{host}:{served.port}"
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert served.ask("POST", CLASSIFY, film.read_bytes(), **headers).status == 200


def test_every_answer_forbids_other_hosts_and_the_cache_and_sets_no_cookie(served, film):
    answers = [
        served.ask("GET", "/"),
        served.ask("GET", "/models"),
        served.ask("GET", "/nothing"),
        served.ask("GET", "/", Host="evil.example"),
        served.ask("POST", CLASSIFY, film.read_bytes()),
        served.ask("POST", CLASSIFY, bytes(2_000_000)),
    ]
    assert [said.status for said in answers] == [200, 200, 404, 403, 200, 413]
    for said in answers:
        assert {name: said.headers[name] for name in HEADERS} == HEADERS
        assert said.headers["Set-Cookie"] is None
        assert said.headers["Access-Control-Allow-Origin"] is None
    assert "default-src 'self'" in HEADERS["Content-Security-Policy"]


# What it keeps


def test_one_film_at_a_time_is_read_and_answered_to(served, film, monkeypatch):
    at_once, most = [], []

    def slow(film):
        at_once.append(film)
        most.append(len(at_once))
        time.sleep(0.05)
        at_once.pop()
        return b""

    monkeypatch.setattr(application, "show", slow)
    ask = [threading.Thread(target=served.ask, args=("POST", "/film", b"x")) for _ in range(6)]
    for thread in ask:
        thread.start()
    for thread in ask:
        thread.join()
    assert most == [1] * 6


def test_nothing_is_written_and_nothing_is_logged(served, tmp_path, monkeypatch, caplog):
    """Neither the film nor its header: an audit hook sees every file that is opened to write."""
    write_dicom(tmp_path / "film.dcm")
    film = (tmp_path / "film.dcm").read_bytes()
    asked = [("/film", film), (CLASSIFY, film), (EXPLAIN, film), (CLASSIFY, film[:400])]
    for path, content in asked:  # what is imported at first use may write its cache
        served.ask("POST", path, content)
    written = watch_writes()
    with caplog.at_level(logging.DEBUG):
        statuses = [served.ask("POST", path, content).status for path, content in asked]
    assert statuses == [200, 200, 200, 422]
    assert written() == []
    assert "Doe" not in caplog.text
    assert [
        record for record in caplog.records if record.name.startswith(("cxrpipe", "uvicorn"))
    ] == []


def watch_writes():
    """Begin to note files that are opened to write, by name; return what ends it and tells."""
    noted, on = [], [True]

    def hook(event, arguments):
        if on and event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            noted.append(arguments[0])

    sys.addaudithook(hook)  # for as long as the process lives, so that it is switched off

    def told():
        on.clear()
        return [name for name in noted if name != os.devnull]

    return told


def test_the_watch_sees_what_is_written(tmp_path):
    written = watch_writes()
    (tmp_path / "a").write_text("")
    assert written() == [str(tmp_path / "a")]

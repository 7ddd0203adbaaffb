"""Kaggle data sets: the user's own set-up, the version asked for, refusals with their mend."""

import base64
import json

import pytest
import requests
from hosting import Step, contents, zipped

from cxrpipe.catalogue import Origin
from cxrpipe.data.download import bring
from cxrpipe.data.fetching import kaggle
from cxrpipe.data.fetching.kaggle import kaggle_address, read_set_up
from cxrpipe.runtime import UserError

FILES = {"chest/normal/a.png": b"one", "chest/covid/b.png": b"two", "readme": b""}
PAGE = "api/v1/datasets/download/owner/films-2"
SET = "https://www.kaggle.com/datasets/owner/films-2"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The home folder of a user without a set-up."""
    for name in ("API_TOKEN", "USERNAME", "KEY", "CONFIG_DIR"):
        monkeypatch.delenv(f"KAGGLE_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home/.kaggle").mkdir(parents=True)
    return tmp_path / "home/.kaggle"


@pytest.fixture
def fetched(tmp_path, home, host, monkeypatch):
    """Bring a data set from a host that stands for Kaggle."""
    monkeypatch.setattr(kaggle, "API", f"{host.address}/api/v1")

    def fetched(**origin):
        origin = Origin(kaggle="owner/films-2", version=3, **origin)
        bring(tmp_path / "data/films", "films", origin, "", tmp_path / "placed/films", 1)
        return contents(tmp_path / "data/films")

    return fetched


def signed():
    """What a request for a data set says of its user."""
    auth = read_set_up()
    if isinstance(auth, tuple):
        return auth

    return auth and auth(requests.Request("GET", "http://a").prepare()).headers["Authorization"]


def save(file, **content):
    file.write_text(json.dumps(content))


def test_every_set_up_that_kaggle_knows_is_found_in_its_order(home, tmp_path, monkeypatch):
    assert signed() is None
    save(home / "kaggle.json", username="me", key="from file")
    assert signed() == ("me", "from file")
    save(tmp_path / "kaggle.json", username="me", key="elsewhere")
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    assert signed() == ("me", "elsewhere")
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    assert signed() == ("me", "elsewhere")
    monkeypatch.setenv("KAGGLE_KEY", "from environment")
    assert signed() == ("me", "from environment")
    (home / "access_token").write_text("KGAT_saved\n")
    assert signed() == "Bearer KGAT_saved"
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_" + "x" * 5000)
    assert signed() == "Bearer KGAT_" + "x" * 5000
    (tmp_path / "token").write_text("KGAT_in_file\n")
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(tmp_path / "token"))
    assert signed() == "Bearer KGAT_in_file"


@pytest.mark.parametrize("held", ["", "[]", '{"username": "me"}', "KGAT"])
def test_a_set_up_that_cannot_be_read_is_named(home, held):
    (home / "kaggle.json").write_text(held)
    with pytest.raises(UserError, match=r"kaggle\.json: no username and key in it; create a new"):
        read_set_up()


def test_a_missing_set_up_is_told_with_the_mend_and_nothing_asked(fetched, host):
    with pytest.raises(UserError) as error:
        fetched()
    assert str(error.value) == (
        "Kaggle data set owner/films-2, version 3: no Kaggle set-up found; create a token at "
        "https://www.kaggle.com/settings and save it as ~/.kaggle/access_token (or kaggle.json "
        "there), or set KAGGLE_API_TOKEN"
    )
    assert host.asked == []


@pytest.mark.parametrize(("folder", "expected"), [("", FILES), ("chest/covid", {"b.png": b"two"})])
def test_a_version_of_a_data_set_is_brought(fetched, host, home, folder, expected):
    save(home / "kaggle.json", username="me", key="secret")
    host.serve(PAGE, zipped(FILES))
    assert fetched(folder=folder) == expected
    [(path, headers)] = host.asked
    assert path == f"/{PAGE}?dataset_version_number=3"
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"me:secret"


def test_a_token_is_shown_to_kaggle_and_not_to_the_store_it_sends_to(fetched, host, home):
    (home / "access_token").write_text("KGAT_secret")
    elsewhere = host.address.replace("127.0.0.1", "localhost")
    moved = Step(302, {"Location": f"{elsewhere}/store/films.zip?signature=s"})
    host.serve(PAGE, b"", moved, moved)
    host.serve("store/films.zip", zipped(FILES), Step(cut=200))
    assert fetched() == FILES
    shown = [headers.get("Authorization") for _, headers in host.asked]
    assert shown == ["Bearer KGAT_secret", None] * 2
    assert host.ranges() == [None, None, "bytes=200-", "bytes=200-"]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "401 Unauthorized; Kaggle does not know the token of your set-up; create a new one"),
        (403, f"403 Forbidden; accept its terms at {SET} as the user of your Kaggle set-up, and"),
        (404, f"404 Not Found; there is none at {SET}; correct kaggle: or version: of origin"),
    ],
)
def test_a_refusal_is_told_with_its_mend(tmp_path, fetched, host, home, status, told):
    save(home / "kaggle.json", username="me", key="secret")
    host.serve(PAGE, b"", Step(status))
    with pytest.raises(UserError) as error:
        fetched()
    assert str(error.value).startswith(f"Kaggle data set owner/films-2, version 3: HTTP {told}")
    assert "secret" not in str(error.value)
    assert list((tmp_path / "data").iterdir()) == []


def test_a_checksum_is_checked_where_one_is_given(fetched, host, home):
    save(home / "kaggle.json", username="me", key="secret")
    assert fetched(sha256=host.serve(PAGE, zipped(FILES))["sha256"]) == FILES
    with pytest.raises(UserError, match=r"^Kaggle data set .*: SHA-256 is .*, expected 000000"):
        fetched(sha256="0" * 64)


def test_the_address_is_kaggles_own(home, monkeypatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", "t")
    assert kaggle_address("o/n", 7).url == (
        "https://www.kaggle.com/api/v1/datasets/download/o/n?dataset_version_number=7"
    )

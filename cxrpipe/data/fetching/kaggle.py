"""Kaggle data sets, by the documented address and the user's own Kaggle set-up.

kagglehub is not used: it neither retries nor goes on from a partial file that another process
left, checks no disk, and unpacks a zip member that would leave its folder without a word. Its
download is one GET request, which ``fetch`` and ``archive`` do with all of that.
"""

import json
import os
from pathlib import Path

import requests
from requests.auth import AuthBase

from cxrpipe.data.fetching.fetch import Address
from cxrpipe.runtime import UserError

API = "https://www.kaggle.com/api/v1"
SETTINGS = "https://www.kaggle.com/settings"
NO_SET_UP = (
    f"no Kaggle set-up found; create a token at {SETTINGS} and save it as ~/.kaggle/access_token "
    "(or kaggle.json there), or set KAGGLE_API_TOKEN"
)


class Token(AuthBase):
    """An access token of Kaggle."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request; ``requests`` takes the token off where another host takes over."""
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def kaggle_address(name: str, version: int) -> Address:
    """Return the address of one version of a data set, signed as the user's set-up says.

    Raises
    ------
    UserError
        If there is no set-up, or one that cannot be read.
    """
    page = f"https://www.kaggle.com/datasets/{name}"
    called = f"Kaggle data set {name}, version {version}"
    auth = read_set_up()
    if not auth:
        raise UserError(f"{called}: {NO_SET_UP}")
    return Address(
        f"{API}/datasets/download/{name}?dataset_version_number={version}",
        called,
        auth,
        {
            401: f"Kaggle does not know the token of your set-up; create a new one at {SETTINGS}",
            403: f"accept its terms at {page} as the user of your Kaggle set-up, and run again; "
            "a private or misspelt data set answers so too",
            404: f"there is none at {page}; correct kaggle: or version: of origin",
        },
    )


def read_set_up() -> AuthBase | tuple[str, str] | None:
    """Return the user's token, or name and key, looked for where Kaggle's own programs look."""
    home = Path.home() / ".kaggle"
    if token := os.environ.get("KAGGLE_API_TOKEN", ""):  # itself, or a file that holds it
        is_file = len(token) < 200 and Path(token).is_file()
        return Token(_read_token(Path(token)) if is_file else token)
    for file in (home / "access_token", home / "access_token.txt"):
        if file.is_file():
            return Token(_read_token(file))
    user, key = os.environ.get("KAGGLE_USERNAME"), os.environ.get("KAGGLE_KEY")
    if user and key:
        return user, key
    file = Path(os.environ.get("KAGGLE_CONFIG_DIR", home)) / "kaggle.json"
    return _read_key(file) if file.is_file() else None


def _read_token(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()


def _read_key(file: Path) -> tuple[str, str]:
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        return str(held["username"]), str(held["key"])
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        mend = f"create a new token at {SETTINGS}"
        raise UserError(f"{file}: no username and key in it; {mend}") from error

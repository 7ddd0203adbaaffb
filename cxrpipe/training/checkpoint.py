"""The state that a killed training goes on from: whole on disk, and only for the same training."""

import hashlib
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile

import torch

from cxrpipe.runtime import whole

State = Mapping[str, Any]


class Checkpoint:
    """A file that holds the latest state of one training.

    Parameters
    ----------
    folder
        Holds nothing else. It lies outside of what Snakemake knows, so that it outlives a kill.
    training
        Names everything that the result depends on; a state of another training is not used.
    save_every
        Seconds between two states on disk at least, and twenty times what saving one takes; from 0
        on, every epoch is saved.
    """

    def __init__(self, folder: Path, training: str, save_every: float) -> None:
        self.path = folder / "state.pt"
        self.training = training
        self.save_every = save_every
        self._saved = time.monotonic()
        self._took = 0.0

    def load(self) -> State | None:
        """Return the state that was saved last, tensors on the CPU, or None."""
        if not self.path.is_file():
            return None
        try:
            saved: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, UnpicklingError, BadZipFile):  # of a full disk
            return None
        return saved["state"] if saved["training"] == self.training else None

    def save(self, state: Callable[[], State]) -> None:
        """Write the state whole, if the last one is old enough."""
        start = time.monotonic()
        if start - self._saved < max(self.save_every, 20 * self._took):
            return
        with whole(self.path) as partial:
            torch.save({"training": self.training, "state": state()}, partial)
        self._saved = time.monotonic()
        self._took = self._saved - start if self.save_every else 0.0

    def remove(self) -> None:
        """Remove the folder of a training that has ended, with what a kill may have left there."""
        if self.path.parent.is_dir():
            shutil.rmtree(self.path.parent)


def name_training(*parts: str | bytes | memoryview) -> str:
    """Return a checksum of all that the result of a training depends on.

    Parameters
    ----------
    parts
        Code, settings, films, starting weights, device and versions, as text or as they are.
    """
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()


def loaded_code(*folders: Path) -> bytes:
    """Return the code of all modules in use that lie in folders, but not among their packages."""
    files = {
        module.__file__ for module in list(sys.modules.values()) if hasattr(module, "__file__")
    }
    paths = sorted(Path(file) for file in files if file and file.endswith(".py"))
    return b"".join(
        path.read_bytes()
        for path in paths
        if "site-packages" not in path.parts and any(path.is_relative_to(f) for f in folders)
    )

"""The state that a killed training goes on from: whole on disk, and only for the same training."""

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
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
        Seconds between two states on disk.
    """

    def __init__(self, folder: Path, training: str, save_every: float) -> None:
        self.path = folder / "state.pt"
        self.training = training
        self.save_every = save_every
        self._saved = time.monotonic()

    def load(self) -> State | None:
        """Return the state that was saved last, tensors on the CPU, or None."""
        if not self.path.is_file():
            return None
        try:
            saved: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, BadZipFile):  # of a disk that was full
            return None
        return saved["state"] if saved["training"] == self.training else None

    def save(self, state: Callable[[], State]) -> None:
        """Write the state whole, if the last one is old enough."""
        if time.monotonic() - self._saved < self.save_every:
            return
        with whole(self.path) as partial:
            torch.save({"training": self.training, "state": state()}, partial)
        self._saved = time.monotonic()

    def remove(self) -> None:
        """Remove the folder of a training that has ended, with what a kill may have left there."""
        if self.path.parent.is_dir():
            shutil.rmtree(self.path.parent)


def name_training(code: Path, *parts: str | bytes) -> str:
    """Return a checksum of all that the result of a training depends on.

    Parameters
    ----------
    code
        Folder of the package: another version of it is another training.
    parts
        Settings, films, starting weights, device and versions, as text or as they are.
    """
    digest = hashlib.sha256()
    for module in sorted(code.rglob("*.py")):
        if module.parent.name in ("models", "training", "config"):
            digest.update(module.read_bytes())
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()

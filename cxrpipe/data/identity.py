"""The id of a radiograph, which its pixels give it."""

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd


def radiograph_id(pixels: npt.NDArray[np.uint8]) -> str:
    """Return 16 hexadecimal digits that name these pixels and their shape (SHA-256)."""
    digest = hashlib.sha256(f"{pixels.shape}".encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()[:16]


def pixels_of(radiographs: "pd.Series[str]") -> "pd.Series[str]":
    """Return the part of each id that the pixels alone decide: equal for identical films."""
    return radiographs.str.split("-").str[0]

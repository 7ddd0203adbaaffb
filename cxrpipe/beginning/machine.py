"""What of this machine can be told without torch."""

import os
from pathlib import Path

# What the drivers of NVIDIA, of AMD, and of Windows under Linux put there.
GPU_DEVICES = ("nvidia0", "kfd", "dxg")


def has_gpu(devices: Path = Path("/dev")) -> bool:
    """Tell whether a driver shows a GPU; whether torch can use it is another question."""
    return any((devices / name).exists() for name in GPU_DEVICES)


def memory() -> int:
    """Return the memory of the machine, in bytes; of a container, what it may use."""
    here = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    said = limit.read_text().strip() if limit.is_file() else "max"
    return min(here, int(said)) if said.isdigit() else here

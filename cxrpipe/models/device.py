"""The device that computes, and the precision it computes in."""

import fcntl
import itertools
import os
import platform
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch


@contextmanager
def claim_device() -> Iterator[torch.device]:
    """Give the GPU that the fewest other jobs of this machine use, or the CPU if there is none.

    Jobs of cxrpipe that run side by side spread over the GPUs by themselves.
    """
    if not torch.cuda.is_available():
        yield torch.device("cpu")
        return
    gpus = [str(torch.cuda.get_device_properties(n).uuid) for n in range(torch.cuda.device_count())]
    torch.backends.cudnn.allow_tf32 = False  # fp32 is fp32
    folder = Path(tempfile.gettempdir(), f"cxrpipe-{os.getuid()}")
    with claim_slot(folder, gpus) as gpu:
        yield torch.device("cuda", gpus.index(gpu))


@contextmanager
def claim_slot(folder: Path, gpus: Sequence[str]) -> Iterator[str]:
    """Claim the first free slot: one on each GPU, then a second on each, and so on.

    A slot is a locked file. The lock is the operating system's, so that it ends with its process,
    however that ends.

    Parameters
    ----------
    folder
        Holds the files; the same for all jobs of a machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in itertools.count():
        gpu = gpus[number % len(gpus)]
        with Path(folder, f"{gpu}-{number // len(gpus)}.lock").open("w") as slot:
            try:
                fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield gpu
            return


def has_bf16(device: torch.device) -> bool:
    """Tell whether a device computes bfloat16 natively, so that it is faster than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


def uses_bf16(device: torch.device, precision: str) -> bool:
    """Tell whether a network computes in bfloat16: if asked for, or ``auto`` and native."""
    return precision == "bf16" or (precision == "auto" and has_bf16(device))


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which a network computes."""
    return torch.autocast(device.type, torch.bfloat16, enabled=uses_bf16(device, precision))


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that the memory of the GPU, or of the CPU, was too small."""
    told = ("can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
    return isinstance(error, torch.OutOfMemoryError) or any(text in str(error) for text in told)


def most_at_once(device: torch.device) -> int:
    """Return how many films of 128 pixels go through a network at once where none is learnt from.

    On a CPU few, since the maps of more leave its caches: in batches of 32, DenseNet-121 takes 1.6
    times as many films per second as in batches of 128, and ResNet-18 1.1 times (two cores).
    """
    return 32 if device.type == "cpu" else 256


def fit_batch(most: int, side: int) -> int:
    """Return how many films of a side go through a network at once where none is learnt from.

    As many as given up to 128 pixels, beyond in proportion fewer, so that memory stays the same.
    """
    return max(1, min(most, most * 128**2 // side**2))


def describe(device: torch.device) -> str:
    """Name a device for people: the GPU, or the processor with its threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    name = torch.cpu.get_capabilities().get("cpu_name", platform.processor())
    return f"{name} ({platform.machine()}, {torch.get_num_threads()} threads)"

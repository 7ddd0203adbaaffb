"""The device that computes, and the precision it computes in."""

import platform

import torch


def choose_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bf16(device: torch.device) -> bool:
    """Tell whether a device computes bfloat16 natively, so that it is faster than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16"))


def uses_bf16(device: torch.device, precision: str) -> bool:
    """Tell whether a network computes in bfloat16: if asked for, or ``auto`` and native."""
    return precision == "bf16" or (precision == "auto" and has_bf16(device))


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which a network computes."""
    return torch.autocast(device.type, torch.bfloat16, enabled=uses_bf16(device, precision))


def describe(device: torch.device) -> str:
    """Name a device for people: the GPU, or the processor with its threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    name = torch.cpu.get_capabilities().get("cpu_name", platform.processor())
    return f"{name} ({platform.machine()}, {torch.get_num_threads()} threads)"

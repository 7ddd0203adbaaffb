"""The device and the precision that are chosen, and that the choice is obeyed."""

import pytest
import torch

from cxrpipe.models import device
from cxrpipe.models.device import autocast, choose_device, describe, has_bf16, uses_bf16

CPU = torch.device("cpu")


@pytest.mark.parametrize(("available", "chosen"), [(True, "cuda"), (False, "cpu")])
def test_a_gpu_is_chosen_where_there_is_one(available, chosen, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert choose_device().type == chosen


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({"amx_bf16": True}, True), ({"amx_bf16": False, "avx512_bf16": True}, False), ({}, False)],
)
def test_a_processor_has_bf16_only_with_matrix_units_for_it(capabilities, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert has_bf16(CPU) is expected


@pytest.mark.parametrize("native", [True, False])
def test_an_emulated_bf16_of_a_gpu_does_not_count(native, monkeypatch):
    def is_supported(including_emulation=True):
        return native or including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_supported)
    assert has_bf16(torch.device("cuda")) is native


@pytest.mark.parametrize(
    ("precision", "native", "expected"),
    [
        ("bf16", True, True),
        ("bf16", False, True),
        ("auto", True, True),
        ("auto", False, False),
        ("fp32", True, False),
        ("fp32", False, False),
    ],
)
def test_bf16_is_used_if_asked_for_or_native(precision, native, expected, monkeypatch):
    monkeypatch.setattr(device, "has_bf16", lambda _: native)
    assert uses_bf16(CPU, precision) is expected
    with autocast(CPU, precision):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if expected else torch.float32)


@pytest.mark.parametrize(
    ("capabilities", "name"), [({"cpu_name": "Abacus 9"}, "Abacus 9"), ({}, "unnamed")]
)
def test_a_processor_is_described_with_its_name_and_threads(capabilities, name, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr(device.platform, "processor", lambda: "unnamed")
    monkeypatch.setattr(device.platform, "machine", lambda: "x64")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert describe(CPU) == f"{name} (x64, 3 threads)"

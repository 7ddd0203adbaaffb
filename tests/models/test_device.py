"""The device and the precision that are chosen, and that the choice is obeyed."""

import subprocess
import sys
from contextlib import ExitStack

import pytest
import torch

from cxrpipe.models import device
from cxrpipe.models.device import (
    autocast,
    claim_device,
    claim_slot,
    describe,
    has_bf16,
    is_out_of_memory,
    uses_bf16,
)

CPU = torch.device("cpu")


def test_the_processor_computes_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with claim_device() as device:
        assert device == CPU


def test_jobs_spread_over_the_gpus_and_then_share_them(tmp_path):
    """Locks of one process on files opened anew exclude each other as those of two do."""
    with ExitStack() as jobs:
        claimed = [jobs.enter_context(claim_slot(tmp_path, ["a", "b"])) for _ in range(5)]
        assert claimed == ["a", "b", "a", "b", "a"]


def test_a_slot_is_free_again_after_its_job_also_after_a_failed_one(tmp_path):
    with claim_slot(tmp_path, ["a", "b"]) as first:
        with pytest.raises(KeyError), claim_slot(tmp_path, ["a", "b"]) as second:
            raise KeyError
        with claim_slot(tmp_path, ["a", "b"]) as third:
            assert (first, second, third) == ("a", "b", "b")


def test_a_killed_job_leaves_its_gpu_free(tmp_path):
    holds = (
        "import sys, time; from pathlib import Path; from cxrpipe.models.device import claim_slot\n"
        f"with claim_slot(Path({str(tmp_path)!r}), ['a', 'b']) as gpu: print(gpu, flush=True); "
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", holds], stdout=subprocess.PIPE) as job:
        assert job.stdout.readline() == b"a\n"
        with claim_slot(tmp_path, ["a", "b"]) as beside:
            assert beside == "b"
        job.kill()
        job.wait()
        with claim_slot(tmp_path, ["a", "b"]) as afterwards:
            assert afterwards == "a"


@pytest.mark.parametrize(
    ("error", "expected"),
    [(torch.OutOfMemoryError("CUDA"), True), (RuntimeError("shapes differ"), False)],
)
def test_an_error_of_memory_is_told_from_others(error, expected):
    assert is_out_of_memory(error) is expected


def test_the_processors_own_lack_of_memory_is_seen():
    with pytest.raises(RuntimeError) as error:
        torch.empty(10**15)
    assert is_out_of_memory(error.value)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({"amx_bf16": True}, True), ({"avx512_bf16": True}, True), ({"avx512_f": True}, False)],
)
def test_a_processor_has_bf16_only_with_instructions_for_it(capabilities, expected, monkeypatch):
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

"""What ``doctor`` checks of the environment: Python, torch, GPU, memory, and what is optional."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from cxrpipe.beginning.machine import has_gpu, memory
from cxrpipe.beginning.told import Told
from cxrpipe.data.fetching.room import size
from cxrpipe.runtime import count_cores

OLDEST, NEWEST = (3, 11), (3, 12)  # that cxrpipe is tested with
INSTALL = "pip install --no-deps --requirement requirements.txt, in the folder of the project"
SLOW = (
    "none: models train on the processor: on two cores ResNet-18 learns from 40 to 90 films of 128 "
    "pixels a second, a third of that at 224 (docs/benchmarks.md)"
)
SECONDS_TO_IMPORT = 120
LITTLE_MEMORY = 8e9  # bytes
# Extra of pyproject.toml: the modules that it installs, and what they are for.
EXTRAS = {
    "onnx": (("onnx", "onnxruntime", "onnxscript"), "cxrpipe export, and models as ONNX files"),
    "page": (("starlette", "uvicorn"), "cxrpipe serve"),
    "umap": (("umap",), "UMAP beside t-SNE"),
    "watch": (("tensorboard",), "training.tensorboard"),
}
# In a process of its own: torch takes seconds to import, and a broken one may end it. Operators of
# torchvision that do not fit torch fail as they are imported, a GPU without kernels as it computes.
PROBE = """
import json, torch, torchvision.ops
gpus = []
for number in range(torch.cuda.device_count()):
    torch.ones(8, device=f"cuda:{number}").sum().item()
    of = torch.cuda.get_device_properties(number)
    gpus.append((of.name, of.total_memory))
torchvision.ops.nms(torch.tensor([[0., 0., 1., 1.]]), torch.tensor([1.]), 0.5)
built = torch.version.cuda or torch.version.hip or ""
print(json.dumps([torch.__version__, torchvision.__version__, built, gpus]))
"""


def check_environment() -> Iterator[Told]:
    """Check all that no project is needed for."""
    yield check_python(sys.version_info[:3])
    yield check_snakemake()
    yield check_machine(count_cores(), memory())
    yield from check_torch(probe_torch(), has_gpu())
    yield from check_extras()


def check_python(version: tuple[int, int, int]) -> Told:
    """Check the version of Python."""
    found = ".".join(map(str, version))
    if version[:2] < OLDEST:
        return Told("wrong", "python", found, "build .venv with Python 3.11 or 3.12")
    if version[:2] > NEWEST:
        return Told("note", "python", f"{found}; cxrpipe is tested with 3.11 and 3.12")
    return Told("ok", "python", found)


def check_snakemake() -> Told:
    """Check that the shell finds Snakemake, as it does where the environment is activated."""
    if found := shutil.which("snakemake"):
        return Told("ok", "snakemake", found)
    return Told("wrong", "snakemake", "not on the path", "source .venv/bin/activate")


def probe_torch() -> Any:  # noqa: ANN401 - versions and GPUs as PROBE prints them, or its complaint
    """Import torch and torchvision in a process of its own, and let every GPU add numbers."""
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", PROBE],
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_IMPORT,
        )
    except subprocess.TimeoutExpired:
        return f"not imported within {SECONDS_TO_IMPORT} seconds"
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    complaints = done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"]
    return complaints[-1]


def check_torch(probed: Any, has_driver: bool) -> Iterator[Told]:  # noqa: ANN401
    """Check what ``probe_torch`` found.

    Parameters
    ----------
    has_driver
        Whether a driver shows a GPU.
    """
    if isinstance(probed, str):
        yield Told("wrong", "torch", probed, INSTALL)
        return
    version, vision, built, gpus = probed
    yield Told("ok", "torch", f"{version}, with torchvision {vision}")
    for name, n_bytes in gpus:
        yield Told("ok", "gpu", f"{name}, {size(n_bytes)}")
    if not gpus and has_driver:
        mend = "bring the driver up to date" if built else "install torch of a build for GPUs"
        yield Told("wrong", "gpu", "a driver shows one, but torch does not see it", mend)
    elif not gpus:
        yield Told("note", "gpu", SLOW)


def check_machine(n_cores: int, n_bytes: int) -> Told:
    """Check cores and memory."""
    found = f"{n_cores} cores, {size(n_bytes)} of memory"
    if n_bytes < LITTLE_MEMORY:
        return Told("note", "machine", f"{found}: little; large networks need smaller batches")
    return Told("ok", "machine", found)


def check_extras() -> Iterator[Told]:
    """Note which optional packages are missing, and what they are for."""
    for extra, (modules, purpose) in EXTRAS.items():
        missing = [module for module in modules if find_spec(module) is None]
        if missing:
            mend = f"pip install --editable '.[{extra}]', if you want it"
            yield Told("note", extra, f"no {', '.join(missing)}: without {purpose}", mend)
        else:
            yield Told("ok", extra, purpose)

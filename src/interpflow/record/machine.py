"""The machine of this process: the versions of its software, and the instructions of its processor."""

from __future__ import annotations

import functools
import platform
import sys
from importlib import metadata
from pathlib import Path

_PACKAGES = ("interpflow", "torch", "numpy", "xarray", "netCDF4")
# The instructions of a processor for which torch and NumPy have code of their own, the widest first.
_WIDE = {
    "AVX512": {"avx512f", "avx512vl", "avx512bw", "avx512dq", "fma"},
    "AVX2": {"avx2", "fma"},
    "SVE": {"sve"},
    "NEON": {"asimd"},
}
_CPU = Path("/proc/cpuinfo")


def made_with() -> str:
    """One line: `interpflow 0.1.0, torch 2.13.0, …, Python 3.11.7; Linux x86_64 with AVX2`.

    The same in every process of a machine, whether or not it has loaded torch; with the name of the GPU
    where this process computed on one.
    """
    torch = sys.modules.get("torch")
    on_gpu = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    gpu = f", {torch.cuda.get_device_name()}" if torch and on_gpu else ""
    return _software_and_processor() + gpu


@functools.cache
def _software_and_processor() -> str:
    import netCDF4

    versions = [f"{name} {_version(name)}" for name in _PACKAGES]
    versions += [f"HDF5 {netCDF4.__hdf5libversion__}", f"Python {platform.python_version()}"]
    capability = cpu_capability(_CPU.read_text() if _CPU.is_file() else "")
    wide = f" with {capability}" if capability else ""
    return f"{', '.join(versions)}; {platform.system()} {platform.machine()}{wide}"


def cpu_capability(cpuinfo: str) -> str:
    """The widest instructions that the processor of this /proc/cpuinfo has; "" where it does not say."""
    lines = (line.partition(":") for line in cpuinfo.lower().splitlines())
    flags = next((set(text.split()) for key, _, text in lines
                  if key.strip() in ("flags", "features")), set())  # fmt: skip
    return next((name for name, wanted in _WIDE.items() if wanted <= flags), "")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # a copy of the code that is not installed
        return "of a copy"

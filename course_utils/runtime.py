"""Where and with what the course computes: device, random generators, a description of the machine."""

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

__all__ = ["describe_machine", "fast_bfloat16", "generator", "pick_device", "seeded", "worker_processes"]

DEVICES = ("cuda", "mps", "cpu")


def pick_device(prefer: str | None = None) -> torch.device:
    """Choose the fastest device that this machine has.

    Args:
        prefer: a device name such as ``"cpu"`` or ``"cuda:1"``; None takes the first that is present of
            cuda, mps, cpu.

    Returns:
        The device.

    Raises:
        ValueError: the preferred device is not one of the three kinds, or is not present.

    Example:
        >>> pick_device("cpu")
        device(type='cpu')
    """
    if prefer is None:
        return torch.device(next(kind for kind in DEVICES if _count(kind)))
    kind, _, index = str(prefer).partition(":")
    if kind not in DEVICES or (index and not index.isdigit()):
        raise ValueError(f"found device {prefer!r}, expected one of {', '.join(DEVICES)}, "
                         "with a number such as 'cuda:1' if there are several")
    if int(index or 0) >= _count(kind):
        present = ", ".join(f"{name} ({_count(name)})" for name in DEVICES if _count(name))
        raise ValueError(f"found device {prefer!r}, expected one that this machine has: {present}; "
                         "pick_device() without a name chooses one that is there")
    return torch.device(prefer)


def _count(kind: str) -> int:
    """How many devices of a kind this machine has."""
    if kind == "cuda":
        return torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    return 1


def fast_bfloat16(device: torch.device) -> bool:
    """Say whether a device computes in bfloat16, half the bits of float32, faster than in float32.

    Args:
        device: where the computation is to run.

    Returns:
        True for processors with matrix units for bfloat16 (AMX) and for CUDA devices that support it; where
        bfloat16 is only emulated it is slower.

    Source:
        Chapter 12.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.cpu._is_amx_tile_supported()


def worker_processes() -> int:
    """Say how many processes may share work here without being asked to.

    Returns:
        2 in a notebook on a machine with two cores; 1 in a script, where starting processes asks for
        ``if __name__ == "__main__":``.
    """
    return 1 if hasattr(sys.modules["__main__"], "__file__") else min(2, _cores())


def generator(seed: int) -> torch.Generator:
    """Make PyTorch's random generator with a seed, on the CPU, so that all devices draw the same numbers.

    Args:
        seed: any whole number from 0 to 2⁶³ − 1.

    Returns:
        The generator; pass it on to whatever draws.

    Example:
        >>> torch.randint(100, (3,), generator=generator(0)).tolist()
        [44, 39, 33]
    """
    return torch.Generator().manual_seed(seed)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let what draws from PyTorch's own generator, as new layers and dropout do, draw from a seed for a while.

    Afterwards, on the CPU, it is as if nothing had been drawn.

    Args:
        seed: any whole number from 0 to 2⁶³ − 1.

    Example:
        >>> with seeded(0):
        ...     first = torch.rand(3)
        >>> with seeded(0):
        ...     again = torch.rand(3)
        >>> torch.equal(first, again)
        True
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def describe_machine() -> dict[str, str | int | float | None]:
    """Say what a measured time was measured on.

    Returns:
        ``system``, ``python``, ``torch``, ``numpy`` (text), ``device`` (name of the accelerator or the
        processor), ``cores`` (those this process may use), ``memory_gb`` (10⁹ bytes; None where the system
        does not tell).

    Example:
        >>> sorted(describe_machine())
        ['cores', 'device', 'memory_gb', 'numpy', 'python', 'system', 'torch']
    """
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
        "numpy": importlib.metadata.version("numpy"),
        "device": _device_name(),
        "cores": _cores(),
        "memory_gb": _memory_gb(),
    }


def _device_name() -> str:
    """The accelerator's name if there is one, else the processor's."""
    device = pick_device()
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"{device.type}: {_processor()}"


def _processor() -> str:
    """The processor's name; Linux tells it in a file, other systems through `platform`."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _cores() -> int:
    """Cores that this process may use, which on a shared machine are fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_gb() -> float | None:
    """The memory that this process may use: the container's limit where there is one, else the machine's."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        if limit.exists() and limit.read_text().strip().isdigit():
            memory = min(memory, int(limit.read_text()))
    return round(memory / 1e9, 1)

"""Compile the C interface and its two hosts against the libraries that the OpenVINO wheel carries (chapter 15)."""

import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BuildError", "Built", "build", "missing", "source"]

INTEROP = Path(__file__).parent / "interop"
COMPILERS = ("gcc", "g++", "gfortran")


class BuildError(RuntimeError):
    """The interface could not be compiled; says what the compiler said."""


@dataclass(frozen=True)
class Built:
    """What was compiled.

    Attributes:
        library: shared library with the functions of cloud_mask.h.
        driver: Fortran program; arguments: model, golden patch, threads, steps.
        driver_cpp: C++ program; arguments: model, golden patch.
    """

    library: Path
    driver: Path
    driver_cpp: Path


def missing() -> str:
    """Say what this machine lacks to compile the interface.

    Returns:
        Names of programs or libraries; empty if nothing is missing.
    """
    lacking = [name for name in COMPILERS if shutil.which(name) is None]
    if not sorted(_wheel().glob("libs/libopenvino_c.so.*")):
        lacking.append("libopenvino_c.so (in OpenVINO's wheel for Linux)")
    return ", ".join(lacking)


def source(name: str) -> str:
    """Read a source file of the interface.

    Args:
        name: cloud_mask.h, cloud_mask.c, cloud_mask.f90, driver.f90 or driver.cpp.

    Returns:
        Its text.
    """
    return (INTEROP / name).read_text(encoding="utf-8")


def build(folder: str | Path, flags: tuple[str, ...] = (), fortran_flags: tuple[str, ...] = (),
          sources: Path = INTEROP) -> Built:
    """Compile the library and the drivers.

    Args:
        folder: receives them; made if it is not there.
        flags: more flags for every compiler.
        fortran_flags: more flags for gfortran, as a host might use them.
        sources: folder with the sources.

    Returns:
        Where they are.

    Raises:
        BuildError: a compiler is missing, or complains.
    """
    if lacking := missing():
        raise BuildError(f"found no {lacking}, expected three compilers and OpenVINO; "
                         "install gcc, g++ and gfortran")
    folder, libs = Path(folder), _wheel() / "libs"
    folder.mkdir(parents=True, exist_ok=True)
    openvino_c = max(libs.glob("libopenvino_c.so.*"))
    built = Built(folder / "libcloud_mask.so", folder / "driver", folder / "driver_cpp")
    flags = ("-O2", "-Wall", "-Wextra", *flags)
    linked = (f"-L{folder}", "-lcloud_mask", "-Wl,-rpath,$ORIGIN", f"-Wl,-rpath-link,{libs}")
    _compile("gcc", "-std=c11", *flags, "-fPIC", "-shared", f"-I{_wheel() / 'include'}", sources / "cloud_mask.c",
             "-o", built.library, f"-L{libs}", f"-l:{openvino_c.name}", f"-Wl,-rpath,{libs}")
    _compile("gfortran", "-std=f2018", *flags, *fortran_flags, f"-J{folder}", sources / "cloud_mask.f90",
             sources / "driver.f90", "-o", built.driver, *linked)
    _compile("g++", "-std=c++17", *flags, f"-I{sources}", sources / "driver.cpp", "-o", built.driver_cpp, *linked)
    return built


def _wheel() -> Path:
    """The folder of OpenVINO's wheel, with `include` and `libs`."""
    found = importlib.util.find_spec("openvino")
    return Path(found.origin).parent if found else Path("no OpenVINO")


def _compile(*command: str | Path) -> None:
    """Run a compiler, or say what it said."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"{command[0]} did not run to its end: {error}") from error
    if done.returncode:
        raise BuildError(f"{command[0]} failed:\n{done.stderr.strip()}")

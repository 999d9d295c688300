"""Compile the C and Fortran interface against the libraries that the OpenVINO wheel carries (chapter 15)."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BuildError", "Built", "build", "missing", "source"]

INTEROP = Path(__file__).parent / "interop"
COMPILERS = ("gcc", "gfortran")


class BuildError(RuntimeError):
    """The interface could not be compiled; says what the compiler said."""


@dataclass(frozen=True)
class Built:
    """What was compiled.

    Attributes:
        library: shared library with the functions of cloud_mask.h.
        driver: Fortran program; arguments: model, golden patch, threads, steps.
    """

    library: Path
    driver: Path


def missing() -> str:
    """Say what this machine lacks to compile the interface.

    Returns:
        Names of programs or libraries; empty if nothing is missing.
    """
    lacking = [name for name in COMPILERS if shutil.which(name) is None]
    if not list(_wheel().glob("libs/libopenvino_c.so.*")):
        lacking.append("libopenvino_c.so (in OpenVINO's wheel for Linux)")
    return ", ".join(lacking)


def source(name: str) -> str:
    """Read a source file of the interface.

    Args:
        name: cloud_mask.h, cloud_mask.c, cloud_mask.f90 or driver.f90.

    Returns:
        Its text.
    """
    return (INTEROP / name).read_text(encoding="utf-8")


def build(folder: str | Path, fortran_flags: tuple[str, ...] = (), sources: Path = INTEROP) -> Built:
    """Compile the library and the driver.

    Args:
        folder: receives them; made if it is not there.
        fortran_flags: more flags for gfortran, as a host might use them.
        sources: folder with the sources.

    Returns:
        Where they are.

    Raises:
        BuildError: a compiler is missing, or complains.
    """
    if lacking := missing():
        raise BuildError(f"found no {lacking}, expected both compilers and OpenVINO's wheel; install gcc and gfortran")
    folder, libs = Path(folder), _wheel() / "libs"
    folder.mkdir(parents=True, exist_ok=True)
    (openvino_c,) = libs.glob("libopenvino_c.so.*")
    built = Built(folder / "libcloud_mask.so", folder / "driver")
    _compile("gcc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", f"-I{_wheel() / 'include'}",
             sources / "cloud_mask.c", "-o", built.library, f"-L{libs}", f"-l:{openvino_c.name}", f"-Wl,-rpath,{libs}")
    _compile("gfortran", "-std=f2018", "-O2", "-Wall", "-Werror", *fortran_flags, f"-J{folder}",
             sources / "cloud_mask.f90", sources / "driver.f90", "-o", built.driver, f"-L{folder}", "-lcloud_mask",
             "-Wl,-rpath,$ORIGIN", f"-Wl,-rpath-link,{libs}")
    return built


def _wheel() -> Path:
    """The folder of OpenVINO's wheel, with `include` and `libs`."""
    import openvino

    return Path(openvino.__file__).parent


def _compile(*command: str | Path) -> None:
    """Run a compiler, or say what it said."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise BuildError(f"{command[0]} failed:\n{done.stderr.strip()}")

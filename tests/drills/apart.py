"""Run a part of a test in a process of its own that has no network, a tiny disk, or folders that can only be read.

Namespaces of Linux give these without a trace on the rest of the machine: the mounts end with the process. Users who
may not do so are the root of a namespace of their own, where the system allows that.
"""

import ctypes
import functools
import multiprocessing
import os
import sys
import traceback
from pathlib import Path

import pytest
import torch

__all__ = ["apart", "fork", "needs_namespaces"]

NEW_MOUNTS, NEW_USER, NEW_NETWORK = 0x00020000, 0x10000000, 0x40000000
READ_ONLY, REMOUNT, BIND, REC, PRIVATE = 1, 32, 4096, 16384, 1 << 18
SECONDS = 300            # after which a process hangs, on any machine


def _call(name, *arguments):
    """A function of the C library that says -1 when it fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def _mount(source, target, kind, flags, options=None):
    encoded = [None if part is None else str(part).encode() for part in (source, target, kind)]
    _call("mount", *encoded, ctypes.c_ulong(flags), None if options is None else options.encode())


def _separate(network, disks, read_only):
    """Give this process namespaces of its own, and mount what was asked for."""
    user, group = os.getuid(), os.getgid()
    kinds = NEW_MOUNTS | (0 if network else NEW_NETWORK)
    try:
        _call("unshare", kinds)
    except OSError:
        _call("unshare", kinds | NEW_USER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    _mount("none", "/", None, REC | PRIVATE)
    for folder, size in disks.items():
        _mount("none", folder, "tmpfs", 0, f"size={size}")
    for folder in read_only:
        _mount(folder, folder, None, BIND)
        _mount("none", folder, None, BIND | REMOUNT | READ_ONLY)


def _child(pipe, body, network, disks, read_only):
    """What the process does: separate, run, and send what came of it."""
    torch.set_num_threads(1)                # threads do not survive the start of a process as a copy
    try:
        if disks or read_only or not network:
            _separate(network, disks, read_only)
        pipe.send((body(), None))
    except BaseException:                   # noqa: BLE001  (assertions too: all is told to the test)
        pipe.send((None, traceback.format_exc()))


def fork(target, *arguments):
    """Start a process as a copy of this one: it begins at once, with all modules there."""
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def apart(body, network=True, disks=None, read_only=()):
    """Run a function in a process of its own and give what it returns; what it raises fails the test.

    `disks` maps folders to the sizes of the disks that are put in their place, `read_only` names folders.
    """
    receive, send = multiprocessing.get_context("fork").Pipe(duplex=False)
    process = fork(_child, send, body, network, disks or {}, read_only)
    send.close()
    try:
        assert receive.poll(SECONDS), f"nothing heard for {SECONDS} s"
        result, error = receive.recv()
    finally:
        process.kill()
        process.join()
    assert error is None, error
    return result


@functools.cache
def _possible():
    """Whether this system and this user may do all that."""
    if sys.platform != "linux":
        return False
    try:
        apart(lambda: None, network=False, disks={"/tmp": "64k"})
    except (AssertionError, EOFError):
        return False
    return True


@pytest.fixture
def needs_namespaces():
    """Skip where namespaces are not to be had."""
    if not _possible():
        pytest.skip("this system gives a test no namespaces of its own")

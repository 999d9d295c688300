"""A torchrun whose processes share what it has imported: ``python -m course_utils.jobs.torchrun [OPTIONS] FILE``.

PyTorch takes 150 MB of every process that imports it, and what the first optimizer imports 70 more. torchrun starts
each process anew; here the operating system copies one in which both are imported (a fork), and most of these pages
stay common to all. A GPU's driver does not survive a fork, so where PyTorch was built for one, and outside Linux,
processes start anew.

Rendezvous, restarts and ends are those of torchrun. So are the options, but nothing is chosen for who leaves them out:
`jobs.launch`, which starts this, names the rendezvous and the threads of a process.
"""

import multiprocessing
import runpy
import signal
import sys
import traceback
from pathlib import Path

import torch
import torch._dynamo  # the compiler, which every optimizer imports when it is made
from torch.distributed import run
from torch.distributed.launcher.api import elastic_launch

FORKS = sys.platform == "linux" and torch.version.cuda is None and torch.version.hip is None


def main() -> None:
    """Start the processes that the command line asks for, and wait for them."""
    options = run.parse_args(None)
    options.start_method = "fork" if FORKS else "spawn"
    config, _, _ = run.config_from_args(options)
    elastic_launch(config, _program)(options.module, options.training_script, *options.training_script_args)


def _program(module: bool, target: str, *words: str) -> None:
    """Be what `python` is with this file, or with ``-m`` and this module; ends as that would end."""
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"):         # the launcher's own way to end stays with it
        if number := getattr(signal, name, None):
            signal.signal(number, signal.SIG_DFL)
    multiprocessing.set_start_method(None, force=True)              # nor is how this process was started handed on
    sys.stdout.reconfigure(line_buffering=True, write_through=False)  # lines come at once, and whole
    sys.argv = [target, *words]
    try:
        if module:
            runpy.run_module(target, run_name="__main__", alter_sys=True)
        else:
            sys.path[0] = str(Path(target).absolute().parent)
            runpy.run_path(target, run_name="__main__")
    except SystemExit as end:       # after 0 torchrun sees a program that ended; after None it would wait forever
        sys.exit(0 if end.code is None else end.code)
    except (Exception, KeyboardInterrupt):  # noqa: BLE001 (torchrun would tell of it later, and only the launcher's log)
        traceback.print_exc()
        sys.exit(1)


if __name__ == "__main__":
    main()

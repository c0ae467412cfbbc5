"""`deepcity` in processes of their own that need not import it anew: forked from one that has.

Each has a memory, files, signals and an end of its own, as any other; what is spared is the start
of Python and of its libraries, which takes longer than most commands do. Processes that begin
from nothing are those that `processes` starts with a program.
"""

import atexit
import multiprocessing
import multiprocessing.connection
import os
import resource
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from multiprocessing import forkserver
from pathlib import Path
from unittest.mock import patch

ENV = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200", "NO_COLOR": "1"}
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        "deepcity.cli",
        "deepcity.cli.summary",
        "deepcity.live.application",
        "deepcity.live.node.open_node",
        "deepcity.runs.run",
        "deepcity.runs.update.run",
        "deepcity.store.open_store",
        "deepcity.web.api.app",
        "deepcity.web.control.app",
        "deepcity.web.report.page",
        "deepcity.web.server.serving",
        "torch._dynamo",  # an optimizer imports it
    ]
)


def forked(target, *arguments):
    """Begin a process that calls this function; it does not outlive this one."""
    with patch.dict(os.environ, ENV):  # consoles look at it when they are imported
        forkserver.ensure_running()
    process = _context.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def only_small_files(most_bytes):
    """No file of this process may outgrow so many bytes: what a full disk does to it."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


class Forked:
    """What tests use of `subprocess.Popen`, for `deepcity` with these words.

    Args:
        environment: all variables of the process.
        output: a file that its output is appended to; by default, `stdout` is a pipe.
        errors: a file for its standard error; by default, `stderr` reads it.
        most_bytes: that a file of it may have.
    """

    def __init__(
        self, words, environment, *, output=None, errors=None, folder=None, most_bytes=None
    ):
        self.stdout = self.stderr = far = None
        if output is None:
            near, far = os.pipe()
            self.stdout = os.fdopen(near, encoding="utf-8")
            output = multiprocessing.connection.Connection(far, readable=False)
        if errors is None:
            self.stderr = tempfile.NamedTemporaryFile("r", encoding="utf-8")  # noqa: SIM115
            errors = self.stderr.name
        given = (list(map(str, words)), dict(environment), str(folder or Path.cwd()))
        self._process = forked(_run, *given, output, errors, most_bytes)
        if far is not None:
            output.close()
        self.args, self.pid, self._reading = words, self._process.pid, threading.Lock()

    @property
    def returncode(self):
        return self.poll()

    def poll(self):
        with self._reading:  # its end is told once: of two threads that read, one would get nothing
            return self._process.exitcode

    def wait(self, timeout=None):
        multiprocessing.connection.wait([self._process.sentinel], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return code

    def communicate(self, timeout=None):
        """What it has not yet been read of, when it has ended; closes both."""
        output = None if self.stdout is None or self.stdout.closed else self.stdout.read()
        self.wait(timeout)
        errors = None if self.stderr is None or self.stderr.closed else self.stderr.read()
        for one in filter(None, (self.stdout, self.stderr)):
            one.close()
        return output, errors

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def _run(words, environment, folder, output, errors, most_bytes):
    """The process: all that `python -m deepcity` does once its libraries are there."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if isinstance(output, str):
        target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    else:
        target = output.fileno()
    os.dup2(target, 1)
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    if not isinstance(output, str):
        output.close()
    if most_bytes is not None:
        only_small_files(most_bytes)
    sys.argv = ["deepcity", *words]
    try:
        runpy.run_module("deepcity", run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # a process of `multiprocessing` ends without

"""A brake on a site's processes: they run a twentieth of the time."""

import os
import signal
import threading
from contextlib import contextmanager

STOPPED_S, RUNNING_S = 0.95, 0.05


@contextmanager
def brake(processes):
    """A function that begins to brake what another one returns; it ends with this context."""
    ended = threading.Event()

    def slow():
        while not ended.is_set():
            found = processes()
            for sent, seconds in ((signal.SIGSTOP, STOPPED_S), (signal.SIGCONT, RUNNING_S)):
                for process in found:
                    try:
                        os.kill(process, sent)
                    except ProcessLookupError:
                        continue
                ended.wait(seconds)
            for process in found:
                try:
                    os.kill(process, signal.SIGCONT)
                except ProcessLookupError:
                    continue

    thread = threading.Thread(target=slow, daemon=True)
    try:
        yield thread.start
    finally:
        ended.set()
        if thread.ident is not None:
            thread.join()

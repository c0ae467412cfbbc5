"""An agency in a process of its own, which can be killed; it hears and answers bytes."""

import multiprocessing
import os
import signal

import torch
from forked import forked
from vertical_town import agencies, parties, town

from deepcity.exchange.message import Message, from_bytes, to_bytes


def _serve(name, pipe):
    """The process: only here are the agency's rows and its encoder."""
    torch.set_num_threads(1)
    (party,) = parties(agencies(town(), [name], taught=0)).values()
    while True:
        blob, caller = pipe.recv()
        pipe.send(to_bytes(party.handle(from_bytes(blob), caller)))


class AgencyProcess:
    """A party of an exchange whose handler lives elsewhere; a context that leaves no process."""

    def __init__(self, name, killed_at=None):
        self.killed_at, self.asked = killed_at, []
        self.pipe, far = multiprocessing.Pipe()
        self.process = forked(_serve, name, far)
        far.close()

    def handle(self, message: Message, caller: str) -> Message:
        """Over the pipe; at the call it is to be killed at, while it works on its answer."""
        self.asked.append(message.verb)
        self.pipe.send((to_bytes(message), caller))
        if len(self.asked) == self.killed_at:
            os.kill(self.process.pid, signal.SIGKILL)
        return from_bytes(self.pipe.recv())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()
        self.pipe.close()

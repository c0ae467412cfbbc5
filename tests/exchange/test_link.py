"""Frames between the coordinator and the engine's job arrive as they were sent, or not at all."""

import socket
import threading
from contextlib import contextmanager
from multiprocessing.connection import Client, Listener

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.exchange.flare import link
from deepcity.exchange.flare.link import frame, receive


@pytest.fixture(scope="module")
def line():
    """Both ends of a line on this machine."""
    with Listener(("127.0.0.1", 0), authkey=b"key") as listener:
        far = []
        thread = threading.Thread(target=lambda: far.append(listener.accept()))
        thread.start()
        with Client(listener.address, authkey=b"key") as near:
            thread.join(10)
            with far[0]:
                yield near, far[0]


@contextmanager
def stranger():
    """Our end of a line, and a socket that may send what it likes."""
    with (
        Listener(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.address) as far,
        listener.accept() as near,
    ):
        yield near, far


heads = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3)


@settings(deadline=None, max_examples=50)
@given(frames=st.lists(st.tuples(heads, st.integers(0, 70_000)), min_size=1, max_size=4))
def test_frames_of_any_size_arrive_in_order(line, frames):
    near, far = line
    sent = [(head, bytes(range(256)) * (size // 256 + 1)) for head, size in frames]
    sender = threading.Thread(target=lambda: [near.send_bytes(frame(*one)) for one in sent])
    sender.start()
    assert [receive(far) for _ in sent] == sent
    sender.join(10)


def test_large_frame_arrives_whole(line):
    near, far = line
    blob = bytes(20_000_000)
    sender = threading.Thread(target=lambda: near.send_bytes(frame({}, blob)))
    sender.start()
    assert receive(far) == ({}, blob)
    sender.join(10)


@pytest.mark.parametrize("size", [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"])
def test_frame_that_claims_too_much_is_refused_before_it_is_read(size):
    with stranger() as (near, far):
        far.sendall(size)
        with pytest.raises(OSError, match="a frame of"):
            receive(near)


def test_line_that_ends_within_a_frame_is_an_end():
    with stranger() as (near, far):
        far.sendall((100).to_bytes(link._SIZE, "big") + b"half")
        far.close()
        with pytest.raises(EOFError):
            receive(near)

"""Frames between the coordinator and the engine's job arrive as they were sent, or not at all."""

import socket
import threading
from contextlib import contextmanager
from multiprocessing.connection import Client, Listener

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.exchange.flare import link
from deepcity.exchange.flare.link import receive, send


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
    sender = threading.Thread(target=lambda: [send(near, *one) for one in sent])
    sender.start()
    assert [receive(far) for _ in sent] == sent
    sender.join(10)


def test_large_frame_arrives_whole(line):
    near, far = line
    blob = bytes(20_000_000)
    sender = threading.Thread(target=lambda: send(near, {}, blob))
    sender.start()
    assert receive(far) == ({}, blob)
    sender.join(10)


@pytest.mark.parametrize(
    ("size", "head"),
    [(0xFFFFFFFF, 2), (0x7FFFFFFF, 2), (2, 0), (100, 97), (1 << 29, (1 << 20) + 1)],
)
def test_frame_that_claims_too_much_is_refused_before_it_is_read(size, head):
    with stranger() as (near, far):
        far.sendall(size.to_bytes(4, "big") + head.to_bytes(4, "big"))
        with pytest.raises(OSError, match="a frame of"):
            receive(near)


@pytest.mark.parametrize("head", [b"[]", b"{", b"3"])
def test_frame_whose_head_is_none(head):
    with stranger() as (near, far):
        far.sendall((4 + len(head)).to_bytes(4, "big") + len(head).to_bytes(4, "big") + head)
        with pytest.raises(ValueError, match=r"head|Expecting"):
            receive(near)


def test_frame_that_is_too_large_is_not_sent(line, monkeypatch):
    monkeypatch.setattr(link, "MOST_BYTES", 100)
    monkeypatch.setattr(link, "_MOST_HEAD", 10)
    with pytest.raises(OSError, match="a frame of 117 bytes"):
        send(line[0], {"a": 1}, bytes(105))


def test_line_that_ends_within_a_frame_is_an_end():
    with stranger() as (near, far):
        far.sendall((100).to_bytes(4, "big") + (2).to_bytes(4, "big") + b"{}half")
        far.close()
        with pytest.raises(EOFError):
            receive(near)

"""A camera's stream from a real server on this machine: newest first, ended, stalled, not there."""

import gc
import socket
import threading
import time
import weakref

import numpy as np
import pytest
from camera_pictures import mjpeg_stream, picture
from rtsp_camera import rtsp_camera
from served_files import served

from deepcity.city.errors import CameraError
from deepcity.vision.frames.live_stream import LiveStream
from deepcity.vision.frames.pace import FramePace
from deepcity.vision.frames.source import FrameTimes, open_source


@pytest.fixture(scope="module")
def server():
    with served() as here:
        yield here


def stream(server, answer, wait_s=5.0):
    server.files["/live"] = answer
    return open_source(f"{server.url}/live", "gate", FrameTimes(wait_s=wait_s))


def test_frames_come_with_this_clocks_time_and_the_end_is_named(server):
    begun_s, found = time.time(), []
    taken = stream(server, mjpeg_stream(20)).frames(FramePace(100.0))
    with pytest.raises(CameraError, match=r"ended the stream after \d+ frames; run the command"):
        found.extend((one.time_s, one.image_HWC.shape) for one in taken)
    times = [time_s for time_s, _ in found]
    assert len(found) >= 3
    assert times == sorted(times)
    assert begun_s < times[0] < times[-1] <= time.time()
    assert {shape for _, shape in found} == {(120, 160, 3)}


def test_who_is_slow_gets_the_newest_frame_and_none_is_kept(server):
    living, numbers = [], []
    taken = stream(server, mjpeg_stream(500), wait_s=20.0).frames(FramePace(100.0))
    for _ in range(4):
        frame = next(taken)
        blue_W = frame.image_HWC[70, :, 0] > 150
        numbers.append(int(np.argmax(blue_W)) // 2)
        living.append(weakref.ref(frame.image_HWC))
        del frame
        gc.collect()
        assert living[-1]() is None
        time.sleep(0.3)
    taken.close()
    assert numbers[-1] - numbers[0] > 2 * 3  # one after another they would be three apart


def test_a_stream_that_stalls_is_named_in_time(server):
    begun = time.monotonic()
    with pytest.raises(CameraError, match=r"no frame for 2 s after \d+ frames; look at the camera"):
        list(stream(server, mjpeg_stream(10, then_s=30.0), wait_s=2.0).frames(FramePace(100.0)))
    assert time.monotonic() - begun < 20


def test_no_stream_there_is_named_without_its_login():
    source = open_source("rtsp://anna:secret@127.0.0.1:9/live", "gate", FrameTimes(wait_s=1.0))
    with pytest.raises(CameraError, match=r"^rtsp://127.0.0.1:9/live: no stream there") as refused:
        next(source.frames(FramePace(5.0)))
    assert "secret" not in str(refused.value)


def test_a_camera_that_accepts_and_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        begun = time.monotonic()
        with pytest.raises(CameraError, match="no stream there within 1 s"):
            next(LiveStream(f"rtsp://127.0.0.1:{port}/", "gate", 1.0).frames(FramePace(5.0)))
        assert time.monotonic() - begun < 20


def test_its_thread_ends_with_the_stream(server):
    taken = stream(server, mjpeg_stream(200)).frames(FramePace(100.0))
    next(taken)
    assert _readers()
    taken.close()
    assert not _readers()


def _readers():
    return [one for one in threading.enumerate() if one.name == "camera stream"]


def test_a_camera_that_speaks_rtsp_is_watched_to_its_end():
    with rtsp_camera(60) as address:
        taken = open_source(address, "gate", FrameTimes(wait_s=5.0)).frames(FramePace(100.0))
        image = next(taken).image_HWC
        apart = min(np.abs(image.astype(int) - picture(number)).mean() for number in range(30))
        assert apart < 4
        with pytest.raises(CameraError, match=r"ended the stream after \d+ frames"):
            list(taken)

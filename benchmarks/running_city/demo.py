"""`deepcity up --demo` from nothing: how soon it shows something, and a walk through its page.

The walk is what an operator does in the first minutes, in a Chromium, in English and in Korean,
wide and on a phone. Its pictures are those of docs/how-to/demo.md.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from control_room_page import PHONE, ControlRoom, chromium, control_room
from live_server import free_port
from playwright.sync_api import expect
from processes import ENV, command

PICTURES = Path(__file__).parents[2] / "docs" / "images"
LANGUAGES = {"en": "en-US", "ko": "ko-KR"}
WORDS = {"en": "Tanks are full enough until noon.", "ko": "정오까지는 배수지 수위가 충분함"}
PATIENCE_S = 300.0
SETTLED_MS = 1_500
HOUR_S = 3600
AIMS = {
    "page": "15 s",
    "forecast": "30 s",
    "decision": "2 replayed hours",
    "forecaster that learned together": "",
}


@dataclass(frozen=True)
class _Demo:
    """A demo that runs.

    Attributes:
        begun: when its process was begun, by this machine's clock.
    """

    address: str
    begun: float

    def first(self, kind: str) -> dict[str, Any]:
        """The first event of a kind, once it is there."""
        return self.until(lambda: self.asked("/api/events", kind=kind, limit=1))[0]

    def asked(self, path: str, **query: object) -> Any:
        """The JSON of a route; None while it does not answer."""
        try:
            found = httpx.get(f"{self.address}{path}", params=query, timeout=30, trust_env=False)
        except httpx.TransportError:
            return None
        return found.json() if found.status_code == 200 else None

    def until(self, found: Any) -> Any:
        """What is found, once it is.

        Raises:
            TimeoutError: if it never comes.
        """
        while time.time() < self.begun + PATIENCE_S:
            if value := found():
                return value
            time.sleep(0.05)
        raise TimeoutError(f"{self.address}: nothing within {PATIENCE_S:.0f} s")


def demo() -> str:
    """Seconds to page and forecast, replayed hours to a decision; the walk, with its pictures."""
    steps: list[str] = []
    with TemporaryDirectory() as name, chromium() as browser, _running(Path(name)) as demo:
        with control_room(browser, demo.address) as room:
            demo.until(lambda: demo.asked("/health"))
            room.open()
            expect(room.page.locator("nav a").first).to_be_visible()
            page_s = time.time() - demo.begun
            forecast, decision = demo.first("forecast"), demo.first("decision")
        begun_s = demo.first("node")["at_s"]
        copies = Path(name) / "runs" / "up-demo" / "runs"
        demo.until(lambda: [*copies.glob("quick-????????")])  # not those of quick-alone
        together_s = time.time() - demo.begun
        for short, language in LANGUAGES.items():
            with control_room(browser, demo.address, language=language) as room:
                steps = _walk(room, demo, short)
            with control_room(browser, demo.address, language=language, viewport=PHONE) as room:
                room.open("#/decisions")
                _picture(room, f"demo-phone-{short}")
                room.quiet()
    found = {
        "page": f"{page_s:.1f} s",
        "forecast": f"{forecast['recorded_s'] - demo.begun:.1f} s",
        "decision": f"{(decision['at_s'] - begun_s) / HOUR_S:.1f} replayed hours, "
        f"{decision['recorded_s'] - demo.begun:.1f} s",
        "forecaster that learned together": f"{together_s:.1f} s",
    }
    lines = [
        "## A running city: the demo, from nothing",
        "`deepcity up --demo` in an empty folder, with nothing learned before, and a Chromium",
        "beside it. Page: to its first view in the browser. Then a walk through it, in both",
        "languages; nothing was asked of another server, and the browser complained of",
        "nothing.",
        "",
        "| first | after | aim |",
        "|---|---:|---:|",
        *(f"| {what} | {after} | {AIMS[what]} |" for what, after in found.items()),
        "",
        *(f"{number}. {step}" for number, step in enumerate(steps, 1)),
    ]
    return "\n".join(lines)


@contextmanager
def _running(folder: Path) -> Iterator[_Demo]:
    """The demo as a process of its own, begun in a folder where nothing is."""
    port, begun = free_port(), time.time()
    with (folder / "out.txt").open("wb") as out:
        process = subprocess.Popen(
            command("up", "--demo", "--port", port),
            cwd=folder, stdout=out, stderr=out, env=ENV, start_new_session=True,
        )  # fmt: skip
        try:
            yield _Demo(f"http://127.0.0.1:{port}", begun)
            process.send_signal(signal.SIGINT)
            process.wait(60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _walk(room: ControlRoom, demo: _Demo, short: str) -> list[str]:
    """Each step of the walk, as it was seen."""
    room.open("#/map")
    tile = room.page.locator(".tiles button").first
    tile.click()
    expect(room.value()).to_be_visible()
    _picture(room, f"demo-map-{short}")
    steps = [f"Map: {tile.locator('.tile-name').inner_text()} is chosen; its chart shows a band."]

    waiting = demo.until(lambda: _waiting(demo))
    room.go("decisions")
    room.answer(waiting, "confirm", WORDS[short])
    expect(room.decision(waiting).locator(".history li")).to_have_count(1)
    _picture(room, f"demo-decision-{short}")
    room.answer(waiting, "undo")
    expect(room.decision(waiting).locator(".history li")).to_have_count(2)
    steps.append(
        "Decisions: one is confirmed with a comment, then undone; both stay in its history."
    )

    for name, what in (
        ("services", "Services: a card for each that is forecast."),
        ("alarms", "Alarms: the queue."),
        ("handover", "Shift hand-over: the answer above is in it."),
        ("agencies", "Agencies and sources: age, rows and what is missing of each."),
        ("intercity", "Inter-City Application Map: who shares which layer with whom."),
    ):
        room.go(name)
        _picture(room, f"demo-{name}-{short}")
        steps.append(what)
    room.quiet()
    return steps


def _waiting(demo: _Demo) -> int | None:
    """The newest decision that waits for a person."""
    found = demo.asked("/api/decisions") or []
    return next((one["id"] for one in found if one["status"] == "waiting"), None)


def _picture(room: ControlRoom, name: str) -> None:
    room.page.wait_for_timeout(SETTLED_MS)
    (PICTURES / f"{name}.webp").write_bytes(room.picture())

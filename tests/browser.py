"""A real Chromium, driven over a pipe: enough of its protocol to look at one page."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def _chromiums() -> Iterator[str]:
    """Those of the system, then the ones that Playwright downloaded."""
    yield from filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache/ms-playwright"))
    yield from map(str, sorted(cache.glob("chromium-*/chrome-linux*/chrome"), reverse=True))


CHROMIUM = next(_chromiums(), None)
NO_CHROMIUM = (
    "no Chromium on this machine: apt-get install chromium, or playwright install chromium"
)
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
          "--no-first-run", "--disable-component-update", "--remote-debugging-pipe")  # fmt: skip
_LAUNCH = (
    "import os, sys; r, w = int(sys.argv[1]), int(sys.argv[2]);"
    "r, w = os.dup(r), os.dup(w); os.dup2(r, 23); os.dup2(w, 24);"
    "os.dup2(23, 3); os.dup2(24, 4); os.execv(sys.argv[3], sys.argv[3:])"
)


@dataclass
class Tab:
    """One open page: what it requested, what it complained of, and a way to ask it things."""

    reader: Any
    writer: Any
    session: str | None = None
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    loads: int = 0
    _asked: int = 0

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._asked += 1
        message = {"id": self._asked, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.writer.write(json.dumps(message).encode() + b"\0")
        self.writer.flush()
        while True:
            heard = self._receive()
            if heard.get("id") == self._asked:
                assert "error" not in heard, heard
                return dict(heard["result"])

    def open(self, address: str) -> None:
        self.loads = 0
        self.ask("Page.navigate", url="about:blank")
        self._until_loaded()
        self.loads, self.requests, self.complaints = 0, [], []
        self.ask("Page.navigate", url=address)
        self._until_loaded()

    def value(self, script: str) -> Any:
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def _until_loaded(self) -> None:
        while not self.loads:
            self._receive()

    def _receive(self) -> dict[str, Any]:
        raw = bytearray()
        while (byte := self.reader.read(1)) != b"\0":
            assert byte, "the browser went away"
            raw += byte
        heard: dict[str, Any] = json.loads(raw)
        params = heard.get("params", {})
        match heard.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" | "Log.entryAdded":
                self.complaints.append(json.dumps(params))
            case "Page.loadEventFired":
                self.loads += 1
        return heard


@contextmanager
def browsing(profile: Path, *, language: str = "en-US") -> Iterator[Tab]:
    """A fresh browser with one tab; it ends with the block."""
    assert CHROMIUM
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    arguments = [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", f"--accept-lang={language}"]
    browser = subprocess.Popen(
        [sys.executable, "-c", _LAUNCH, str(to_read), str(from_write), *arguments],
        pass_fds=(to_read, from_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(to_read)
    os.close(from_write)
    with os.fdopen(to_write, "wb") as writer, os.fdopen(from_read, "rb") as reader:
        tab = Tab(reader, writer)
        target = tab.ask("Target.createTarget", url="about:blank")["targetId"]
        tab.session = tab.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            tab.ask(f"{domain}.enable")
        try:
            yield tab
        finally:
            browser.terminate()
            browser.wait(timeout=20)

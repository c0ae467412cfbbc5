"""The control room in a headless Chromium: first view, frames a second, and what it loads.

    python -m benchmarks.control_room [--places 100000] [--seconds 5]

The page is served by the invented city of the tests on this machine, so that no node's work is
timed. The browser draws without a graphics card (SwiftShader, on the processor): one with a card
draws faster. First view is from the start of loading to the first frame with all places drawn and
the alarms listed, with an empty cache; the median of three. Frames are those that the map drew
while the view is moved on without pause, and while every place takes a new value with each frame.
Beside them stand milliseconds of the processor a frame: of the page's own thread, which a card does
not help with, and of drawing, which it takes over. Bytes are of what was asked for up to the first
view, packed by gzip.
"""

import argparse
import gzip
import os
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.browser_cpu import DRAWING, PAGE, cpu_seconds
from benchmarks.record import record

ROOT = Path(__file__).parents[1]
RUNS = 3
FEW = 60

MOVING = """async seconds => {
  const {map, layer} = controlRoom, start = map.getCenter(), zoom = map.getZoom();
  const [before, from] = [layer.drawn, performance.now()];
  map.easeTo({center: [start.lng + 0.05, start.lat + 0.02], zoom: zoom + 1,
              duration: seconds * 1000, easing: t => t, essential: true});
  await new Promise(done => setTimeout(done, seconds * 1000));
  const found = (layer.drawn - before) / (performance.now() - from) * 1000;
  map.jumpTo({center: start, zoom});
  return found;
}"""
CHANGING = """async seconds => {
  const {layer} = controlRoom, n = layer.places.length;
  const moments = [0, 1, 2, 3].map(k => Array.from({length: n}, (_, i) => (i * 7 + k * 25) % 100));
  const [before, from] = [layer.drawn, performance.now()];
  let turn = 0, on = true;
  const next = () => {
    layer.setValues(moments[turn++ % 4], {low: 0, high: 100});
    if (on) requestAnimationFrame(next);
  };
  next();
  await new Promise(done => setTimeout(done, seconds * 1000));
  on = false;
  return (layer.drawn - before) / (performance.now() - from) * 1000;
}"""
SEEN = """() => window.controlRoom?.layer.drawn > 0 && document.querySelector('.rail .line-item')
  && document.querySelector('.map[data-kind=measured]') ? performance.now() : 0"""


DRAWN = "controlRoom.layer.drawn"
SCRIPTS = (("the view moves", MOVING), ("every value is new", CHANGING))
SETTLED_MS = 3_000


def main() -> None:
    """Measure, print and record."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--places", type=int, default=100_000)
    words.add_argument("--seconds", type=float, default=5)
    asked = words.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))  # the invented city and the page object
    text = report(asked.places, asked.seconds)
    print(text)
    record("control-room", text)


@dataclass(frozen=True)
class Frames:
    """Frames a second, and what one took of the processor, in ms."""

    rate: float
    page_ms: float
    drawing_ms: float


def report(places: int, seconds: float) -> str:
    """The section of RESULTS.md."""
    from control_room_page import chromium

    with chromium() as browser:
        views = {count: first_view(browser, count) for count in (FEW, places)}
        counts = (FEW, places)
        moved = {(n, what): frames(browser, n, js, seconds) for n in counts for what, js in SCRIPTS}
        version = browser.version
    loaded = views[FEW].kb
    first = [f"| {count:,} | {one.ms:,.0f} | {one.cpu_ms:,.0f} |" for count, one in views.items()]
    drawn = [
        f"| {count:,} | {what} | {one.rate:.1f} | {one.page_ms:.1f} | {one.drawing_ms:.0f} |"
        for (count, what), one in moved.items()
    ]
    parts = ", ".join(f"{name} {size:.0f}" for name, size in loaded.items() if size >= 1)
    return "\n".join(
        [
            "## The control room in a browser",
            "",
            f"`python -m benchmarks.control_room`: Chromium {version}, headless, drawing on the "
            f"processor (SwiftShader); {os.cpu_count()} cores, {os.getloadavg()[0]:.1f} processes "
            "busy. Aims: first view under 2,000 ms, 60 frames a second, 600 kB.",
            "",
            "| places | first view, ms | of the processor, ms |",
            "| ---: | ---: | ---: |",
            *first,
            "",
            "| places | meanwhile | frames a second | CPU ms a frame: page | drawing |",
            "| ---: | --- | ---: | ---: | ---: |",
            *drawn,
            "",
            f"Loaded up to the first view: {sum(loaded.values()):.0f} kB gzip ({parts}). Later, "
            f"when asked for: the chart, drawing tools, and finer coasts and borders of the "
            f"countries in view ({later_kb()}).",
        ]
    )


@dataclass(frozen=True)
class FirstView:
    """Milliseconds by the clock and of the processor, and kB of each file until then."""

    ms: float
    cpu_ms: float
    kb: dict[str, float]


def first_view(browser: Browser, places: int) -> FirstView:
    """From the address to all places drawn."""
    from fake_city import STATIC, FakeCity, serving_city

    times, used, loaded = [], [], {}
    with serving_city(FakeCity(places=places)) as address:
        for _ in range(RUNS):
            context = browser.new_context(viewport={"width": 1400, "height": 860})
            page = context.new_page()
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            before = cpu_seconds()
            page.goto(address, wait_until="commit")
            times.append(page.wait_for_function(SEEN, timeout=120_000).json_value())
            used.append((cpu_seconds() - before) * 1000)
            paths = (url.removeprefix(f"{address}/") for url in dict.fromkeys(asked))
            names = [path or "index.html" for path in paths]
            own = [name for name in names if (STATIC / name).is_file()]
            loaded = {name.split("/")[-1]: packed_kb(STATIC / name) for name in own}
            context.close()
    return FirstView(statistics.median(times), statistics.median(used), loaded)


def frames(browser: Browser, places: int, script: str, seconds: float) -> Frames:
    """Frames while a script runs."""
    from control_room_page import control_room
    from fake_city import FakeCity, serving_city

    with serving_city(FakeCity(places=places)) as address, control_room(browser, address) as room:
        page = room.open().page
        page.wait_for_function(SEEN, timeout=120_000)
        page.wait_for_timeout(SETTLED_MS)
        drawn = page.evaluate(DRAWN)
        page_s, drawing_s = cpu_seconds(PAGE, main_thread=True), cpu_seconds(DRAWING)
        rate = page.evaluate(script, seconds)
        count = max(page.evaluate(DRAWN) - drawn, 1)
        page_s = cpu_seconds(PAGE, main_thread=True) - page_s
        drawing_s = cpu_seconds(DRAWING) - drawing_s
    return Frames(rate, page_s / count * 1000, drawing_s / count * 1000)


def packed_kb(path: Path) -> float:
    """What it weighs on the way."""
    return len(gzip.compress(path.read_bytes())) / 1000


def later_kb() -> str:
    """What finer parts of the basemap weigh."""
    from fake_city import STATIC

    fine = {path.stem: packed_kb(path) for path in (STATIC / "basemap").glob("*.json")}
    world = fine.pop("world")
    return (
        f"a country {statistics.median(fine.values()):.0f} kB in the median, "
        f"{max(fine.values()):.0f} at most; the coarse world, {world:.0f}, comes at once"
    )


if __name__ == "__main__":
    main()

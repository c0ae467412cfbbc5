"""The control room in a real Chromium: a page object that tests of any node can drive."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from browser import CHROMIUM
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

# WebGL without a graphics card; the rest keeps the browser from asking anything of its own.
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
         "--ignore-gpu-blocklist", "--disable-background-networking"]  # fmt: skip
PATIENCE_MS = 20_000
WIDE = {"width": 1400, "height": 860}
PHONE = {"width": 360, "height": 740}


TO_WEBP = """async png => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/webp", 0.82).split(",")[1];
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser for one module of tests."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class ControlRoom:
    """One open control room, with what it asked of others and what it complained of."""

    page: Page
    address: str
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, where="#/map"):
        self.page.goto(f"{self.address}/{where}")
        return self

    def go(self, name):
        """To a page by its name in the address."""
        self.page.locator(f"nav a[href='#/{name}']").click()
        expect(self.page.locator(f"main.at-{name}")).to_be_visible()

    def map_ready(self):
        """Waits for the map with its places."""
        expect(self.page.locator(".map-canvas[data-ready=true]")).to_be_visible()
        expect(self.page.locator(".map[data-kind]")).to_be_visible()
        # Asked from here: waiting inside the page needs eval, which the page's policy forbids.
        for _ in range(PATIENCE_MS // 50):
            if self.page.evaluate("window.controlRoom?.layer.drawn > 0"):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("the map has drawn no place")

    def choose_on_map(self, index):
        """A click on a place's circle; gives the page's idea of its value."""
        x, y = self.page.evaluate(
            "i => { const p = controlRoom.layer.places[i];"
            "const at = controlRoom.map.project([p.lon, p.lat]); return [at.x, at.y]; }",
            index,
        )
        box = self.page.locator(".map-canvas").bounding_box()
        self.page.mouse.click(box["x"] + x, box["y"] + y)
        return self.value()

    def value(self):
        return self.page.locator("#place-value")

    def choose_party(self, service, party):
        self.page.locator("#party").select_option(f"{service} {party}")

    def slide_to(self, time_s):
        """The time slider to a moment, UTC seconds."""
        self.page.locator("#time").evaluate(
            "(slider, to) => { slider.value = to;"
            "slider.dispatchEvent(new Event('input', {bubbles: true})); }",
            time_s,
        )

    def alarm(self, number) -> Locator:
        return self.page.locator(f'[data-alarm="{number}"]')

    def change(self, number, what, words=None):
        """A change of an alarm, with words where it asks for them."""
        card = self.alarm(number)
        card.locator(f"button[data-change={what}]").click()
        if what != "acknowledge":
            card.locator("input[name=words]").fill(words or "")
            card.locator("form button[type=submit]").click()

    def decision(self, number) -> Locator:
        return self.page.locator(f'[data-decision="{number}"]')

    def answer(self, number, what, comment=""):
        card = self.decision(number)
        card.locator("form input").fill(comment)
        card.locator(f"button[data-answer={what}]").click()

    def log_in(self, name, password):
        self.page.locator("input[name=name]").fill(name)
        self.page.locator("input[name=password]").fill(password)
        self.page.locator("form button[type=submit]").click()

    def picture(self) -> bytes:
        """What is seen now, as WebP, written by the browser itself."""
        shot = base64.b64encode(self.page.screenshot()).decode()
        blank = self.page.context.new_page()
        try:
            return base64.b64decode(blank.evaluate(TO_WEBP, shot))
        finally:
            blank.close()

    def quiet(self):
        """Nothing asked of the outside, nothing complained of."""
        assert (self.foreign, self.complaints) == ([], [])


@contextmanager
def control_room(browser: Browser, address, *, viewport=None, language="en-US", scheme="dark"):
    """A control room of its own: cookies and choices are not shared with others."""
    context = browser.new_context(
        viewport=viewport or WIDE, locale=language, color_scheme=scheme, reduced_motion="reduce"
    )
    room = ControlRoom(context.new_page(), address)

    def only_own(route):
        if route.request.url.startswith((address, "data:", "blob:")):
            return route.continue_()
        room.foreign.append(route.request.url)
        return route.abort()

    context.route("**/*", only_own)
    room.page.on("pageerror", lambda error: room.complaints.append(str(error)))
    room.page.on("console", lambda m: room.complaints.append(m.text) if m.type == "error" else None)
    try:
        yield room
    finally:
        context.close()

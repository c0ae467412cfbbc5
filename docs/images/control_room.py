"""Pictures of the control room for the documentation: `python docs/images/control_room.py`.

Taken of the invented city of the tests, in both languages, wide and as a phone; written as WebP by
the browser itself.
"""

import base64
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "src")]

from control_room_page import PHONE, ControlRoom, chromium, control_room  # noqa: E402
from fake_city import FakeCity, serving_city  # noqa: E402

LANGUAGES = {"en": "en-US", "ko": "ko-KR"}
PAGES = {"map": "dark", "decisions": "light", "intercity": "dark"}
SETTLED_MS = 2_500
TO_WEBP = """async png => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/webp", 0.82).split(",")[1];
}"""


def main() -> None:
    """Take all of them."""
    city = FakeCity()
    with chromium() as browser, serving_city(city) as address:
        for short, language in LANGUAGES.items():
            for page, scheme in PAGES.items():
                how = {"language": language, "scheme": scheme}
                with control_room(browser, address, **how) as room:
                    take(room, page, f"control-room-{page}-{short}")
            phone = {"viewport": PHONE, "language": language}
            with control_room(browser, address, **phone) as room:
                take(room, "map", f"control-room-phone-{short}")


def take(room: ControlRoom, page: str, name: str) -> None:
    """One page, once it stands still."""
    room.open(f"#/{page}")
    if page == "map":
        room.map_ready()
        room.choose_on_map(2)
        room.page.mouse.move(5, 5)
    room.page.wait_for_timeout(SETTLED_MS)
    shot = base64.b64encode(room.page.screenshot()).decode()
    blank = room.page.context.new_page()
    (HERE / f"{name}.webp").write_bytes(base64.b64decode(blank.evaluate(TO_WEBP, shot)))


if __name__ == "__main__":
    main()

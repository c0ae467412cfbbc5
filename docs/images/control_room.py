"""Pictures of the control room for the documentation: `python docs/images/control_room.py`.

Taken of the invented city of the tests, in both languages, wide and as a phone; written as WebP by
the browser itself.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "src")]

from control_room_page import PHONE, ControlRoom, chromium, control_room  # noqa: E402
from fake_city import FakeCity, serving_city  # noqa: E402

LANGUAGES = {"en": "en-US", "ko": "ko-KR"}
PAGES = {"map": "dark", "decisions": "light", "intercity": "dark", "house": "light"}
SETTLED_MS = 2_500


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
    (HERE / f"{name}.webp").write_bytes(room.picture())


if __name__ == "__main__":
    main()

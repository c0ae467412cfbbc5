"""What a request asks for: its moment, places and requests of a plan, and its body."""

from collections.abc import Callable
from datetime import datetime

from fastapi import Query, Request
from starlette.requests import ClientDisconnect

from deepcity.applications.state import Request as PlanRequest
from deepcity.data.config.toml_file import did_you_mean
from deepcity.web.api.refusals import Refusal

LATEST = 10**11
"""Seconds since 1970 that no moment reaches; years have five digits then."""
_MOST_ASKED, _MOST_CARS = 100, 1000
REQUESTS = Query(
    alias="request",
    description="for a plan: LAT,LON,STEP of arrival from 0 on, and maybe how many cars: 1 if "
    "left out; may be repeated",
    examples=["51.05,13.74,2,4"],
)
UNITS = Query(
    ge=0,
    le=100_000,
    description="for patrols: how many there are; left out, the application's own number",
    examples=[12],
)


async def read_body(request: Request, most: int) -> bytes:
    """A request's body.

    Raises:
        Refusal: if it is longer than `most` bytes; the rest is not read.
    """
    found, stated = bytearray(), request.headers.get("Content-Length", "")
    too_long = stated.isascii() and stated.isdigit() and int(stated) > most
    try:
        async for chunk in request.stream():
            if too_long or len(found) + len(chunk) > most:
                what = f"body of {stated if too_long else f'more than {most}'} bytes"
                raise Refusal(413, what, f"{most:,} bytes at most", "send fewer rows at once")
            found += chunk
    except ClientDisconnect as error:  # no one is there to read it
        raise Refusal(400, "body", "it broke off", "send it again") from error
    return bytes(found)


def one_moment(at: list[str] | None) -> str | None:
    """The moment asked for; None: now.

    Raises:
        Refusal: if there are several.
    """
    if at is not None and len(at) > 1:
        raise Refusal(422, f"{len(at)} moments", "a request has one", "ask once for each")
    return None if at is None else at[0]


def place_numbers(known: tuple[str, ...], asked: list[str] | None) -> list[int]:
    """Indices of the places asked for; all where none is named.

    Raises:
        Refusal: if one is unknown, or there are too many.
    """
    if not asked:
        return list(range(len(known)))
    if len(asked) > len(known):
        reason = f"there are {len(known)}"
        raise Refusal(422, f"{len(asked)} places", reason, "name each once, or none for all")
    where = {place: index for index, place in enumerate(known)}
    strange = [place for place in asked if place not in where]
    if strange:
        reason = f"none of the {len(known)} places"
        right = did_you_mean(strange[0][:100], list(known))
        raise Refusal(404, ", ".join(strange)[:200], reason, right)
    return [where[place] for place in asked]


def plan_requests(asked: list[str], steps: int) -> list[PlanRequest]:
    """Requests of a plan, each LAT,LON,STEP,CARS.

    Args:
        steps: how many steps ahead a plan looks.

    Raises:
        Refusal: if some are not, with all of them; or if there are too many.
    """
    if len(asked) > _MOST_ASKED:
        reason = f"at most {_MOST_ASKED} at once"
        raise Refusal(422, f"{len(asked)} requests", reason, "ask for fewer at once")
    found, wrong = [], []
    for number, text in enumerate(asked):
        parts = text.split(",")
        try:
            lat, lon = map(float, parts[:2])
            step, count = int(parts[2]), int(parts[3]) if len(parts) == 4 else 1
            fits = abs(lat) <= 90 and abs(lon) <= 180 and len(parts) <= 4  # NaN fits nowhere
            fits &= 0 <= step < steps and 1 <= count <= _MOST_CARS
        except (ValueError, IndexError):
            fits = False
        if fits:
            found.append(PlanRequest(f"request-{number + 1}", lat, lon, step, count))
        else:
            wrong.append(text[:100])
    if wrong:
        reason = f"not LAT,LON,STEP,CARS with a step of 0 to {steps - 1} and at most 1000 cars"
        right = f"write request=51.05,13.74,{min(2, steps - 1)},4"
        raise Refusal(422, "; ".join(wrong)[:500], reason, right)
    return found


def seconds_of(at: str | None, clock: Callable[[], float]) -> int:
    """A moment as seconds since 1970; None: now.

    Raises:
        Refusal: if it is none, has no time zone, or lies before 1970.
    """
    if at is None:
        return int(clock())
    if at.isascii() and at.isdigit() and len(at) < 12:  # "²" is a digit too, and no number
        return int(at)
    try:
        found = datetime.fromisoformat(at.replace(" ", "+"))  # a + that was not escaped
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        right = "write seconds since 1970, or ISO 8601 with its zone: 2024-05-01T10:00:00Z"
        raise Refusal(422, at[:100], "no moment, or without its time zone", right)
    seconds = int(found.timestamp())
    if not 0 <= seconds < LATEST:
        raise Refusal(422, at[:100], "before 1970 or after 5138", "ask for a time of the records")
    return seconds

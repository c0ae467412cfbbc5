"""How fast a city's time goes: by the machine's clock, or by recorded days that are played."""

import math
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from deepcity.cli.progress_bars import errors

if TYPE_CHECKING:
    from deepcity.data.city_file import CityFile
    from deepcity.live.node.clock import NodeClock

MAX = "max"


def replay_speed(text: str) -> float:
    """A number of seconds, or `max`."""
    if text == MAX:
        return math.inf
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not (found > 0 and math.isfinite(found)):
        raise typer.BadParameter(f"{text!r}: write a number over 0, such as 600, or max")
    return found


def node_clock(
    start: datetime | None, speed: float, city_file: "CityFile", newest_s: int | None
) -> "NodeClock":
    """The clock to go by; a replay goes on from the newest event that it left."""
    from deepcity.live.node.clock import LiveClock, ReplayClock

    if start is None:
        return LiveClock()
    clock = city_file.city.clock
    zoned = start if start.tzinfo else start.replace(tzinfo=ZoneInfo(clock.time_zone))
    begin_s = int(zoned.timestamp())
    steps = [clock.step, *(one.step for one in city_file.settings.agency if one.step is not None)]
    step_s = int(min(steps).total_seconds())
    if newest_s is not None and newest_s > begin_s:
        begin_s += (newest_s - begin_s) // step_s * step_s
        errors.print("Going on where this replay stopped; another --state begins anew.")
    return ReplayClock(begin_s, step_s, speed)

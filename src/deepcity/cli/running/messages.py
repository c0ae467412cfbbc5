"""What `deepcity up` prints."""

import webbrowser
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from deepcity.cli.progress_bars import errors

if TYPE_CHECKING:
    from deepcity.data.city_file import CityFile
    from deepcity.live.node.node import Node
    from deepcity.live.node.open_node import FoundForecasters

_NAMED = 3
_OLD_S = 3 * 86_400  # later than this, no forecast is made


def print_found(found: "FoundForecasters", city_file: "CityFile") -> None:
    """Which forecasters there are, and what was left out."""
    for folder, reason in found.left_out:
        errors.print(f"Left out {folder}: {reason}", markup=False)
    if found.forecasters:
        names = ", ".join(map(str, found.folders))
        errors.print(f"{len(found.forecasters)} forecasters from {names}", markup=False)
        return
    errors.print(
        f"No run has a forecaster of {city_file.city.name}: measured values alone are shown. "
        f"Train some (deepcity run MAP.toml), and name the folder with --run.",
        markup=False,
    )


def print_old_records(node: "Node") -> None:
    """Recorded days are no live city; someone who tries it with them should learn how."""
    node.started.wait()
    now_s = node.clock.now()
    newest = [node.source(agency, now_s).newest_s for agency in node.agencies]
    newest_s = max((one for one in newest if one is not None), default=None)
    if newest_s is None or now_s - newest_s < _OLD_S:
        return
    zone = ZoneInfo(node.city_file.city.clock.time_zone)
    last = datetime.fromtimestamp(newest_s, zone)
    errors.print(
        f"The newest records are of {last:%Y-%m-%d %H:%M}: nothing can be forecast from them until "
        f"rows come. To play recorded days, add --replay {last - timedelta(days=2):%Y-%m-%dT00:00} "
        "--speed 600.",
        markup=False,
    )


def print_learned_days(node: "Node") -> None:
    """Say, once, that a replay begins among days that networks learned from, and until when."""
    node.started.wait()
    now_s = node.clock.now()
    ends = {one.party.party.party: one.party.learned_to_s or 0 for one in node.parties.values()}
    late = {name: end_s for name, end_s in ends.items() if end_s > now_s}
    if not late:
        return
    zone = ZoneInfo(node.city_file.city.clock.time_zone)
    end = datetime.fromtimestamp(max(late.values()), zone)
    names = ", ".join([*late][:_NAMED]) + (f" and {len(late) - _NAMED} more" * (len(late) > _NAMED))
    errors.print(
        f"This replay begins among days that the networks of {names} learned from: they forecast "
        f"nothing before {end:%Y-%m-%d %H:%M}. To begin with forecasts, give --replay "
        f"{end:%Y-%m-%dT%H:%M} and another --state.",
        markup=False,
    )


def print_trouble(trouble: str) -> None:
    """Trouble."""
    errors.print(trouble, style="red", markup=False)


def print_news(line: str) -> None:
    """A line of news."""
    errors.print(line, markup=False)


def print_ready(address: str, *, open_page: bool) -> None:
    """Where the page is."""
    errors.print(f"The control room is at {address} (stop with Ctrl-C)", markup=False)
    if open_page:
        webbrowser.open(address)

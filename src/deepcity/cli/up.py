"""`deepcity up CITY.toml`: a running city and its control room."""

import math
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from deepcity.city.errors import ConfigError, DeepCityError
from deepcity.city.problem import Problem
from deepcity.cli.demo import bundled, check_demo_data
from deepcity.cli.forecasting.options import limit_threads, parse_time
from deepcity.cli.progress_bars import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI

    from deepcity.data.city_file import CityFile
    from deepcity.live.feeds.feeds import Feeds
    from deepcity.live.node.clock import NodeClock
    from deepcity.live.node.node import Node
    from deepcity.live.node.open_node import FoundForecasters
    from deepcity.live.node.record_sources import RecordSource
    from deepcity.web.ngsi.subscriptions.endpoints import AllowedHost

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_DEMO_START, _DEMO_SPEED = "2023-02-20T06:00", 600.0
_REPLAY_LOOK_S = 0.05
_MAX = "max"
_OLD_S = 3 * 86_400  # later than this, no forecast is made
_NOT_STARTED = 3  # as uvicorn has it


def _speed(text: str) -> float:
    """A number of seconds, or `max`."""
    if text == _MAX:
        return math.inf
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not (found > 0 and math.isfinite(found)):
        raise typer.BadParameter(f"{text!r}: write a number over 0, such as 600, or max")
    return found


def up(
    city: Annotated[
        Path | None, typer.Argument(help="City file.", metavar="CITY.toml", show_default=False)
    ] = None,
    runs: Annotated[
        list[Path] | None,
        typer.Option(
            "--run",
            help="Folder of a finished run (deepcity run or train-vertical) whose forecasters to "
            "use, or one that holds such folders; may be repeated. Default: runs.",
            metavar="FOLDER",
        ),
    ] = None,
    replay: Annotated[
        str | None,
        typer.Option(
            help="Play recorded days as if live, from this time on, such as 2024-05-01T08:00.",
            metavar="START",
        ),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(
            help="With --replay: seconds of the city in one of yours; max: as fast as steps are "
            "done.",
            parser=_speed,
            metavar="SPEED",
        ),
    ] = "1",  # type: ignore[assignment]  # the parser makes a number of it
    store: Annotated[
        str | None,
        typer.Option(
            help="Where events are kept: duckdb:///FILE, or postgresql://user:password@host/"
            "database. Default: city.duckdb in the folder of --state.",
            metavar="URL",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            help="Folder for its own files. Default: .CITY-node beside the city file.",
            metavar="FOLDER",
        ),
    ] = None,
    accounts: Annotated[
        Path | None,
        typer.Option(
            help="File of accounts (deepcity account NAME); without it, whoever sits at this "
            "machine may do all.",
            metavar="FILE",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8080,
    certificate: Annotated[
        Path | None, typer.Option(help="File of the TLS certificate (PEM). Default: no TLS.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="File of the TLS key (PEM).")] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option(
            help="A host that NGSI-LD subscriptions may be sent to, beside this machine; may be "
            "repeated.",
            metavar="HOST[:PORT]",
        ),
    ] = None,
    look: Annotated[
        float, typer.Option(min=0.05, help="Seconds between two looks for new records.")
    ] = 5.0,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="Replay water districts of Ferrara; needs nothing but the demo's data."
        ),
    ] = False,
    open_page: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in a browser.")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads to use.")] = 1,
) -> None:
    """Bring a city to life: records flow in, services forecast and decide, operators answer.

    It follows the sources of the city file, forecasts every party that runs have trained for
    this city at every step, lets their applications decide, raises alarms, and keeps rows,
    forecasts, decisions and answers as events that are never changed. The page at the address it
    prints shows all of it. Stop it with Ctrl-C, or kill it: the same command goes on.

    With --replay recorded days are played as if they were live; nothing of the future is seen.

    Examples: deepcity up --demo, deepcity up seoul.toml --run runs/seoul,
    deepcity up seoul.toml --replay 2024-05-01T08:00 --speed 600
    """
    if demo:
        check_demo_data()
        city = city or bundled("ferrara.toml")
        replay, speed = replay or _DEMO_START, speed if speed != 1 else _DEMO_SPEED
        state = state or Path("runs") / "up-demo"
    if city is None:
        raise typer.BadParameter("name a city file, or try --demo")
    _check_doors(host, port, accounts, certificate, key)
    hosts = _hosts(notify or ())
    start = parse_time(replay, "--replay")
    if start is None and speed != 1:
        raise typer.BadParameter("--speed is of a replay; add --replay START")
    limit_threads(threads)
    from deepcity.live.node.node import Node
    from deepcity.live.node.run_node import start_node
    from deepcity.live.node.updates import DailyUpdate
    from deepcity.store.open_store import open_events
    from deepcity.web.control.accounts import load_accounts
    from deepcity.web.control.app import create_control_room

    people = None if accounts is None else load_accounts(accounts)
    city_file = _city(city, replay=start is not None)
    folder = state or city.parent / f".{city_file.city.name}-node"
    asked = [Path("runs") / "quick"] if demo else (runs or [Path("runs")])
    found = _find(asked, city_file, None if start is None else folder)
    if not demo:
        _tell_found(found, city_file)
    with open_events(store or f"duckdb:///{folder / 'city.duckdb'}") as events:
        feeds, sources = _records(found, city_file, folder / "spool", replay=start is not None)
        clock = _clock(start, speed, city_file, events.newest_s())
        used = list(found.folders)
        update = DailyUpdate(used, city_file.city.name)
        node = Node(city_file, sources, found.forecasters, events, clock, update)
        node.resume()
        app = create_control_room(
            node, used, folder, people, feeds, secure=certificate is not None, notify=hosts
        )
        thread, stop = start_node(node, look if start is None else _REPLAY_LOOK_S, _tell)
        if start is None:
            _beside(_tell_old_records, node)
        if demo and not found.forecasters:
            _beside(_learn_then_add, node, used, folder)
        try:
            _serve(app, host, port, certificate, key, open_page=open_page)
        finally:
            stop.set()
            thread.join(timeout=60)
            feeds.close()
            node.close()


def _find(runs: list[Path], city_file: "CityFile", copies: Path | None) -> "FoundForecasters":
    """What runs have trained for a city; with `copies`, a folder, as copies that may learn."""
    from deepcity.live.node.open_node import find_forecasters, run_folders
    from deepcity.live.node.updates import working_copies

    found = find_forecasters([one for path in runs for one in run_folders(path)], city_file)
    if copies is None:
        return found
    return replace(
        find_forecasters(working_copies(found.folders, copies), city_file), left_out=found.left_out
    )


def _city(path: Path, *, replay: bool) -> "CityFile":
    """The city file; records of a running city may come later: those are named.

    Raises:
        ConfigError: with every problem of the file.
    """
    from deepcity.data.city_file import check_city

    found, problems = check_city(path, later=not replay)
    if found is None:
        raise ConfigError(problems)
    for agency, lacking in found.awaited.items():
        for problem in lacking:
            errors.print(f"{agency} waits for its records: {problem}", style="yellow", markup=False)
    return found


def _records(
    found: "FoundForecasters", city_file: "CityFile", folder: Path, *, replay: bool
) -> "tuple[Feeds, dict[str, RecordSource]]":
    """What rows come in by, and each agency's records; nothing comes in during a replay."""
    from deepcity.live.feeds.feeds import Feeds, open_feeds
    from deepcity.live.node.open_node import sources_of

    feeds = Feeds(city_file) if replay else open_feeds(city_file)
    sources = sources_of(found.forecasters, city_file, folder, replay=replay, coming=feeds.trouble)
    return feeds, sources


def _serve(
    app: "FastAPI",
    host: str,
    port: int,
    certificate: Path | None,
    key: Path | None,
    *,
    open_page: bool,
) -> None:
    """Answer until a signal comes."""
    from deepcity.web.server.serving import make_server
    from deepcity.web.server.serving import serve as run_server
    from deepcity.web.server.traces import traced_by_environment

    address = f"{'http' if certificate is None else 'https'}://{host}:{port}"
    server = make_server(
        traced_by_environment(app),
        host,
        port,
        certificate=certificate,
        key=key,
        ready=partial(_ready, address, open_page=open_page),
        over=partial(errors.print, "Stopped."),
    )
    if not run_server(server):
        raise typer.Exit(_NOT_STARTED)


def _hosts(texts: "Sequence[str]") -> "list[AllowedHost]":
    from deepcity.web.ngsi.subscriptions.endpoints import allowed_host

    try:
        return [allowed_host(one) for one in texts]
    except ValueError as error:
        raise typer.BadParameter(f"--notify: {error}") from error


def _check_doors(
    host: str, port: int, accounts: Path | None, certificate: Path | None, key: Path | None
) -> None:
    from deepcity.web.server.serving import check_port

    if (certificate is None) != (key is None):
        raise typer.BadParameter("give both --certificate and --key, or neither")
    check_port(host, port)
    if host in _LOOPBACK:
        return
    if accounts is None:
        reason = "everyone who reaches this address could answer decisions"
        right = "make accounts (deepcity account NAME >> accounts.toml), and add --accounts FILE"
        raise ConfigError([Problem("command line", "--host", host, reason, right)])
    if certificate is None:
        errors.print("Without --certificate and --key, passwords cross the network unencrypted.")


def _clock(
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


def _tell_found(found: "FoundForecasters", city_file: "CityFile") -> None:
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


def _tell_old_records(node: "Node") -> None:
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


def _tell(trouble: str) -> None:
    errors.print(trouble, style="red", markup=False)


def _ready(address: str, *, open_page: bool) -> None:
    errors.print(f"The control room is at {address} (stop with Ctrl-C)", markup=False)
    if open_page:
        webbrowser.open(address)


def _beside(work: Callable[..., None], *what: object) -> None:
    """Work in a thread of its own that ends with the process."""
    threading.Thread(target=work, args=what, daemon=True).start()


def _learn_then_add(node: "Node", used: list[Path], copies: Path) -> None:
    """Train three districts in a process of its own, then let them take part, and learn on."""
    folder = Path("runs") / "quick"
    errors.print("Three districts learn together; forecasts follow in about half a minute.")
    command = [sys.executable, "-m", "deepcity", "run", str(bundled("quick.toml"))]
    done = subprocess.run(
        [*command, "--out", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        _tell(done.stderr.strip()[-1000:])
        return
    try:
        found = _find([folder], node.city_file, copies)
        used += found.folders
        node.add(found.forecasters)
    except DeepCityError as error:
        _tell(str(error))

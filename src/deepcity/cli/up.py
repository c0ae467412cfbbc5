"""`deepcity up CITY.toml`: a running city and its control room."""

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec

import typer

from deepcity.city.errors import DeepCityError
from deepcity.cli.demo import bundled, check_demo_data
from deepcity.cli.forecasting.options import limit_threads, parse_time
from deepcity.cli.progress_bars import errors
from deepcity.cli.running.checked import GivenPaths, check_given
from deepcity.cli.running.doors import allowed_hosts
from deepcity.cli.running.first_learning import (
    ALONE,
    TOGETHER,
    FirstLearning,
    demo_run,
)
from deepcity.cli.running.messages import (
    print_found,
    print_learned_days,
    print_news,
    print_old_records,
    print_ready,
    print_trouble,
)
from deepcity.cli.running.receiving import receiving
from deepcity.cli.running.replay_clock import node_clock, replay_speed
from deepcity.cli.running.searching import case_desk

if TYPE_CHECKING:
    from fastapi import FastAPI

    from deepcity.data.city_file import CityFile
    from deepcity.live.feeds.feeds import Feeds
    from deepcity.live.node.node import Node
    from deepcity.live.node.open_node import FoundForecasters
    from deepcity.live.node.received import ReceivedDeepData
    from deepcity.live.node.records.record_sources import RecordSource

_DEMO_START, _DEMO_SPEED = "2023-02-20T06:00", 600.0
_REPLAY_LOOK_S = 0.05
_Given = ParamSpec("_Given")
_NOT_STARTED = 3  # as uvicorn has it


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
            parser=replay_speed,
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
    store_password: Annotated[
        Path | None,
        typer.Option(
            "--store-password-file",
            help="File that holds the password of the database of --store, which then stands in no "
            "command line.",
            metavar="FILE",
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
    oidc: Annotated[
        Path | None,
        typer.Option(
            help="File of an OpenID Connect provider whose people may log in.", metavar="FILE"
        ),
    ] = None,
    access: Annotated[
        Path | None,
        typer.Option(
            help="Access file: tokens and grants of agencies whose own processes (deepcity agent) "
            "send deep data, as of deepcity serve.",
            metavar="FILE",
        ),
    ] = None,
    cities: Annotated[
        Path | None,
        typer.Option(
            help="File of other cities: people here may search for a missing child with them "
            "(deepcity case).",
            metavar="FILE",
        ),
    ] = None,
    keep_days: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="With --access: days that deep data are kept, counted from their own time. "
            "Default: what the store has, at first 90.",
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
            help="A host that NGSI-LD subscriptions may be sent to; without accounts this machine "
            "is one; may be repeated.",
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
        bool | None,
        typer.Option(
            "--open/--no-open",
            help="Open the page in a browser. Default: with --demo, at a terminal.",
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads to use.")] = 1,
) -> None:
    """Bring a city to life: records flow in, services forecast and decide, operators answer.

    It follows the sources of the city file, forecasts every party that runs have trained for
    this city at every step, lets their applications decide, raises alarms, and keeps rows,
    forecasts, decisions and answers as events that are never changed. The page at the address it
    prints shows all of it. Stop it with Ctrl-C, or kill it: the same command goes on.

    With --replay recorded days are played as if they were live; nothing of the future is seen.
    With --access agencies whose rows are elsewhere send deep data (deepcity agent, --replay there).

    Examples: deepcity up --demo, deepcity up seoul.toml --run runs/seoul,
    deepcity up seoul.toml --replay 2024-05-01T08:00 --speed 600
    """
    if demo:
        check_demo_data()
        city = city or bundled("ferrara.toml")
        replay, speed = replay or _DEMO_START, speed if speed != 1 else _DEMO_SPEED
        state = state or Path("runs") / "up-demo"
        open_page = sys.stderr.isatty() if open_page is None else open_page
    if city is None:
        raise typer.BadParameter("name a city file, or try --demo")
    hosts = allowed_hosts(notify or ())
    start = parse_time(replay, "--replay")
    if start is None and speed != 1:
        raise typer.BadParameter("--speed is of a replay; add --replay START")
    first = FirstLearning.needed() if demo else None
    limit_threads(threads)
    from deepcity.live.node.checking.checker import RecordChecker
    from deepcity.live.node.learning.learner import DailyLearner
    from deepcity.live.node.node import Node
    from deepcity.live.node.open_node import MapFolders
    from deepcity.live.node.run_node import start_node
    from deepcity.store.open_store import open_events
    from deepcity.web.control.app import create_control_room

    given = GivenPaths(
        city, runs or (), accounts, oidc, access, certificate, key, store, store_password, cities
    )
    checked = check_given(given, host, port, keep_days, replay=start is not None)
    city_file, allowed = checked.city_file, checked.allowed
    name = city_file.city.name
    folder = state or city.parent / f".{name}-node"
    asked = [demo_run(TOGETHER)] if demo else (runs or [Path("runs")])
    found = _find([] if first else asked, city_file, None if start is None else folder)
    if not demo:
        print_found(found, city_file)
    url = checked.store or f"duckdb:///{folder / 'city.duckdb'}"
    with (
        open_events(url) as events,
        receiving(
            allowed,
            url,
            city_file,
            found.forecasters,
            keep_days,
            clock := node_clock(start, speed, city_file, events.newest_s()),
            folder,
        ) as received,
    ):
        feeds, sources = _records(found, city_file, folder, received, replay=start is not None)
        used = list(found.folders)
        node = Node(
            city_file,
            sources,
            found.forecasters,
            events,
            clock,
            learner=DailyLearner(used, name, folder, print_news, replayed=start is not None),
            snapshots=folder / "snapshots",
            received=received,
            checker=RecordChecker(city_file.path, folder, print_news),
            refused=feeds.refused,
        )
        node.resume()
        app = create_control_room(
            node,
            MapFolders(asked, used),
            folder,
            checked.people,
            feeds,
            checked.provider,
            secure=certificate is not None,
            notify=hosts,
            cases=case_desk(checked.cities, name, folder),
        )
        if demo and not found.forecasters:
            _learn_beside(node, first or FirstLearning(ALONE), used, folder)
        thread, stop = start_node(node, look if start is None else _REPLAY_LOOK_S, print_trouble)
        _beside(print_old_records if start is None else print_learned_days, node)
        try:
            _serve(app, host, port, certificate, key, open_page=bool(open_page))
        finally:
            stop.set()
            thread.join(timeout=60)
            feeds.close()
            node.close()


def _find(runs: list[Path], city_file: "CityFile", copies: Path | None) -> "FoundForecasters":
    """What runs have trained for a city; with `copies`, a folder, as copies that may learn."""
    from deepcity.live.node.learning.updates import working_copies
    from deepcity.live.node.open_node import find_forecasters, run_folders

    found = find_forecasters([one for path in runs for one in run_folders(path)], city_file)
    if copies is None:
        return found
    return replace(
        find_forecasters(working_copies(found.folders, copies), city_file), left_out=found.left_out
    )


def _records(
    found: "FoundForecasters",
    city_file: "CityFile",
    state: Path,
    received: "ReceivedDeepData | None",
    *,
    replay: bool,
) -> "tuple[Feeds, dict[str, RecordSource]]":
    """What rows come in by, and each agency's records; nothing comes in during a replay."""
    from deepcity.live.feeds.feeds import Feeds, open_feeds
    from deepcity.live.node.open_node import sources_of

    feeds = Feeds(city_file) if replay else open_feeds(city_file)
    sources = sources_of(
        found.forecasters,
        city_file,
        state / "spool",
        replay=replay,
        coming=feeds.trouble,
        received=received,
    )
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
        ready=partial(print_ready, address, open_page=open_page),
        over=partial(errors.print, "Stopped."),
    )
    if not run_server(server):
        raise typer.Exit(_NOT_STARTED)


def _beside(work: Callable[_Given, None], *what: _Given.args, **named: _Given.kwargs) -> None:
    """Work in a thread of its own that ends with the process."""
    threading.Thread(target=work, args=what, kwargs=named, daemon=True).start()


def _learn_beside(node: "Node", alone: FirstLearning, used: list[Path], copies: Path) -> None:
    """Let districts learn; the replay begins once they forecast, or cannot."""
    from deepcity.live.node.clock import ReplayClock

    errors.print(
        "Three districts learn, first alone, then together; the replay begins with their first "
        "forecast."
    )
    assert isinstance(node.clock, ReplayClock)
    node.clock.pause()
    node.first_learning_since_s = alone.since_s
    _beside(_add_learned, node, alone, used, copies, node.clock.go_on)


def _add_learned(
    node: "Node", alone: FirstLearning, used: list[Path], copies: Path, then: Callable[[], None]
) -> None:
    """Let the districts take part once they have learned alone, and again once together."""
    try:
        _add(node, alone, used, copies)
    finally:
        node.first_learning_since_s = None
        then()
    if not alone.stopped:
        _add(node, FirstLearning(TOGETHER), used, copies)


def _add(node: "Node", learning: FirstLearning, used: list[Path], copies: Path) -> None:
    """Let parties take part once they have learned, in place of those there of the same names."""
    code, complaints = learning.wait()
    if learning.stopped:
        return
    if code < 0:
        print_trouble(
            f"Learning was ended by signal {-code} (9: the system may be short of memory). Free "
            "some memory, and start the demo again: it goes on where it was."
        )
        return
    if code:
        print_trouble(complaints.strip()[-1000:])
        return
    try:
        found = _find([demo_run(learning.name)], node.city_file, copies)
        node.add(found.forecasters)
    except DeepCityError as error:
        print_trouble(str(error))
    else:
        used[:] = found.folders

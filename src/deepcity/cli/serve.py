"""`deepcity serve PACKAGE`: an application's HTTP API."""

import json
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepcity.city.errors import DeepCityError, LiveError
from deepcity.cli.progress_bars import errors
from deepcity.cli.running.doors import check_address
from deepcity.cli.running.problems import Problems

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from deepcity.data.city_file import CityFile
    from deepcity.data.follow.follow_source import SourceFollower
    from deepcity.learning.split.fused_package import FusedPackage
    from deepcity.live.access import Access
    from deepcity.live.application import LiveApplication
    from deepcity.live.decisions import DecisionLog
    from deepcity.store.deep_data.store import DeepDataStore, RecordExpired

_NOT_STARTED = 3  # as uvicorn has it
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def serve(
    package: Annotated[
        Path, typer.Argument(help="The trained application, SERVICE-VERSION.fused.")
    ],
    city: Annotated[
        Path, typer.Option(help="City file that describes the application's own records.")
    ],
    access: Annotated[
        Path,
        typer.Option(help="Access file: tokens and grants of agencies, and tokens of readers."),
    ],
    store: Annotated[
        str,
        typer.Option(
            help="Store of deep data: duckdb:///FILE, or postgresql://user:password@host/database."
        ),
    ] = "duckdb:///deep.duckdb",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8080,
    reload: Annotated[
        float, typer.Option(min=0.05, help="Seconds between two reads of its own records.")
    ] = 15.0,
    late_steps: Annotated[
        int,
        typer.Option(
            min=1, help="Steps by which an agency's deep data may be late and still be used."
        ),
    ] = 2,
    max_mb: Annotated[
        float, typer.Option(min=0.001, help="Largest body of a request, in megabytes.")
    ] = 8,
    max_rows: Annotated[
        int, typer.Option(min=1, help="Most rows of deep data in a request.")
    ] = 50_000,
    max_connections: Annotated[
        int,
        typer.Option(
            min=2,
            help="Most open connections; one more takes the place of the one idle longest.",
        ),
    ] = 1000,
    keep_days: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Days that deep data are kept, counted from their own time; older ones are "
            "deleted every hour. Default: what the store has, at first 90.",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Folder for its own files. Default: .SERVICE-live beside the city file."),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="File of the TLS certificate (PEM). Default: no TLS.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="File of the TLS key (PEM).")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each event as a line of JSON.")
    ] = False,
) -> None:
    """Serve forecasts over HTTP, from the application's own rows and agencies' deep data.

    POST /deep-data receives deep data, GET /forecast?at=&place= returns a forecast, GET
    /decision what the application recommends, GET /agencies the status of each agency, GET
    /health whether it is ready; /openapi.json describes them. Its own records are read through
    the city file every --reload seconds.
    The access file lists who may send:

        [\\[agency]]
        name = "weather"
        token = "${WEATHER_TOKEN}"
        \\[agency.grant]
        service = "ridership"

    It reports when it starts to listen, when own rows arrive, what is wrong with them, and how
    many deep data it deleted because they were too old: the ledger in the folder of --state has
    an entry of each deletion, signed (deepcity ledger show). With --json each event is a line of
    JSON on standard output: listening, rows, decision, trouble, expired, stopped. Decisions are
    kept with their forecasts in decisions.jsonl, in the folder of --state.

    Example: deepcity serve ridership-0123456789abcdef.fused --city seoul.toml
    --access access.toml --store duckdb:///deep.duckdb
    """
    from deepcity.data.city_file import load_city
    from deepcity.data.follow.follow_source import SourceFollower
    from deepcity.learning.split.fused_package import load_fused
    from deepcity.live.access import load_access
    from deepcity.live.application import LiveApplication
    from deepcity.live.decisions import DecisionLog
    from deepcity.web.api.app import create_app
    from deepcity.web.api.limits import Limits
    from deepcity.web.server.limits import ServerLimits
    from deepcity.web.server.serving import make_server
    from deepcity.web.server.serving import serve as run_server

    problems = Problems()
    trained = problems.of(partial(load_fused, package))
    city_file = problems.of(partial(load_city, city))
    allowed = problems.of(partial(load_access, access))
    problems.of(partial(check_address, host, port, certificate, key))
    problems.refuse()
    assert trained is not None
    assert city_file is not None
    assert allowed is not None
    facts = trained.facts
    if host not in _LOOPBACK and certificate is None:
        errors.print("Without --certificate and --key, tokens cross the network unencrypted.")
    if facts.agency not in {one.name for one in city_file.city.agencies}:
        reason = f"no {facts.agency} in it, whose rows and labels {facts.service} forecasts with"
        right = f"run `deepcity serve` where {facts.agency}'s records are: it is the application"
        raise LiveError(str(city), reason, right)
    limits = Limits(max_bytes=round(max_mb * 1_000_000), max_rows=max_rows)
    together = ServerLimits(max_connections=max_connections)
    emit = _event_emitter(as_json)
    folder = state or city.parent / f".{facts.service}-live"
    with _deep_store(store, allowed, city_file, trained, keep_days) as opened:
        application = LiveApplication(trained, opened, late_steps=late_steps)
        followed = SourceFollower(city_file, facts.agency, folder)
        decisions = DecisionLog(folder / "decisions.jsonl", _deciding(emit))
        done = threading.Event()
        follower = threading.Thread(
            target=_follow,
            args=(application, followed, reload, done, emit, decisions, _recorded(folder, trained)),
            daemon=True,
        )
        follower.start()
        scheme = "http" if certificate is None else "https"
        announcement = {
            "address": f"{scheme}://{host}:{port}",
            "service": facts.service,
            "version": trained.version,
            "agencies": [agency.name for agency in facts.agencies],
        }
        try:
            server = make_server(
                create_app(
                    application,
                    allowed.for_city(facts.city),
                    limits=limits,
                    decisions=decisions,
                ),
                host,
                port,
                together,
                certificate=certificate,
                key=key,
                ready=lambda: emit("listening", **announcement),
                over=lambda: emit("stopped"),
            )
            if not run_server(server):
                raise typer.Exit(_NOT_STARTED)
        finally:
            done.set()
            follower.join(timeout=10)


EmitEvent = Callable[..., None]


def _recorded(folder: Path, package: "FusedPackage") -> "RecordExpired":
    """What writes deletions into the application's ledger."""
    from deepcity.live.releases.deletions import recorded_deletions

    facts = package.facts
    return recorded_deletions(folder, f"{facts.city}/{facts.agency}")


def _deep_store(
    url: str, access: "Access", city: "CityFile", package: "FusedPackage", keep_days: int | None
) -> "AbstractContextManager[DeepDataStore]":
    """The store, which asks the grants and the city's policy before every read."""
    from deepcity.live.deep_store import open_deep_store
    from deepcity.live.releases.policy_reads import policy_reads

    policy = policy_reads(city, [package])
    return open_deep_store(url, access, package.facts.city, [package], keep_days, policy)


def _event_emitter(as_json: bool) -> EmitEvent:
    def emit(event: str, **facts: object) -> None:
        if as_json:
            typer.echo(json.dumps({"event": event, **facts}, ensure_ascii=False))
        elif "reason" in facts:
            what = facts.get("of", "Own records")
            errors.print(f"{what}: {facts['reason']}", style="red", markup=False)
        elif event == "listening":
            errors.print(f"Serving {facts['service']} at {facts['address']}", markup=False)
        elif event == "expired":
            errors.print(
                f"Deleted {facts['rows']:,} rows of deep data older than they are kept",
                markup=False,
            )

    return emit


def _deciding(emit: EmitEvent) -> Callable[[dict[str, Any]], None]:
    """Emits a decision without its forecast, which is long; the log has both."""
    return lambda made: emit(
        "decision", **{name: part for name, part in made.items() if name != "forecast"}
    )


def _follow(
    application: "LiveApplication",
    followed: "SourceFollower",
    pause_s: float,
    done: threading.Event,
    emit: EmitEvent,
    decisions: "DecisionLog",
    record: "RecordExpired",
) -> None:
    """Take own rows whenever they have changed, and decide; reports what is wrong, once."""
    from deepcity.live.deep_store import UPKEEP_S, delete_expired

    def deleted(rows: int) -> None:
        emit("expired", rows=rows)

    def failed(reason: str) -> None:
        emit("trouble", of="Store", reason=reason)

    last_trouble, due = "", 0.0
    while not done.is_set():
        try:
            panel = followed.poll()
            if panel is not None:
                application.load_rows(panel)
                last_trouble = ""
                until = int(panel.time_T[-1]) + panel.clock.step_s
                emit("rows", until=until)
                decisions.after_rows(application, until)
        except (DeepCityError, KeyError) as error:
            if str(error) != last_trouble:
                emit("trouble", reason=str(error))
            last_trouble = str(error)
        if time.monotonic() >= due:  # after own rows: a long delete must not keep them waiting
            delete_expired(application.store, deleted, failed, record=record)
            due = time.monotonic() + UPKEEP_S
        done.wait(pause_s)
    followed.close()

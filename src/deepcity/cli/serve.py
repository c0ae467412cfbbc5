"""`deepcity serve PACKAGE`: an application's HTTP API."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepcity.city.errors import DeepCityError, LiveError
from deepcity.cli.screen import errors

if TYPE_CHECKING:
    from deepcity.data.followed import Followed
    from deepcity.intercity.live import LiveApplication

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def serve(
    package: Annotated[
        Path, typer.Argument(help="The trained application, SERVICE-VERSION.fused.")
    ],
    city: Annotated[Path, typer.Option(help="City file: where own records are read.")],
    access: Annotated[
        Path, typer.Option(help="Access file: tokens and grants of agencies, and readers.")
    ],
    store: Annotated[
        str,
        typer.Option(help="duckdb:///FILE, or postgresql://user:password@host/database."),
    ] = "duckdb:///deep.duckdb",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    reload: Annotated[
        float, typer.Option(min=0.05, help="Seconds between two looks at own records.")
    ] = 15.0,
    late_steps: Annotated[
        int, typer.Option(min=1, help="Steps of its own that an agency may be late.")
    ] = 2,
    most_mb: Annotated[
        float, typer.Option(min=0.001, help="Megabytes that a request's body may have.")
    ] = 8,
    most_rows: Annotated[
        int, typer.Option(min=1, help="Rows of deep data that a request may have.")
    ] = 50_000,
    state: Annotated[
        Path | None, typer.Option(help="Folder for files of its own; CITY's by default.")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate (PEM).")] = None,
    key: Annotated[Path | None, typer.Option(help="TLS key (PEM).")] = None,
) -> None:
    """Answer forecasts over HTTP from own rows and agencies' deep data.

    POST /deep-data takes deep data, GET /forecast?at=&place= answers, GET /agencies tells who
    is late, GET /health whether it is ready; /openapi.json describes them. Own records are
    read through the city file, again and again. The access file says who may send:

        [[agency]]
        name = "weather"
        token = "${WEATHER_TOKEN}"
        [agency.grant]
        service = "ridership"

    Example: deepcity serve ridership-0123456789abcdef.fused --city seoul.toml
    --access access.toml --store duckdb:///deep.duckdb
    """
    import uvicorn

    from deepcity.data.city_file import load_city
    from deepcity.data.followed import Followed
    from deepcity.exchange.access import load_access
    from deepcity.intercity.live import LiveApplication
    from deepcity.learning.fused_package import load_fused
    from deepcity.serve.api.app import create_app
    from deepcity.serve.api.limits import Limits
    from deepcity.store.open_store import open_store

    trained, allowed, city_file = load_fused(package), load_access(access), load_city(city)
    facts = trained.facts
    if (certificate is None) != (key is None):
        raise typer.BadParameter("give both --certificate and --key, or neither")
    if host not in _LOOPBACK and certificate is None:
        errors.print("Without --certificate and --key, tokens cross the network unencrypted.")
    if facts.agency not in {one.name for one in city_file.city.agencies}:
        reason = f"no {facts.agency} in it, whose rows and labels {facts.service} forecasts with"
        right = f"run `deepcity serve` where {facts.agency}'s records are: it is the application"
        raise LiveError(str(city), reason, right)
    limits = Limits(most_bytes=round(most_mb * 1_000_000), most_rows=most_rows)
    folder = state or city.parent / f".{facts.service}-live"
    with open_store(store, allowed.may_read(facts.city)) as opened:
        for agency in facts.agencies:
            opened.register(agency.space, agency.width)
        application = LiveApplication(trained, opened, late_steps=late_steps)
        followed = Followed(city_file, facts.agency, folder)
        done = threading.Event()
        follower = threading.Thread(
            target=_follow, args=(application, followed, reload, done), daemon=True
        )
        follower.start()
        try:
            uvicorn.run(
                create_app(application, allowed, limits=limits),
                host=host,
                port=port,
                log_level="warning",
                ssl_certfile=certificate,
                ssl_keyfile=key,
            )
        finally:
            done.set()
            follower.join(timeout=10)


def _follow(
    application: "LiveApplication", followed: "Followed", pause_s: float, done: threading.Event
) -> None:
    """Take own rows whenever they have changed; what is wrong with them is told, once."""
    told = ""
    while not done.is_set():
        try:
            panel = followed.poll()
            if panel is not None:
                application.take(panel)
                told = ""
        except (DeepCityError, KeyError) as error:
            if str(error) != told:
                errors.print(f"Own records: {error}", style="red", markup=False)
            told = str(error)
        done.wait(pause_s)
    followed.close()

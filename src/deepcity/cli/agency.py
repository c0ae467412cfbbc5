"""`deepcity agency PACKAGE`: encode an agency's new rows and send what they say."""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepcity.city.errors import DataError, DeepCityError
from deepcity.cli.screen import errors

if TYPE_CHECKING:
    from deepcity.data.city_file import CityFile
    from deepcity.data.followed import Followed
    from deepcity.data.panel import Panel
    from deepcity.exchange.delivery import Delivery
    from deepcity.exchange.live_agency import LiveAgency

TOKEN = "DEEPCITY_TOKEN"


def agency(
    package: Annotated[Path, typer.Argument(help="The trained encoder, AGENCY-VERSION.encoder.")],
    city: Annotated[Path, typer.Option(help="City file: where the agency's records are read.")],
    to: Annotated[str, typer.Option(help="The application's address.", metavar="URL")],
    token_file: Annotated[
        Path | None, typer.Option(help=f"File with the agency's token; else ${TOKEN}.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Folder of the outbox; .AGENCY-SERVICE-live beside the city file."),
    ] = None,
    every: Annotated[
        float, typer.Option(min=0.05, help="Seconds between two looks at the records.")
    ] = 5.0,
    since: Annotated[
        str | None,
        typer.Option(help="Where to begin the first time, ISO 8601 with zone; else a day back."),
    ] = None,
    patience: Annotated[
        int | None, typer.Option(min=0, help="Seconds to wait for a cell that is late.")
    ] = None,
    look_back: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Days back for which corrections of records are sent on; 0: none. By default "
            "as far as the encoder looks back, a week or more.",
        ),
    ] = None,
    most_mb: Annotated[int, typer.Option(min=1, help="Most that may wait in the outbox.")] = 256,
    listen: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Take rows by HTTP too: POST /rows on 127.0.0.1."),
    ] = None,
    retry_refused: Annotated[
        bool, typer.Option("--retry-refused", help="Send again what was refused before.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="One pass, then stop; exit 1 if something waits.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line for each event.")] = False,
) -> None:
    """Encode an agency's new rows as they arrive, and send only what the encoder says.

    Records are read through the city file: a CSV file is followed line by line (a last line
    that is not finished is left, a rotated file is read on), other files are read again when
    they change, a query is asked again each time. Where records are corrected, what was said
    of them is said again. Rows, scales and the stem never leave. What is to be sent waits on
    disk until the application has confirmed it: stop it with Ctrl-C or kill it, and it goes on
    where it was.

    Example: deepcity agency weather-0123456789abcdef.encoder --city seoul.toml
    --to https://metro.example:8080 --token-file weather.token
    """
    from deepcity.data.city_file import load_city
    from deepcity.data.followed import Followed
    from deepcity.exchange.delivery import Delivery
    from deepcity.exchange.live_agency import LiveAgency
    from deepcity.learning.encoder_package import load_encoder
    from deepcity.store.outbox import Outbox

    encoder, city_file, token = load_encoder(package), load_city(city), _token(token_file)
    name = encoder.facts.agency
    tell = _teller(as_json)
    folder = state or city.parent / f".{name}-{encoder.facts.service}-live"
    with Outbox(folder / "outbox.sqlite", most_mb * 1_000_000) as outbox:
        if retry_refused:
            outbox.retry_refused()
        followed = Followed(city_file, name, folder / "records", encoder.steps_back)
        if listen is not None:
            from deepcity.serve.rows_inlet import start_inlet

            followed.instead = start_inlet(city_file, name, folder / "pushed", listen)
        back_s = None if look_back is None else round(look_back * 86_400)
        begun = _counts_events(city_file, name)
        live = LiveAgency(encoder, outbox, None, _seconds(since), patience, back_s, begun)
        work = _Work(live, followed, Delivery(outbox, to, token), tell)
        try:
            work.once() if once else work.go_on(every)
        except KeyboardInterrupt:
            errors.print("Stopped. What was not confirmed waits: the same command goes on.")
            raise  # Typer ends with exit code 130
        finally:
            work.delivery.close()
            followed.close()
        if once and (outbox.waiting().parcels or work.failed):
            raise typer.Exit(1)


Tell = Callable[..., None]


@dataclass
class _Work:
    """Reads, encodes and sends in turn."""

    live: "LiveAgency"
    followed: "Followed"
    delivery: "Delivery"
    tell: Tell
    failed: bool = False
    _panel: "Panel | None" = None
    _said: dict[str, str] = field(default_factory=dict)

    def once(self) -> None:
        """One pass."""
        self._encode()
        self._send(patient=False)

    def go_on(self, every: float) -> None:
        """Until it is stopped."""
        wait = threading.Event()
        while True:
            self._encode()
            self._send()
            wait.wait(every)

    def _encode(self) -> None:
        try:
            fresh = self.followed.poll()
            self._panel = fresh or self._panel
            now = int(time.time())
            # without new rows too: time goes on, and a late cell is not waited for for ever
            if self._panel is not None and (fresh is not None or self.live.waits(now)):
                found = self.live.look_at(self._panel, now)
                if found.rows:
                    self.tell("encoded", rows=found.rows, until=found.until)
                if found.revised:
                    self.tell("corrected", rows=found.revised)
                if not found.doubt:
                    self._said.pop("doubt", None)
                elif "doubt" not in self._said:  # once, though each step names other times
                    self._once_told("doubt", found.doubt)
            self._said.pop("records", None)
        except (DataError, DeepCityError) as error:
            self.failed = True
            self._once_told("records", str(error))

    def _send(self, *, patient: bool = True) -> None:
        from deepcity.exchange.delivery import Outcome

        for told in self.delivery.deliver(patient=patient):
            if told.outcome is Outcome.SENT:
                self._said.pop("waits", None)
                gone = {"expired": told.expired} if told.expired else {}
                self.tell("sent", rows=told.rows, **gone)
                if told.expired and "expired" not in self._said:  # once, however many follow
                    self._once_told("expired", told.reason)
            elif told.outcome is Outcome.REFUSED:
                self.failed = True
                self.tell("refused", rows=told.rows, reason=told.reason)
            else:
                self._once_told("waits", told.reason)

    def _once_told(self, event: str, reason: str) -> None:
        """The same trouble is told once, not at each try."""
        if self._said.get(event) != reason:
            self.tell(event, reason=reason, waiting=self.live.outbox.waiting().rows)
        self._said[event] = reason


def _teller(as_json: bool) -> Tell:
    def tell(event: str, **facts: object) -> None:
        if as_json:
            typer.echo(json.dumps({"event": event, **facts}, ensure_ascii=False))
        elif "reason" in facts:
            errors.print(f"{event}: {facts['reason']}", style="red", markup=False)
        else:
            gone = f", {facts['expired']} of them not kept" if "expired" in facts else ""
            typer.echo(f"{event} {facts['rows']} rows{gone}")

    return tell


def _counts_events(city_file: "CityFile", name: str) -> bool:
    """Whether the newest step may be counted while it runs."""
    from deepcity.data.source import Layout

    agencies = [one for one in city_file.settings.agency if one.name == name]
    layouts = [city_file.sources[known.source].layout for one in agencies for known in one.fields]
    return Layout.EVENTS in layouts


def _token(path: Path | None) -> str:
    if path is None:
        token = os.environ.get(TOKEN, "")
        if not token:
            raise typer.BadParameter(f"give --token-file, or export {TOKEN}")
        return token
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}") from error


def _seconds(since: str | None) -> int | None:
    if since is None:
        return None
    try:
        found = datetime.fromisoformat(since)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise typer.BadParameter(f"{since!r} is no time with its zone: 2024-05-01T00:00:00Z")
    return int(found.astimezone(UTC).timestamp())

"""`deepcity agent PACKAGE`: encode an agency's new rows and send the activations."""

import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepcity.city.errors import DataError, DeepCityError, GrantError, LiveError
from deepcity.city.regular_file import read_regular
from deepcity.cli.progress_bars import errors
from deepcity.cli.running.problems import Problems

if TYPE_CHECKING:
    from deepcity.data.city_file import CityFile
    from deepcity.data.panel import Panel
    from deepcity.live.agency import LiveAgency
    from deepcity.live.delivery import Delivery

TOKEN = "DEEPCITY_TOKEN"


def agent(
    package: Annotated[Path, typer.Argument(help="The trained encoder, AGENCY-VERSION.encoder.")],
    city: Annotated[Path, typer.Option(help="City file that describes the agency's records.")],
    to: Annotated[
        str, typer.Option(help="Address of the application (`deepcity serve`).", metavar="URL")
    ],
    token_file: Annotated[
        Path | None, typer.Option(help=f"File with the agency's token. Default: ${TOKEN}.")
    ] = None,
    sign: Annotated[
        bool,
        typer.Option(
            "--sign",
            help="Sign tokens with the own key (`deepcity keys show`), instead of a secret that "
            "the application knows too; its access file holds the public key.",
        ),
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the outbox. Default: .AGENCY-SERVICE-live beside the city file."
        ),
    ] = None,
    every: Annotated[
        float, typer.Option(min=0.05, help="Seconds between two reads of the records.")
    ] = 5.0,
    since: Annotated[
        str | None,
        typer.Option(
            help="Time of the first row to encode on the first start, ISO 8601 with time zone. "
            "Default: one day ago."
        ),
    ] = None,
    late_wait: Annotated[
        int | None,
        typer.Option(
            min=0, help="Seconds to wait for cells whose rows are late. Default: half a step."
        ),
    ] = None,
    revision_window: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Days back for which corrected records are encoded and sent again; 0: never. "
            "Default: as far as the encoder looks back, a week or more.",
        ),
    ] = None,
    max_mb: Annotated[
        int, typer.Option(min=1, help="Largest size of the outbox, in megabytes.")
    ] = 256,
    listen: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Port for rows pushed by HTTP: POST /rows, on 127.0.0.1 only. Default: none.",
        ),
    ] = None,
    replay: Annotated[
        bool,
        typer.Option(
            "--replay",
            help="Play the records by the time of a node that replays (`deepcity up --replay "
            "--access`).",
        ),
    ] = False,
    retry_refused: Annotated[
        bool,
        typer.Option(
            "--retry-refused", help="Send parcels again that the application refused before."
        ),
    ] = False,
    once: Annotated[
        bool,
        typer.Option(
            "--once", help="Make one pass and stop; exit code 1 if anything is left to send."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each event as a line of JSON.")
    ] = False,
) -> None:
    """Encode an agency's new rows as they arrive, and send only the encoder's activations.

    Records are read through the city file: a CSV file is followed line by line (an unfinished
    last line waits, a rotated file is followed), other files are read again when they change,
    a query runs again each time. Where records are corrected, their activations are sent again.
    Rows, scales and the stem never leave. Activations wait in an outbox on disk until the
    application has confirmed them: after Ctrl-C or a kill the same command resumes there. Each
    parcel is recorded in the agency's ledger before it leaves (releases.jsonl in the folder of
    --state), and leaves only as the policy of the city allows, if the city file names one.

    With --replay no row is read before it is over by the node's time.

    Example: deepcity agent weather-0123456789abcdef.encoder --city seoul.toml
    --to https://metro.example:8080 --token-file weather.token
    """
    from deepcity.data.city_file import load_city, load_panel
    from deepcity.learning.split.encoder_package import load_encoder
    from deepcity.live.agency import LiveAgency
    from deepcity.live.delivery import Delivery
    from deepcity.live.releases.parcel_releases import parcel_releases
    from deepcity.live.replayed_rows import ReplayedRows
    from deepcity.store.outbox import Outbox

    if replay and listen is not None:
        raise typer.BadParameter("--replay plays recorded rows; --listen is for rows that come")
    problems = Problems()
    encoder = problems.of(partial(load_encoder, package))
    city_file = problems.of(partial(load_city, city))
    problems.refuse()
    assert encoder is not None
    assert city_file is not None
    name = encoder.facts.agency
    token = _signer(name, encoder.facts.city, token_file) if sign else _token(token_file)
    emit = _event_emitter(as_json)
    folder = state or city.parent / f".{name}-{encoder.facts.service}-live"
    with Outbox(folder / "outbox.sqlite", max_mb * 1_000_000) as outbox, ExitStack() as opened:
        if retry_refused:
            outbox.retry_refused()
        back_s = None if revision_window is None else round(revision_window * 86_400)
        begun = _counts_events(city_file, name)
        releases = parcel_releases(encoder, package, city_file, folder, to)
        live = LiveAgency(
            encoder, outbox, None, _seconds(since), late_wait, back_s, begun, releases.check
        )
        clock = None if replay else time.time
        delivery = Delivery(outbox, to, token, clock, before=releases.before)
        opened.callback(delivery.close)
        if replay:
            poll = ReplayedRows(load_panel(city_file, name)).poll
            work = _Work(live, poll, delivery, emit, _node_time(live, delivery, opened))
        else:
            work = _Work(live, _follow(city_file, live, folder, listen, opened), delivery, emit)
        try:
            work.once() if once else work.go_on(every)
        except KeyboardInterrupt:
            errors.print("Stopped. Unconfirmed activations are saved: the same command resumes.")
            raise  # Typer ends with exit code 130
        if once and (outbox.waiting().parcels or work.failed):
            raise typer.Exit(1)


EmitEvent = Callable[..., None]


def _follow(
    city_file: "CityFile", live: "LiveAgency", folder: Path, listen: int | None, opened: ExitStack
) -> "Callable[[int], Panel | None]":
    """Reads the agency's records as they grow, and as they are pushed to a port."""
    from deepcity.data.follow.follow_source import SourceFollower

    name, back = live.package.facts.agency, live.package.steps_back
    followed = SourceFollower(city_file, name, folder / "records", back)
    if listen is not None:
        from deepcity.web.rows_endpoint import start_rows_endpoint

        followed.replacements = start_rows_endpoint(city_file, name, folder / "pushed", listen)
    opened.callback(followed.close)
    return lambda _now_s: followed.poll()


def _node_time(live: "LiveAgency", delivery: "Delivery", opened: ExitStack) -> Callable[[], int]:
    """The time of the node that is sent to."""
    from deepcity.live.replayed_rows import NodeTime

    time_of = NodeTime(delivery.url, delivery.token, lambda: live.outbox.cursor(live.cursor))
    opened.callback(time_of.close)
    return time_of.now


def _machine_time() -> int:
    return int(time.time())


@dataclass
class _Work:
    """Reads, encodes and sends in turn.

    Attributes:
        poll: rows until a time, if there are new ones.
        clock: gives the time, UTC seconds.
    """

    live: "LiveAgency"
    poll: "Callable[[int], Panel | None]"
    delivery: "Delivery"
    emit: EmitEvent
    clock: Callable[[], int] = _machine_time
    failed: bool = False
    _panel: "Panel | None" = None
    _reported: dict[str, str] = field(default_factory=dict)

    def once(self) -> None:
        """One pass."""
        self._pass(patient=False)

    def go_on(self, every: float) -> None:
        """Until it is stopped."""
        wait = threading.Event()
        while True:
            self._pass()
            wait.wait(every)

    def _pass(self, *, patient: bool = True) -> None:
        try:
            now = self.clock()
        except LiveError as error:  # without a time nothing is encoded, and nothing would be taken
            self.failed = True
            self._report_once("waits", str(error))
            return
        self._encode(now)
        self._send(patient=patient)

    def _encode(self, now: int) -> None:
        try:
            fresh = self.poll(now)
            self._panel = fresh or self._panel
            # without new rows too: time goes on, and a late cell is not waited for for ever
            if self._panel is not None and (fresh is not None or self.live.has_due_time(now)):
                found = self.live.encode_new(self._panel, now)
                if found.rows:
                    self.emit("encoded", rows=found.rows, until=found.until)
                if found.revised:
                    self.emit("corrected", rows=found.revised)
                if not found.clock_warning:
                    self._reported.pop("doubt", None)
                elif "doubt" not in self._reported:  # once, though each step names other times
                    self._report_once("doubt", found.clock_warning)
            for event in ("records", "denied"):
                self._reported.pop(event, None)
        except GrantError as error:
            self.failed = True
            self._report_once("denied", str(error))
        except (DataError, DeepCityError) as error:
            self.failed = True
            self._report_once("records", str(error))

    def _send(self, *, patient: bool = True) -> None:
        from deepcity.live.delivery import DeliveryOutcome

        for result in self.delivery.deliver(patient=patient):
            if result.outcome is DeliveryOutcome.SENT:
                self._reported.pop("waits", None)
                gone = {"expired": result.expired} if result.expired else {}
                self.emit("sent", rows=result.rows, **gone)
                if result.expired and "expired" not in self._reported:  # once, however many follow
                    self._report_once("expired", result.reason)
            elif result.outcome is DeliveryOutcome.REFUSED:
                self.failed = True
                self.emit("refused", rows=result.rows, reason=result.reason)
            else:
                self._report_once("waits", result.reason)

    def _report_once(self, event: str, reason: str) -> None:
        """Report the same trouble once, not at each try."""
        if self._reported.get(event) != reason:
            self.emit(event, reason=reason, waiting=self.live.outbox.waiting().rows)
        self._reported[event] = reason


def _event_emitter(as_json: bool) -> EmitEvent:
    def emit(event: str, **facts: object) -> None:
        if as_json:
            typer.echo(json.dumps({"event": event, **facts}, ensure_ascii=False))
        elif "reason" in facts:
            errors.print(f"{event}: {facts['reason']}", style="red", markup=False)
        else:
            gone = (
                f", {facts['expired']} of them too old to be stored" if "expired" in facts else ""
            )
            typer.echo(f"{event} {facts['rows']} rows{gone}")

    return emit


def _counts_events(city_file: "CityFile", name: str) -> bool:
    """Whether the newest step may be counted while it runs."""
    from deepcity.data.config.source import Layout

    agencies = [one for one in city_file.settings.agency if one.name == name]
    layouts = [city_file.sources[known.source].layout for one in agencies for known in one.fields]
    return Layout.EVENTS in layouts


def _signer(agency: str, city: str, token_file: Path | None) -> Callable[[], str]:
    """Tokens that the agency signs itself."""
    from deepcity.live.signed_tokens import TokenSigner
    from deepcity.store.signatures.keyring import own_keyring

    if token_file is not None:
        raise typer.BadParameter("--sign takes no token; leave out --token-file")
    signer = TokenSigner(own_keyring(), agency, city)
    signer()  # a key that cannot be used is told at once
    return signer


def _token(path: Path | None) -> Callable[[], str]:
    if path is None:
        token = os.environ.get(TOKEN, "")
        if not token:
            raise typer.BadParameter(f"give --token-file or --sign, or export {TOKEN}")
        return lambda: token
    try:
        token = read_regular(path).decode("utf-8").strip()
        return lambda: token
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
        raise typer.BadParameter(
            f"{since!r} has no time or no time zone: write it as 2024-05-01T00:00:00Z"
        )
    return int(found.astimezone(UTC).timestamp())

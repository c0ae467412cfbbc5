"""Listens to an MQTT broker: a message is acknowledged once its row is on disk.

What was not acknowledged comes again (quality of service 1), also after a kill, as the broker
keeps the session. A broker that is away is asked again and again, up to a minute apart.
"""

import os
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepcity.city.errors import LiveError
from deepcity.city.problem import Cause, Problem
from deepcity.data.city_file import CityFile
from deepcity.data.connectors.mqtt import MqttSettings
from deepcity.data.errors import ReadError
from deepcity.data.feeds.mqtt_message import row_of
from deepcity.live.feeds.keep_rows import keep_rows
from deepcity.live.feeds.row_door import RowDoor

if TYPE_CHECKING:  # an extra
    from paho.mqtt.client import Client, MQTTMessage

_MOST_WAITING = 10_000
_MOST_AT_ONCE = 500
_GATHER_S = 0.2
_RETRY_S = 2.0
_LONGEST_PAUSE_S = 60


@dataclass(frozen=True)
class _Received:
    topic: str
    payload: bytes
    came_s: float
    mid: int
    qos: int


@dataclass
class MqttSubscriber:
    """One source's subscription; use `start_subscriber`.

    Attributes:
        source: its settings.
        door: takes the rows.
        client: of the broker.
    """

    source: MqttSettings
    door: RowDoor
    client: "Client"
    _waiting: "queue.Queue[_Received]" = field(
        default_factory=lambda: queue.Queue(maxsize=_MOST_WAITING)
    )
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _connection: str = "not connected yet"
    _kept: str = ""
    _refused: int = 0
    _refusal: str = ""

    @property
    def trouble(self) -> str:
        """As in the contract of collectors."""
        refused = f"messages that were no rows: {self._refused:,}, the last: {self._refusal}"
        found = [self._connection, self._kept, refused if self._refused else ""]
        return "; ".join(one for one in found if one)

    def start(self) -> None:
        """Connect, and go on until `close`."""
        broker, client = f"{self.source.host}:{self.source.port}", self.client
        self._connection = f"not connected to the broker {broker} yet"
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.reconnect_delay_set(1, _LONGEST_PAUSE_S)
        client.connect_async(self.source.host, self.source.port)
        client.loop_start()
        self._thread = threading.Thread(target=self._keep_on, name="mqtt rows", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """As in the contract of collectors."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)
        self.client.disconnect()
        self.client.loop_stop()

    def _on_connect(self, client: "Client", _data: Any, _flags: Any, reason: Any, _: Any) -> None:  # noqa: ANN401 - paho's
        if reason.is_failure:
            self._connection = f"the broker refused: {reason}"
            return
        self._connection = "not subscribed yet"
        client.subscribe([(topic, 1) for topic in self.source.topics])

    def _on_disconnect(self, *args: Any) -> None:  # noqa: ANN401 - paho's
        broker = f"{self.source.host}:{self.source.port}"
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        self._connection = f"the broker {broker} is away since {since} ({args[3]})"

    def _on_subscribe(self, *args: Any) -> None:  # noqa: ANN401 - paho's
        failed = [str(one) for one in args[3] if one.is_failure]
        text = f"the broker refused {len(failed)} of the topics: {failed[:1]}"
        self._connection = text if failed else ""

    def _on_message(self, client: "Client", _data: Any, message: "MQTTMessage") -> None:  # noqa: ANN401 - paho's
        if message.retain and self.source.time_path is None:  # an old value, of no known time
            client.ack(message.mid, message.qos)
            return
        payload = bytes(message.payload)
        found = _Received(message.topic, payload, time.time(), message.mid, message.qos)
        try:
            self._waiting.put_nowait(found)
        except queue.Full:
            self._kept = f"over {_MOST_WAITING:,} messages wait; newer ones must come again"

    def _keep_on(self) -> None:
        batch: list[_Received] = []
        while not self._stop.is_set():
            batch = batch or self._gathered()
            try:
                self._keep(batch)
            except OSError as error:
                self._kept = f"rows cannot be stored: {error}"
                self._stop.wait(_RETRY_S)
            else:
                for one in batch:
                    self.client.ack(one.mid, one.qos)
                self._kept = "" if batch else self._kept
                batch = []

    def _gathered(self) -> list[_Received]:
        """Those that wait, or come within a moment."""
        found: list[_Received] = []
        until = time.monotonic() + _GATHER_S
        while len(found) < _MOST_AT_ONCE and (left := until - time.monotonic()) > 0:
            try:
                found.append(self._waiting.get(timeout=left))
            except queue.Empty:
                break
        return found

    def _keep(self, batch: Sequence[_Received]) -> None:
        rows = []
        for one in batch:
            try:
                zone = self.door.clock.time_zone
                rows.append(row_of(self.source, one.topic, one.payload, one.came_s, zone))
            except ReadError as error:
                cause = error.cause or Cause("no-row", 1)
                found = (error.key, error.value, error.reason, error.right)
                self.door.refused.add([Problem(one.topic, *found, cause=cause)])
                self._refuse(f"{one.topic}: {error.key}: {error.reason}. {error.right}")
        keep_rows(self.door, rows, self._refuse)

    def _refuse(self, text: str) -> None:
        self._refused += 1
        self._refusal = text[:500]


def start_subscriber(source: MqttSettings, door: RowDoor, city_file: CityFile) -> MqttSubscriber:
    """Listen to a source's broker in threads of their own.

    Raises:
        LiveError: if the package, a file or the password is missing.
    """
    try:
        from paho.mqtt import client as paho
        from paho.mqtt.enums import CallbackAPIVersion
    except ImportError:
        right = "run: pip install 'deepcity[mqtt]'"
        raise LiveError(source.name, "paho-mqtt is not installed", right) from None
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"deepcity-{city_file.city.name}-{source.name}",
        clean_session=False,
        manual_ack=True,
    )
    _secure(client, source, city_file.path.parent)
    found = MqttSubscriber(source, door, client)
    found.start()
    return found


def _secure(client: "Client", source: MqttSettings, folder: Path) -> None:
    if source.user is not None:
        password = os.environ.get(source.password_variable)
        if password is None:
            reason = f"the environment variable {source.password_variable} is not set"
            right = f"run: export {source.password_variable}=..., then start again"
            raise LiveError(source.name, reason, right)
        client.username_pw_set(source.user, password)
    if not source.tls:
        return
    files = [None if one is None else str(folder / one) for one in (source.ca, source.certificate)]
    key = None if source.key is None else str(folder / source.key)
    try:
        client.tls_set(files[0], files[1], key)
    except (OSError, ValueError) as error:
        right = "correct ca, certificate and key of the source"
        raise LiveError(source.name, f"files of TLS cannot be read: {error}", right) from error

"""Rows that an MQTT broker publishes to a running city, one a message."""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from deepcity.data.config.toml_file import wrong
from deepcity.data.feeds.kept_rows import FeedConnector
from deepcity.data.feeds.settings import FeedSettings

WHOLE = "."
"""As a path: all of the message, a number without JSON around it."""
Topic = Annotated[str, Field(min_length=1, max_length=1000)]
_VARIABLE = re.compile(r"[A-Za-z_]\w*")


class MqttSettings(FeedSettings):
    """Keys of an MQTT source, beside those of every feed.

    A path names a part of a message in JSON, as keys (or numbers, in a list) joined by dots.

    Attributes:
        host, port: of the broker.
        topics: to subscribe to, with quality of service 1; ``+`` and ``#`` as MQTT has them.
        topic_place: the level of the topic that names the place, counted from 1.
        place_path: or where the message names it.
        time_path: where the message holds its time: ISO 8601, or seconds or milliseconds since
            1970; by default a row is of the time at which it comes.
        values: column -> where its value is; ``"."`` where the message is a number alone.
        user: to log in with.
        password_variable: the environment variable that holds the password.
        tls: whether the connection is encrypted; the broker's certificate is checked.
        ca: file of the authorities that may have signed it (PEM); by default the system's.
        certificate, key: files by which the city shows who it is (PEM).
    """

    format: Literal["mqtt"] = "mqtt"
    host: str = Field(min_length=1)
    port: int = Field(default=1883, ge=1, le=65535)
    topics: Annotated[tuple[Topic, ...], Field(min_length=1)]
    topic_place: int | None = Field(default=None, ge=1)
    place_path: str | None = Field(default=None, min_length=1)
    time_path: str | None = Field(default=None, min_length=1)
    values: Annotated[dict[str, Annotated[str, Field(min_length=1)]], Field(min_length=1)]
    user: str | None = None
    password_variable: str = "MQTT_PASSWORD"
    tls: bool = False
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    @model_validator(mode="after")
    def _can_be_read(self) -> "MqttSettings":
        if (self.topic_place is None) == (self.place_path is None):
            right = "give topic_place, the level of the topic, or place_path, a path in the message"
            raise wrong("a message must name its place in one way", right, "topic_place")
        if WHOLE in self.values.values() and (len(self.values) > 1 or self.place_path):
            right = "give one value, and topic_place; or paths into a message in JSON"
            raise wrong("a message that is a number holds nothing else", right, "values")
        if WHOLE in self.values.values() and self.time_path is not None:
            raise wrong("a message that is a number holds no time", "remove time_path", "time_path")
        if not self.tls and (self.ca or self.certificate or self.key):
            raise wrong("files of TLS without it", "set tls = true", "tls")
        if (self.certificate is None) != (self.key is None):
            raise wrong("a certificate and its key go together", "give both", "certificate")
        if not _VARIABLE.fullmatch(self.password_variable):
            right = "name the variable, and export the password in it"
            raise wrong("not the name of a variable", right, "password_variable")
        return self


CONNECTOR = FeedConnector(
    "mqtt", MqttSettings, "let deepcity up run, and see that the broker publishes to these topics"
)

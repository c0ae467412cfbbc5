"""What a map may say of a meeting: which agencies of a city a party listens to, and how."""

from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from deepcity.data.toml_file import Settings, wrong
from deepcity.exchange.meeting import Mode
from deepcity.learning.columns import ColumnSettings
from deepcity.privacy.deep_grant import LEAST_LEVEL, WIDEST


def _files(said: object) -> object:
    """One file, or a file by city."""
    files = list(said.values()) if isinstance(said, dict) else [said]
    if said is not None and not all(isinstance(file, str) and file for file in files):
        right = 'write "AGENCY-VERSION.encoder", or { CITY = "AGENCY-VERSION.encoder" }'
        raise wrong("neither a file nor a table of cities and files", right)
    return said


class GuestSettings(Settings):
    """An agency that says deep data.

    Attributes:
        agency: its name in the party's own city.
        fields: those of its fields it encodes; left out, all.
        history, ahead, ahead_every, lag: see `deepcity.learning.columns.ColumnSettings`.
        level: its cut level; shallower than `least_level` is refused.
        deep: width of its deep data; wider than `widest` is refused.
        least_level, widest: what it grants.
        encoder: its own, of another service's meeting, to begin with; relative to the map file.
            In a service of several cities: city -> file; agencies of others teach themselves.
    """

    agency: str
    fields: tuple[str, ...] = ()
    history: Annotated[int, Field(ge=1)] = 6
    ahead: Annotated[int, Field(ge=0)] = 0
    ahead_every: Annotated[int, Field(ge=1)] = 1
    lag: Annotated[int, Field(ge=0)] = 0
    level: Annotated[int, Field(ge=1, le=5)] = 3
    deep: Annotated[int, Field(ge=1, le=64)] = 4
    least_level: Annotated[int, Field(ge=1, le=5)] = LEAST_LEVEL
    widest: Annotated[int, Field(ge=1)] = WIDEST
    encoder: Annotated[str | dict[str, str] | None, BeforeValidator(_files)] = None

    @model_validator(mode="after")
    def _granted(self) -> "GuestSettings":
        if self.level < self.least_level:
            right = f"write {self.least_level} or more, or have the agency lower least_level"
            raise wrong("shallower than the agency grants", right, "level")
        if self.deep > self.widest:
            right = f"write {self.widest} or less, or have the agency raise widest"
            raise wrong("wider than the agency grants", right, "deep")
        return self

    def encoder_of(self, city: str) -> str | None:
        """The file with which the agency of a city begins."""
        return self.encoder.get(city) if isinstance(self.encoder, dict) else self.encoder

    @property
    def columns(self) -> ColumnSettings:
        """What its encoder sees."""
        return ColumnSettings(
            history=self.history, ahead=self.ahead, ahead_every=self.ahead_every, lag=self.lag
        )


class MeetingSettings(Settings):
    """Agencies of a party's own city that it forecasts with.

    Attributes:
        agency: the agencies, a table each.
        mode: when slopes return to them: "one-shot", "block-wise" or "per-batch".
        compare: further modes to run and tell beside it; nothing is packaged of them.
        own_steps: steps in which each encoder teaches itself first.
        silence: share of training rows in which an agency is left out.
        reuse_level: h1..hk that equal agencies of several cities teach together; 0 for none.
        labels_stay: the party only judges: a separate application holds no labels, and hears
            the party's own columns as deep data too.
        own_deep: width of that.
    """

    agency: Annotated[tuple[GuestSettings, ...], Field(min_length=1)]
    mode: Mode = Mode.BLOCK
    compare: tuple[Mode, ...] = ()
    own_steps: Annotated[int, Field(ge=0)] = 1000
    silence: Annotated[float, Field(ge=0, lt=1)] = 0.2
    reuse_level: Annotated[int, Field(ge=0, le=5)] = 0
    labels_stay: bool = False
    own_deep: Annotated[int, Field(ge=1, le=64)] = 16

    @model_validator(mode="after")
    def _once(self) -> "MeetingSettings":
        names = [guest.agency for guest in self.agency]
        for name in names:
            if names.count(name) > 1:
                raise wrong(f"{name} is named twice", "name each agency once", "agency")
        if len({guest.level for guest in self.agency}) > 1:
            raise wrong("agencies meet at different levels", "give all one level", "agency")
        if self.reuse_level > self.level:
            right = f"write {self.level} or less, or meet at a deeper level"
            reason = f"encoders have h1..h{self.level} only"
            raise wrong(reason, right, "reuse_level")
        return self

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The meeting's own mode, then those it is compared with."""
        return tuple(dict.fromkeys((self.mode, *self.compare)))

    @property
    def level(self) -> int:
        """The cut level at which all meet."""
        return self.agency[0].level

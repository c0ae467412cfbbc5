"""Settings of vertical training: a party's feature parties in its city, and the protocol."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from deepcity.data.config.toml_file import Settings, wrong
from deepcity.learning.features.agency_columns import ColumnSettings
from deepcity.maps.defence_settings import DefenceSettings
from deepcity.privacy.deep_grant import LEAST_LEVEL, WIDEST


class Mode(StrEnum):
    """When gradients return to the agencies."""

    ONE_SHOT = "one-shot"
    BLOCK = "block-wise"
    BATCH = "per-batch"


def _files(value: object) -> object:
    """One file, or a file by city."""
    files = list(value.values()) if isinstance(value, dict) else [value]
    if value is not None and not all(isinstance(file, str) and file for file in files):
        right = 'write "AGENCY-VERSION.encoder", or { CITY = "AGENCY-VERSION.encoder" }'
        raise wrong("neither a file nor a table of cities and files", right)
    return value


class FeaturePartySettings(Settings):
    """An agency that sends deep data.

    Attributes:
        agency: its name in the party's own city.
        fields: those it encodes; left out, all.
        history, ahead, ahead_every, lag: as in
            `deepcity.learning.features.agency_columns.ColumnSettings`.
        level: its cut level; shallower than `least_level` is refused.
        width: width of its deep data; wider than `widest` is refused.
        least_level, widest: its grant.
        encoder: its encoder of another service to start from; relative to the map file. In a
            service of several cities: city -> file; agencies of other cities are pretrained.
        defences: of its deep data, on their way out and in training.
        leakage: "forecast": in daily use its deep data may leak no more than the forecast made from
            them, and 0.05, by `deepcity audit`. "any": it accepts what they leak. Where its city
            names a policy, that decides instead.
    """

    agency: str
    fields: tuple[str, ...] = ()
    history: Annotated[int, Field(ge=1)] = 6
    ahead: Annotated[int, Field(ge=0)] = 0
    ahead_every: Annotated[int, Field(ge=1)] = 1
    lag: Annotated[int, Field(ge=0)] = 0
    level: Annotated[int, Field(ge=1, le=5)] = 3
    width: Annotated[int, Field(ge=1, le=64)] = 4
    least_level: Annotated[int, Field(ge=1, le=5)] = LEAST_LEVEL
    widest: Annotated[int, Field(ge=1)] = WIDEST
    encoder: Annotated[str | dict[str, str] | None, BeforeValidator(_files)] = None
    defences: DefenceSettings = DefenceSettings()
    leakage: Literal["forecast", "any"] = "forecast"

    @model_validator(mode="after")
    def _granted(self) -> "FeaturePartySettings":
        if self.level < self.least_level:
            right = f"write {self.least_level} or more, or have the agency lower least_level"
            raise wrong("shallower than the agency grants", right, "level")
        if self.width > self.widest:
            right = f"write {self.widest} or less, or have the agency raise widest"
            raise wrong("wider than the agency grants", right, "width")
        return self

    def encoder_of(self, city: str) -> str | None:
        """The encoder file from which the agency of a city starts."""
        return self.encoder.get(city) if isinstance(self.encoder, dict) else self.encoder

    @property
    def columns(self) -> ColumnSettings:
        """Input columns of its encoder."""
        return ColumnSettings(
            history=self.history, ahead=self.ahead, ahead_every=self.ahead_every, lag=self.lag
        )


class VerticalSettings(Settings):
    """Vertical training between a party and other agencies of its city.

    Attributes:
        agency: the feature parties, a table each.
        mode: when gradients return to them: "one-shot", "block-wise" or "per-batch".
        compare: further modes to run and report; no packages are written for them.
        pretrain_steps: steps of each encoder's pretraining.
        agency_dropout: share of training rows in which an agency is left out.
        reuse_level: h1..hk that equal agencies of several cities pretrain jointly; 0 for none.
        labels_stay: the party only computes the loss: the application holds no labels, and
            gets the party's own columns as deep data too.
        own_width: width of those deep data.
        own_defences: their defences.
    """

    agency: Annotated[tuple[FeaturePartySettings, ...], Field(min_length=1)]
    mode: Mode = Mode.BLOCK
    compare: tuple[Mode, ...] = ()
    pretrain_steps: Annotated[int, Field(ge=0)] = 1000
    agency_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    reuse_level: Annotated[int, Field(ge=0, le=5)] = 0
    labels_stay: bool = False
    own_width: Annotated[int, Field(ge=1, le=64)] = 16
    own_defences: DefenceSettings = DefenceSettings()

    @model_validator(mode="after")
    def _once(self) -> "VerticalSettings":
        names = [feature_party.agency for feature_party in self.agency]
        for name in names:
            if names.count(name) > 1:
                raise wrong(f"{name} is named twice", "name each agency once", "agency")
        if len({feature_party.level for feature_party in self.agency}) > 1:
            raise wrong("agencies have different cut levels", "give all the same level", "agency")
        if self.reuse_level > self.level:
            right = f"write {self.level} or less, or give the agencies a deeper level"
            reason = f"encoders have h1..h{self.level} only"
            raise wrong(reason, right, "reuse_level")
        return self

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The mode, then those it is compared with."""
        return tuple(dict.fromkeys((self.mode, *self.compare)))

    @property
    def level(self) -> int:
        """The cut level of all agencies."""
        return self.agency[0].level

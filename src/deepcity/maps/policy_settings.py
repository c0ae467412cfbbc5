"""A city's policy file: grants as TOML data, and the file of the city's own Cedar rules.

The city file names it: `policy = "policy.toml"`.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from deepcity.data.config.duration import Duration
from deepcity.data.config.settings import NAME
from deepcity.data.config.toml_file import Settings, wrong
from deepcity.privacy.policy.release import ABOVE_FORECAST, DEPTHS, Item, ReleaseGrant

Name = Annotated[str, Field(pattern=NAME, max_length=200)]
Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
Layer = Literal["stem", "h1", "h2", "h3", "h4", "h5", "head"]
LAST_DAY = date(9998, 12, 31)
_OF_NO_LAYER = (Item.COUNTS, Item.SIGHTINGS)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _as_day(written: object) -> object:
    """A day as TOML or ISO 8601 writes it: 0 would be one, too, of 1970."""
    of_toml = isinstance(written, date) and not isinstance(written, datetime)
    if of_toml or (isinstance(written, str) and _DAY.fullmatch(written)):
        return written
    raise wrong("no day", "write the last day on which it holds: until = 2027-12-31")


Day = Annotated[date, BeforeValidator(_as_day)]


class GrantTable(Settings):
    """What one agency lets one or more cities have, for one service and purpose.

    Attributes:
        name: unique in the file; rules, messages and revocations name it.
        agency: whose data leave, as the city file names it.
        item: "layers" (parameters, in rounds), "deep_data" (activations, as a stream), "counts"
            (of rows by area and time, with noise) or "sightings" (camera, time and score of tracks
            that resemble a person who is looked for).
        grantee: cities that may receive them, this one too where its own services use them.
        domain, service, purpose: what they are for. A map's service has the purpose that its
            `[service.grant]` states; left out there, its application's name.
        lowest, highest: layers that may leave: stem, h1 to h5, head. Of deep data the shallowest
            and the deepest cut; the stem and the head are none. Counts and sightings have none.
        until: the last day on which the grant holds, in the city's time zone.
        max_stream_r2: most measured leakage, the best attacker's R² after 24 releases
            (`deepcity audit`). What was not measured does not leave then.
        leakage: "forecast": a running city's deep data may leak no more than the forecast made
            from them, and 0.05. "any": what they leak is accepted, measured or not. Left out: the
            number max_stream_r2 counts, and where there is none "forecast".
        cadence: least time between two releases of deep data, or between two answers to one case.
        least_k: fewest parties whose updates are joined before anybody sees them (secure sums). Of
            counts: those under it are withheld; they need it.
        epsilon: of differential privacy, in all. Counts need it.
        keep_days: how long the recipient may keep deep data or counts.
    """

    name: Name
    agency: Name
    item: Item
    grantee: Annotated[tuple[Name, ...], Field(min_length=1)]
    domain: Name
    service: Name
    purpose: Words
    lowest: Layer | None = None
    highest: Layer | None = None
    until: Day
    max_stream_r2: Annotated[float, Field(ge=0, le=1)] | None = None
    leakage: Literal["forecast", "any"] | None = None
    cadence: Duration | None = None
    least_k: Annotated[int, Field(ge=2, le=1_000_000)] | None = None
    epsilon: Annotated[float, Field(gt=0, le=1000)] | None = None
    keep_days: Annotated[int, Field(ge=1, le=36_500)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lowest and self.highest and DEPTHS[self.lowest] > DEPTHS[self.highest]:
            raise wrong(f"higher than {self.highest}", f"write {self.highest} or lower", "lowest")
        if self.until > LAST_DAY:
            raise wrong("further off than any grant", f"write {LAST_DAY} or earlier", "until")
        return self

    @model_validator(mode="after")
    def _counts_are_bounded(self) -> Self:
        if self.item is not Item.COUNTS:
            return self
        bounds = {"least_k": self.least_k, "epsilon": self.epsilon}
        for key, value in bounds.items():
            if value is None:
                right = "write e.g. least_k = 10" if key == "least_k" else "write e.g. epsilon = 2"
                raise wrong("missing, and counts leave only within it", right, key)
        if self.cadence is not None:
            raise wrong("it bounds a stream, and counts are none", "leave it out", "cadence")
        return self

    @model_validator(mode="after")
    def _layers_where_there_are_some(self) -> Self:
        if self.item not in _OF_NO_LAYER:
            for key in ("lowest", "highest"):
                if getattr(self, key) is None:
                    raise wrong("missing", "name a layer: stem, h1 to h5, head", key)
            return self
        for key in ("lowest", "highest", "max_stream_r2", "leakage"):
            if getattr(self, key) is not None:
                reason = f"it bounds layers, and {self.item} are of none"
                raise wrong(reason, "leave it out", key)
        return self

    @model_validator(mode="after")
    def _sightings_have_no_noise(self) -> Self:
        if self.item is Item.SIGHTINGS:
            for key in ("least_k", "epsilon", "keep_days"):
                if getattr(self, key) is not None:
                    reason = "sightings are of one person, and end with their case"
                    raise wrong(reason, "leave it out", key)
        return self

    @model_validator(mode="after")
    def _fits_item(self) -> Self:
        if self.item in _OF_NO_LAYER:
            return self
        layers = self.item is Item.LAYERS
        streamed = {"cadence": self.cadence, "keep_days": self.keep_days, "leakage": self.leakage}
        if self.leakage == "any" and self.max_stream_r2 is not None:
            reason = f"max_stream_r2 = {self.max_stream_r2:g} bounds it"
            raise wrong(reason, "leave one of both out", "leakage")
        for key, value in streamed.items():
            if layers and value is not None:
                reason = "it bounds a stream of deep data, and layers are sent in rounds"
                raise wrong(reason, 'leave it out, or write item = "deep_data"', key)
        if not layers and self.least_k is not None:
            reason = "it bounds secure sums and counts, and deep data are sent as they are"
            raise wrong(reason, 'leave it out, or write item = "layers"', "least_k")
        if layers and self.lowest not in ("stem", "h1"):
            reason = "layers are shared from h1 on, so nothing could leave"
            raise wrong(reason, 'write "h1", or "stem" where the stem is common', "lowest")
        for key, layer in {"lowest": self.lowest, "highest": self.highest}.items():
            if not layers and layer in ("stem", "head"):
                raise wrong("deep data are cut at h1 to h5", "name one of these", key)
        return self

    @property
    def _max_above_forecast(self) -> float | None:
        by_number = self.max_stream_r2 is not None and self.leakage is None
        if self.item is not Item.DEEP_DATA or self.leakage == "any" or by_number:
            return None
        return ABOVE_FORECAST

    def value(self, time_zone: str, revoked_at: int | None) -> ReleaseGrant:
        """The grant these settings describe."""
        end = datetime.combine(self.until + timedelta(1), time(), ZoneInfo(time_zone))
        return ReleaseGrant(
            name=self.name,
            agency=self.agency,
            item=self.item,
            grantees=self.grantee,
            domain=self.domain,
            service=self.service,
            purpose=self.purpose,
            lowest=0 if self.lowest is None else DEPTHS[self.lowest],
            highest=0 if self.highest is None else DEPTHS[self.highest],
            until=int(end.timestamp()),
            max_stream_r2=self.max_stream_r2,
            max_above_forecast=self._max_above_forecast,
            cadence_s=None if self.cadence is None else int(self.cadence.total_seconds()),
            least_k=self.least_k,
            epsilon=self.epsilon,
            keep_days=self.keep_days,
            revoked_at=revoked_at,
        )


class PolicySettings(Settings):
    """A whole policy file.

    Attributes:
        rules: a file of Cedar `forbid` rules beside it; what they forbid no grant allows.
        grant: what agencies grant; anything else is denied.
    """

    rules: str | None = None
    grant: tuple[GrantTable, ...] = ()


class Revocation(Settings):
    """A grant that was revoked.

    Attributes:
        at: UTC seconds.
    """

    grant: Name
    at: Annotated[int, Field(ge=0, le=253_402_300_799)]


class RevocationsFile(Settings):
    """The revoked grants of a policy file: `NAME.revoked.toml` beside it."""

    revoked: tuple[Revocation, ...] = ()

"""Why no grant covers a release, in codes with numbers: for people; Cedar alone decides.

`uncovered` repeats the conditions of `cedar_text` in Python, to name the ones that fail. That both
agree is a test (`tests/privacy/policy`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite

from deepcity.privacy.policy.cedar_text import at_least, at_most
from deepcity.privacy.policy.release import (
    Item,
    ReleaseAction,
    ReleaseGrant,
    ReleaseMeasures,
    ReleaseRequest,
)

_MOST = 9e14  # what Cedar's decimals hold


@dataclass(frozen=True)
class Denial:
    """One reason, about one grant or about none (`grant` is "" then)."""

    code: str
    grant: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def refusals(
    grants: tuple[ReleaseGrant, ...], domain: str | None, request: ReleaseRequest
) -> tuple[Denial, ...]:
    """Why no grant covers a request: of the grants that come nearest, every condition that fails.

    Args:
        domain: the agency's; None: the city has no such agency.
    """
    if domain is None:
        return (Denial("no_agency", names={"agency": request.agency}),)
    own = [one for one in grants if one.agency == request.agency]
    own = [one for one in own if one.item is request.action.item]
    if not own:
        return (Denial("no_grant", names={"agency": request.agency, "service": request.service}),)
    named = [one for one in own if one.service == request.service] or own
    found = [uncovered(one, domain, request) for one in named]
    return min((one for one in found if one), key=len, default=())


def uncovered(grant: ReleaseGrant, domain: str, request: ReleaseRequest) -> tuple[Denial, ...]:
    """Every condition of a grant that a request does not meet; empty where it covers it."""
    found = [*_revoked(grant), *_wrong_names(grant, domain, request), *_depths(grant, request)]
    if request.now >= grant.until:
        found.append(Denial("expired", grant.name, {"until": grant.until}))
    if request.action is not ReleaseAction.READ_DEEP_DATA:
        found += _over_limits(grant, request)
    return tuple(found)


def _revoked(grant: ReleaseGrant) -> list[Denial]:
    if grant.revoked_at is None:
        return []
    return [Denial("revoked", grant.name, {"at": grant.revoked_at})]


def _wrong_names(grant: ReleaseGrant, domain: str, request: ReleaseRequest) -> list[Denial]:
    pairs = {
        "domain": (grant.domain, domain),
        "service": (grant.service, request.service),
        "purpose": (grant.purpose, request.purpose),
    }
    found = [
        Denial(f"other_{key}", grant.name, names={"granted": granted, "asked": asked})
        for key, (granted, asked) in pairs.items()
        if granted != asked
    ]
    return found + [
        Denial("other_recipient", grant.name, names={"asked": city})
        for city in request.recipients
        if city not in grant.grantees
    ]


def _depths(grant: ReleaseGrant, request: ReleaseRequest) -> list[Denial]:
    found = []
    if request.lowest < grant.lowest:
        numbers = {"granted": grant.lowest, "asked": request.lowest}
        found.append(Denial("too_low", grant.name, numbers))
    if request.highest > grant.highest:
        numbers = {"granted": grant.highest, "asked": request.highest}
        found.append(Denial("too_high", grant.name, numbers))
    return found


def _over_limits(grant: ReleaseGrant, request: ReleaseRequest) -> list[Denial]:
    measured = request.measured
    least = ("joined", measured.joined)
    if grant.item is Item.COUNTS:
        least = ("least_count", measured.least_count)
    return [
        *_above("leakage", grant.name, grant.max_stream_r2, measured.stream_r2),
        *_above("epsilon", grant.name, grant.epsilon, measured.epsilon),
        *_above_forecast(grant, measured),
        *_below("cadence", grant.name, grant.cadence_s, measured.cadence_s),
        *_below(least[0], grant.name, grant.least_k, least[1]),
    ]


def _above_forecast(grant: ReleaseGrant, measured: ReleaseMeasures) -> list[Denial]:
    if measured.in_training:
        return []
    value, stream = measured.stream_above_forecast, measured.stream_r2
    found = _above("forecast", grant.name, grant.max_above_forecast, value)
    if value is None:
        return found
    stream = value if stream is None else stream
    shown = {"stream": stream, "forecast": stream - value}
    return [replace(one, numbers={**one.numbers, **shown}) for one in found]


def _above(code: str, name: str, limit: float | None, value: float | None) -> list[Denial]:
    if limit is None:
        return []
    if value is None or not isfinite(value) or abs(value) > _MOST:
        return [Denial(f"{code}_unknown", name, {"limit": limit})]
    if float(at_least(value)) > float(at_most(limit)):
        return [Denial(f"{code}_over", name, {"limit": limit, "value": value})]
    return []


def _below(code: str, name: str, limit: int | None, value: int | None) -> list[Denial]:
    if limit is None:
        return []
    if value is None:
        return [Denial(f"{code}_unknown", name, {"limit": limit})]
    return (
        [] if value >= limit else [Denial(f"{code}_under", name, {"limit": limit, "value": value})]
    )

"""Grants as Cedar policies, and values as Cedar has them.

Every text from a file goes through `quoted`, so that no name can become a policy.
"""

from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from deepcity.privacy.policy.release import Item, ReleaseAction, ReleaseGrant

NAMESPACE = "DeepCity"
FOUR_DIGITS = Decimal("0.0001")
"""Cedar's decimals have four digits after the point."""


def quoted(text: str) -> str:
    r"""A Cedar string; all but letters, digits and a few plain signs of ASCII is escaped.

    >>> print(quoted('a"b'))
    "a\u{22}b"

    Raises:
        ValueError: if the text holds a lone surrogate, which no Cedar string can.
    """
    text.encode()
    plain = "".join(
        sign if sign.isascii() and (sign.isalnum() or sign in " -_./:") else f"\\u{{{ord(sign):x}}}"
        for sign in text
    )
    return f'"{plain}"'


def entity(kind: str, name: str) -> str:
    """An entity of the schema."""
    return f"{NAMESPACE}::{kind}::{quoted(name)}"


def at_most(limit: float) -> str:
    """A limit as a decimal, rounded down: never above what was granted."""
    return str(Decimal(repr(limit)).quantize(FOUR_DIGITS, ROUND_FLOOR))


def at_least(measured: float) -> str:
    """A measured value as a decimal, rounded up: never below what was measured.

    Raises:
        InvalidOperation: if it is far beyond what Cedar's decimals hold.
    """
    return str(Decimal(repr(measured)).quantize(FOUR_DIGITS, ROUND_CEILING))


def instant(seconds: int) -> str:
    """UTC seconds as Cedar writes a time.

    >>> instant(0)
    '1970-01-01T00:00:00Z'

    Raises:
        ValueError, OverflowError, OSError: outside the years 1 to 9999.
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def permits(grant: ReleaseGrant, city: str) -> str:
    """The Cedar policies of a grant; none of a revoked one.

    Reading stored deep data needs all of a grant but what is measured at their release.
    """
    if grant.revoked_at is not None:
        return ""
    release = _permit(grant, city, _RELEASES[grant.item], [*_scope(grant), *_limits(grant)])
    if grant.item is not Item.DEEP_DATA:
        return release
    return f"{release}{_permit(grant, city, ReleaseAction.READ_DEEP_DATA, _scope(grant))}"


_RELEASES = {
    Item.LAYERS: ReleaseAction.RELEASE_LAYERS,
    Item.DEEP_DATA: ReleaseAction.RELEASE_DEEP_DATA,
    Item.COUNTS: ReleaseAction.RELEASE_COUNTS,
    Item.SIGHTINGS: ReleaseAction.RELEASE_SIGHTINGS,
}


def _permit(grant: ReleaseGrant, city: str, action: ReleaseAction, conditions: list[str]) -> str:
    resource = entity("Agency", f"{city}/{grant.agency}")
    return (
        f"@id({quoted(grant.name)})\n"
        f"permit (\n  principal,\n  action == {entity('Action', action)},\n"
        f"  resource == {resource}\n) when {{\n  " + " &&\n  ".join(conditions) + "\n};\n"
    )


def _scope(grant: ReleaseGrant) -> list[str]:
    """Who, what for, which layers, until when."""
    grantees = ", ".join(entity("City", one) for one in grant.grantees)
    return [
        f"principal in [{grantees}]",
        f"resource.domain == {quoted(grant.domain)}",
        f"context.service == {quoted(grant.service)}",
        f"context.purpose == {quoted(grant.purpose)}",
        f"context.lowest >= {grant.lowest:d}",
        f"context.highest <= {grant.highest:d}",
        f'context.now < datetime("{instant(grant.until)}")',
    ]


def _limits(grant: ReleaseGrant) -> list[str]:
    """What must be measured and within its limit: a value that is absent is not."""
    found = []
    if grant.max_stream_r2 is not None:
        found += _within("stream_r2", f'lessThanOrEqual(decimal("{at_most(grant.max_stream_r2)}"))')
    if grant.epsilon is not None:
        found += _within("epsilon", f'lessThanOrEqual(decimal("{at_most(grant.epsilon)}"))')
    if grant.max_above_forecast is not None:
        limit = f'lessThanOrEqual(decimal("{at_most(grant.max_above_forecast)}"))'
        within = " && ".join(_within("stream_above_forecast", limit))
        found.append(f"((context has in_training && context.in_training) || ({within}))")
    if grant.cadence_s is not None:
        found += ["context has cadence_s", f"context.cadence_s >= {grant.cadence_s:d}"]
    if grant.least_k is not None:
        name = "least_count" if grant.item is Item.COUNTS else "joined"
        found += [f"context has {name}", f"context.{name} >= {grant.least_k:d}"]
    return found


def _within(name: str, test: str) -> list[str]:
    return [f"context has {name}", f"context.{name}.{test}"]

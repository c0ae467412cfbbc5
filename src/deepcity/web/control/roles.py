"""Who may do what: one table of roles by route. A route that it does not name is closed."""

from collections.abc import Collection
from enum import StrEnum


class Role(StrEnum):
    """What a person is here for."""

    OPERATOR = "operator"  # answers decisions and alarms
    ANALYST = "analyst"  # looks
    AUDITOR = "auditor"  # looks, also at every event
    ADMIN = "admin"
    SOURCE = "source"  # a program that sends rows, and may do nothing else


ALL = frozenset(Role) - {Role.SOURCE}
ACTING = frozenset({Role.OPERATOR, Role.ADMIN})
SENDING = frozenset({Role.SOURCE, Role.ADMIN})
SEEING_ALL = frozenset({Role.AUDITOR, Role.ADMIN})
SEARCHING = frozenset({Role.OPERATOR, Role.ADMIN, Role.AUDITOR})
READING_EVENTS = frozenset({Role.AUDITOR, Role.ADMIN, Role.ANALYST})

OPEN = frozenset(
    {
        ("GET", "/"),
        ("GET", "/health"),
        ("GET", "/api/session"),
        ("POST", "/api/session"),
        ("DELETE", "/api/session"),
        ("GET", "/api/oidc"),
        ("GET", "/api/oidc/callback"),
        ("GET", "/ngsi-ld/v1/jsonldContexts/{name}"),
    }
)
"""Routes that need no log-in."""

BY_TOKEN = frozenset({("POST", "/deep-data"), ("GET", "/deep-data/clock")})
"""Routes of agencies' processes: a token of the access file opens them, and no person's log-in."""

RIGHTS: dict[tuple[str, str], frozenset[Role]] = {
    ("GET", "/api/city"): ALL,
    ("GET", "/api/now"): ALL,
    ("GET", "/api/frame"): ALL,
    ("GET", "/api/series"): ALL,
    ("GET", "/api/decisions"): ALL,
    ("POST", "/api/decisions/{number}/answers"): ACTING,
    ("GET", "/api/decisions/{number}/cap"): ALL,
    ("GET", "/api/plan"): ALL,  # advice: it changes nothing
    ("GET", "/api/export"): ALL,
    ("GET", "/api/alarms"): ALL,
    ("POST", "/api/alarms/{number}/changes"): ACTING,
    ("GET", "/api/alarms/{number}/cap"): ALL,
    ("GET", "/api/sources"): ALL,
    ("POST", "/api/sources/{agency}/{source}/rows"): SENDING,
    ("GET", "/api/map"): ALL,
    ("GET", "/api/house"): ALL,
    ("GET", "/api/handover"): ALL,
    ("POST", "/api/handover/notes"): ACTING,
    ("GET", "/api/incidents"): ALL,
    ("POST", "/api/incidents"): ACTING,
    ("GET", "/api/incidents/{number}"): ALL,
    ("POST", "/api/incidents/{number}/entries"): ACTING,
    ("POST", "/api/incidents/{number}/seen"): ALL,  # that one has looked, and nothing else
    ("GET", "/api/cases"): SEARCHING,  # whom a city looks for is not for everybody
    ("POST", "/api/cases"): ACTING,
    ("GET", "/api/cases/{case}"): SEARCHING,
    ("POST", "/api/cases/{case}/approvals"): ACTING,
    ("POST", "/api/cases/{case}/signatures"): ACTING,
    ("POST", "/api/cases/{case}/searches"): ACTING,
    ("POST", "/api/cases/{case}/verdicts"): ACTING,
    ("POST", "/api/cases/{case}/closings"): ACTING,
    ("GET", "/api/stream"): ALL,
    ("GET", "/api/events"): READING_EVENTS,
    ("GET", "/metrics"): ALL,
    ("GET", "/openapi.json"): ALL,
    ("GET", "/ngsi-ld/v1/entities"): ALL,
    ("GET", "/ngsi-ld/v1/entities/{entity}"): ALL,
    ("POST", "/ngsi-ld/v1/entityOperations/query"): ALL,  # it reads
    ("POST", "/ngsi-ld/v1/entityOperations/upsert"): SENDING,
    ("PATCH", "/ngsi-ld/v1/entities/{entity}"): SENDING,
    ("PATCH", "/ngsi-ld/v1/entities/{entity}/attrs"): SENDING,
    ("POST", "/ngsi-ld/v1/entities/{entity}/attrs"): SENDING,
    ("GET", "/ngsi-ld/v1/types"): ALL,
    ("GET", "/ngsi-ld/v1/types/{name}"): ALL,
    ("GET", "/ngsi-ld/v1/attributes"): ALL,
    ("GET", "/ngsi-ld/v1/attributes/{name}"): ALL,
    ("GET", "/ngsi-ld/v1/temporal/entities"): ALL,
    ("GET", "/ngsi-ld/v1/temporal/entities/{entity}"): ALL,
    ("POST", "/ngsi-ld/v1/temporal/entityOperations/query"): ALL,  # it reads
    ("GET", "/ngsi-ld/v1/subscriptions"): ALL,
    ("POST", "/ngsi-ld/v1/subscriptions"): ACTING,
    ("POST", "/ngsi-ld/v1/subscriptions/"): ACTING,
    ("GET", "/ngsi-ld/v1/subscriptions/{name}"): ALL,
    ("PATCH", "/ngsi-ld/v1/subscriptions/{name}"): ACTING,
    ("DELETE", "/ngsi-ld/v1/subscriptions/{name}"): ACTING,
    **{
        (method, "/ngsi-ld/v1/{rest:path}"): ALL  # says that there is nothing, or no writing
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    },
}


def may_see(role: Role, roles: Collection[str]) -> bool:
    """Whether an entry of an incident may be seen by a role.

    Args:
        roles: that it is for; empty: everyone.
    """
    return not roles or role in SEEING_ALL or role.value in roles


def may(role: Role, method: str, path: str) -> bool:
    """Whether a role has a right to a route.

    Args:
        path: the route's, as `RIGHTS` has it.
    """
    return role in RIGHTS.get((method, path), frozenset())

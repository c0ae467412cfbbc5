"""Where notifications may be sent: to this machine, and to hosts that the operator allowed.

Whoever may subscribe would else let the node send requests into its own network (SSRF).
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from deepcity.web.ngsi.problems import bad

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?")
MOST_SIGNS = 500


@dataclass(frozen=True)
class AllowedHost:
    """A host, at one port or at all (0)."""

    host: str
    port: int = 0


def allowed_host(text: str) -> AllowedHost:
    """A host as the command line names it.

    >>> allowed_host("broker.example:9090")
    AllowedHost(host='broker.example', port=9090)

    Raises:
        ValueError: if it is none.
    """
    found = _HOST.fullmatch(text)
    if found is None or (found[2] and not 0 < int(found[2]) < 65_536):
        raise ValueError(
            f"{text!r} is no host: write HOST or HOST:PORT, such as broker.example:9090"
        )
    return AllowedHost(found[1].strip("[]").lower(), int(found[2] or 0))


def check_endpoint(uri: str, allowed: tuple[AllowedHost, ...]) -> None:
    """Refuse an address that notifications may not be sent to.

    Raises:
        NgsiError: with the address and what is wrong.
    """
    name = "notification.endpoint.uri"
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise bad(name, uri, "no address", "give e.g. http://127.0.0.1:9090/notify") from error
    if len(uri) > MOST_SIGNS or re.search(r"[\s\x00-\x1f\\]", uri) or not uri.isascii():
        raise bad(name, uri, "no address", "give e.g. http://127.0.0.1:9090/notify")
    if parts.scheme not in ("http", "https") or not host:
        raise bad(name, uri, "no http address", "give http://HOST:PORT/PATH")
    if parts.username is not None or parts.password is not None:
        raise bad(name, parts.hostname, "a name or password in it", "leave them out")
    port = port or (443 if parts.scheme == "https" else 80)
    if host not in _LOOPBACK and not any(
        host == one.host and one.port in (0, port) for one in allowed
    ):
        right = f"start the node with --notify {host}:{port}, or use this machine"
        raise bad(name, uri, "not a host that may be notified", right)

"""Where notifications may be sent: to hosts that were named when the node was started.

Whoever may subscribe would else let the node send requests into its own network (SSRF). To this
machine itself they may be sent without being named where there are no accounts: then whoever
subscribes sits at it. A name is looked up once for each delivery, and what is connected to is what
was checked, so that a name that changes its address in between (DNS rebinding) gains nothing.
"""

import asyncio
import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from deepcity.web.ngsi.problems import NgsiError, bad

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?")
MOST_SIGNS = 500


@dataclass(frozen=True)
class AllowedHost:
    """A host, at one port or at all (0)."""

    host: str
    port: int = 0


THIS_MACHINE = (AllowedHost("127.0.0.1"), AllowedHost("localhost"), AllowedHost("::1"))
_LOOPBACK = frozenset(one.host for one in THIS_MACHINE)


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
    if not any(host == one.host and one.port in (0, port) for one in allowed):
        shown = f"[{host}]" if ":" in host else host
        right = f"start the node with --notify {shown}:{port}"
        raise bad(name, uri, "not a host that may be notified", right)


async def address_of(uri: str) -> str:
    """The IP address of an endpoint's host now; the host itself where it is this machine.

    Raises:
        NgsiError: if a name leads to this machine, or to addresses that no host elsewhere has.
        OSError: if it is unknown.
    """
    parts = urlsplit(uri)
    host, port = parts.hostname or "", parts.port or 0
    if host in _LOOPBACK:
        return host
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    numbers = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    for number in numbers:
        real = getattr(number, "ipv4_mapped", None) or number
        if real.is_loopback or real.is_link_local or real.is_multicast or real.is_unspecified:
            title = f"{host} leads to {number}, which is no host elsewhere"
            raise NgsiError(title, "name the host itself with --notify")
    return str(min(numbers, key=lambda one: one.version))

"""HTTP Basic (RFC 7617) for programs, which have no session: the same accounts as people's.

A password is slow to verify by design, and a program sends it with every request, so what was
verified is known for a minute, unless the account changes; of it only a keyed digest is kept.
"""

import base64
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deepcity.web.control.accounts.accounts import Accounts, User

_KEPT_S, _MOST_KEPT = 60.0, 1_000
_MOST_SIGNS = 2_000


@dataclass
class BasicAuth:
    """Knows programs by the header of their requests. Threads may share it.

    Attributes:
        accounts: whom there is.
    """

    accounts: Accounts
    clock: Callable[[], float] = time.monotonic
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _known: dict[bytes, float] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def user(self, header: str) -> User | None:
        """Who sent an `Authorization` header; None if it is of nobody.

        Raises:
            Refusal: if too many are being verified.
        """
        name, password = _read(header)
        if not name:
            return None
        stamp = self.accounts.stamp(name)
        digest = hmac.digest(self._key, f"{name}\0{stamp}\0{password}".encode(), "sha256")
        if self._is_known(digest):
            return self.accounts.user(name, stamp)
        found = self.accounts.check(name, password)
        if found is not None:
            self._remember(digest)
        return found

    def _is_known(self, digest: bytes) -> bool:
        with self._lock:
            return self._known.get(digest, -_KEPT_S) > self.clock()

    def _remember(self, digest: bytes) -> None:
        with self._lock:
            now = self.clock()
            if len(self._known) >= _MOST_KEPT:
                self._known = {one: until for one, until in self._known.items() if until > now}
            if len(self._known) < _MOST_KEPT:
                self._known[digest] = now + _KEPT_S


def _read(header: str) -> tuple[str, str]:
    """Name and password; empty where the header has none."""
    scheme, _, coded = header.partition(" ")
    if scheme.lower() != "basic" or len(coded) > _MOST_SIGNS:
        return "", ""
    try:
        name, colon, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except ValueError:  # no base64, which is ASCII, or no UTF-8 in it
        return "", ""
    return (name, password) if colon else ("", "")

"""The running city: `deepcity up` as a process of its own, with accounts and an access file."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grown_town
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from little_map import flows
from node_process import NodeProcess, running
from processes import ENV

from deepcity.store.signatures.ed25519 import public_hex
from deepcity.web.control.accounts.account_file import account_entry, signing_entry
from deepcity.web.control.roles import Role

PASSWORD = "correct horse battery"
GUESSED = "guessed"
"""An account whose password an outsider guesses; it is no one else's."""
SIGNER = "a-signer"
"""An account that signs its tokens."""
_LEARNED_DAYS, _DAYS = 36, 38
_REPLAY = "2021-03-09T00:00"


@dataclass
class RunningCity:
    """A city whose process runs.

    Attributes:
        folder: of its city file, records and run.
        node: its process.
        key: of the agency that signs its tokens; the other one has `token`.
    """

    folder: Path
    node: NodeProcess
    key: Ed25519PrivateKey
    token: str
    _clients: dict[str, httpx.Client] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The node's own folder."""
        return self.folder / "state"

    def log_in(self, name: str) -> httpx.Client:
        """A new session of an account."""
        client = self.stranger()
        found = client.post("/api/session", json={"name": name, "password": PASSWORD})
        assert found.status_code == 200, found.text
        return client

    def person(self, role: Role) -> httpx.Client:
        """The session of whoever has this role."""
        if role not in self._clients:
            self._clients[role] = self.log_in(f"a-{role.value}")
        return self._clients[role]

    def stranger(self) -> httpx.Client:
        """Nobody that it knows."""
        return httpx.Client(base_url=self.node.address, timeout=60, trust_env=False)


def _access(path: Path, token: str, key: Ed25519PrivateKey) -> Path:
    entries = {"x": f'token = "{token}"', "y": f'key = "{public_hex(key)}"'}
    text = [
        f'[[agency]]\nname = "{name}"\n{one}\n[agency.grant]\nservice = "water"\n'
        for name, one in entries.items()
    ]
    path.write_text("\n".join(text), encoding="utf-8")
    return path


@contextmanager
def running_city(folder: Path) -> Iterator[RunningCity]:
    """The stage: trained, started and answering; at the end its process is gone."""
    folder.mkdir(parents=True)
    grown_town.trained(folder, lambda number: flows(_DAYS, seed=number), _LEARNED_DAYS, _DAYS)
    accounts, key, token = folder / "accounts.toml", Ed25519PrivateKey.generate(), _secret()
    people = {f"a-{role.value}": role for role in Role} | {GUESSED: Role.ADMIN}
    entries = [account_entry(*one, PASSWORD) for one in people.items()]
    accounts.write_text("\n".join([*entries, signing_entry(SIGNER, Role.ADMIN, public_hex(key))]))
    more = ("--replay", _REPLAY, "--speed", "1", "--state", folder / "state", "--no-open")
    more = (*more, "--accounts", accounts, "--access", _access(folder / "access.toml", token, key))
    ENV.update(os.environ)  # it was read before this run's folder of keys was named
    with running(folder / "a.toml", *more, program=("-m", "deepcity")) as node:
        yield RunningCity(folder, node, key, token)


def _secret() -> str:
    return secrets.token_urlsafe(24)

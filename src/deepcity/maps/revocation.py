"""Revoking a grant of a city's policy: one line more in the file of revocations, written whole."""

import json
from pathlib import Path

from filelock import FileLock, Timeout

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.data.config.toml_file import did_you_mean
from deepcity.maps.city_policy import PolicyOrigin, read_policy
from deepcity.privacy.policy.release import ReleaseGrant
from deepcity.store.atomic import write_atomic, write_error_text

_WAIT_S = 10.0


def revoke_grant(origin: PolicyOrigin, name: str, now: int) -> tuple[ReleaseGrant, bool]:
    """Revoke a grant; returns it, and whether it held until now.

    One that was revoked before stays revoked since then, and nothing is written.

    Args:
        now: UTC seconds.

    Raises:
        ConfigError: if the policy has problems, has no such grant, or the file cannot be written.
    """
    path = origin.revocations
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_WAIT_S):
            grants = {one.name: one for one in read_policy(origin).grants}
            if name not in grants:
                right = did_you_mean(name, list(grants)) if grants else "there is none to revoke"
                reason = f"{origin.city} has no such grant"
                raise ConfigError([Problem(origin.path.name, "grant", name, reason, right)])
            if grants[name].revoked_at is not None:
                return grants[name], False
            quoted = json.dumps(name, ensure_ascii=False)
            _append(path, f"[[revoked]]\ngrant = {quoted}\nat = {now}\n")
    except (OSError, Timeout) as error:
        reason = write_error_text(path, error, 0)
        raise ConfigError([Problem(path.name, "file", None, reason, "then revoke again")]) from None
    return grants[name], True


def _append(path: Path, text: str) -> None:
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    gap = "" if not before or before.endswith("\n\n") else "\n" if before.endswith("\n") else "\n\n"
    write_atomic(path, f"{before}{gap}{text}".encode())

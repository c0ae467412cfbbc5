"""The policy that a city file names: read with every problem at once, and again when it changes.

FOLDER/policy.toml            grants, and the name of the rules file
FOLDER/policy.cedar           the city's own rules, if it has any
FOLDER/policy.revoked.toml    grants that were revoked, and when
"""

import logging
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from deepcity.city.errors import ConfigError, GrantError
from deepcity.city.problem import Problem
from deepcity.city.regular_file import read_regular
from deepcity.data.city_file import CityFile
from deepcity.data.config.toml_file import did_you_mean, read_toml, validate
from deepcity.maps.policy_settings import PolicySettings, RevocationsFile
from deepcity.privacy.policy.policy import Policy, ReleaseDecision
from deepcity.privacy.policy.refusal import Denial
from deepcity.privacy.policy.release import ReleaseRequest

_log = logging.getLogger(__name__)
_REVOKED = ".revoked.toml"
_Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True)
class PolicyOrigin:
    """Where a city's policy is, and what of the city it is checked against.

    Attributes:
        path: the policy file.
        domains: agency -> its domain.
    """

    path: Path
    city: str
    domains: dict[str, str]
    time_zone: str

    @property
    def revocations(self) -> Path:
        """The file of revoked grants."""
        return self.path.parent / (self.path.stem + _REVOKED)


def policy_origin(city_file: CityFile) -> PolicyOrigin | None:
    """Where a city's policy is; None where the city file names none."""
    if city_file.settings.policy is None:
        return None
    return PolicyOrigin(
        city_file.path.parent / city_file.settings.policy,
        city_file.city.name,
        {agency.name: agency.domain for agency in city_file.settings.agency},
        city_file.settings.clock.time_zone,
    )


def read_policy(origin: PolicyOrigin) -> Policy:
    """Read a policy, its rules and its revocations.

    Raises:
        ConfigError: with every problem of them.
    """
    settings, problems = _policy_settings(origin)
    revoked, found = _revocations(origin)
    problems += found
    if settings is None or revoked is None:
        raise ConfigError(problems)
    rules, rules_file, found = _rules(origin, settings)
    problems += found + _grant_problems(origin, settings)
    if problems:
        raise ConfigError(problems)
    grants = [one.value(origin.time_zone, revoked.get(one.name)) for one in settings.grant]
    return Policy(origin.city, origin.domains, tuple(grants), rules, rules_file)


def policy_problems(city_file: CityFile) -> list[Problem]:
    """What is wrong with the policy of a city, if it names one."""
    origin = policy_origin(city_file)
    try:
        if origin is not None:
            read_policy(origin)
    except ConfigError as error:
        return list(error.problems)
    return []


def _policy_settings(origin: PolicyOrigin) -> tuple[PolicySettings | None, list[Problem]]:
    raw, problems = read_toml(origin.path)
    return (None, problems) if raw is None else validate(PolicySettings, raw, origin.path.name)


def _revocations(origin: PolicyOrigin) -> tuple[dict[str, int] | None, list[Problem]]:
    """Grant -> when it was first revoked; a file that cannot be read is a problem."""
    path = origin.revocations
    if not path.exists() and not path.is_symlink():
        return {}, []
    raw, problems = read_toml(path)
    if raw is None:
        return None, problems
    found, problems = validate(RevocationsFile, raw, path.name)
    if found is None:
        return None, problems
    by_grant: dict[str, int] = {}
    for one in found.revoked:
        by_grant[one.grant] = min(one.at, by_grant.get(one.grant, one.at))
    return by_grant, []


def _rules(origin: PolicyOrigin, settings: PolicySettings) -> tuple[str, str, list[Problem]]:
    if settings.rules is None:
        return "", "", []
    path = origin.path.parent / settings.rules
    try:
        return read_regular(path).decode("utf-8"), settings.rules, []
    except (OSError, ValueError) as error:
        reason = f"it cannot be read: {getattr(error, 'strerror', None) or error}"
        right = "give the path of a Cedar file, or leave rules out"
        return "", "", [Problem(origin.path.name, "rules", settings.rules, reason, right)]


def _grant_problems(origin: PolicyOrigin, settings: PolicySettings) -> list[Problem]:
    """Names twice, and agencies or domains that the city does not have."""
    file, known = origin.path.name, list(origin.domains)
    found = [
        Problem(file, f"grant[{name}].name", name, "two grants have this name", "rename one")
        for name, count in Counter(one.name for one in settings.grant).items()
        if count > 1
    ]
    for one in settings.grant:
        domain = origin.domains.get(one.agency)
        if domain is None:
            right = did_you_mean(one.agency, known)
            reason = f"{origin.city} has no such agency"
            found.append(Problem(file, f"grant[{one.name}].agency", one.agency, reason, right))
        elif domain != one.domain:
            reason = f"{one.agency} is of the domain {domain}"
            key = f"grant[{one.name}].domain"
            found.append(Problem(file, key, one.domain, reason, f"write {domain!r}"))
    return found


@dataclass
class PolicyFile:
    """A policy that is read again when one of its files has changed: a revocation holds at once.

    A file that cannot be read any more denies everything until it can. Threads may share it.
    """

    origin: PolicyOrigin
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _stamp: _Stamp = field(default=(), repr=False)
    _policy: Policy | None = field(default=None, repr=False)
    _rules: Path | None = field(default=None, repr=False)

    def current(self) -> Policy:
        """The policy as its files have it now.

        Raises:
            ConfigError: with every problem of it.
        """
        with self._lock:
            stamp = _stamps(self._files())
            if self._policy is None or stamp != self._stamp:
                self._policy = None
                self._read(stamp)
            assert self._policy is not None
            return self._policy

    def _read(self, stamp: _Stamp) -> None:
        """Read it; stamps are of before reading, so that no change in between goes unnoticed."""
        found = read_policy(self.origin)
        before, self._rules = self._rules, self._rules_path(found)
        if self._rules != before:
            stamp = _stamps(self._files())
            found = read_policy(self.origin)
        self._policy, self._stamp = found, stamp

    def decide(self, request: ReleaseRequest) -> ReleaseDecision:
        """Whether a release is allowed now; a policy that cannot be read denies."""
        try:
            return self.current().decide(request)
        except ConfigError as error:
            _log.warning("the policy of %s denies everything: %s", self.origin.city, error)
            return ReleaseDecision(False, (Denial("failed"),))

    def check(self, request: ReleaseRequest) -> tuple[str, ...]:
        """Check that a release is allowed now; returns the names of the grants that allow it.

        Raises:
            GrantError: with every reason; a policy that cannot be read denies.
        """
        try:
            policy = self.current()
        except ConfigError as error:
            raise GrantError(
                f"the policy of {self.origin.city} cannot be read, so it denies everything: {error}"
            ) from None
        return policy.check(request)

    def _files(self) -> list[Path]:
        rules = [] if self._rules is None else [self._rules]
        return [self.origin.path, self.origin.revocations, *rules]

    def _rules_path(self, policy: Policy) -> Path | None:
        return self.origin.path.parent / policy.rules_file if policy.rules_file else None


def shared_policy(origin: PolicyOrigin) -> PolicyFile:
    """The policy of an origin, parsed once for all of this process who ask it."""
    return _shared(origin.path, origin.city, tuple(origin.domains.items()), origin.time_zone)


@lru_cache(maxsize=256)
def _shared(
    path: Path, city: str, domains: tuple[tuple[str, str], ...], time_zone: str
) -> PolicyFile:
    return PolicyFile(PolicyOrigin(path, city, dict(domains), time_zone))


def _stamps(paths: Iterable[Path]) -> _Stamp:
    """What tells that a file was changed: modification time, size and inode."""
    found: list[tuple[int, int, int] | None] = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            found.append(None)
        else:
            found.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(found)
